"""Invariants of a backtest on random markets, signals and options."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.reference.engine import run
from sweep.reference.scripted import SignalTable
from sweep.reference.simulation import Simulation
from tests.reference import properties
from tests.reference.worlds import BARS, World, on_reference, world_of, worlds
from tests.vectors.engine import label

run_many = settings(max_examples=120, deadline=None)
few = settings(max_examples=40, deadline=None)


@run_many
@given(worlds())
def test_every_trade_is_in_order_and_complete(world: World) -> None:
    result = world.run()
    ids = [t["position_id"] for t in [*result.trades, *result.open_positions]]
    assert len(ids) == len(set(ids))
    moved = any(row["action"] == "modify_target" for row in world.exits)
    for t in result.trades:
        assert t["order_time"] <= t["entry_time"] <= t["exit_time"]
        assert t["status"] == "closed"
        side = 1 if t["direction"] == "long" else -1
        assert (t["entry_price"] - t["initial_stop_loss"]) * side > 0
        # A strategy may move its target to where it likes.
        if not moved:
            assert t["take_profit"] is None or (t["take_profit"] - t["entry_price"]) * side > 0
        assert t["size"] > 0
        assert all(math.isfinite(v) for v in t.values() if isinstance(v, float))
    for p in result.open_positions:
        assert (p["status"], p["exit_time"], p["reason"]) == ("open", None, None)


@run_many
@given(worlds())
def test_cash_is_the_balance_plus_results_minus_fees(world: World) -> None:
    result = world.run()
    fees = sum(t["total_fee"] for t in result.trades) + sum(p["entry_fee"] for p in result.open_positions)
    cash = 10_000 + sum(t["result"] for t in result.trades) - fees
    final = result.equity[-1]["balance"]
    assert abs(cash - final) <= 1e-8 * max(1, abs(final))
    assert result.metrics["total_fees"] == pytest.approx(fees, abs=1e-9)
    if world.options["costs"]["commission"] is not None:
        assert all(t["entry_fee"] > 0 and t["exit_fee"] > 0 for t in result.trades)


@run_many
@given(worlds())
def test_the_curve_starts_at_the_balance_and_never_goes_back(world: World) -> None:
    result = world.run()
    rows = result.equity
    assert len(rows) == BARS + 1
    assert (rows[0]["equity"], rows[0]["balance"], rows[0]["drawdown"]) == (10_000, 10_000, 0)
    high = 10_000.0
    for before, row in pairwise(rows):
        high = max(high, row["equity"])
        assert row["timestamp"] >= before["timestamp"]
        assert row["high_water"] == high
        assert row["drawdown"] == row["equity"] - high <= 0
        assert all(math.isfinite(row[k]) for k in ("equity", "balance"))
        if world.options["execution"]["equity"] == "realised":
            assert row["equity"] == row["balance"]
    if not result.open_positions:
        assert rows[-1]["equity"] == rows[-1]["balance"]
    assert all(v is None or math.isfinite(v) for v in result.metrics.values())


@run_many
@given(worlds())
def test_equity_is_cash_plus_what_is_open_after_every_bar(world: World) -> None:
    """The engine's own sum, recomputed from the records."""
    signals = SignalTable(world.signals, world.exits, world.rules)
    market = world.market()
    options = {
        **world.options,
        "execution": {**world.options["execution"], "equity": "mark_to_market", "pnl": "lots"},
    }
    seen: list[float] = []

    class Watching(Simulation):
        def _sample(self, label: int, moment: int, quotes: Mapping[str, tuple[float, float]]) -> None:
            super()._sample(label, moment, quotes)
            i, total = int(np.searchsorted(market.label, label)), 0.0
            for p in self.book.open:
                close = market.bid.close[i] if p.is_long else market.ask.close[i]
                move = close - p.entry_price if p.is_long else p.entry_price - close
                total += (move * p.size) * 100_000.0
            seen.append(self.book.cash + total)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweep.reference.engine.Simulation", Watching)
        result = run(market, options, signals, {})
    assert seen == [row["equity"] for row in result.equity[1:]]


@run_many
@given(worlds())
def test_accepted_orders_are_open_closed_or_rejected_at_the_fill(world: World) -> None:
    result = world.run()
    at_decision = {"invalid_argument", "invalid_side", "max_positions", "end_of_data"}
    known = [*result.trades, *result.open_positions, *result.ended_orders, *result.pending_orders]
    at_fill = sum(n for reason, n in result.rejections.items() if reason not in at_decision)
    ids = [row["position_id"] for row in known]
    assert len(ids) == len(set(ids))
    # `stop_too_close` and others are given at the decision and at the fill, so they bound the unfilled ids from above.
    assert len(known) <= max(ids, default=0) <= len(known) + at_fill
    assert len(result.rejection_details) == min(100, sum(result.rejections.values()))
    assert sum(result.blocked_bars.values()) <= BARS


@run_many
@given(worlds())
def test_the_risk_is_met_from_below_within_one_step(world: World) -> None:
    result = world.run()
    own = {row["bar_index"] for row in world.signals if row["size"] is not None}
    parts = {json.loads(t["meta"])["tag"] for t in result.trades if t["reason"] == "partial_exit"}
    for t in result.trades:
        lots_risk = abs(t["entry_price"] - t["initial_stop_loss"]) * 100_000
        sized_by_user = (t["order_time"] - label(0)) // 60_000_000 in own
        if sized_by_user or t["size"] in (0.01, 200.0) or json.loads(t["meta"])["tag"] in parts:
            continue
        assert t["size"] * lots_risk <= 100 * (1 + 1e-9)
        assert t["size"] * lots_risk > 100 - 0.01 * lots_risk * (1 + 1e-6)


@run_many
@given(worlds())
def test_a_fill_lies_within_its_bar(world: World) -> None:
    """With gap fills and without slippage, every price was traded on its side of its bar."""
    execution = {**world.options["execution"], "gap_fills": True, "trigger_buffer_pips": 0}
    result = world.run(execution=execution, costs={})
    market = world.market()
    for t in result.trades:
        long = t["direction"] == "long"
        entry_side, exit_side = (market.ask, market.bid) if long else (market.bid, market.ask)
        for side, time, price in (
            (entry_side, t["entry_time"], t["entry_price"]),
            (exit_side, t["exit_time"], t["exit_price"]),
        ):
            i = (time - label(0)) // 60_000_000
            assert side.low[i] <= price <= side.high[i]


@run_many
@given(worlds())
def test_the_same_input_gives_the_same_bytes(world: World) -> None:
    assert world.run().digests == world.run().digests


@run_many
@given(world=worlds(), n=st.integers(2, BARS - 1))
def test_later_data_change_no_earlier_trade(world: World, n: int) -> None:
    whole, part = world.run(), world.run(n)
    end = label(n - 1)
    early = [t for t in whole.trades if t["exit_time"] < end]
    assert [t for t in part.trades if t["exit_time"] < end] == early
    # The last bar may end positions differently; every sample before it is the same.
    assert part.equity[:n] == whole.equity[:n]


@run_many
@given(worlds())
def test_reflected_prices_turn_longs_into_shorts(world: World) -> None:
    properties.reflected_prices_turn_longs_into_shorts(on_reference, world)


@run_many
@given(worlds())
def test_an_entry_has_its_price_unless_a_gap_passes_it(world: World) -> None:
    properties.an_entry_has_its_price(on_reference, world)


@run_many
@given(worlds())
def test_equity_is_cash_and_what_the_records_say_is_open(world: World) -> None:
    properties.equity_is_cash_and_what_is_open(on_reference, world)


@pytest.mark.parametrize("cost", properties.FEES)
@few
@given(world=worlds())
def test_a_higher_fee_lowers_the_result_of_every_trade(world: World, cost: str) -> None:
    properties.a_higher_fee_lowers_the_result_of_every_trade(on_reference, world, cost)


@pytest.mark.parametrize("cost", properties.PRICES)
@few
@given(world=worlds())
def test_a_higher_cost_betters_no_trade(world: World, cost: str) -> None:
    properties.a_higher_cost_betters_no_trade(on_reference, world, cost)


def test_the_properties_are_about_something() -> None:
    """On fixed worlds: every kind of order, exit and end, prices by a gap and without one, costs that cost."""
    properties.assert_worth_testing(on_reference, [world_of(seed) for seed in range(60)])
