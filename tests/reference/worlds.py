"""Random markets with scripts on them, for properties that both engines must have, and what an engine says of one.

Every price is a whole number of units, a hundred to the tick, so that prices can be reflected without rounding. Bars,
stops and targets lie on ticks; no pending order does, and no two of them lie as far beside theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from hypothesis import strategies as st

from sweep.reference.engine import run
from sweep.reference.market import ReferenceMarket
from sweep.reference.result import ReferenceResult
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.reference.support import market_of
from tests.vectors.engine import FIELDS, MINUTE_US, label

TICK = 100
"""Units of a tick."""
ONE = 100_000 * TICK
"""Units of a price of 1, about which the markets move."""
BARS = 60
SEEDS = st.integers(0, 2**32)
Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A random market and a script on it."""

    bid: dict[str, list[int]]
    spread: list[int]
    signals: list[Row]
    exits: list[Row]
    rules: Rules
    options: dict[str, Any]

    def sides(self, n: int = BARS, *, mirrored: bool = False) -> tuple[dict[str, list[float]], ...]:
        """Bid and ask; mirrored, a price is as far from 1 on the other side, and bid and ask change places."""

        def prices(add: bool) -> dict[str, list[float]]:
            side = {
                k: [x + s * add for x, s in zip(v, self.spread, strict=True)][:n] for k, v in self.bid.items()
            }
            if mirrored:
                side = {k: [2 * ONE - x for x in v] for k, v in side.items()}
                side["high"], side["low"] = side["low"], side["high"]
            return {k: [x / ONE for x in v] for k, v in side.items()}

        return prices(mirrored), prices(not mirrored)

    def market(self, n: int = BARS) -> ReferenceMarket:
        """The first bars of the market."""
        return market_of([label(k) for k in range(n)], *self.sides(n))

    def script(self, n: int = BARS, *, mirrored: bool = False) -> tuple[list[Row], list[Row]]:
        """Signals and exits of the first bars."""
        rows = ([row for row in table if row["bar_index"] < n] for table in (self.signals, self.exits))
        return tuple([_mirrored(row) if mirrored else row for row in table] for table in rows)  # type: ignore[return-value]

    def run(self, n: int = BARS, *, mirrored: bool = False, **changes: Any) -> ReferenceResult:
        """The first bars on the reference engine; `changes` are whole sections of the options."""
        market = market_of([label(k) for k in range(n)], *self.sides(n, mirrored=mirrored))
        table = SignalTable(*self.script(n, mirrored=mirrored), self.rules)
        return run(market, {**self.options, **changes}, table, {})


@dataclass(frozen=True)
class View:
    """What properties look at: rows with times in microseconds."""

    trades: Sequence[Row]
    equity: Sequence[Row]
    open_positions: Sequence[Mapping[str, Any]]
    ended_orders: Sequence[Mapping[str, Any]]
    metrics: Mapping[str, float | None]


class Engine(Protocol):
    """Runs a world."""

    def __call__(self, world: World, *, mirrored: bool = False, **changes: Any) -> View:
        """The world, or its reflection, with whole sections of the options changed."""


def on_reference(world: World, *, mirrored: bool = False, **changes: Any) -> View:
    """The world on the reference engine."""
    result = world.run(mirrored=mirrored, **changes)
    return View(result.trades, result.equity, result.open_positions, result.ended_orders, result.metrics)


def world_of(seed: int) -> World:
    """Random walks with gaps; orders around the market, sometimes on the wrong side of it."""
    rng = np.random.default_rng(seed)
    scale = int(rng.choice([5, 30, 300]))
    opens = 100_000 + np.cumsum(rng.integers(-scale, scale + 1, BARS))
    close = opens + rng.integers(-scale, scale + 1, BARS)
    high = np.maximum(opens, close) + rng.integers(0, scale, BARS)
    low = np.minimum(opens, close) - rng.integers(0, scale, BARS)
    bid = {k: (v * TICK).tolist() for k, v in zip(FIELDS, (opens, high, low, close), strict=True)}
    spread = (rng.integers(-1, 9, BARS) * TICK).tolist()
    signals = _signals(rng, close, scale)
    return World(bid, spread, signals, _exits(rng, close, scale), _rules(rng, scale), _options(rng))


def worlds() -> st.SearchStrategy[World]:
    """Any world."""
    return SEEDS.map(world_of)


def _signals(rng: np.random.Generator, close: np.ndarray, scale: int) -> list[Row]:
    """Up to 48 rows, each with its number as a tag; some are pairs of which one cancels the other."""
    rows: list[Row] = []
    for i in sorted(rng.choice(BARS, rng.integers(0, 25)).tolist()):
        kind = str(rng.choice(["market", "limit", "stop"], p=(0.4, 0.3, 0.3)))
        direction = int(rng.choice([1, -1]))
        first = _order(rng, len(rows), i, kind, direction, int(close[i]), scale)
        rows.append(first)
        if kind != "market" and rng.random() < 0.4:
            first["oco_group"] = f"bar {i}"
            second = _order(rng, len(rows), i, kind, -direction, int(close[i]), scale)
            rows.append({**second, "oco_group": f"bar {i}"})
    return rows


def _order(
    rng: np.random.Generator, k: int, bar: int, kind: str, direction: int, close: int, scale: int
) -> Row:
    away = {"market": 0, "limit": -1, "stop": 1}[kind] * direction * int(rng.integers(-1, 3 * scale))
    stop = close + away - direction * int(rng.integers(-2, 7 * scale))
    target = close + away + direction * int(rng.integers(-2, 9 * scale))
    row: Row = {
        "bar_index": bar,
        "direction": direction,
        "stop_loss": stop * TICK / ONE,
        "take_profit": None if rng.random() < 0.2 else target * TICK / ONE,
        "size": 0.5 if rng.random() < 0.2 else None,
        "tag": str(k),
    }
    if kind != "market":
        row |= {"order_type": kind, "entry": ((close + away) * TICK + k + 1) / ONE}
        if rng.random() < 0.7:
            row["valid_bars"] = int(rng.integers(1, 12))
        elif rng.random() < 0.5:
            row["good_till"] = label(bar) + int(rng.integers(1, 16)) * MINUTE_US // 2
    return row


def _exits(rng: np.random.Generator, close: np.ndarray, scale: int) -> list[Row]:
    rows: list[Row] = []
    for i in sorted(rng.choice(BARS, rng.integers(0, 25)).tolist()):
        action = str(rng.choice(["close", "cancel", "modify_stop", "modify_target", "partial_close"]))
        row: Row = {"bar_index": i, "direction": int(rng.choice([1, -1])), "action": action}
        if action.startswith("modify"):
            row["price"] = int(close[i] + rng.integers(-2 * scale, 2 * scale)) * TICK / ONE
        if action == "partial_close":
            row["lots" if rng.random() < 0.5 else "fraction"] = float(rng.choice([0.1, 0.4]))
        rows.append(row)
    return rows


def _rules(rng: np.random.Generator, scale: int) -> Rules:
    """No distance of them meets a price of the market."""
    return Rules(
        timeout_minutes=int(rng.choice([0, 0, 5])),
        timeout_bars=[None, None, 7][rng.integers(3)],
        same_bar_reentry=bool(rng.random() < 0.5),
        be_r=float(rng.choice([0.0, 0.23713, 0.73713])),
        be_buffer_pips=float(rng.choice([0.0, 0.4137])),
        trail_start_r=float(rng.choice([0.0, 0.51317])),
        trail_distance=[None, None, (scale + 0.417) * 1e-5, (2 * scale + 0.417) * 1e-5][rng.integers(4)],
    )


def _options(rng: np.random.Generator) -> dict[str, Any]:
    def one(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    return {
        "execution": {
            "preset": one("realistic", "reference"),
            "gap_fills": one(True, False),
            "market_fill": one("next_open", "signal_close"),
            "entry_bar_tp_confirmation": one("limit_and_stop", "limit_only"),
            "pnl": one("lots", "r_multiple"),
            "equity": one("mark_to_market", "realised"),
            "below_min_volume": one("reject", "raise_to_min"),
            "end_of_data": one("close", "leave_open"),
            "reentry_on_exit_bar": one(True, False),
            "max_positions": one(1, 3, None),
        },
        "costs": {
            "slippage": {"fixed_pips": one(0.0, 0.2), "random_pips": one(0.0, 0.5)},
            "commission": one(None, {"schema": "per_lot", "per_lot": one(0.0, 2.5, 7.0), "min_fee": 0.3}),
        },
    }


def _mirrored(row: Row) -> Row:
    prices = {name: row[name] for name in ("entry", "stop_loss", "take_profit", "price") if row.get(name)}
    flipped = {name: (2 * ONE - round(price * ONE)) / ONE for name, price in prices.items()}
    return {**row, **flipped, "direction": -row["direction"]}
