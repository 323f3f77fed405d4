"""Signals become orders, or are rejected with a reason."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from sweep.errors import not_built
from sweep.reference.context import Bar
from sweep.reference.numeric import positive
from sweep.reference.position import LONG, SHORT, Order
from sweep.reference.strategy import Signal

REASONS: Final[dict[str, tuple[int, str]]] = {
    "invalid_argument": (1001, "direction, order type, prices and size must be valid"),
    "invalid_side": (
        1006,
        "the stop must be on the losing and the target on the winning side of the reference price",
    ),
    "stop_too_close": (1006, "the stop is closer than min_stop_pips"),
    "stop_passed_at_fill": (1006, "the fill price is beyond the stop"),
    "target_passed_at_fill": (1006, "the fill price is beyond the target"),
    "below_min_volume": (1006, "the size is below the smallest volume"),
    "max_positions": (6004, "no slot is free"),
    "end_of_data": (1007, "no bar is left to fill the order"),
}
DETAILS: Final = 100
_DIRECTIONS: Final = {"long": LONG, "buy": LONG, "short": SHORT, "sell": SHORT}


def direction_of(value: object) -> int | None:
    """+1 or -1 for a direction as a user writes it; None if it is none."""
    if isinstance(value, str):
        return _DIRECTIONS.get(value.lower())
    if isinstance(value, bool) or value not in (LONG, SHORT):
        return None
    return LONG if value == LONG else SHORT


def problem_of(signal: Signal, bid: Bar, ask: Bar, closest: float) -> str | None:
    """Reason to reject a signal at the close of a bar, or None; `closest` is the smallest stop distance in price.

    Raises [4001] for an order type that is not built.
    """
    direction = direction_of(signal.direction)
    order_type = str(signal.order_type).lower()
    if order_type in ("limit", "stop"):
        raise not_built(f"order type {signal.order_type}", remedy="use market orders")
    prices = [signal.stop_loss, *([] if signal.take_profit is None else [signal.take_profit])]
    sizes = [] if signal.size is None else [signal.size]
    if direction is None or order_type != "market" or not all(positive(x) for x in (*prices, *sizes)):
        return "invalid_argument"
    reference = reference_price(direction, bid, ask)
    target = signal.take_profit
    if direction * (reference - signal.stop_loss) <= 0:
        return "invalid_side"
    if target is not None and direction * (target - reference) <= 0:
        return "invalid_side"
    if abs(reference - signal.stop_loss) < closest:
        return "stop_too_close"
    return None


def reference_price(direction: int, bid: Bar, ask: Bar) -> float:
    """Entry-side close of the decision bar."""
    return ask.close if direction > 0 else bid.close


def passed_at_fill(order: Order, price: float, closest: float) -> str | None:
    """Reason to reject a fill at `price`, or None; the stop is tested first."""
    target = math.inf * order.direction if order.take_profit is None else order.take_profit
    if (price <= order.stop_loss) if order.direction > 0 else (price >= order.stop_loss):
        return "stop_passed_at_fill"
    if (price >= target) if order.direction > 0 else (price <= target):
        return "target_passed_at_fill"
    if abs(price - order.stop_loss) < closest:
        return "stop_too_close"
    return None


def order_from(signal: Signal, position_id: int, order_time: int) -> Order:
    """The order of a valid signal; its own reason text becomes `signal_reason` in meta."""
    meta = dict(signal.meta)
    if signal.reason is not None:
        meta["signal_reason"] = signal.reason
    direction = direction_of(signal.direction)
    assert direction is not None
    return Order(
        position_id=position_id,
        direction=direction,
        order_time=order_time,
        stop_loss=float(signal.stop_loss),
        take_profit=None if signal.take_profit is None else float(signal.take_profit),
        size=None if signal.size is None else float(signal.size),
        scenario=signal.scenario,
        tag=signal.tag,
        meta=meta,
    )


@dataclass(slots=True)
class Rejections:
    """Counts by reason, and the first hundred in detail."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    details: list[dict[str, Any]] = field(default_factory=list)

    def add(self, reason: str, bar: int, label: int) -> None:
        """Count one rejection on a bar."""
        self.counts[reason] += 1
        if len(self.details) < DETAILS:
            code, message = REASONS[reason]
            self.details.append(
                {
                    "bar": bar,
                    "timestamp": label,
                    "reason": reason,
                    "code": code,
                    "message": f"[{code}] {message}",
                }
            )

    @property
    def total(self) -> int:
        """All rejections."""
        return sum(self.counts.values())

    def by_reason(self) -> dict[str, int]:
        """Counts of the reasons that occurred, in the order of the table."""
        return {reason: n for reason, n in self.counts.items() if n}
