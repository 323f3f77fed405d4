"""Invariants of the native engine on random backtests: accounts, fills, data that end earlier, mirrored prices, dearer costs."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sweep import Market
from sweep.engine import Backtest
from tests.engine import cases, drawn_markets
from tests.engine.support import bars_table, run_script
from tests.reference import properties
from tests.reference.worlds import BARS, View, World, world_of, worlds
from tests.vectors.engine import MINUTE_US, label

many = settings(max_examples=250, deadline=None)
seeds = st.integers(0, 10**9)


def rows_of(result: Backtest) -> list[dict[str, Any]]:
    """The trades as rows, times in microseconds."""
    table = result.trades
    for name in ("entry_time", "exit_time", "order_time"):
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].cast(pa.int64()))
    return table.to_pylist()


def with_options(case: cases.Case, **sections: dict[str, Any]) -> cases.Case:
    """The case with changes in sections of its options."""
    changed = {name: {**(case.options.get(name) or {}), **keys} for name, keys in sections.items()}
    return replace(case, options={**case.options, **changed})


@many
@given(seeds)
def test_the_account_adds_up(seed: int) -> None:
    """Balance + results - fees is what is left, a position is closed once, and both sides of a fill pay."""
    case = with_options(cases.make(seed), metrics={})
    result = cases.native(case)
    rows = rows_of(result)
    paid = sum(row["total_fee"] or 0.0 for row in rows) + sum(
        p["entry_fee"] or 0.0 for p in result.open_positions
    )
    start = case.options["account"]["initial_balance"]
    equity = result.equity
    final = equity["balance"].to_pylist()[-1]
    assert start + sum(row["result"] for row in rows) - paid == pytest.approx(final, rel=1e-9, abs=1e-8)
    closed = Counter(row["position_id"] for row in rows if row["reason"] != "partial_exit")
    assert set(closed.values()) <= {1}
    assert not closed.keys() & {p["position_id"] for p in result.open_positions}
    for row in rows:
        assert row["order_time"] <= row["entry_time"] <= row["exit_time"]
        assert row["size"] > 0
    stamps = equity["timestamp"].cast(pa.int64()).to_pylist()
    assert stamps == sorted(stamps)
    assert equity["equity"].to_pylist()[0] == start
    assert equity["equity"].null_count == 0


DOLLARS = {
    "account": {"currency": "USD", "initial_balance": 10_000.0, "risk_per_trade": 100.0},
    "execution": {"pnl": "lots", "equity": "mark_to_market"},
    "costs": {"spread_multiplier": 1.0},
}


@many
@given(seeds)
def test_equity_is_cash_and_what_is_open_of_every_symbol(seed: int) -> None:
    """At every sample, recomputed from the records and the last closes: bars, bars of two symbols, ticks."""
    _marked(seed)


def _marked(seed: int) -> tuple[str, int]:
    """Checks a case and tells its kind, and at how many samples something was open."""
    case = with_options(cases.make(seed), **DOLLARS)
    case.options["account"]["sizing"]["unit_value"] = "contract"
    case = replace(case, options={**case.options, "rates": {"static": drawn_markets.RATES}}, rates={})
    result = cases.native(case)
    records = [*rows_of(result), *({**row, "exit_time": None} for row in result.open_positions)]
    for row in records:
        row["entry_time"] = cases_time(row["entry_time"])
    closes = {
        (market.symbol, side): market.to_table()[f"{side}_close"].to_pylist()
        for market in case.markets
        for side in ("bid", "ask")
    }
    stamps = {market.symbol: cases.labels_of(market) for market in case.markets}
    equity = result.equity
    samples = zip(
        equity["timestamp"].cast(pa.int64()).to_pylist(),
        equity["balance"].to_pylist(),
        equity["equity"].to_pylist(),
        strict=True,
    )
    marked = 0
    next(samples)
    for stamp, balance, total in samples:
        if case.kind == "ticks" and stamp > stamps[case.markets[0].symbol][-1]:
            break  # The forming bar, which is no row of the table.
        end = stamp + MINUTE_US
        there = [row for row in records if row["entry_time"] < end]
        gone = [row for row in there if (row["exit_time"] or end) < end]
        still = [row for row in there if (row["exit_time"] or end) >= end]
        cash = 10_000 + sum(row["result"] - (row["exit_fee"] or 0.0) for row in gone)
        cash -= sum(row["entry_fee"] or 0.0 for row in there)
        unrealised = 0.0
        for row in still:
            symbol, long = row["symbol"], row["direction"] == "long"
            last = bisect_right(stamps[symbol], stamp) - 1
            close = closes[symbol, "bid" if long else "ask"][last]
            move = close - row["entry_price"] if long else row["entry_price"] - close
            unrealised += move * row["size"] * 100_000.0 / (150.0 if symbol == "USDJPY" else 1.0)
        assert balance == pytest.approx(cash, rel=1e-11, abs=1e-8)
        assert total - balance == pytest.approx(unrealised, rel=1e-9, abs=1e-7)
        marked += unrealised != 0.0
    return case.kind, marked


def test_something_is_open_at_many_samples() -> None:
    """The property above is about something, for every kind of case."""
    marked: Counter[str] = Counter()
    for seed in range(160):
        kind, count = _marked(seed)
        marked[kind] += count
    assert {kind: marked[kind] for kind in cases.KINDS if marked[kind] < 50} == {}


def _quotes(market: Market) -> dict[int, dict[str, Any]]:
    table = market.to_table()
    stamps = table["timestamp"].cast(pa.int64()).to_pylist()
    return dict(zip(stamps, table.to_pylist(), strict=True))


@many
@given(seeds)
def test_a_fill_lies_within_its_bar_and_no_level_is_bettered_without_a_gap(seed: int) -> None:
    case = cases.make(seed)
    assume(case.kind != "ticks")
    case = with_options(
        case,
        execution={"gap_fills": True, "trigger_buffer_pips": 0.0, "market_fill": "next_open"},
        costs={"slippage": {"fixed_pips": 0.0, "random_pips": 0.0}, "spread_multiplier": 1.0},
    )
    bars = {market.symbol: _quotes(market) for market in case.markets}
    for row in rows_of(cases.native(case)):
        long = row["direction"] == "long"
        sign = 1 if long else -1
        entry, exit_ = (bars[row["symbol"]][row[f"{event}_time"]] for event in ("entry", "exit"))
        bought, sold = ("ask", "bid") if long else ("bid", "ask")
        assert entry[f"{bought}_low"] <= row["entry_price"] <= entry[f"{bought}_high"]
        assert exit_[f"{sold}_low"] <= row["exit_price"] <= exit_[f"{sold}_high"]
        opened = exit_[f"{sold}_open"]
        best = exit_[f"{sold}_high" if long else f"{sold}_low"]
        # At the open, or on the entry bar where the stop lies within the spread of the entry: the best quote.
        gapped = row["exit_price"] == opened or (
            row["entry_time"] == row["exit_time"] and row["exit_price"] == best
        )
        if row["reason"] in ("stop_loss", "break_even_stop_loss", "trailing_stop_loss") and not gapped:
            assert row["exit_price"] == row["stop_loss"], "never better, and worse only by a gap"
        if row["reason"] == "take_profit" and not gapped:
            assert row["exit_price"] == row["take_profit"]
        if row["reason"] == "take_profit" and gapped:
            assert (row["exit_price"] - row["take_profit"]) * sign >= 0


def _cut(case: cases.Case, first: int, last: int) -> cases.Case:
    """The case from one time to another, both included."""
    part = cases.within(case, first, last)
    assume(part is not None)
    assert part is not None
    return part


def _stamps(case: cases.Case) -> list[int]:
    """Labels of all bars, of every symbol, in order."""
    return sorted({stamp for market in case.markets for stamp in cases.labels_of(market)})


@many
@given(seed=seeds, share=st.floats(0.2, 0.95))
def test_later_data_change_no_earlier_trade(seed: int, share: float) -> None:
    """Bars, bars of two symbols and ticks; a symbol whose own last bar is reached may end its positions there."""
    case = cases.make(seed)
    stamps = _stamps(case)
    part = _cut(case, 0, stamps[int(share * (len(stamps) - 1))] + MINUTE_US - 1)
    last = min(cases.labels_of(market)[-1] for market in part.markets)
    told, whole = ([row for row in rows_of(cases.native(c)) if row["exit_time"] < last] for c in (part, case))
    assert told == whole


FAR = 2**62
SPLIT = {
    "execution": {
        "end_of_data": "leave_open",
        "max_positions": 1,
        "stop_on_ruin": False,
        "check_margin": False,
    },
    "account": {"currency": "USD", "sizing": {"mode": "fixed_lots", "lots": 0.1}, "initial_balance": 1e7},
    "costs": {"slippage": {"fixed_pips": 0.2, "random_pips": 0.0}},
}


@many
@given(seed=seeds, share=st.floats(0.2, 0.8))
def test_a_period_split_where_nothing_is_open_gives_both_parts(seed: int, share: float) -> None:
    """No memory but the account's: the trades after a flat point do not depend on those before it."""
    flat = _split_where_flat(seed, share)
    assume(flat is not None)


def _split_where_flat(seed: int, share: float) -> str | None:
    """Checks a case and tells its kind; None if nothing can be said about it."""
    case = cases.make(seed)
    if case.options["gates"]:
        return None
    case = with_options(replace(case, rules={**case.rules, "cooldown_bars": 0}), **SPLIT)
    whole = cases.native(case)
    rows = rows_of(whole)
    stamps = _stamps(case)
    spans = [(row["order_time"], row["exit_time"]) for row in rows]
    spans += [(o["order_time"], o["ended"]) for o in whole.ended_orders]
    spans += [(o["order_time"], stamps[-1]) for o in [*whole.open_positions, *whole.pending_orders]]
    spans = [(cases_time(start), cases_time(end)) for start, end in spans]
    # Nothing may live on at the end of a bar; in ticks the next one decides about the bar.
    flat = [
        k
        for k in range(int(share * len(stamps)), len(stamps) - 1)
        if all(end < stamps[k] or start > stamps[k] + MINUTE_US for start, end in spans)
    ]
    if not flat:
        return None
    at = stamps[flat[0]] + MINUTE_US
    parts = [cases.within(case, 0, at - 1), cases.within(case, at, FAR)]
    if parts[0] is None or parts[1] is None:
        return None
    # A signal on a last bar is rejected there: it fills at the open of a bar that the first part does not have.
    ends = {(m.symbol, max(stamp for stamp in cases.labels_of(m) if stamp < at)) for m in case.markets}
    if any((row["symbol"], row["timestamp"]) in ends for row in case.signals):
        return None
    # An order that is rejected as it fills leaves no record: here one may have waited over the split.
    at_fill = ("stop_passed_at_fill", "target_passed_at_fill", "stop_too_close", "below_min_volume")
    waited = any(row["timestamp"] < at and row["order_type"] != "market" for row in case.signals)
    refused = [
        d for d in whole.rejection_details if d["reason"] in at_fill and cases_time(d["timestamp"]) >= at
    ]
    if sum(whole.rejections.values()) > 100 or (waited and refused):
        return None
    names = ("entry_time", "exit_time", "symbol", "direction", "entry_price", "exit_price", "size", "reason")
    told, wanted = (
        sorted(([*(row[name] for name in names), row["result"]] for row in these), key=str)
        for these in ([row for part in parts if part for row in rows_of(cases.native(part))], rows)
    )
    assert [row[:-1] for row in told] == [row[:-1] for row in wanted]
    assert [row[-1] for row in told] == pytest.approx([row[-1] for row in wanted], abs=1e-8)
    return case.kind if wanted else None


def test_the_flat_points_are_there() -> None:
    """The property above is about something: of every kind of case many have a point where nothing is open."""
    kinds = Counter(_split_where_flat(seed, 0.3) for seed in range(400))
    assert {kind: kinds[kind] for kind in cases.KINDS if kinds[kind] < 8} == {}


def cases_time(moment: Any) -> int:
    """Microseconds of a time that is told as a number or a date."""
    return moment if isinstance(moment, int) else round(moment.timestamp() * 1_000_000)


def on_native(world: World, *, mirrored: bool = False, **changes: Any) -> View:
    """A world on the native engine."""
    labels = [label(k) for k in range(BARS)]
    sides = [bars_table(labels, {**side, "volume": [0.0] * BARS}) for side in world.sides(mirrored=mirrored)]
    market = Market.from_arrow(*sides, symbol="EURUSD", timeframe="M1")
    tables = [
        [{**row, "direction": "long" if row["direction"] > 0 else "short"} for row in rows]
        for rows in world.script(mirrored=mirrored)
    ]
    result = run_script(market, {**world.options, **changes}, *tables, asdict(world.rules))
    equity = result.equity.set_column(0, "timestamp", result.equity["timestamp"].cast(pa.int64()))
    timed = (
        [{k: _micros(v) for k, v in row.items()} for row in records]
        for records in (result.open_positions, result.ended_orders)
    )
    return View(rows_of(result), equity.to_pylist(), *timed, result.metrics)


def _micros(value: Any) -> Any:
    return cases_time(value) if isinstance(value, datetime) else value


few = settings(max_examples=60, deadline=None)
some = settings(max_examples=150, deadline=None)


@some
@given(worlds())
def test_reflected_prices_turn_longs_into_shorts(world: World) -> None:
    properties.reflected_prices_turn_longs_into_shorts(on_native, world)


@some
@given(worlds())
def test_an_entry_has_its_price_unless_a_gap_passes_it(world: World) -> None:
    properties.an_entry_has_its_price(on_native, world)


@some
@given(worlds())
def test_equity_is_cash_and_what_the_records_say_is_open(world: World) -> None:
    properties.equity_is_cash_and_what_is_open(on_native, world)


@pytest.mark.parametrize("cost", properties.FEES)
@few
@given(world=worlds())
def test_a_higher_fee_lowers_the_result_of_every_trade(world: World, cost: str) -> None:
    properties.a_higher_fee_lowers_the_result_of_every_trade(on_native, world, cost)


@pytest.mark.parametrize("cost", properties.PRICES)
@few
@given(world=worlds())
def test_a_higher_cost_betters_no_trade(world: World, cost: str) -> None:
    properties.a_higher_cost_betters_no_trade(on_native, world, cost)


def test_the_properties_are_about_something() -> None:
    """On fixed worlds: every kind of order, exit and end, prices by a gap and without one, costs that cost."""
    properties.assert_worth_testing(on_native, [world_of(seed) for seed in range(150)])
