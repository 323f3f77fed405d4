"""Signals become orders, or are rejected with a reason."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

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
    "stop_order_passed": (1006, "the market is already at or beyond the price of the stop order"),
    "stop_passed_at_fill": (1006, "the fill price is beyond the stop"),
    "target_passed_at_fill": (1006, "the fill price is beyond the target"),
    "below_min_volume": (1006, "the size is below the smallest volume"),
    "max_positions": (6004, "no slot is free"),
    "insufficient_margin": (6004, "the margin exceeds the equity"),
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


def problem_of(signal: Signal, bid: float, ask: float, closest: float) -> str | None:
    """Reason to reject a signal at the closes of both sides, or None; `closest` is the smallest stop distance."""
    direction = direction_of(signal.direction)
    order_type = str(signal.order_type).lower()
    if direction is None or order_type not in ("market", "limit", "stop"):
        return "invalid_argument"
    reference = reference_price(signal, bid, ask)
    needed = [reference, signal.stop_loss]
    given = [x for x in (signal.take_profit, signal.size) if x is not None]
    if not all(positive(x) for x in (*needed, *given)) or not _lasting(signal.valid_bars):
        return "invalid_argument"
    assert reference is not None
    target = signal.take_profit
    if direction * (reference - signal.stop_loss) <= 0:
        return "invalid_side"
    if target is not None and direction * (target - reference) <= 0:
        return "invalid_side"
    if abs(reference - signal.stop_loss) < closest:
        return "stop_too_close"
    if order_type == "stop" and (reference <= ask if direction > 0 else reference >= bid):
        return "stop_order_passed"
    return None


def _lasting(valid_bars: int | None) -> bool:
    return valid_bars is None or valid_bars >= 1


def reference_price(signal: Signal, bid: float, ask: float) -> float:
    """Entry-side close of the decision bar for market orders, else the order price (NaN where it is missing)."""
    if str(signal.order_type).lower() == "market":
        return ask if (direction_of(signal.direction) or LONG) > 0 else bid
    return math.nan if signal.entry is None else signal.entry


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


def order_from(signal: Signal, symbol: str, position_id: int, order_time: int, order_bar: int) -> Order:
    """The order of a valid signal; its own reason text becomes `signal_reason` in meta."""
    meta = dict(signal.meta)
    if signal.reason is not None:
        meta["signal_reason"] = signal.reason
    direction = direction_of(signal.direction)
    assert direction is not None
    order_type = str(signal.order_type).lower()
    return Order(
        position_id=position_id,
        symbol=symbol,
        direction=direction,
        order_type=order_type,
        order_time=order_time,
        order_bar=order_bar,
        price=None if order_type == "market" or signal.entry is None else float(signal.entry),
        stop_loss=float(signal.stop_loss),
        take_profit=None if signal.take_profit is None else float(signal.take_profit),
        size=None if signal.size is None else float(signal.size),
        valid_bars=signal.valid_bars,
        good_till=signal.good_till,
        oco_group=signal.oco_group,
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

    def pool(self, later: Rejections) -> None:
        """Add those of a later run."""
        for reason, count in later.counts.items():
            self.counts[reason] += count
        self.details += later.details[: DETAILS - len(self.details)]

    @property
    def total(self) -> int:
        """All rejections."""
        return sum(self.counts.values())

    def by_reason(self) -> dict[str, int]:
        """Counts of the reasons that occurred, in the order of the table."""
        return {reason: n for reason, n in self.counts.items() if n}
