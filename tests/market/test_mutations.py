"""Good data with one thing wrong, anywhere: each gets its code and its rows, or its entry in the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep import Market, _core
from sweep.errors import SweepError
from tests.market.support import MINUTE, bars, poke, replaced

ROWS = 120
row = st.integers(1, ROWS - 2)
Mutation = Callable[[pa.Table, int], pa.Table]


def read(table: pa.Table, ask: pa.Table | None = None, **keys: Any) -> Market:
    sides = {"spread_pips": 0} if ask is None else {}
    return Market.from_arrow(table, ask, symbol="GBPUSD", timeframe="M1", **sides, **keys)


def order(table: pa.Table, rows: list[int]) -> pa.Table:
    return table.take(pa.array(rows))


def swapped(table: pa.Table, at: int) -> pa.Table:
    rows = list(range(table.num_rows))
    rows[at], rows[at + 1] = rows[at + 1], rows[at]
    return order(table, rows)


def repeated(table: pa.Table, at: int) -> pa.Table:
    return order(table, [*range(at + 1), *range(at, table.num_rows)])


def conflicting(table: pa.Table, at: int) -> pa.Table:
    again = repeated(table, at)
    return poke(again, "volume", at + 1, 77.0)


def stamp(table: pa.Table, at: int, change: int) -> pa.Table:
    times = table["timestamp"].cast(pa.int64()).to_numpy().copy()
    times[at] += change
    return replaced(table, "timestamp", pa.array(times).cast(pa.timestamp("us", "UTC")))


def scaled(table: pa.Table, at: int) -> pa.Table:
    for name in ("open", "high", "low", "close"):
        table = poke(table, name, at, 10 * table[name][at].as_py())
    return table


def upside_down(table: pa.Table, at: int) -> pa.Table:
    high, low = table["high"][at].as_py(), table["low"][at].as_py()
    return poke(poke(table, "high", at, low), "low", at, high)


def emptied(table: pa.Table, at: int) -> pa.Table:
    values = table["close"].to_pylist()
    values[at] = None
    return replaced(table, "close", pa.array(values, pa.float64()))


# What is wrong, its code, its name in the list of defects, and the row that it is found at.
REFUSED: dict[str, tuple[Mutation, int, str, int]] = {
    "two rows swapped": (swapped, 1006, "earlier", 1),
    "a row repeated": (repeated, 1006, "identical", 1),
    "a row repeated with another volume": (conflicting, 1006, "other values", 1),
    "a bar too close": (lambda t, i: stamp(t, i, -MINUTE // 2), 1006, "closer", 0),
    "a time of another century": (lambda t, i: stamp(t, t.num_rows - 1, 10**16), 1003, "years", ROWS),
    "NaN": (lambda t, i: poke(t, "close", i, np.nan), 1006, "NaN", 0),
    "infinite": (lambda t, i: poke(t, "high", i, np.inf), 1006, "infinite", 0),
    "negative": (lambda t, i: poke(t, "low", i, -1.0), 1006, "0 or less", 0),
    "zero": (lambda t, i: poke(t, "low", i, 0.0), 1006, "0 or less", 0),
    "too large": (lambda t, i: poke(t, "high", i, 1e12), 1006, "1e12", 0),
    "negative volume": (lambda t, i: poke(t, "volume", i, -5.0), 1006, "negative volume", 0),
    "high below low": (upside_down, 1006, "low <= open", 0),
    "close above high": (lambda t, i: poke(t, "close", i, 2.0), 1006, "low <= open", 0),
}


@pytest.mark.parametrize("name", REFUSED)
@settings(max_examples=25)
@given(at=row)
def test_a_defect_is_refused_and_found_where_it_is(name: str, at: int) -> None:
    mutate, code, words, offset = REFUSED[name]
    found_at = ROWS - 1 if offset == ROWS else at + offset
    with pytest.raises(SweepError) as caught:
        read(mutate(bars(ROWS), at))
    assert (caught.value.code, caught.value.stage) == (code, "data")
    assert words in str(caught.value)
    defects = caught.value.context["defects"]
    mine = [d for d in defects if words in d["what"]]
    assert [d["code"] for d in mine] == [code]
    assert mine[0]["count"] == 1
    assert [r["row"] for r in mine[0]["rows"]] == [found_at]
    assert mine[0]["remedy"]


@given(at=row)
def test_a_null_is_refused_by_its_row(at: int) -> None:
    with pytest.raises(SweepError, match=rf"\[1005\].*row {at}\b"):
        read(emptied(bars(ROWS), at))


@given(at=row)
def test_identical_rows_may_be_dropped_but_conflicting_ones_never(at: int) -> None:
    good = read(bars(ROWS))
    dropped = read(repeated(bars(ROWS), at), duplicates="drop_identical")
    assert dropped.digest == good.digest
    assert dropped.report["import"]["duplicates_dropped_bid"] == 1
    with pytest.raises(SweepError, match=r"\[1006\]"):
        read(conflicting(bars(ROWS), at), duplicates="drop_identical")


@given(at=row, size=st.integers(1, 40))
def test_a_hole_is_reported(at: int, size: int) -> None:
    size = min(size, ROWS - 1 - at)
    kept = [*range(at), *range(at + size, ROWS)]
    report = read(order(bars(ROWS), kept)).report
    assert (report["gaps"]["count"], report["gaps"]["missing_bars"]) == (1, size)
    assert report["gaps"]["longest"] == (size + 1) * MINUTE


@given(at=row)
def test_a_bar_of_another_scale_is_reported(at: int) -> None:
    report = read(scaled(bars(ROWS), at)).report
    assert report["jumps"]["bars"] == 2


@given(at=row)
def test_stamps_off_the_grid_are_reported(at: int) -> None:
    times = bars(ROWS)["timestamp"].cast(pa.int64()).to_numpy().copy()
    times[at:] += 20_000_000
    moved = replaced(bars(ROWS), "timestamp", pa.array(times).cast(pa.timestamp("us", "UTC")))
    assert read(moved).report["off_grid"]["bars"] == ROWS - at


@given(at=row, count=st.integers(1, 30))
def test_crossed_quotes_follow_the_policy(at: int, count: int) -> None:
    ask = bars(ROWS, offset=0.0002)
    count = min(count, ROWS - at)
    for i in range(at, at + count):
        ask = poke(ask, "low", i, ask["low"][i].as_py() - 0.0003)
    assert read(bars(ROWS), ask).report["crossed"]["bars"] == count
    clamped = read(bars(ROWS), ask, crossed="clamp").report
    assert (clamped["crossed"]["bars"], clamped["import"]["bars_clamped"]) == (0, count)
    with pytest.raises(SweepError, match=rf"\[1006\].* in {count} bars"):
        read(bars(ROWS), ask, crossed="reject")


@given(cut=st.integers(1, 60))
def test_sides_that_do_not_match_are_joined_or_refused(cut: int) -> None:
    bid, ask = bars(200), bars(200, offset=0.0002).slice(0, 200 - cut)
    if cut <= 2:  # one per cent of all labels
        assert read(bid, ask).bars == 200 - cut
    else:
        with pytest.raises(SweepError, match=r"\[1011\]"):
            read(bid, ask)
    joined = read(bid, ask, max_alignment_loss=1)
    assert joined.bars == 200 - cut
    assert joined.report["import"]["labels_only_bid"] == cut


@settings(max_examples=40)
@given(
    names=st.lists(st.sampled_from(["NaN", "negative volume", "two rows swapped"]), min_size=2, unique=True),
    at=row,
)
def test_one_pass_finds_every_class(names: list[str], at: int) -> None:
    table = bars(ROWS)
    for i, name in enumerate(names):
        table = REFUSED[name][0](table, (at + 11 * i) % (ROWS - 2) + 1)
    options = json.dumps({"timeframe": "M1", "name": "bid"})
    found = " / ".join(defect["what"] for defect in json.loads(_core.check_bars(table, options)))
    for name in names:
        assert REFUSED[name][2] in found


def ticks(count: int = 400) -> pa.Table:
    index = np.arange(count)
    times = pa.array(1_546_383_600_000_000 + index * 700_000).cast(pa.timestamp("us", "UTC"))
    bid = np.round(1.15 + 1e-5 * (index % 50), 5)
    return pa.table({"timestamp": times, "bid": bid, "ask": bid + 0.0001})


TICKS: dict[str, tuple[Mutation, int]] = {
    "two ticks swapped": (swapped, 1006),
    "NaN": (lambda t, i: poke(t, "bid", i, np.nan), 1006),
    "infinite": (lambda t, i: poke(t, "ask", i, np.inf), 1006),
    "zero": (lambda t, i: poke(t, "bid", i, 0.0), 1006),
    "a time of another century": (lambda t, i: stamp(t, t.num_rows - 1, 10**16), 1003),
}


@pytest.mark.parametrize("name", TICKS)
@settings(max_examples=25)
@given(at=st.integers(1, 397))
def test_a_broken_tick_is_refused(name: str, at: int) -> None:
    mutate, code = TICKS[name]
    with pytest.raises(SweepError) as caught:
        Market.from_arrow(ticks=mutate(ticks(), at), symbol="EURUSD", timeframe="M1")
    assert (caught.value.code, caught.value.stage) == (code, "data")


@given(at=st.integers(1, 398))
def test_odd_ticks_are_reported_and_keep_their_order(at: int) -> None:
    crossed = poke(ticks(), "ask", at, 1.0)
    market = Market.from_arrow(ticks=crossed, symbol="EURUSD", timeframe="M1")
    assert market.report["ticks"]["crossed"] == 1
    with pytest.raises(SweepError, match=r"\[1006\]"):
        Market.from_arrow(ticks=crossed, symbol="EURUSD", timeframe="M1", crossed="reject")
    same_time = Market.from_arrow(ticks=stamp(ticks(), at, -700_000), symbol="EURUSD", timeframe="M1")
    assert same_time.report["ticks"]["equal_stamps"] == 1
    held = same_time.ticks_table()
    assert held is not None
    assert held["bid"].to_pylist() == ticks()["bid"].to_pylist()
