"""Invariants of a backtest on random markets, signals and options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.reference.engine import run
from sweep.reference.market import ReferenceMarket
from sweep.reference.result import ReferenceResult
from sweep.reference.scripted import SignalTable
from sweep.reference.simulation import Simulation
from sweep.reference.strategy import Rules
from tests.reference.support import market_of
from tests.vectors.engine import label

TICK = 100_000
BARS = 60


@dataclass(frozen=True)
class World:
    """A random market in whole ticks and a script on it."""

    bid: dict[str, list[int]]
    spread: list[int]
    signals: list[dict[str, Any]]
    exits: list[dict[str, Any]]
    rules: Rules
    options: dict[str, Any]

    def market(self, n: int = BARS, *, mirrored: bool = False) -> ReferenceMarket:
        def prices(add: bool) -> dict[str, list[float]]:
            side = {
                k: [x + s * add for x, s in zip(v, self.spread, strict=True)][:n] for k, v in self.bid.items()
            }
            if mirrored:
                side = {k: [2 * TICK - x for x in v] for k, v in side.items()}
                side["high"], side["low"] = side["low"], side["high"]
            return {k: [x / TICK for x in v] for k, v in side.items()}

        bid, ask = prices(mirrored), prices(not mirrored)
        return market_of([label(k) for k in range(n)], bid, ask)

    def run(self, n: int = BARS, *, mirrored: bool = False, **changes: Any) -> ReferenceResult:
        signals = [row for row in self.signals if row["bar_index"] < n]
        exits = [row for row in self.exits if row["bar_index"] < n]
        if mirrored:
            signals = [_mirrored(row) for row in signals]
            exits = [{**row, "direction": -row["direction"]} for row in exits]
        options = {**self.options, **changes}
        return run(self.market(n, mirrored=mirrored), options, SignalTable(signals, exits, self.rules), {})


def _mirrored(row: dict[str, Any]) -> dict[str, Any]:
    def flip(x: float | None) -> float | None:
        return None if x is None else (2 * TICK - round(x * TICK)) / TICK

    return {
        **row,
        "direction": -row["direction"],
        "stop_loss": flip(row["stop_loss"]),
        "take_profit": flip(row["take_profit"]),
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Random walks with gaps; stops and targets around the market, sometimes on the wrong side."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([5, 30, 300]))
    opens = TICK + np.cumsum(rng.integers(-scale, scale + 1, BARS))
    close = opens + rng.integers(-scale, scale + 1, BARS)
    high = np.maximum(opens, close) + rng.integers(0, scale, BARS)
    low = np.minimum(opens, close) - rng.integers(0, scale, BARS)
    bid = {k: v.tolist() for k, v in (("open", opens), ("high", high), ("low", low), ("close", close))}
    signals = []
    for i in sorted(rng.choice(BARS, draw(st.integers(0, 40))).tolist()):
        direction = int(rng.choice([1, -1]))
        stop = int(close[i] - direction * rng.integers(-2, 4 * scale))
        target = int(close[i] + direction * rng.integers(-2, 6 * scale))
        signals.append(
            {
                "bar_index": i,
                "direction": direction,
                "stop_loss": stop / TICK,
                "take_profit": None if rng.random() < 0.2 else target / TICK,
                "size": 0.5 if rng.random() < 0.2 else None,
            }
        )
    exits = [
        {"bar_index": int(i), "direction": int(rng.choice([1, -1])), "action": "close"}
        for i in rng.choice(BARS, draw(st.integers(0, 6)))
    ]
    rules = Rules(
        timeout_minutes=draw(st.sampled_from([0, 5])),
        timeout_bars=draw(st.sampled_from([None, 7])),
        same_bar_reentry=draw(st.booleans()),
    )
    return World(bid, rng.integers(0, 4, BARS).tolist(), signals, exits, rules, draw(options()))


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    commission = {"schema": "per_lot", "per_lot": draw(st.sampled_from([0.0, 2.5, 7.0])), "min_fee": 0.3}
    return {
        "execution": {
            "preset": draw(st.sampled_from(["realistic", "reference"])),
            "gap_fills": draw(st.booleans()),
            "market_fill": draw(st.sampled_from(["next_open", "signal_close"])),
            "pnl": draw(st.sampled_from(["lots", "r_multiple"])),
            "equity": draw(st.sampled_from(["mark_to_market", "realised"])),
            "below_min_volume": draw(st.sampled_from(["reject", "raise_to_min"])),
            "end_of_data": draw(st.sampled_from(["close", "leave_open"])),
            "reentry_on_exit_bar": draw(st.booleans()),
            "max_positions": draw(st.sampled_from([1, 3, None])),
        },
        "costs": {
            "slippage": {
                "fixed_pips": draw(st.sampled_from([0.0, 0.2])),
                "random_pips": draw(st.sampled_from([0.0, 0.5])),
            },
            "commission": draw(st.sampled_from([None, commission])),
        },
    }


run_many = settings(max_examples=120, deadline=None)


@run_many
@given(worlds())
def test_every_trade_is_in_order_and_complete(world: World) -> None:
    result = world.run()
    ids = [t["position_id"] for t in [*result.trades, *result.open_positions]]
    assert len(ids) == len(set(ids))
    for t in result.trades:
        assert t["order_time"] <= t["entry_time"] <= t["exit_time"]
        assert t["status"] == "closed"
        side = 1 if t["direction"] == "long" else -1
        assert (t["entry_price"] - t["initial_stop_loss"]) * side > 0
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
    ended = len(result.trades) + len(result.open_positions)
    at_fill = sum(n for reason, n in result.rejections.items() if reason not in at_decision)
    ids = [t["position_id"] for t in [*result.trades, *result.open_positions]]
    # `stop_too_close` is given at the decision and at the fill, so it bounds the unfilled ids from above.
    assert max(ids, default=0) <= ended + at_fill
    assert len(result.rejection_details) == min(100, sum(result.rejections.values()))
    assert sum(result.blocked_bars.values()) <= BARS


@run_many
@given(worlds())
def test_the_risk_is_met_from_below_within_one_step(world: World) -> None:
    result = world.run()
    own = {row["bar_index"] for row in world.signals if row["size"] is not None}
    for t in result.trades:
        lots_risk = abs(t["entry_price"] - t["initial_stop_loss"]) * 100_000
        sized_by_user = (t["order_time"] - label(0)) // 60_000_000 in own
        if sized_by_user or t["size"] in (0.01, 200.0):
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
    # Fixed lots, and pips that meet no tick: rounding decides nothing.
    costs = {
        "slippage": {"fixed_pips": 0.23, "random_pips": 0},
        "commission": world.options["costs"]["commission"],
    }
    account = {"sizing": {"mode": "fixed_lots", "lots": 0.3}}
    execution = {**world.options["execution"], "min_stop_pips": 0.05, "trigger_buffer_pips": 0.26}
    plain, mirrored = (
        world.run(costs=costs, account=account, execution=execution, mirrored=m) for m in (False, True)
    )
    assert [t["exit_time"] for t in plain.trades] == [t["exit_time"] for t in mirrored.trades]
    for a, b in zip(plain.trades, mirrored.trades, strict=True):
        assert {a["direction"], b["direction"]} == {"long", "short"}
        assert (a["reason"], a["same_bar_ambiguous"]) == (b["reason"], b["same_bar_ambiguous"])
        assert a["result"] == pytest.approx(b["result"], abs=1e-6)


@run_many
@given(worlds())
def test_a_higher_cost_never_raises_the_profit_of_the_same_trades(world: World) -> None:
    account = {"sizing": {"mode": "fixed_lots", "lots": 0.3}}
    signals = [{**row, "size": None} for row in world.signals]
    fixed = replace(world, signals=signals)
    execution = {**world.options["execution"], "pnl": "lots"}
    cheap, dear = (
        fixed.run(
            account=account,
            execution=execution,
            costs={
                "slippage": {"fixed_pips": pips, "random_pips": 0},
                "commission": {"schema": "per_lot", "per_lot": 2.0 + pips},
            },
        )
        for pips in (0.1, 0.3)
    )
    same = [(t["position_id"], t["exit_time"]) for t in cheap.trades] == [
        (t["position_id"], t["exit_time"]) for t in dear.trades
    ]
    if same and len(cheap.open_positions) == len(dear.open_positions):
        assert dear.metrics["net_profit"] <= cheap.metrics["net_profit"] + 1e-9
