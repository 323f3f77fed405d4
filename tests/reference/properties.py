"""Properties of an engine on a random world; each holds for the reference engine and for the native one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.reference.worlds import Engine, Row, View, World
from tests.vectors.engine import MINUTE_US, label

CONTRACT = 100_000.0
FIXED_LOTS = {"sizing": {"mode": "fixed_lots", "lots": 0.3}}
PIP = 1e-4


def reflected_prices_turn_longs_into_shorts(engine: Engine, world: World) -> Counter[str]:
    """The mirror: the same trades with the directions exchanged. Tells the order types and reasons of them."""
    # Fixed lots, and pips that meet no price: rounding decides nothing.
    changes = {
        "costs": {
            "slippage": {"fixed_pips": 0.2331, "random_pips": 0},
            "commission": world.options["costs"]["commission"],
        },
        "account": FIXED_LOTS,
        "execution": {
            **world.options["execution"],
            "min_stop_pips": 0.05371,
            "trigger_buffer_pips": 0.2719,
        },
    }
    plain, mirrored = (engine(world, mirrored=m, **changes) for m in (False, True))
    assert len(plain.trades) == len(mirrored.trades)
    assert len(plain.open_positions) == len(mirrored.open_positions)
    ends = [[(o["position_id"], o["ended"], o["reason"]) for o in v.ended_orders] for v in (plain, mirrored)]
    assert ends[0] == ends[1]
    same = ("order_time", "entry_time", "exit_time", "position_id", "order_type", "reason", "size")
    for a, b in zip(plain.trades, mirrored.trades, strict=True):
        assert [a[name] for name in same] == [b[name] for name in same]
        assert a["same_bar_ambiguous"] == b["same_bar_ambiguous"]
        assert {a["direction"], b["direction"]} == {"long", "short"}
        assert a["entry_price"] + b["entry_price"] == pytest.approx(2.0, abs=1e-9)
        assert a["exit_price"] + b["exit_price"] == pytest.approx(2.0, abs=1e-9)
        assert a["result"] == pytest.approx(b["result"], abs=1e-6)
    return kinds_of(plain)


def kinds_of(view: View) -> Counter[str]:
    """Order types and reasons of the trades and of the orders that ended without a fill."""
    seen = Counter(f"order {row['order_type']}" for row in view.trades)
    seen.update(f"exit {row['reason']}" for row in view.trades)
    seen.update(f"ended {row['reason']}" for row in view.ended_orders)
    return seen


KINDS = (
    *(f"order {name}" for name in ("market", "limit", "stop")),
    *(f"exit {name}" for name in ("stop_loss", "take_profit", "break_even_stop_loss", "trailing_stop_loss")),
    *(f"exit {name}" for name in ("timeout", "signal", "partial_exit")),
    "ended signal",
    "ended limit_expired",
)
"""What worlds must exercise."""


def _costs(
    fixed: float = 0.1, random: float = 0.0, per_lot: float = 2.0, min_fee: float = 0.3, **multipliers: float
) -> dict[str, Any]:
    commission = {"schema": "per_lot", "per_lot": per_lot, "min_fee": min_fee}
    return {
        "slippage": {"fixed_pips": fixed, "random_pips": random},
        "commission": commission,
        **{f"{name}_multiplier": value for name, value in multipliers.items()},
    }


FEES = {
    "per_lot": (_costs(), _costs(per_lot=2.3)),
    "min_fee": (_costs(), _costs(min_fee=1.1)),
    "fee_multiplier": (_costs(fee=0.0), _costs(fee=1.5)),
}
"""Lower and higher costs that change no price."""
SPREADS = {
    "spread": (_costs(spread=0.0), _costs(spread=1.0)),
    "wider spread": (_costs(), _costs(spread=1.753)),
}
SLIPPAGES = {
    "fixed_pips": (_costs(), _costs(fixed=0.3)),
    "random_pips": (_costs(), _costs(random=0.4)),
    "slippage_multiplier": (_costs(slippage=0.0), _costs(slippage=1.0)),
    "twice the slippage": (_costs(random=0.0), _costs(slippage=2.0)),
}
PRICES = {**SPREADS, **SLIPPAGES}
"""Lower and higher costs that change prices, and so now and then which trades are made."""


def a_higher_fee_lowers_the_result_of_every_trade(engine: Engine, world: World, cost: str) -> int:
    """At fixed lots: the same trades at the same prices, each of which keeps less. Tells how many."""
    cheap, dear = _cheap_and_dear(engine, world, FEES[cost])
    free = ("entry_fee", "exit_fee", "total_fee")
    bare = [[{k: v for k, v in row.items() if k not in free} for row in v.trades] for v in (cheap, dear)]
    assert bare[0] == bare[1]
    for a, b in zip(cheap.trades, dear.trades, strict=True):
        assert b["total_fee"] > a["total_fee"]
    if cheap.trades:
        assert dear.metrics["net_profit"] < cheap.metrics["net_profit"]
    return len(cheap.trades)


def a_higher_cost_betters_no_trade(engine: Engine, world: World, cost: str) -> Counter[str]:
    """At fixed lots: a trade that both make, from and to the same bars for the same reason, keeps no more.

    Tells how many there were by order type and reason, and of how many the result became worse.
    """
    seen: Counter[str] = Counter()
    cheap, dear = _cheap_and_dear(engine, world, PRICES[cost])

    def same(row: Row) -> tuple[Any, ...]:
        return _identity(row) + ((_gapped(row, world),) if cost in SPREADS else ())

    made = {same(row): row for row in cheap.trades}
    pairs = [(made[same(row)], row) for row in dear.trades if same(row) in made]
    for a, b in pairs:
        kept = [row["result"] - row["total_fee"] for row in (a, b)]
        assert kept[1] <= kept[0] + 1e-9, (a, b)
        seen.update((f"order {a['order_type']}", f"exit {a['reason']}"))
        seen["worse"] += kept[1] < kept[0] - 1e-9
    if len(pairs) == len(cheap.trades) == len(dear.trades) and not cheap.open_positions:
        seen["all the same trades"] += 1
        assert dear.metrics["net_profit"] <= cheap.metrics["net_profit"] + 1e-9
    return seen


def _cheap_and_dear(engine: Engine, world: World, costs: tuple[Any, Any]) -> tuple[View, View]:
    execution = {**world.options["execution"], "pnl": "lots", "stop_on_ruin": False}
    # Whether a wish to move a level is granted depends on the spread, and a refusal may be for the better.
    world = replace(world, exits=[row for row in world.exits if not row["action"].startswith("modify")])
    cheap, dear = (engine(world, costs=c, account=FIXED_LOTS, execution=execution) for c in costs)
    return cheap, dear


def _identity(row: Row) -> tuple[Any, ...]:
    names = ("order_time", "meta", "direction", "entry_time", "exit_time", "reason", "size")
    return tuple(row[name] for name in names)


def _gapped(row: Row, world: World) -> bool:
    """Whether a pending order filled at an open beyond its price: it then has all of its bar, not an unknown part.

    For a slippage of 0.1 pips.
    """
    signal = next(signal for signal in world.signals if signal["tag"] == _tag(row))
    price = signal.get("entry", row["entry_price"])
    slip = 1e-5 if row["order_type"] == "stop" else 0.0
    return row["order_type"] != "market" and abs(abs(row["entry_price"] - price) - slip) > 1e-10


def an_entry_has_its_price(engine: Engine, world: World) -> Counter[str]:
    """A limit or stop order fills at its price, or, only with gap_fills, at an open that is at or beyond it already.

    So without a gap no entry is better than its trigger; with one a stop order's is worse and a limit order's better.
    Tells how many orders of each type there were, and how many of them met a gap.
    """
    seen: Counter[str] = Counter()
    for slipped in (0.0, 0.2):
        view = engine(world, costs={"slippage": {"fixed_pips": slipped}})
        bid, ask = world.sides()
        signals = {row["tag"]: row for row in world.signals}
        gaps = world.options["execution"]["gap_fills"]
        for row in view.trades:
            if row["order_type"] == "market":
                continue
            sign = 1 if row["direction"] == "long" else -1
            bar = (row["entry_time"] - label(0)) // MINUTE_US
            opened = (ask if sign > 0 else bid)["open"][bar]
            price = signals[_tag(row)]["entry"]
            slip = slipped * PIP * sign if row["order_type"] == "stop" else 0.0
            beyond = (opened - price) * sign * (1 if row["order_type"] == "stop" else -1) >= 0
            expected = opened if gaps and beyond else price
            assert row["entry_price"] == expected + slip
            seen[f"{row['order_type']} {'by a gap' if expected == opened else 'at its price'}"] += 1
    return seen


def _tag(row: Row) -> str:
    return str(json.loads(row["meta"])["tag"])


def equity_is_cash_and_what_is_open(engine: Engine, world: World) -> int:
    """At every bar, recomputed from the records of the trades. Tells at how many bars something was open."""
    execution = {**world.options["execution"], "equity": "mark_to_market", "pnl": "lots"}
    view = engine(world, execution=execution)
    bid, ask = world.sides()
    records = [*view.trades, *view.open_positions]
    marked = 0
    for k, sample in enumerate(view.equity[1:]):
        end = label(k + 1)
        assert sample["timestamp"] == label(k)
        there = [row for row in records if row["entry_time"] < end]
        gone = [row for row in there if (row.get("exit_time") or end) < end]
        still = [row for row in there if (row.get("exit_time") or end) >= end]
        cash = 10_000 + sum(row["result"] - (row["exit_fee"] or 0.0) for row in gone)
        cash -= sum(row["entry_fee"] or 0.0 for row in there)
        unrealised = 0.0
        for row in still:
            long = row["direction"] == "long"
            move = (bid if long else ask)["close"][k] - row["entry_price"]
            unrealised += (move if long else -move) * row["size"] * CONTRACT
        assert sample["balance"] == pytest.approx(cash, rel=1e-12, abs=1e-8)
        assert sample["equity"] - sample["balance"] == pytest.approx(unrealised, rel=1e-9, abs=1e-8)
        marked += unrealised != 0.0
    return marked


def assert_worth_testing(engine: Engine, some: Sequence[World]) -> None:
    """The properties hold on these worlds and are about something on them."""
    seen: Counter[str] = Counter()
    for world in some:
        seen += reflected_prices_turn_longs_into_shorts(engine, world)
        seen += an_entry_has_its_price(engine, world)
        seen["marked"] += equity_is_cash_and_what_is_open(engine, world)
    wanted = (
        *KINDS,
        "marked",
        *(f"{o} {by}" for o in ("limit", "stop") for by in ("by a gap", "at its price")),
    )
    assert {name: seen[name] for name in wanted if seen[name] < len(some) // 6} == {}
    for cost in FEES:
        paid = sum(a_higher_fee_lowers_the_result_of_every_trade(engine, world, cost) for world in some)
        assert paid >= 2 * len(some), cost
    for cost in PRICES:
        matched: Counter[str] = Counter()
        for world in some:
            matched += a_higher_cost_betters_no_trade(engine, world, cost)
        wanted = (*(k for k in KINDS if not k.startswith("ended")), "worse", "all the same trades")
        assert {name: matched[name] for name in wanted if matched[name] < len(some) // 12} == {}, cost
