"""Higher timeframes: buckets, resampling, alignment; the native module against the twin, pandas, polars and the text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sweep import _core
from sweep.errors import SweepError
from sweep.reference.higher import Day, HigherBars, bucket, given_bars, higher_bars, higher_timeframe
from sweep.reference.market import ReferenceMarket, timeframe_micros
from tests.market.support import UTC

MINUTE = 60_000_000
HOUR = 60 * MINUTE
FIELDS = ("open", "high", "low", "close", "volume")
COLUMNS = [f"{side}_{field}" for side in ("bid", "ask") for field in FIELDS]
SPEC = json.loads(_core.symbol_spec("EURUSD", "{}"))
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Sydney", "America/Sao_Paulo", "Pacific/Apia")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


FRIDAY = at("2024-01-05T20:00:00Z")
SUNDAY = at("2024-01-07T22:00:00Z")


def quarters(start: int, count: int) -> list[int]:
    return [start + k * 15 * MINUTE for k in range(count)]


def side(labels: Any, seed: int = 1, offset: float = 0.0) -> pa.Table:
    """Sound bars at these labels; the first m of them do not depend on the rest."""
    labels = np.asarray(labels, dtype=np.int64)
    draws = np.random.default_rng(seed).random((len(labels), 5))
    open_, close = 1.1 + 0.01 * draws[:, 0], 1.1 + 0.01 * draws[:, 1]
    columns = {
        "timestamp": pa.array(labels).cast(UTC),
        "open": open_ + offset,
        "high": np.maximum(open_, close) + 0.001 * draws[:, 2] + offset,
        "low": np.minimum(open_, close) - 0.001 * draws[:, 3] + offset,
        "close": close + offset,
        "volume": draws[:, 4],
    }
    return pa.table(columns)


def market(timeframe: str, labels: Any, *, seed: int = 1, **options: Any) -> _core.Market:
    text = json.dumps({"spec": SPEC, "timeframe": timeframe, **options})
    return _core.Market.from_bars(side(labels, seed), side(labels, seed + 1, 0.0002), text)


def twin(native: _core.Market) -> ReferenceMarket:
    return ReferenceMarket.from_table(pa.table(native.to_table()), json.loads(native.meta()))


def twin_bars(native: _core.Market, timeframe: str) -> HigherBars:
    meta = json.loads(native.meta())
    day, stale_after = Day(**meta.get("day", {})), meta.get("stale_after")
    for file in native.given_higher():
        if json.loads(file.meta())["timeframe"] == timeframe:
            return given_bars(twin(native), twin(file), day, stale_after)
    return higher_bars(twin(native), timeframe, day, stale_after)


def newest(native: _core.Market, timeframe: str) -> list[int | None]:
    column: list[int | None] = pa.table(native.aligned(timeframe))["bar"].to_pylist()
    return column


def numbers(text: str) -> list[int | None]:
    return [None if word == "–" else int(word) for word in text.split()]


def bits(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy().view(np.uint64)


def assert_same(native: _core.Market, timeframe: str, expected: HigherBars) -> None:
    bars, aligned = pa.table(native.higher(timeframe)), pa.table(native.aligned(timeframe))
    assert bars.column_names == ["timestamp", "end", *COLUMNS]
    assert aligned.column_names == ["bar", *COLUMNS]
    assert aligned["bar"].type == pa.int32()
    assert bars["timestamp"].cast("int64").to_numpy().tolist() == expected.start.tolist()
    assert bars["end"].cast("int64").to_numpy().tolist() == expected.end.tolist()
    assert aligned["bar"].fill_null(-1).to_numpy().tolist() == expected.newest.tolist()
    for name in COLUMNS:
        quotes, field = name.split("_")
        values = getattr(getattr(expected, quotes), field)
        assert bits(bars, name).tolist() == values.view(np.uint64).tolist(), name
        assert bits(aligned, name).tolist() == expected.expand(values).view(np.uint64).tolist(), name


def assert_equal_aligned(
    one: _core.Market, other: _core.Market, timeframe: str, rows: int | None = None
) -> None:
    """Bit by bit, over the first `rows` primary bars."""
    found, expected = (pa.table(m.aligned(timeframe))[:rows] for m in (one, other))
    assert found["bar"].equals(expected["bar"])
    for name in COLUMNS:
        assert bits(found, name).tolist() == bits(expected, name).tolist(), (timeframe, name)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or code and stage of its error."""
    try:
        return call()
    except SweepError as refused:
        return refused.code, refused.stage


# ------------------------------------------------------------------------------------------------ the worked examples


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (
            [*(FRIDAY + k * HOUR for k in (-1, 0, 1)), SUNDAY, SUNDAY + HOUR],
            "0 0 0 1 1 1 1 2 2 2 2 3 3 3 3 4",
        ),
        (None, "– – – 0 0 0 0 1 1 1 1 2 2 2 2 3"),
    ],
    ids=["file", "resampled"],
)
def test_hours_around_a_weekend(hours: list[int] | None, expected: str) -> None:
    bars = market("M15", quarters(FRIDAY, 8) + quarters(SUNDAY, 8))
    if hours is not None:
        bars = bars.with_higher([market("H1", hours)])
    assert newest(bars, "H1") == numbers(expected)
    assert_same(bars, "H1", twin_bars(bars, "H1"))


def test_four_hours_around_a_weekend() -> None:
    bars = market("M15", quarters(FRIDAY, 8) + quarters(SUNDAY, 8))
    assert newest(bars, "H4") == numbers("– – – – – – – – 0 0 0 0 0 0 0 1")
    starts = pa.table(bars.higher("H4"))["timestamp"].cast("int64").to_pylist()
    assert starts == [FRIDAY, SUNDAY - 2 * HOUR]
    assert_same(bars, "H4", twin_bars(bars, "H4"))


def test_several_bars_become_visible_at_once() -> None:
    bars = market("M15", quarters(FRIDAY, 4) + quarters(FRIDAY + 4 * HOUR, 4))
    bars = bars.with_higher([market("H1", [FRIDAY + k * HOUR for k in range(-2, 6)])])
    assert newest(bars, "H1") == numbers("1 1 1 2 5 5 5 6")


def test_a_stale_bar_is_missing() -> None:
    bars = market("M15", quarters(FRIDAY, 20), stale_after=8)
    bars = bars.with_higher([market("H1", [FRIDAY - HOUR, FRIDAY])])
    assert newest(bars, "H1") == [0] * 3 + [1] * 9 + [None] * 8
    assert np.isnan(pa.table(bars.aligned("H1"))["ask_high"].to_numpy()[12:]).all()
    assert newest(bars, "M15") == list(range(20))
    assert_same(bars, "H1", twin_bars(bars, "H1"))


NEW_YORK = {"zone": "America/New_York", "start_hour": 17}


@pytest.mark.parametrize(
    ("starts", "hours"),
    [
        (("2024-03-08T22:00:00Z", "2024-03-09T22:00:00Z", "2024-03-10T21:00:00Z"), 23),
        (("2024-11-01T21:00:00Z", "2024-11-02T21:00:00Z", "2024-11-03T22:00:00Z"), 25),
    ],
)
def test_days_where_clocks_change(starts: tuple[str, ...], hours: int) -> None:
    first, middle, last = (at(text) for text in starts)
    bars = market("H1", list(range(first, last + 24 * HOUR, HOUR)), day=NEW_YORK)
    days = pa.table(bars.higher("D1"))
    assert days["timestamp"].cast("int64").to_pylist() == [first, middle, last]
    assert (last - middle) // HOUR == hours
    assert newest(bars, "D1") == [None] * 23 + [0] * hours + [1] * 24 + [2]
    assert_same(bars, "D1", twin_bars(bars, "D1"))


def test_sunday_evening_opens_the_bar_of_monday() -> None:
    labels = list(range(at("2024-01-07T22:00:00Z"), at("2024-01-12T22:00:00Z"), HOUR))
    bars = market("H1", labels, day=NEW_YORK)
    assert len(pa.table(bars.higher("D1"))) == 5
    week = pa.table(bars.higher("W1"))
    assert len(week) == 0, "the week ends on Sunday evening"
    assert len(pa.table(market("H1", labels).higher("D1"))) == 5, "a short Sunday, and no Friday yet"


def test_the_golden_dataset_has_the_published_sums() -> None:
    i = np.arange(600)
    close = 1.10 + 0.0040 * np.sin(0.11 * i) + 0.0025 * np.sin(0.037 * i + 1) + 0.0006 * np.sin(1.7 * i + 0.5)
    open_ = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(open_, close) + 0.0003 + 0.0002 * np.abs(np.sin(0.7 * i))
    low = np.minimum(open_, close) - 0.0003 - 0.0002 * np.abs(np.cos(0.9 * i))
    spread = 0.00010 + 0.00002 * (1 + np.sin(0.05 * i))
    labels = pa.array(at("2024-01-01T00:00:00Z") + i * 15 * MINUTE).cast(UTC)
    bid = {"open": open_, "high": high, "low": low, "close": close, "volume": 1.0 + i % 5}
    ask = {name: x if name == "volume" else x + spread for name, x in bid.items()}
    text = json.dumps({"spec": SPEC, "timeframe": "M15"})
    golden = _core.Market.from_bars(
        pa.table({"timestamp": labels, **bid}), pa.table({"timestamp": labels, **ask}), text
    )
    published = {
        "M15": (
            (660.139678843760, 660.576766608890, 659.698617540343, 660.135796032228),
            (660.212026953014, 660.649114718144, 659.770965649598, 660.208144141482),
        ),
        "H1": (
            (165.036318011243, 165.223513334377, 164.846186839574, 165.032435199711),
            (165.054412184310, 165.241606559623, 164.864274070223, 165.050514863476),
        ),
        "H4": (
            (40.708654473764, 40.813463719223, 40.602668474629, 40.707561912353),
            (40.713133567030, 40.817951694844, 40.607145207618, 40.712023346758),
        ),
        "D1": (
            (6.597721328948, 6.639907400483, 6.562879013007, 6.595761007931),
            (6.598425987007, 6.640623332649, 6.563569081329, 6.596456320242),
        ),
    }
    for timeframe, sides in published.items():
        bars = pa.table(golden.higher(timeframe))
        for name, sums in zip(("bid", "ask"), sides, strict=True):
            found = [bars[f"{name}_{field}"].to_numpy().sum() for field in FIELDS[:4]]
            assert found == pytest.approx(sums, rel=1e-9, abs=1e-12), (timeframe, name)
    hour = pa.table(golden.aligned("H1"))
    assert hour["bid_close"].to_numpy()[[30, 98, 99, 300, 599]] == pytest.approx(
        [1.103354673, 1.093542157, 1.093076138, 1.102692809, 1.098508521], rel=1e-9
    )
    assert hour["bid_volume"].to_numpy()[[30, 98, 99, 300, 599]].tolist() == [11, 13, 14, 14, 14]
    for timeframe, bars in (("H1", 4), ("H4", 16), ("D1", 96)):
        assert pa.table(golden.aligned(timeframe))["bar"].fill_null(-1).to_pylist() == [
            (k + 1) // bars - 1 for k in range(600)
        ]


# ------------------------------------------------------------------------------------------ twin, pandas and polars

PRIMARY = ("M1", "M5", "M7", "M15", "M45", "M90", "H1", "H2", "H6", "D1")


@st.composite
def markets(draw: st.DrawFn) -> tuple[str, list[int], dict[str, Any]]:
    """A primary timeframe, labels with holes, and options."""
    timeframe = draw(st.sampled_from(PRIMARY))
    bar = timeframe_micros(timeframe)
    steps = draw(
        st.lists(st.one_of(st.just(1), st.just(1), st.integers(1, 5), st.integers(6, 400)), max_size=150)
    )
    around = draw(st.sampled_from(["2011-12-28", "2018-11-02", "2024-01-05", "2024-03-08", "2024-11-01"]))
    start = at(f"{around}T00:00:00Z") // bar * bar + draw(st.integers(0, 30)) * bar
    offset = draw(st.sampled_from([0, 0, 0, MINUTE, 7 * MINUTE]))
    labels = (start + offset + np.cumsum([0, *steps]) * bar).tolist()
    day = {"zone": draw(st.sampled_from(ZONES)), "start_hour": draw(st.integers(0, 23))}
    return timeframe, labels, {"day": day, "stale_after": draw(st.none() | st.integers(0, 12))}


@settings(max_examples=150)
@given(markets(), st.sampled_from(["M2", "M15", "M30", "H1", "H3", "H4", "H12", "D1", "W1"]))
def test_native_equals_twin(drawn: tuple[str, list[int], dict[str, Any]], timeframe: str) -> None:
    primary, labels, options = drawn
    assume(timeframe != primary)
    bars = market(primary, labels, **options)
    expected = outcome(lambda: twin_bars(bars, higher_timeframe(timeframe, primary)))
    if isinstance(expected, tuple):
        assert outcome(lambda: bars.higher(timeframe)) == expected
    else:
        assert_same(bars, timeframe, expected)


@settings(max_examples=60)
@given(
    st.integers(-30_000, 60_000), st.sampled_from(ZONES), st.integers(0, 23), st.sampled_from(["D1", "W1"])
)
def test_buckets_equal_those_of_the_twin(days: int, zone: str, hour: int, timeframe: str) -> None:
    # Years 1987 to 2099; a single bar that opens where the bucket of the twin does, and one that closes with it.
    instant = at("2000-01-01T00:00:00Z") + (days % 36_500 - 4_700) * 24 * HOUR
    start, end = bucket(timeframe, Day(zone, hour), instant)
    bars = market("M30", [start, end - 30 * MINUTE], day={"zone": zone, "start_hour": hour})
    found = pa.table(bars.higher(timeframe))
    assert found["timestamp"].cast("int64").to_pylist() == [start]
    assert found["end"].cast("int64").to_pylist() == [end]


def holed(count: int, step: int) -> list[int]:
    rng = np.random.default_rng(5)
    kept = np.sort(rng.choice(count, size=count * 4 // 5, replace=False))
    return [int(at("2024-02-26T03:07:00Z") // step * step + k * step) for k in kept]


RULES = {"M5": "5min", "M20": "20min", "H1": "1h", "H4": "4h", "H12": "12h", "D1": "1D", "W1": "W-MON"}
AGGREGATE = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


@pytest.mark.parametrize("timeframe", RULES)
def test_resampling_equals_pandas(timeframe: str) -> None:
    bars = market("M1", holed(40_000, MINUTE))
    table, ours = pa.table(bars.to_table()), pa.table(bars.higher(timeframe))
    frame = table.to_pandas().set_index("timestamp")
    resampled = frame.resample(RULES[timeframe], closed="left", label="left")
    theirs = resampled.agg({name: AGGREGATE[name.split("_")[1]] for name in COLUMNS}).dropna()
    theirs = theirs.iloc[: len(ours)]
    assert len(ours) >= 3
    assert theirs.index.equals(pd.DatetimeIndex(ours["timestamp"].to_pandas(), name="timestamp"))
    for name in COLUMNS:
        if name.endswith("volume"):
            # pandas compensates its sums.
            np.testing.assert_allclose(ours[name].to_numpy(), theirs[name].to_numpy(), rtol=1e-12)
        else:
            assert ours[name].to_numpy().tolist() == theirs[name].tolist(), name


@pytest.mark.parametrize("timeframe", RULES)
def test_resampling_equals_polars(timeframe: str) -> None:
    bars = market("M1", holed(40_000, MINUTE))
    ours = pa.table(bars.higher(timeframe))
    every = {"D1": "1d", "W1": "1w"}.get(timeframe, RULES[timeframe].replace("min", "m"))
    how = {
        "first": pl.Expr.first,
        "max": pl.Expr.max,
        "min": pl.Expr.min,
        "last": pl.Expr.last,
        "sum": pl.Expr.sum,
    }
    grouped = pl.from_arrow(pa.table(bars.to_table()))
    assert isinstance(grouped, pl.DataFrame)
    theirs = grouped.group_by_dynamic("timestamp", every=every).agg(
        [how[AGGREGATE[name.split("_")[1]]](pl.col(name)) for name in COLUMNS]
    )
    theirs = theirs.head(len(ours))
    assert theirs["timestamp"].to_physical().to_list() == ours["timestamp"].cast("int64").to_pylist()
    for name in COLUMNS:
        if name.endswith("volume"):
            np.testing.assert_allclose(ours[name].to_numpy(), theirs[name].to_numpy(), rtol=1e-12)
        else:
            assert ours[name].to_numpy().tolist() == theirs[name].to_list(), name


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Sydney"])
def test_days_of_a_zone_equal_pandas(zone: str) -> None:
    bars = market("H1", holed(24 * 500, HOUR), day={"zone": zone, "start_hour": 17})
    ours = pa.table(bars.higher("D1"))
    frame = pa.table(bars.to_table()).to_pandas()
    local = frame["timestamp"].dt.tz_convert(zone).dt.tz_localize(None)
    theirs = frame.groupby((local - pd.Timedelta(hours=17)).dt.date)["bid_close"].last()
    assert ours["bid_close"].to_numpy().tolist() == theirs.iloc[: len(ours)].tolist()
    assert len(theirs) - len(ours) in (0, 1)


# ------------------------------------------------------------------------------------------------------ no look-ahead


@settings(max_examples=60)
@given(markets(), st.data())
def test_later_data_change_nothing(drawn: tuple[str, list[int], dict[str, Any]], data: st.DataObject) -> None:
    primary, labels, options = drawn
    known = data.draw(st.integers(1, len(labels)), label="known bars")
    whole = market(primary, labels, **options)
    cut = market(primary, labels[:known], **options)
    # Other prices and other holes from `known` on.
    poisoned_labels = labels[:known] + labels[known::2]
    text = json.dumps({"spec": SPEC, "timeframe": primary, **options})
    poisoned = _core.Market.from_bars(
        *(
            pa.concat_tables(
                [side(labels, seed, offset)[:known], side(poisoned_labels, seed + 50, 5.0)[known:]]
            )
            for seed, offset in ((1, 0.0), (2, 0.0002))
        ),
        text,
    )
    for timeframe in ("M15", "H1", "H4", "D1", "W1"):
        if isinstance(outcome(lambda timeframe=timeframe: whole.aligned(timeframe)), tuple):
            continue
        for other in (cut, poisoned):
            assert_equal_aligned(other, whole, timeframe, known)


def test_later_bars_of_a_file_change_nothing() -> None:
    bars = market("M15", quarters(FRIDAY, 100))
    hours = [FRIDAY + k * HOUR for k in range(-5, 60)]
    known, later = bars.with_higher([market("H1", hours[:30])]), bars.with_higher([market("H1", hours)])
    assert known.dataset == later.dataset != bars.dataset
    assert_equal_aligned(known, later, "H1")


# ------------------------------------------------------------------------------------------ identity, travel, options


def test_days_and_age_travel_with_the_description() -> None:
    bars = market("M15", quarters(FRIDAY, 40), day=NEW_YORK, stale_after=3)
    meta = json.loads(bars.meta())
    assert (meta["day"], meta["stale_after"]) == (NEW_YORK, 3)
    arrived = _core.Market.from_table(bars.to_table(), bars.meta())
    assert arrived.meta() == bars.meta()
    assert_equal_aligned(arrived, bars, "H1")
    plain = market("M15", quarters(FRIDAY, 40))
    assert "day" not in json.loads(plain.meta())
    assert "stale_after" not in json.loads(plain.meta())
    assert plain.digest == bars.digest


def identity(bars: _core.Market) -> dict[str, Any]:
    options = {"strategy": "ma_cross", "account": {"currency": "USD"}}
    document: dict[str, Any] = json.loads(_core.Engine(bars, json.dumps(options)).identity("{}"))
    return document


def test_the_identity_names_days_age_and_all_data() -> None:
    labels = quarters(FRIDAY, 200)
    plain = market("M15", labels)
    assert "market" not in identity(plain)
    assert identity(plain)["dataset"] == plain.digest == plain.dataset
    days = market("M15", labels, day=NEW_YORK)
    assert identity(days)["market"] == {"day": NEW_YORK, "stale_after": None}
    aged = market("M15", labels, stale_after=0)
    assert identity(aged)["market"] == {"day": {"zone": "UTC", "start_hour": 0}, "stale_after": 0}
    given = plain.with_higher([market("H1", [FRIDAY + k * HOUR for k in range(10)])])
    assert identity(given)["dataset"] == given.dataset != plain.digest
    assert given.digest == plain.digest


def test_given_bars_travel_as_tables() -> None:
    bars = market("M15", quarters(FRIDAY, 200))
    full = bars.with_higher([market("H4", [FRIDAY + k * 4 * HOUR for k in range(-9, 10)])])
    window = full.window(FRIDAY + 10 * HOUR, FRIDAY + 30 * HOUR, 8)
    parts = [_core.Market.from_table(m.to_table(), m.meta()) for m in window.given_higher()]
    arrived = _core.Market.from_table(window.to_table(), window.meta()).with_higher(parts, trusted=True)
    assert arrived.dataset == window.dataset
    assert_equal_aligned(arrived, window, "H4")
    # Eight bars of its own before the window, one of which spans its start, and none that ends after it.
    labels = pa.table(window.given_higher()[0].to_table())["timestamp"].cast("int64").to_pylist()
    assert labels == [FRIDAY + k * 4 * HOUR for k in range(-5, 7)]


def test_a_mislabelled_file_is_refused_and_names_the_stamp() -> None:
    labels = quarters(FRIDAY, 200)
    bars = market("M15", labels)
    hours = pa.table(bars.higher("H1"))
    late = pa.array(hours["timestamp"].cast("int64").to_numpy() + HOUR).cast(UTC)

    def read(stamps: pa.Array, **options: Any) -> _core.Market:
        tables = [
            pa.table({"timestamp": stamps, **{field: hours[f"{side}_{field}"] for field in FIELDS}})
            for side in ("bid", "ask")
        ]
        text = json.dumps({"spec": SPEC, "timeframe": "H1", **options})
        return _core.Market.from_bars(tables[0], tables[1], text)

    with pytest.raises(SweepError, match=r"(?s)shifted by one bar.*market\.stamp") as caught:
        bars.with_higher([read(late)])
    assert (caught.value.code, caught.value.stage) == (1006, "data")
    sound = bars.with_higher([read(late, higher_stamp="close")])
    report = json.loads(sound.report())["higher"]
    agreement = {"compared": 50, "differ": 0, "first": []}
    assert report == [{"timeframe": "H1", "bid": agreement, "ask": agreement}]
    assert_equal_aligned(sound, bars, "H1")
    with pytest.raises(SweepError, match=r"50 of 50 stamps.*market\.stamp") as caught:
        read(pa.array(hours["timestamp"].cast("int64").to_numpy() + MINUTE).cast(UTC), higher_stamp="open")
    assert caught.value.code == 1006


@pytest.mark.parametrize(
    ("text", "code"),
    [("H1", None), (" h4 ", None), ("m15", None), ("M10", 1001), ("M5", 1001), ("H24", 1001), ("1h", 1009)],
)
def test_names(text: str, code: int | None) -> None:
    bars = market("M15", quarters(FRIDAY, 40))
    if code is None:
        assert higher_timeframe(text, "M15") == text.strip().upper()
        bars.higher(text)
        return
    for call in (
        lambda: bars.higher(text),
        lambda: bars.aligned(text),
        lambda: higher_timeframe(text, "M15"),
    ):
        with pytest.raises(SweepError) as caught:
            call()
        assert (caught.value.code, caught.value.stage) == (code, "config")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"day": {"zone": "Nowhere/City"}}, 1001),
        ({"day": {"start_hour": 24}}, 1003),
        ({"day": {"hour": 3}}, 1001),
        ({"stale_after": -1}, 1003),
        ({"stale_after": 1.5}, 1004),
        ({"higher_stamp": "end"}, 1001),
    ],
)
def test_bad_options(options: dict[str, Any], code: int) -> None:
    with pytest.raises(SweepError) as caught:
        market("H1", [FRIDAY], **options)
    assert (caught.value.code, caught.value.stage) == (code, "config")


def test_the_version_of_the_zone_data_is_known() -> None:
    version = json.loads(_core.build_info())["zone_data"]
    assert len(version) == 5
    assert version[:4].isdigit()


@pytest.mark.shared
@pytest.mark.parametrize("timeframe", ["M15", "H1", "D1"])
def test_real_files_agree_with_the_primary_bars(shared_data: Path, timeframe: str) -> None:
    def read(name: str, **options: Any) -> _core.Market:
        sides = [pq.read_table(shared_data / f"GBPUSD_{name}_{quotes}.parquet") for quotes in ("bid", "ask")]
        sides = [table.rename_columns([c.lower() for c in table.column_names]) for table in sides]
        text = json.dumps({"spec": {**SPEC, "symbol": "GBPUSD"}, "timeframe": name, **options})
        return _core.Market.from_bars(*sides, text)

    bars = read("M5")
    report = json.loads(bars.with_higher([read(timeframe, higher_stamp="open")]).report())["higher"][0]
    assert [report[quotes]["differ"] for quotes in ("bid", "ask")] == [0, 0]
    assert report["bid"]["compared"] == {"M15": 1056, "H1": 264, "D1": 9}[timeframe]
