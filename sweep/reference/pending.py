"""Limit and stop orders: when they trigger, at what price they fill, and which leg of a group is first."""

from __future__ import annotations

from collections.abc import Sequence

from sweep.reference.moments import Now
from sweep.reference.position import Order


def reached(order: Order, low: float, high: float) -> bool:
    """Whether entry-side prices from low to high reach the order price; touching it is enough."""
    assert order.price is not None
    buys_low = order.order_type == "limit" and order.direction > 0
    sells_low = order.order_type == "stop" and order.direction < 0
    return low <= order.price if buys_low or sells_low else high >= order.price


def triggered(order: Order, now: Now) -> bool:
    """Whether this bar or tick triggers the order."""
    side = now.entry_side(order.direction)
    return reached(order, side.low, side.high)


def fill_price(order: Order, now: Now, *, gap_fills: bool) -> tuple[float, bool]:
    """Price before slippage, and whether the open already decides it."""
    assert order.price is not None
    first = now.entry_side(order.direction).open
    if gap_fills and reached(order, first, first):
        return first, True
    return order.price, False


def cancelled_legs(orders: Sequence[Order], now: Now) -> list[Order]:
    """The legs that a triggered leg of their group cancels."""
    cancelled = []
    for group in dict.fromkeys(order.oco_group for order in orders if order.oco_group is not None):
        legs = [order for order in orders if order.oco_group == group]
        hit = [order for order in legs if triggered(order, now)]
        if hit:
            first = min(hit, key=lambda order: _rank(order, now))
            cancelled += [order for order in legs if order is not first]
    return cancelled


def _rank(order: Order, now: Now) -> tuple[float, bool, int]:
    """Nearest to its open first, then long, then the lower number."""
    assert order.price is not None
    return abs(order.price - now.entry_side(order.direction).open), order.direction < 0, order.position_id
