"""What a function may return, and how everything else is refused before any bar is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import sweep
from sweep import _core
from sweep.arrow import read_all
from sweep.errors import SweepError
from sweep.strategies.arrays import MarketArrays
from sweep.strategies.tables import checked
from tests.strategies.support import returning

UTC_US = pa.timestamp("us", tz="UTC")
BARS = [20, 40, 40, 700]


@pytest.fixture(scope="module")
def market() -> sweep.Market:
    return sweep.Market.synthetic(bars=1000, seed=5)


def entries(market: Any, **columns: Any) -> dict[str, Any]:
    """Four valid market entries."""
    price = market.bid.close[BARS]
    plain = {
        "bar_index": np.array(BARS),
        "direction": np.array([1, -1, -1, 1]),
        "stop_loss": price - np.array([1, -1, -1, 1]) * 0.004,
        "take_profit": np.array([np.nan, price[1] - 0.003, np.nan, price[3] + 0.003]),
    }
    return {name: value for name, value in {**plain, **columns}.items() if value is not None}


def exits(**columns: Any) -> dict[str, Any]:
    plain = {"bar_index": [30, 60], "direction": ["long", "short"], "action": ["close", "close"]}
    return {name: value for name, value in {**plain, **columns}.items() if value is not None}


def run(market: sweep.Market, returned: Any) -> sweep.Backtest:
    return sweep.Engine(market, returning(returned), execution={"max_positions": 4}).run()


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "mapping": lambda columns: columns,
    "lists": lambda columns: {
        name: [None if x != x else x for x in np.asarray(v).tolist()] for name, v in columns.items()
    },
    "pandas": pd.DataFrame,
    "polars": lambda columns: pl.DataFrame(columns).with_columns(pl.col("take_profit").fill_nan(None)),
    "pyarrow": lambda columns: pa.table(
        {**columns, "take_profit": pa.array(columns["take_profit"], from_pandas=True)}
    ),
    "chunks": lambda columns: pa.concat_tables([pa.table(FORMS["lists"](columns)).slice(0, 1), pa.table(FORMS["lists"](columns)).slice(1)]),
    "record batch": lambda columns: pa.RecordBatch.from_pydict(FORMS["lists"](columns)),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_means_the_same(market: sweep.Market, form: str) -> None:
    expected = run(market, entries)
    assert expected.trades.num_rows == 4
    assert run(market, lambda m: FORMS[form](entries(m))).digests == expected.digests


WORDS = ["long", "short", "short", "long"]
SAME: dict[str, Callable[[Any], dict[str, Any]]] = {
    "words": lambda m: {"direction": WORDS},
    "dictionary": lambda m: {"direction": pa.array(WORDS).dictionary_encode()},
    "large text": lambda m: {"direction": pa.array(WORDS, pa.large_string())},
    "small integers": lambda m: {"bar_index": np.array(BARS, np.uint16), "direction": np.array([1, -1, -1, 1], np.int8)},
    "labels": lambda m: {"bar_index": None, "timestamp": pa.array(m.label[BARS]).cast(UTC_US)},
    "labels and indices": lambda m: {"timestamp": pa.array(m.label[BARS]).cast(UTC_US)},
    "labels in ns": lambda m: {"bar_index": None, "timestamp": pa.array(m.label[BARS] * 1000).cast(pa.timestamp("ns", tz="UTC"))},
    "labels in s": lambda m: {"bar_index": None, "timestamp": pa.array(m.label[BARS] // 1_000_000).cast(pa.timestamp("s", tz="UTC"))},
    "market orders": lambda m: {"order_type": ["market"] * 4},
    "entries of market orders": lambda m: {"entry": m.bid.close[BARS]},
    "empty options": lambda m: {"valid_bars": [None] * 4, "size": [np.nan] * 4, "good_till": [None] * 4, "oco_group": [None] * 4},
    "the symbol": lambda m: {"symbol": [m.symbol] * 4},
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_what_is_accepted_means_the_same(market: sweep.Market, case: str) -> None:
    assert run(market, lambda m: entries(m, **SAME[case](m))).digest == run(market, entries).digest


def test_every_column_reaches_the_trade(market: sweep.Market) -> None:
    def limits(m: Any) -> dict[str, Any]:
        price = m.bid.close[BARS]
        return entries(
            m,
            order_type=["limit", "stop", "limit", "market"],
            entry=[price[0] - 2e-4, price[1] - 2e-4, price[2] + 2e-4, np.nan],
            valid_bars=[200, 200, 200, None],
            good_till=pa.array([None, None, int(m.label[900]), None], UTC_US),
            oco_group=[None, "pair", "pair", None],
            size=[0.5, np.nan, 0.25, 2.0],
            tag=["a", "b", "c", None],
            scenario=["s", None, None, None],
            reason=["r", None, None, None],
        )

    result = run(market, limits)
    by_tag = {row["tag"]: row for row in sweep.Engine(market, returning(limits)).signals().to_pylist()}
    assert by_tag["a"]["order_type"] == "limit"
    assert by_tag["b"]["oco_group"] == "pair"
    rows = {row["meta"]: row for row in result.trades.to_pylist()}
    assert '{"scenario":"s","signal_reason":"r","tag":"a"}' in rows
    assert {row["order_type"] for row in rows.values()} >= {"limit", "market"}
    assert 0.5 in {row["size"] for row in rows.values()}


def test_exits_close_and_cancel(market: sweep.Market) -> None:
    closed = run(market, lambda m: (entries(m), exits()))
    moments = market.to_table()["timestamp"].to_pylist()
    trades = closed.trades.to_pylist()
    assert {row["reason"] for row in trades[:3]} == {"signal"}
    assert trades[0]["exit_time"] == moments[31]  # decided at the close of bar 30, filled at the next open

    def far(m: Any) -> dict[str, Any]:
        side = np.array([1, -1, -1, 1])
        level = m.bid.close[BARS] - side * 0.05
        return entries(
            m, order_type=["limit"] * 4, entry=level, stop_loss=level - side * 0.01, take_profit=None
        )

    cancelled = run(market, lambda m: (far(m), exits(action=["cancel", "cancel"])))
    assert [order["reason"] for order in cancelled.ended_orders] == ["signal"] * 3 + ["end_of_data"]
    assert cancelled.trades.num_rows == 0


def test_nothing_is_a_valid_answer(market: sweep.Market) -> None:
    for nothing in ({}, {"bar_index": [], "direction": [], "stop_loss": []}, (pa.table({}), {})):
        assert run(market, nothing).trades.num_rows == 0


def test_rows_outside_the_window_never_act_and_are_counted(market: sweep.Market) -> None:
    start = market.to_table()["timestamp"][30].as_py()
    later = sweep.Market.synthetic(bars=1000, seed=5).window(start, None, warmup_bars=30)
    result = run(later, entries)
    assert (result.outside_window, result.trades.num_rows) == (1, 3)


WRONG: dict[str, tuple[int, Any, str]] = {
    "no table": (1004, lambda m: 5, "int is no table"),
    "nothing": (1004, lambda m: None, "NoneType is no table"),
    "three tables": (1004, lambda m: ({}, {}, {}), "tuple is no table"),
    "unknown column": (1005, lambda m: entries(m, colour=["red"] * 4), "unknown column 'colour'"),
    "unequal lengths": (1011, lambda m: entries(m, direction=[1, -1]), "direction 2"),
    "no stop": (1008, lambda m: entries(m, stop_loss=None), "stop_loss is absent"),
    "no direction": (1008, lambda m: entries(m, direction=None), "direction is absent"),
    "no place": (1008, lambda m: entries(m, bar_index=None), "bar_index and timestamp are absent"),
    "null stop": (1005, lambda m: entries(m, stop_loss=[1.0, np.nan, 1.0, np.nan]), "entries, rows 1, 3"),
    "null bar": (1005, lambda m: entries(m, bar_index=pa.array([20, None, 40, 700])), "row 1"),
    "null direction": (1005, lambda m: entries(m, direction=["long", None, "long", "long"]), "row 1"),
    "unsorted": (1006, lambda m: entries(m, bar_index=[40, 20, 60, 50]), "rows 1, 3"),
    "beyond the end": (1003, lambda m: entries(m, bar_index=[20, 40, 40, 1000]), "outside 0 to 999"),
    "before the start": (1003, lambda m: entries(m, bar_index=[-1, 40, 40, 900]), "row 0"),
    "no label": (1001, lambda m: entries(m, bar_index=None, timestamp=pa.array(m.label[BARS] + 1).cast(UTC_US)), "no label"),
    "disagreeing": (1006, lambda m: entries(m, timestamp=pa.array(m.label[[20, 40, 41, 700]]).cast(UTC_US)), "row 2"),
    "naive times": (1005, lambda m: entries(m, bar_index=None, timestamp=m.label[BARS].view("datetime64[us]")), "UTC"),
    "another zone": (1005, lambda m: entries(m, timestamp=pa.array(m.label[BARS]).cast(pa.timestamp("us", tz="Europe/Berlin"))), "UTC"),
    "split µs": (1005, lambda m: entries(m, timestamp=pa.array(m.label[BARS] * 1000 + 1).cast(pa.timestamp("ns", tz="UTC"))), "µs"),
    "float32": (1005, lambda m: entries(m, stop_loss=m.bid.close[BARS].astype(np.float32)), "float, not float64"),
    "text price": (1005, lambda m: entries(m, stop_loss=["1.1"] * 4), "stop_loss is string"),
    "float bars": (1005, lambda m: entries(m, bar_index=np.array(BARS) + 0.5), "bar_index is double"),
    "nested": (1005, lambda m: entries(m, tag=[["a"]] * 4), "tag is list"),
    "mixed": (1005, lambda m: entries(m, tag=["a", 1, 2, 3]), "column tag"),
    "two dimensions": (1005, lambda m: entries(m, stop_loss=np.ones((4, 2))), "column stop_loss"),
    "unknown direction": (1001, lambda m: entries(m, direction=["long", "up", "long", "long"]), "unknown direction 'up'"),
    "zero direction": (1001, lambda m: entries(m, direction=[1, 0, 1, 1]), "row 1"),
    "unknown order type": (1001, lambda m: entries(m, order_type=["market", "mit", "limit", "stop"]), "'mit'"),
    "another symbol": (1001, lambda m: entries(m, symbol=[m.symbol, "GBPUSD", m.symbol, m.symbol]), "row 1"),
    "huge validity": (1003, lambda m: entries(m, valid_bars=[2**40] * 4), "int32"),
    "unknown action": (1001, lambda m: (entries(m), exits(action=["close", "sell"])), "exits, row 1"),
    "exits without action": (1008, lambda m: (entries(m), exits(action=None)), "action is absent"),
    "unsorted exits": (1006, lambda m: (entries(m), exits(bar_index=[60, 30])), "exits, row 1"),
    "a price in exits": (1005, lambda m: (entries(m), exits(stop_loss=[1.0, 1.0])), "exits"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_refused_with_its_place(market: sweep.Market, case: str) -> None:
    code, returned, said = WRONG[case]
    strategy = returning(returned)
    with pytest.raises(SweepError) as caught:
        sweep.Engine(market, strategy).run()
    assert (caught.value.code, caught.value.stage) == (code, "engine")
    assert said in str(caught.value)
    assert strategy.strategy.place in str(caught.value)  # type: ignore[attr-defined]
    row = sweep.Engine(market, strategy).run_batch(pa.table({"be_r": [0.0]})).to_pylist()[0]
    assert (row["status"], row["kind"]) == ("FAILED", "ENGINE_ERROR")
    assert f"[{code}]" in row["reason"]
    assert said in row["reason"]


def test_many_wrong_rows_are_counted_and_the_first_ten_named(market: sweep.Market) -> None:
    rows = {"bar_index": range(50), "direction": [7] * 50, "stop_loss": [1.0] * 50}
    with pytest.raises(SweepError) as caught:
        run(market, {**rows, "bar_index": list(range(50))})
    assert caught.value.context["rows"] == list(range(10))
    assert (caught.value.context["count"], "and 40 more" in str(caught.value)) == (50, True)


def test_a_signal_that_breaks_the_rules_of_orders_is_rejected_and_counted(market: sweep.Market) -> None:
    wrong = run(market, lambda m: entries(m, stop_loss=m.ask.close[BARS] + np.array([1, 1, 1, -1]) * 0.004))
    assert wrong.rejections["invalid_side"] == 1
    assert wrong.trades.num_rows == 3


SIDES = np.array([1, -1, -1, 1])
PLAIN: dict[str, Callable[[Any], dict[str, Any]]] = {
    "as they are": lambda m: {},
    "small integers": lambda m: {"bar_index": np.array(BARS, np.int32), "direction": SIDES.astype(np.int8)},
    "words": lambda m: {"direction": np.array(WORDS), "order_type": np.array(["market", "limit", "stop", "market"])},
    "one word": lambda m: {"order_type": np.full(4, "market"), "direction": np.full(4, "long"), "stop_loss": m.bid.close[BARS] - 0.004, "take_profit": None},
    "every second": lambda m: {"direction": np.repeat(SIDES, 2)[::2], "size": np.array([0.5, np.nan, 1.0, 2.0])},
    "numbers of bars": lambda m: {"valid_bars": np.array([1, 2, 3, 2**31 - 1])},
}  # fmt: skip


@pytest.mark.parametrize("case", PLAIN)
def test_common_arrays_are_read_at_once_and_mean_what_a_table_means(market: sweep.Market, case: str) -> None:
    arrays = MarketArrays(market.core)
    given = entries(arrays, **PLAIN[case](arrays))
    quick = _core.SignalRows.of_arrays(given, None, arrays.n)[0]
    assert quick is not None
    table = pa.table({name: pa.array(values, from_pandas=True) for name, values in given.items()})
    assert _core.SignalRows.of_arrays(table, None, arrays.n)[0] is None
    careful = checked(table, arrays, where="here").entries
    one, other = (read_all(rows.to_table()) for rows in (quick, careful))
    assert one.select(other.column_names).equals(other)


def test_exits_of_common_arrays_are_read_at_once(market: sweep.Market) -> None:
    arrays = MarketArrays(market.core)
    given = {"bar_index": np.array([30, 60]), "direction": np.array(["long", "short"]), "action": np.array(["close", "cancel"])}  # fmt: skip
    quick = _core.SignalRows.of_arrays(None, given, arrays.n)[1]
    assert quick is not None
    assert read_all(quick.to_table()).to_pydict() == {"bar": [30, 60], "direction": [1, -1], "cancel": [0, 1]}


UNCOMMON: dict[str, Callable[[Any], dict[str, Any]]] = {
    "unknown column": lambda m: {"note": np.array(BARS)},
    "no such bar": lambda m: {"bar_index": np.array([20, 40, 40, 1000])},
    "negative bar": lambda m: {"bar_index": np.array([-1, 40, 40, 700])},
    "not sorted": lambda m: {"bar_index": np.array([20, 40, 39, 700])},
    "no direction": lambda m: {"direction": SIDES * 2},
    "beyond int8": lambda m: {"direction": np.array([257, -1, -1, 1])},
    "unknown word": lambda m: {"direction": np.array(["long", "short", "shorts", "long"])},
    "no stop": lambda m: {"stop_loss": np.array([np.nan, 1.0, 1.0, 1.0])},
    "two dimensions": lambda m: {"stop_loss": np.ones((4, 1))},
    "unequal lengths": lambda m: {"size": np.ones(3)},
    "numbers as flags": lambda m: {"direction": np.ones(4, bool)},
    "other byte order": lambda m: {"stop_loss": np.ones(4).astype(">f8")},
    "too many bars": lambda m: {"valid_bars": np.array([1, 2, 3, 2**31])},
    "empty": lambda m: {"bar_index": np.array([], int), "direction": np.array([], int), "stop_loss": np.array([])},
    "absent": lambda m: {"stop_loss": None},
}  # fmt: skip


@pytest.mark.parametrize("case", UNCOMMON)
def test_whatever_else_is_left_to_the_careful_way(market: sweep.Market, case: str) -> None:
    arrays = MarketArrays(market.core)
    given = {"take_profit": None, **UNCOMMON[case](arrays)}
    assert _core.SignalRows.of_arrays(entries(arrays, **given), None, arrays.n) == (None, None)


def test_a_function_may_write_to_what_it_returned_before(market: sweep.Market) -> None:
    kept = entries(MarketArrays(market.core))

    def reused(m: Any) -> dict[str, Any]:
        kept["stop_loss"] -= kept["direction"] * 1e-4
        return kept

    def fresh(m: Any) -> dict[str, Any]:
        return {name: values.copy() for name, values in reused(m).items()}

    many = pa.table({"max_holding_bars": [5, 6, 7]})
    digests = []
    for function in (reused, fresh):
        kept["stop_loss"] = entries(MarketArrays(market.core))["stop_loss"]
        engine = sweep.Engine(market, returning(function), execution={"max_positions": 4})
        digests.append(engine.run_batch(many)["signals_digest"].to_pylist())
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


def test_a_table_without_rows_is_no_signals(market: sweep.Market) -> None:
    kinds = {"bar_index": pa.int64(), "direction": pa.int64(), "action": pa.string()}
    nothing = pa.table({name: pa.array([], kind) for name, kind in kinds.items()})

    def function(m: Any) -> Any:
        return pa.table(entries(m, take_profit=None)), nothing

    def alone(m: Any) -> Any:
        return pa.table(entries(m, take_profit=None))

    with_it, without = (sweep.Engine(market, returning(each)).run({}) for each in (function, alone))
    assert with_it.metrics["total_trades"] > 0
    assert with_it.trades.equals(without.trades)
