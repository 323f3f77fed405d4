"""Stop loss and take profit against one bar: which is hit, at what level, and whether that is known."""

from __future__ import annotations

from dataclasses import dataclass

from sweep.reference.context import Bar
from sweep.reference.position import Position


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit in step 3: level before slippage, reason, and whether the bar hides which level came first."""

    level: float
    reason: str
    slipped: bool
    at_open: bool = False
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class ExitRules:
    """How exits trigger and fill: trigger buffer in price, gaps, and which targets an entry bar must confirm."""

    buffer: float
    gap_fills: bool
    confirmation: str


def exit_on_bar(position: Position, event: int, quote: Bar, rules: ExitRules) -> Exit | None:
    """The exit of a position on a bar or tick of its exit side, or None."""
    held = position.entry_event < event
    at_open = held or position.filled_at_open
    worst, best = (quote.low, quote.high) if position.is_long else (quote.high, quote.low)
    stop_hit, target_hit = _hits(position, worst, best, rules.buffer)
    stop_open, target_open = _hits(position, quote.open, quote.open, rules.buffer)
    stop_open = rules.gap_fills and at_open and stop_open
    target_open = rules.gap_fills and held and not stop_open and target_open
    target = position.take_profit
    if target_open and target is not None:
        level = max(target, quote.open) if position.is_long else min(target, quote.open)
        return Exit(level, "take_profit", slipped=False, at_open=True)
    if stop_hit:
        level = position.stop_loss
        if stop_open:
            level = min(level, quote.open) if position.is_long else max(level, quote.open)
        elif rules.gap_fills and not held:
            # Within the spread of an entry inside this bar: no quote was as good as the stop.
            level = min(level, quote.high) if position.is_long else max(level, quote.low)
        ambiguous = target_hit and not stop_open
        return Exit(level, position.stop_reason, slipped=True, at_open=stop_open, ambiguous=ambiguous)
    if target_hit and target is not None and (held or _confirmed(position, target, quote.close, rules)):
        return Exit(target, "take_profit", slipped=False)
    return None


def _hits(position: Position, worst: float, best: float, buffer: float) -> tuple[bool, bool]:
    """Whether the worst price reaches the stop and the best price the target, both inclusive."""
    stop, target = position.stop_loss, position.take_profit
    if position.is_long:
        return worst <= stop + buffer, target is not None and best >= target - buffer
    return worst >= stop - buffer, target is not None and best <= target + buffer


def _confirmed(position: Position, target: float, close: float, rules: ExitRules) -> bool:
    """Whether a target on the entry bar of a pending order counts: the close must lie beyond it, strictly."""
    exempt = position.order_type == "market" or (
        position.order_type == "stop" and rules.confirmation == "limit_only"
    )
    return exempt or ((close > target) if position.is_long else (close < target))
