"""What a strategy is to the reference engine: warmup, prepare, evaluate, manage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView, Series

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signal:
    """A wish to enter, decided at the close of a bar. Prices are absolute; take_profit None is no target."""

    direction: str | int
    stop_loss: float
    take_profit: float | None = None
    order_type: str = "market"
    entry: float | None = None
    valid_bars: int | None = None
    good_till: int | None = None
    oco_group: str | None = None
    size: float | None = None
    tag: str | None = None
    scenario: str | None = None
    reason: str | None = None
    meta: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Close:
    """Close the position."""


@dataclass(frozen=True, slots=True)
class PartialClose:
    """Close a part of the position: lots, or a fraction of them."""

    lots: float | None = None
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class ModifyStop:
    """Move the stop from the next bar on; kind says why: manual, break_even or trailing."""

    price: float
    kind: str = "manual"


@dataclass(frozen=True, slots=True)
class ModifyTarget:
    """Move the target from the next bar on; None removes it."""

    price: float | None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel the pending order, at once."""


Action = Close | PartialClose | ModifyStop | ModifyTarget | Cancel


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules that the engine applies for the strategy; 0 and None switch one off."""

    timeout_minutes: int | None = None
    timeout_bars: int | None = None
    same_bar_reentry: bool = True
    be_r: float = 0.0
    """Multiple of the initial risk at which the stop moves to the entry."""
    be_buffer_pips: float = 0.0
    """Pips beyond the entry to which it then moves."""
    trail_start_r: float = 0.0
    """Multiple of the initial risk from which the stop follows the best price."""
    trail_distance: float | Sequence[float] | Series | None = None
    """Distance in price at which it follows: one, or one per loaded bar; NaN and less than 0 propose nothing."""
    trail_factor: float = 1.0
    """What trail_distance is multiplied with."""
    cooldown_bars: int = 0
    """Bars after an exit on which nothing is entered."""


@dataclass(frozen=True, slots=True)
class PositionView:
    """What `manage` may know about a position or a pending order (status `pending`) at the close of a bar."""

    position_id: int
    direction: str
    order_time: int
    entry_time: int | None
    entry_price: float | None
    initial_stop_loss: float
    initial_take_profit: float | None
    stop_loss: float
    take_profit: float | None
    stop_kind: str
    size: float
    risk_per_trade: float
    best_price: float | None
    worst_price: float | None
    bars_since_fill: int
    scenario: str | None
    tag: str | None
    order_type: str = "market"
    order_price: float | None = None
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
        """Actions on an open position or a pending order at the close of bar ctx.i; nothing = hold.

        At most one of each kind. For a pending order only `Cancel` has a meaning. A `Close` stands alone: what else the
        answer holds is not done and not counted.
        """
        return ()

    def rows_outside(self, traded: Sequence[int]) -> int:
        """Number of scripted rows that lie on bars outside the traded ones and so never act."""
        return 0
