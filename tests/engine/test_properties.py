"""Invariants of the native engine on random backtests: accounts, fills, data that end earlier, mirrored prices, dearer costs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sweep import Market
from sweep.engine import Backtest
from tests.engine import cases
from tests.engine.support import bars_table, run_script
from tests.reference.test_invariants import BARS, TICK, World, _mirrored, worlds
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


@many
@given(seed=seeds, share=st.floats(0.2, 0.95))
def test_later_data_change_no_earlier_trade(seed: int, share: float) -> None:
    case = cases.make(seed)
    assume(case.kind == "bars")
    labels = case.markets[0].to_table()["timestamp"].cast(pa.int64()).to_pylist()
    last = labels[int(share * (len(labels) - 1))]
    whole, part = (rows_of(cases.native(c)) for c in (case, _cut(case, labels[0], last)))

    def early(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["exit_time"] < last]

    assert early(part) == early(whole)


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
    case = cases.make(seed)
    assume(case.kind == "bars" and case.markets[0].symbol == "EURUSD" and not case.options["gates"])
    case = with_options(replace(case, rules={**case.rules, "cooldown_bars": 0}), **SPLIT)
    labels = case.markets[0].to_table()["timestamp"].cast(pa.int64()).to_pylist()
    whole = cases.native(case)
    rows = rows_of(whole)
    spans = [(row["order_time"], row["exit_time"]) for row in rows]
    spans += [(o["order_time"], o["ended"]) for o in whole.ended_orders]
    spans += [(o["order_time"], labels[-1]) for o in [*whole.open_positions, *whole.pending_orders]]
    spans = [tuple(cases_time(x) for x in span) for span in spans]
    places = range(int(share * len(labels)), len(labels) - 1)
    flat = [k for k in places if all(end < labels[k] or start > labels[k] for start, end in spans)]
    assume(flat)
    at = labels[flat[0]]
    first, second = _cut(case, labels[0], at), _cut(case, at + 1, labels[-1])
    # A signal at the flat bar is rejected in both: it fills at the open of a bar that the first part does not have.
    assume(all(row["timestamp"] != at for row in case.signals))

    def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        names = ("entry_time", "exit_time", "direction", "entry_price", "exit_price", "size", "reason")
        return [(*(row[name] for name in names), pytest.approx(row["result"], abs=1e-8)) for row in rows]

    parts, rows = (
        sorted(these, key=lambda row: (row["exit_time"], row["entry_time"], row["size"], row["reason"]))
        for these in ([*rows_of(cases.native(first)), *rows_of(cases.native(second))], rows)
    )
    assert len(parts) == len(rows)
    assert [row[:7] for row in told(parts)] == [row[:7] for row in told(rows)]
    assert sum(row["result"] for row in parts) == pytest.approx(sum(row["result"] for row in rows), abs=1e-7)


def cases_time(moment: Any) -> int:
    """Microseconds of a time that is told as a number or a date."""
    return moment if isinstance(moment, int) else round(moment.timestamp() * 1_000_000)


def scripted(world: World, *, mirrored: bool = False, **changes: Any) -> Backtest:
    """A world of the reference engine's tests on the native engine."""

    def side(shift: bool) -> dict[str, list[float]]:
        columns = {
            k: [x + s * shift for x, s in zip(v, world.spread, strict=True)] for k, v in world.bid.items()
        }
        if mirrored:
            columns = {k: [2 * TICK - x for x in v] for k, v in columns.items()}
            columns["high"], columns["low"] = columns["low"], columns["high"]
        return {**{k: [x / TICK for x in v] for k, v in columns.items()}, "volume": [0.0] * BARS}

    labels = [label(k) for k in range(BARS)]
    sides = [bars_table(labels, side(shift)) for shift in ((True, False) if mirrored else (False, True))]
    market = Market.from_arrow(*sides, symbol="EURUSD", timeframe="M1")
    signals = [_mirrored(row) if mirrored else row for row in world.signals]
    exits = [{**row, "direction": row["direction"] * (-1 if mirrored else 1)} for row in world.exits]
    named = [
        [{**row, "direction": "long" if row["direction"] > 0 else "short"} for row in rows]
        for rows in (signals, sorted(exits, key=lambda row: row["bar_index"]))
    ]
    rules = {
        "timeout_minutes": world.rules.timeout_minutes,
        "timeout_bars": world.rules.timeout_bars,
        "same_bar_reentry": world.rules.same_bar_reentry,
    }
    return run_script(market, {**world.options, **changes}, *named, rules)


@settings(max_examples=120, deadline=None)
@given(worlds())
def test_reflected_prices_turn_longs_into_shorts(world: World) -> None:
    costs = {
        "slippage": {"fixed_pips": 0.23, "random_pips": 0},
        "commission": world.options["costs"]["commission"],
    }
    account = {"sizing": {"mode": "fixed_lots", "lots": 0.3}}
    execution = {**world.options["execution"], "min_stop_pips": 0.05, "trigger_buffer_pips": 0.26}
    plain, mirrored = (
        rows_of(scripted(world, mirrored=m, costs=costs, account=account, execution=execution))
        for m in (False, True)
    )
    assert [row["exit_time"] for row in plain] == [row["exit_time"] for row in mirrored]
    for one, other in zip(plain, mirrored, strict=True):
        assert {one["direction"], other["direction"]} == {"long", "short"}
        assert (one["reason"], one["same_bar_ambiguous"]) == (other["reason"], other["same_bar_ambiguous"])
        assert one["result"] == pytest.approx(other["result"], abs=1e-6)


@settings(max_examples=120, deadline=None)
@given(worlds())
def test_a_higher_cost_never_raises_the_profit_of_the_same_trades(world: World) -> None:
    fixed = replace(world, signals=[{**row, "size": None} for row in world.signals])
    cheap, dear = (
        scripted(
            fixed,
            account={"sizing": {"mode": "fixed_lots", "lots": 0.3}},
            execution={**world.options["execution"], "pnl": "lots", "end_of_data": "close"},
            costs={
                "slippage": {"fixed_pips": pips, "random_pips": 0},
                "commission": {"schema": "per_lot", "per_lot": 2.0 + pips},
            },
        )
        for pips in (0.1, 0.3)
    )
    made = [[(row["position_id"], row["exit_time"]) for row in rows_of(result)] for result in (cheap, dear)]
    if made[0] == made[1]:
        assert dear.metrics["net_profit"] <= cheap.metrics["net_profit"] + 1e-9


def test_the_flat_points_are_there() -> None:
    """The property above is about something: many of the cases have a point where nothing is open."""
    flat = 0
    for seed in range(60):
        case = with_options(cases.make(seed), **SPLIT)
        if case.kind != "bars":
            continue
        rows = rows_of(cases.native(case))
        flat += any(b["order_time"] > a["exit_time"] + MINUTE_US for a, b in pairwise(rows))
    assert flat >= 20
