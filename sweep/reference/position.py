"""The record of an order and of the position that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONG, SHORT = 1, -1
DIRECTIONS = {LONG: "long", SHORT: "short"}
Notes = Mapping[str, str | int | bool]


@dataclass(slots=True)
class Order:
    """An accepted signal that waits: a market order for its fill, a limit or stop order for its price."""

    position_id: int
    symbol: str
    direction: int
    order_type: str
    order_time: int
    order_bar: int
    """Index of the decision bar among those loaded of the symbol."""
    price: float | None
    """Order price; None for market orders."""
    stop_loss: float
    take_profit: float | None
    size: float | None
    valid_bars: int | None
    good_till: int | None
    oco_group: str | None
    scenario: str | None
    tag: str | None
    meta: Notes
    reason: str | None = None
    """Why it ended without a fill."""
    end_time: int | None = None

    def expired(self, bar: int, time: int) -> bool:
        """Whether bar `bar`, or a tick of it, at `time` comes too late for it."""
        by_bars = self.valid_bars is not None and bar > self.order_bar + self.valid_bars
        return by_bars or (self.good_till is not None and time >= self.good_till)

    def spent(self, bar: int, close: int) -> bool:
        """Whether no bar after `bar`, which ends at `close`, may trigger it."""
        by_bars = self.valid_bars is not None and bar >= self.order_bar + self.valid_bars
        return by_bars or (self.good_till is not None and close >= self.good_till)


@dataclass(slots=True)
class Position:
    """One position from its fill to its exit; times are labels (of ticks their times), result excludes fees."""

    position_id: int
    symbol: str
    direction: int
    order_time: int
    entry_bar: int
    filled_at_open: bool
    entry_time: int
    entry_price: float
    initial_stop_loss: float
    initial_take_profit: float | None
    size: float
    risk_per_trade: float
    entry_fee: float
    scenario: str | None
    tag: str | None
    meta: Notes
    order_price: float | None = None
    order_type: str = "market"
    entry_event: int = 0
    """Number of the bar or tick of the fill."""
    exits_from: int = 0
    """Number of the first bar or tick whose exits count."""
    tracked_from: int = 0
    """Number of the first bar or tick that is wholly after the fill."""
    fill_moment: int = 0
    """Moment from which holding times count."""
    margin: float = 0.0
    parent_id: int | None = None
    stop_loss: float = field(init=False)
    take_profit: float | None = field(init=False)
    best_price: float = field(init=False)
    worst_price: float = field(init=False)
    status: str = "open"
    stop_kind: str = "initial"
    closing: str | None = None
    """Reason of a close that waits for the next open."""
    parting: float | None = None
    """Lots of a partial close that waits for the next open."""
    next_stop: tuple[float, str] | None = None
    """Stop and its kind from the next open on."""
    next_target: tuple[float | None] | None = None
    """Target from the next open on."""
    exit_time: int | None = None
    exit_price: float | None = None
    exit_fee: float = 0.0
    result: float = 0.0
    r_multiple: float = 0.0
    money_at_risk: float = 0.0
    reason: str | None = None
    same_bar_ambiguous: bool = False

    def __post_init__(self) -> None:
        self.stop_loss = self.initial_stop_loss
        self.take_profit = self.initial_take_profit
        self.best_price = self.worst_price = self.entry_price

    @property
    def is_long(self) -> bool:
        """Whether it profits from rising prices."""
        return self.direction > 0

    @property
    def stop_reason(self) -> str:
        """Why it ends if its stop is hit."""
        moved = {"break_even": "break_even_stop_loss", "trailing": "trailing_stop_loss"}
        return moved.get(self.stop_kind, "stop_loss")

    @property
    def initial_risk(self) -> float:
        """R0: distance of the initial stop from the entry."""
        return abs(self.entry_price - self.initial_stop_loss)

    @property
    def excursion(self) -> float:
        """Distance of the best price in favour of the position."""
        return self.best_price - self.entry_price if self.is_long else self.entry_price - self.best_price

    def bars_since_fill(self, i: int) -> int:
        """Bars that it has lived through at the close of bar i."""
        return i - self.entry_bar + (1 if self.filled_at_open else 0)
