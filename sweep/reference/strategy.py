"""What a strategy is to the reference engine: warmup, prepare, evaluate, manage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signal:
    """A wish to enter, decided at the close of a bar. Prices are absolute; take_profit None is no target."""

    direction: str | int
    stop_loss: float
    take_profit: float | None = None
    order_type: str = "market"
    entry: float | None = None
    size: float | None = None
    tag: str | None = None
    scenario: str | None = None
    reason: str | None = None
    meta: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Close:
    """Close the position."""


@dataclass(frozen=True, slots=True)
class ModifyStop:
    """Move the stop from the next bar on; kind says why: manual, break_even or trailing."""

    price: float
    kind: str = "manual"


@dataclass(frozen=True, slots=True)
class ModifyTarget:
    """Move the target from the next bar on; None removes it."""

    price: float | None


Action = Close | ModifyStop | ModifyTarget


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules that the engine applies for the strategy; 0 and None switch a timeout off."""

    timeout_minutes: int | None = None
    timeout_bars: int | None = None
    same_bar_reentry: bool = True


@dataclass(frozen=True, slots=True)
class PositionView:
    """What `manage` may know about a position at the close of a bar."""

    position_id: int
    direction: str
    order_time: int
    entry_time: int
    entry_price: float
    initial_stop_loss: float
    initial_take_profit: float | None
    stop_loss: float
    take_profit: float | None
    stop_kind: str
    size: float
    risk_per_trade: float
    best_price: float
    worst_price: float
    bars_since_fill: int
    scenario: str | None
    tag: str | None
    status: str = "open"


class ReferenceStrategy:
    """Base of the twins. An instance serves one backtest; attributes are set in `prepare` and not changed later.

    evaluate and manage are pure functions of what is known at the close of the bar.
    """

    def warmup(self, params: Params) -> int:
        """Index of the first loaded bar at which evaluate is asked."""
        raise NotImplementedError

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """Fetch the series, once per backtest."""
        raise NotImplementedError

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """Entry signals at the close of bar ctx.i."""
        raise NotImplementedError

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """Actions on an open position at the close of bar ctx.i, at most one of each kind; nothing = hold."""
        return ()

    def rows_outside(self, traded: Sequence[int]) -> int:
        """Number of scripted rows that lie on bars outside the traded ones and so never act."""
        return 0
