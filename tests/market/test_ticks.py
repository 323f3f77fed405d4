"""Ticks, the bars built of them, the FX week and what is refused: the native module against the twin and the text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep import _core
from sweep.errors import SweepError
from sweep.reference.digest import table_digest
from sweep.reference.higher import Day
from sweep.reference.ticks import TickBars, bars_from_ticks, in_fx_week
from tests.market.support import UTC, bars, poke, replaced

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIELDS = ("open", "high", "low", "close", "volume")
SPEC = json.loads(_core.symbol_spec("EURUSD", "{}"))


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


START = at("2024-01-03T09:59:30Z")


def ticks(times: Any, *, seed: int = 1, sizes: bool = False) -> pa.Table:
    """Sound ticks at these times; the first m of them do not depend on the rest."""
    times = np.asarray(times, dtype=np.int64)
    draws = np.random.default_rng(seed).random((len(times), 4))
    bid = 1.1 + 0.01 * draws[:, 0]
    columns = {"timestamp": pa.array(times).cast(UTC), "bid": bid, "ask": bid + 0.0003 * draws[:, 1]}
    if sizes:
        columns |= {"bid_size": 10 * draws[:, 2], "ask_size": 10 * draws[:, 3]}
    return pa.table(columns)


def regular(count: int, step: int = 250_000, start: int = START) -> list[int]:
    return [start + k * step for k in range(count)]


def market(table: pa.Table, timeframe: str = "M1", **options: Any) -> _core.Market:
    return _core.Market.from_ticks(table, json.dumps({"spec": SPEC, "timeframe": timeframe, **options}))


def report(native: _core.Market) -> dict[str, Any]:
    return json.loads(native.report())


def meta(native: _core.Market) -> dict[str, Any]:
    return json.loads(native.meta())


def held(native: _core.Market) -> pa.Table:
    table = native.ticks_table()
    assert table is not None
    return pa.table(table)


def twin(table: pa.Table, timeframe: str, day: Day | None = None) -> TickBars:
    size = table["bid_size"].to_pylist() if "bid_size" in table.column_names else None
    time = table["timestamp"].cast("int64").to_pylist()
    return bars_from_ticks(time, table["bid"].to_pylist(), table["ask"].to_pylist(), size, timeframe, day)


def assert_equal(native: _core.Market, expected: TickBars) -> None:
    table = pa.table(native.to_table())
    assert table["timestamp"].cast("int64").to_pylist() == expected.label.tolist()
    for name, side in (("bid", expected.bid), ("ask", expected.ask)):
        for field in FIELDS:
            assert table[f"{name}_{field}"].to_pylist() == getattr(side, field).tolist(), (name, field)


def bars_or_code(call: Callable[[], Any]) -> Any:
    """What a call gives, or the code of its refusal: clocks may make bars overlap."""
    try:
        return call()
    except SweepError as problem:
        return problem.code


def refusal(call: Callable[[], object]) -> SweepError:
    with pytest.raises(SweepError) as caught:
        call()
    return caught.value


STEPS = st.lists(
    st.one_of(st.just(0), st.integers(0, 90 * SECOND), st.integers(0, 3 * DAY)), min_size=1, max_size=120
)


@settings(max_examples=150)
@given(
    start=st.integers(at("1965-01-01T00:00:00Z"), at("2035-01-01T00:00:00Z")),
    steps=STEPS,
    timeframe=st.sampled_from(["M1", "M5", "M7", "H1", "H4", "D1", "W1"]),
    day=st.sampled_from([Day(), Day("America/New_York", 17), Day("Asia/Tokyo", 7)]),
    sizes=st.booleans(),
)
def test_bars_are_those_of_the_twin(
    start: int, steps: list[int], timeframe: str, day: Day, sizes: bool
) -> None:
    table = ticks(start + np.cumsum(steps), sizes=sizes)
    zone = {"zone": day.zone, "start_hour": day.start_hour}
    expected = bars_or_code(lambda: twin(table, timeframe, day))
    native = bars_or_code(lambda: market(table, timeframe, day=zone))
    if isinstance(expected, int):
        assert native == expected == 1006
        return
    assert_equal(native, expected)
    assert held(native).to_pydict() == table.to_pydict()


@pytest.mark.parametrize("timeframe", ["D2", "W5"])
def test_several_days_have_no_bars_of_ticks(timeframe: str) -> None:
    table = ticks(regular(10, DAY))
    assert refusal(lambda: market(table, timeframe)).code == 1001
    assert refusal(lambda: twin(table, timeframe)).code == 1001


def test_a_bar_is_made_of_the_ticks_of_its_bucket() -> None:
    table = pa.table(
        {
            "timestamp": pa.array(
                [START, START + 29 * SECOND, START + 30 * SECOND, START + 90 * SECOND]
            ).cast(UTC),
            "bid": [1.2, 1.3, 1.1, 1.0],
            "ask": [1.25, 1.31, 1.12, 1.0],
        }
    )
    rows = pa.table(market(table).to_table()).to_pylist()
    assert [row["timestamp"].minute for row in rows] == [59, 0]
    first = {name: value for name, value in rows[0].items() if name != "timestamp"}
    sides = {"bid": (1.2, 1.3, 1.2, 1.3, 2.0), "ask": (1.25, 1.31, 1.25, 1.31, 2.0)}
    assert first == {
        f"{side}_{f}": value for side, bar in sides.items() for f, value in zip(FIELDS, bar, strict=True)
    }


@settings(max_examples=60)
@given(steps=STEPS, cut=st.integers(0, 120), timeframe=st.sampled_from(["M1", "H1", "D1"]))
def test_ticks_after_t_change_no_bar_that_was_complete(steps: list[int], cut: int, timeframe: str) -> None:
    times = START + np.cumsum(steps)
    whole, cut = ticks(times), min(max(cut, 1), len(times))
    early = pa.table(market(whole.slice(0, cut), timeframe).to_table())
    assert early.equals(pa.table(market(whole, timeframe).to_table()).slice(0, early.num_rows))
    poisoned = pa.concat_tables([whole.slice(0, cut), ticks(times[cut:], seed=9)])
    assert early.equals(pa.table(market(poisoned, timeframe).to_table()).slice(0, early.num_rows))


@settings(max_examples=60)
@given(steps=STEPS, start=st.integers(0, 400), length=st.integers(1, 600), warmup=st.integers(0, 3))
def test_a_window_is_what_its_ticks_build(steps: list[int], start: int, length: int, warmup: int) -> None:
    times = START + np.cumsum(steps)
    first, end = START + start * MINUTE, START + (start + length) * MINUTE
    native = market(ticks(times))
    if not np.any((times >= first) & (times < end)):
        assert refusal(lambda: native.window(first, end, warmup)).code == 1010
        return
    window = native.window(first, end, warmup)
    assert_equal(window, twin(held(window), "M1"))
    kept = held(window)["timestamp"].cast("int64").to_numpy()
    assert kept.tolist() == times[(times >= meta(window)["history_from"]) & (times < end)].tolist()
    again = _core.Market.from_ticks_table(held(window), window.meta())
    assert (again.digest, again.meta(), again.rows) == (window.digest, window.meta(), window.rows)


@pytest.mark.parametrize("sizes", [False, True])
def test_the_digest_is_that_of_the_text(sizes: bool) -> None:
    table = ticks(regular(400), sizes=sizes)
    rows = table.to_pylist()
    for row, time in zip(rows, table["timestamp"].cast("int64").to_pylist(), strict=True):
        row["timestamp"] = time
        row.setdefault("bid_size", None)
        row.setdefault("ask_size", None)
    start = b"sweep.market.v1\nEURUSD\0M1\0ticks\0"
    expected = hashlib.sha256(start + bytes.fromhex(table_digest("ticks", rows))).hexdigest()
    assert market(table).digest == expected == market(table).dataset


def test_the_digest_knows_nothing_of_chunks_and_of_absent_sizes_that_are_named() -> None:
    table = ticks(regular(400))
    chunked = pa.concat_tables([table.slice(0, 150), table.slice(150)])
    empty = pa.nulls(400, pa.float64())
    named = table.append_column("bid_size", empty).append_column("ask_size", empty)
    assert len({market(t).digest for t in (table, chunked, named)}) == 1
    assert held(market(named)).column_names == ["timestamp", "bid", "ask"]
    assert market(named).digest != market(ticks(regular(400), sizes=True)).digest


def test_the_description_says_what_the_rows_are() -> None:
    native = market(ticks(regular(400)))
    assert meta(native)["kind"] == "ticks"
    made = _core.Market.synthetic(json.dumps({"spec": SPEC, "timeframe": "M1", "bars": 10}))
    assert made.ticks_table() is None
    assert "kind" not in meta(made)
    other = [
        lambda: _core.Market.from_table(native.to_table(), native.meta()),
        lambda: _core.Market.from_ticks_table(ticks(regular(400)), made.meta()),
        lambda: _core.Market.from_ticks_table(ticks(regular(400, start=START + HOUR)), native.meta()),
    ]
    assert [(refusal(call).code, refusal(call).stage) for call in other] == [(3008, "data")] * 3


def spoilt(column: str, row: int, value: float) -> Callable[[pa.Table], pa.Table]:
    return lambda table: poke(table, column, row, value)


def moved(row: int, by: int) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        times = table["timestamp"].cast("int64").to_numpy().copy()
        times[row] += by
        return replaced(table, "timestamp", pa.array(times).cast(UTC))

    return change


DEFECTS: dict[str, tuple[Callable[[pa.Table], pa.Table], str, int, int, str]] = {
    "nan bid": (spoilt("bid", 7, np.nan), "not_finite", 1006, 7, "bid nan"),
    "infinite ask": (spoilt("ask", 8, np.inf), "not_finite", 1006, 8, "ask inf"),
    "nan size": (spoilt("ask_size", 9, np.nan), "not_finite", 1006, 9, "ask_size nan"),
    "zero": (spoilt("bid", 0, 0.0), "not_positive", 1006, 0, "bid 0.0"),
    "negative": (spoilt("ask", 299, -1.0), "not_positive", 1006, 299, "ask -1.0"),
    "huge": (spoilt("ask", 10, 1e12), "too_large", 1006, 10, "ask"),
    "negative size": (spoilt("bid_size", 11, -0.5), "negative_size", 1006, 11, "bid_size -0.5"),
    "nanoseconds": (moved(299, START * 999), "time_range", 1003, 299, "us"),
    "backward": (moved(50, -SECOND), "unsorted", 1006, 50, "after 2024-01-03"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_refused_located_and_listed(name: str) -> None:
    spoil, slug, code, row, detail = DEFECTS[name]
    table = spoil(ticks(regular(300), sizes=True))
    found = json.loads(_core.check_ticks(table, "{}"))
    assert [(d["defect"], d["code"], d["count"]) for d in found] == [(slug, code, 1)]
    (shown,) = found[0]["rows"]
    assert shown["row"] == row
    assert shown["label"] == table["timestamp"].cast("int64")[row].as_py()
    assert detail.lower() in shown["detail"].lower()
    problem = refusal(lambda: market(table, name="ticks.csv"))
    assert (problem.code, problem.stage) == (code, "data")
    assert problem.context["defects"] == found
    assert problem.message.startswith(f"[{code}] 1 row")
    assert f"ticks.csv, counted from 0: {row} (" in problem.message


def test_all_defects_are_found_in_one_pass() -> None:
    table = ticks(regular(300), sizes=True)
    for name in ("nan bid", "zero", "negative size", "backward"):
        table = DEFECTS[name][0](table)
    for row in range(100, 120):
        table = poke(table, "ask", row, -1.0)
    found = json.loads(_core.check_ticks(table, "{}"))
    assert [(d["defect"], d["count"]) for d in found] == [
        ("not_finite", 1),
        ("not_positive", 21),
        ("negative_size", 1),
        ("unsorted", 1),
    ]
    assert [row["row"] for row in found[1]["rows"]] == [0, 100, 101, 102, 103]
    assert "(also: 21 rows with a price of 0 or less [1006], " in refusal(lambda: market(table)).message


def test_nulls_and_missing_columns_are_refused() -> None:
    table = ticks(regular(300), sizes=True)
    assert [f.nullable for f in held(market(table)).schema] == [False, False, False, True, True]
    for column in ("bid", "bid_size"):
        holes = pa.array([None if row == 5 else 1.0 for row in range(300)], pa.float64())
        problem = refusal(lambda c=column, h=holes: market(replaced(table, c, h)))
        assert (problem.code, column in problem.message) == (1005, True)
    assert refusal(lambda: market(table.drop_columns(["ask"]))).code == 5004
    assert refusal(lambda: market(table.slice(0, 0))).code == 1010
    assert json.loads(_core.check_ticks(table.slice(0, 0), "{}"))[0]["defect"] == "no_rows"


def test_equal_stamps_keep_their_order() -> None:
    times = regular(300)
    times[20:25] = [times[20]] * 5
    native = market(ticks(times))
    assert held(native).to_pydict() == ticks(times).to_pydict()
    assert report(native)["ticks"]["equal_stamps"] == 4


@pytest.mark.parametrize(("policy", "crossed", "clamped"), [("count", 2, 0), ("clamp", 0, 2)])
def test_crossed_ticks_are_counted_or_clamped(policy: str, crossed: int, clamped: int) -> None:
    table = poke(poke(ticks(regular(300)), "ask", 100, 1.0), "ask", 7, 1.0)
    native = market(table, crossed=policy)
    told = report(native)
    assert (told["ticks"]["crossed"], told["import"]["ticks_clamped"]) == (crossed, clamped)
    bid, ask = (held(native)[name].to_numpy() for name in ("bid", "ask"))
    if crossed:
        depth = float(max(bid[7], bid[100]) - 1.0)
        assert told["ticks"]["worst_crossing_pips"] == depth / SPEC["pip_size"]
        assert told["ticks"]["crossed_share"] == 2 / 300
    else:
        assert (ask[[7, 100]] == bid[[7, 100]]).all()
        assert np.array_equal(np.delete(ask, [7, 100]), np.delete(table["ask"].to_numpy(), [7, 100]))


def test_crossed_ticks_can_be_refused() -> None:
    table = poke(ticks(regular(300)), "ask", 100, 1.0)
    problem = refusal(lambda: market(table, crossed="reject"))
    assert (problem.code, problem.context["defects"][0]["defect"]) == (1006, "crossed")
    assert json.loads(_core.check_ticks(table, "{}")) == []
    assert json.loads(_core.check_ticks(table, '{"crossed": "reject"}')) == problem.context["defects"]


def test_a_locked_quote_is_reported_and_not_crossed() -> None:
    table = ticks(regular(300))
    table = poke(table, "bid", 100, table["ask"][100].as_py())
    told = report(market(table, crossed="reject"))["ticks"]
    assert (told["locked"], told["crossed"]) == (1, 0)


def test_ticks_within_one_bar_are_a_market_without_bars() -> None:
    native = market(ticks(regular(100)))
    assert (native.rows, report(native)["ticks"]["ticks"]) == (0, 100)
    assert pa.table(native.to_table()).num_rows == 0
    assert_equal(native, twin(held(native), "M1"))
    again = _core.Market.from_ticks_table(held(native), native.meta())
    assert again.digest == native.digest


def test_a_rate_series_of_ticks_is_refused_and_told_what_to_do() -> None:
    traded = market(ticks(regular(400)))
    problem = refusal(lambda: _core.Engine(traded, '{"strategy": "ma_cross"}', {"EURUSD": traded}))
    assert (problem.code, problem.stage) == (4001, "config")
    assert problem.where == "rates.series.EURUSD"
    assert problem.remedy == "build bars of it: sweep data resample FILE M1 --to bars.parquet"


@settings(max_examples=60)
@given(
    start=st.integers(at("1971-01-01T00:00:00Z"), at("2035-01-01T00:00:00Z")),
    steps=st.lists(st.integers(1, 20 * 60), min_size=1, max_size=100),
)
def test_the_fx_week_is_that_of_the_twin(start: int, steps: list[int]) -> None:
    labels = start // MINUTE * MINUTE + np.cumsum(steps) * MINUTE
    inside = [label for label in labels.tolist() if in_fx_week(label)]
    quotes = replaced(bars(len(labels)), "timestamp", pa.array(labels).cast(UTC))
    options = json.dumps({"spec": SPEC, "timeframe": "M1", "spread_pips": 1, "filter": "fx_week"})
    calls = (
        lambda: _core.Market.from_bars(quotes, None, options),
        lambda: market(ticks(labels), filter="fx_week"),
    )
    if not inside:
        assert [refusal(call).code for call in calls] == [1010, 1010]
        return
    of_bars, of_ticks = (call() for call in calls)
    assert pa.table(of_bars.to_table())["timestamp"].cast("int64").to_pylist() == inside
    assert held(of_ticks)["timestamp"].cast("int64").to_pylist() == inside
    for native in (of_bars, of_ticks):
        assert report(native)["import"]["rows_filtered"] == len(labels) - len(inside)
    sound = [label in set(inside) for label in labels.tolist()]
    kept = _core.Market.from_bars(quotes.filter(pa.array(sound)), None, options.replace("fx_week", "none"))
    assert kept.digest == of_bars.digest
    assert market(ticks(labels).filter(pa.array(sound))).digest == of_ticks.digest


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        ("2024-01-12T19:59:59Z", True),
        ("2024-01-12T20:00:00Z", False),
        ("2024-01-14T19:59:59Z", False),
        ("2024-01-14T20:00:00Z", True),
        ("2024-07-12T20:59:59Z", True),
        ("2024-07-12T21:00:00Z", False),
        ("2024-07-14T20:59:59Z", False),
        ("2024-07-14T21:00:00Z", True),
    ],
)
def test_the_fx_week_has_the_hours_of_the_text(instant: str, inside: bool) -> None:
    assert in_fx_week(at(instant)) is inside
    table = ticks([at("2024-01-09T12:00:00Z"), at(instant)])
    assert held(market(table, filter="fx_week")).num_rows == 1 + inside


def check_bars(table: pa.Table, **options: Any) -> list[dict[str, Any]]:
    return json.loads(_core.check_bars(table, json.dumps({"timeframe": "M1", **options})))


def test_defects_of_bars_are_listed() -> None:
    table = poke(poke(poke(bars(), "close", 20, np.nan), "low", 30, -1.0), "volume", 31, -1.0)
    found = check_bars(table)
    told = [(d["defect"], d["code"], d["count"], d["rows"][0]["row"]) for d in found]
    assert told == [
        ("not_finite", 1006, 1, 20),
        ("not_positive", 1006, 1, 30),
        ("negative_volume", 1006, 1, 31),
    ]
    options = json.dumps({"spec": SPEC, "timeframe": "M1", "spread_pips": 0, "name_bid": "b.csv"})
    problem = refusal(lambda: _core.Market.from_bars(table, None, options))
    assert problem.context["defects"] == found
    assert problem.to_dict()["context"]["defects"] == found
    assert problem.message.startswith(
        "[1006] 1 row with a NaN or infinite value (also: 1 row with a price of 0"
    )
    assert check_bars(bars()) == []
    assert check_bars(bars(), timeframe="M5")[0]["defect"] == "overlap"


def test_repeated_bars_are_a_defect_unless_they_may_be_dropped() -> None:
    table = pa.concat_tables([bars().slice(0, 81), bars().slice(80)])
    (found,) = check_bars(table)
    assert (found["defect"], found["rows"][0]["row"]) == ("identical_duplicate", 81)
    assert check_bars(table, duplicates="drop_identical") == []
    (found,) = check_bars(poke(table, "volume", 81, 99.0), duplicates="drop_identical")
    assert found["defect"] == "conflicting_duplicate"


def test_the_most_common_step_is_found() -> None:
    label = np.array([0, 5, 10, 15, 25, 30, 90]) * MINUTE
    found = json.loads(_core.spacing(pa.table({"timestamp": pa.array(label).cast(UTC)})))
    assert found == {
        "most_common": 5 * MINUTE,
        "share": 4 / 6,
        "distinct": 3,
        "steps": [[5 * MINUTE, 4], [10 * MINUTE, 1], [60 * MINUTE, 1]],
    }
    single = json.loads(_core.spacing(bars(1)))
    assert (single["most_common"], single["share"], single["steps"]) == (None, 0.0, [])


def test_the_report_has_spacing_and_the_depth_of_crossings() -> None:
    options = json.dumps({"spec": SPEC, "timeframe": "M1"})
    crossed = poke(bars(offset=0.0002), "low", 7, 1.5)
    told = report(_core.Market.from_bars(bars(), crossed, options))
    assert (told["spacing"]["most_common"], told["spacing"]["share"], told["spacing"]["distinct"]) == (
        MINUTE,
        1.0,
        1,
    )
    assert told["crossed"]["share"] == 1 / 200
    assert told["crossed"]["worst_pips"] == told["crossed"]["worst"] / SPEC["pip_size"] > 0
    assert told["import"]["rows_filtered"] == 0
    assert "ticks" not in told


BAD = {
    "60_ticks_clean": (None, 0, 0),
    "61_ticks_crossed": (None, 0, 1),  # the quote is locked, bid = ask, where its README says bid > ask
    "62_ticks_unsorted": (1006, 0, 0),
    "63_ticks_equal_stamps": (None, 4, 0),
    "64_ticks_nan_bid": (1005, 0, 0),  # the file holds a null where its README says NaN
}


@pytest.mark.shared
@pytest.mark.parametrize("name", BAD)
def test_the_tick_files_that_are_odd_or_broken(name: str, shared_data: Path) -> None:
    code, equal_stamps, locked = BAD[name]
    table = pq.read_table(shared_data / "bad" / f"{name}.parquet")
    if code is not None:
        assert refusal(lambda: market(table)).code == code
        assert refusal(lambda: market(table)).stage == "data"
        return
    native = market(table)
    told = report(native)["ticks"]
    assert (told["ticks"], told["equal_stamps"], told["locked"], told["crossed"]) == (
        300,
        equal_stamps,
        locked,
        0,
    )
    assert held(native).to_pydict() == table.to_pydict()
    assert json.loads(_core.check_ticks(table, "{}")) == []


@pytest.mark.shared
def test_every_broken_file_of_ticks_is_in_the_table(shared_data: Path) -> None:
    assert {path.stem for path in (shared_data / "bad").glob("*ticks*")} == BAD.keys()


@pytest.mark.shared
@pytest.mark.parametrize("timeframe", ["M1", "M5", "H1"])
@pytest.mark.parametrize(
    ("name", "rows", "equal_stamps"),
    [
        ("EURUSD_ticks_20190101", 10_000, 0),
        ("EURUSD_ticks_20200101", 9_500, 0),
        ("BTCUSDPERP_ticks_20240809", 19_136, 5_523),
    ],
)
def test_real_ticks_make_the_bars_of_the_twin(
    name: str, rows: int, equal_stamps: int, timeframe: str, shared_data: Path
) -> None:
    table = pq.read_table(shared_data / f"{name}.parquet")
    native = market(table, timeframe)
    assert_equal(native, twin(table, timeframe))
    told = report(native)["ticks"]
    assert (told["ticks"], told["equal_stamps"]) == (rows, equal_stamps)
    assert held(native).num_rows == rows


@pytest.mark.parametrize("timeframe", ["M1", "M5", "H1"])
@pytest.mark.parametrize("sizes", [False, True])
def test_many_ticks_make_the_bars_of_the_twin(sizes: bool, timeframe: str) -> None:
    draws = np.random.default_rng(5)
    steps = draws.exponential(SECOND, 15_000).astype(np.int64) * draws.integers(0, 2, 15_000)
    table = ticks(START + np.cumsum(steps), sizes=sizes)
    native = market(table, timeframe)
    assert native.rows > 1
    assert_equal(native, twin(table, timeframe))
    assert report(native)["ticks"]["equal_stamps"] == int(np.count_nonzero(np.diff(np.cumsum(steps)) == 0))
