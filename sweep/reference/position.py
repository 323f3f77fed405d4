"""The record of an order and of the position that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONG, SHORT = 1, -1
DIRECTIONS = {LONG: "long", SHORT: "short"}


@dataclass(frozen=True, slots=True)
class Order:
    """An accepted signal: a market order waiting for its fill."""

    position_id: int
    direction: int
    order_time: int
    stop_loss: float
    take_profit: float | None
    size: float | None
    scenario: str | None
    tag: str | None
    meta: Mapping[str, str | int | bool]


@dataclass(slots=True)
class Position:
    """One position from its fill to its exit; times are labels, result excludes fees."""

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
    meta: Mapping[str, str | int | bool]
    stop_loss: float = field(init=False)
    take_profit: float | None = field(init=False)
    best_price: float = field(init=False)
    worst_price: float = field(init=False)
    order_type: str = "market"
    status: str = "open"
    stop_kind: str = "initial"
    closing: str | None = None
    """Reason of a close that waits for the next open."""
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

    def bars_since_fill(self, i: int) -> int:
        """Bars that it has lived through at the close of bar i."""
        return i - self.entry_bar + (1 if self.filled_at_open else 0)
