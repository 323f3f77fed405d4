"""Break-even and trailing, what a strategy may change, and how much of a position may be closed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from sweep.errors import error
from sweep.reference.context import Series
from sweep.reference.market import SymbolSpec
from sweep.reference.moments import Close as CloseOfBar
from sweep.reference.numeric import floor, positive, round8
from sweep.reference.position import Position
from sweep.reference.strategy import Action, Cancel, Close, ModifyStop, ModifyTarget, PartialClose, Rules

Stop = tuple[float, str]
"""A stop price and why the stop is there."""
_KINDS: Final = ("break_even", "trailing", "manual")
_MINUTE_US: Final = 60_000_000


def timed_out(position: Position, rules: Rules, close: CloseOfBar) -> bool:
    """Whether a position has been held for the minutes or the bars of the rules."""
    minutes, bars = rules.timeout_minutes or 0, rules.timeout_bars or 0
    held = close.moment - position.fill_moment
    by_minutes = minutes > 0 and held >= minutes * _MINUTE_US
    return by_minutes or 0 < bars <= position.bars_since_fill(close.bar)


def valid_stop(position: Position, action: ModifyStop, close: CloseOfBar) -> bool:
    """Whether a new stop lies on the losing side of the market and its kind is known."""
    market = close.exit_side(position.direction)
    beyond = (action.price - market) * position.direction < 0
    return positive(action.price) and beyond and action.kind in _KINDS


def valid_target(position: Position, price: float | None, close: CloseOfBar) -> bool:
    """Whether a new target is none, or lies on the winning side of the market."""
    market = close.exit_side(position.direction)
    return price is None or (positive(price) and (price - market) * position.direction > 0)


def break_even(position: Position, rules: Rules, pip: float) -> Stop | None:
    """The stop at the entry, once the best price is far enough."""
    if rules.be_r <= 0 or position.excursion < rules.be_r * position.initial_risk:
        return None
    return position.entry_price + position.direction * rules.be_buffer_pips * pip, "break_even"


def trailing(position: Position, rules: Rules, bar: int) -> Stop | None:
    """The stop behind the best price, once that is far enough."""
    distance = trail_distance(rules, bar)
    if not distance > 0 or position.excursion < rules.trail_start_r * position.initial_risk:
        return None
    return position.best_price - position.direction * distance, "trailing"


def trail_distance(rules: Rules, bar: int) -> float:
    """Distance at which the stop follows the best price on a bar; NaN where there is none."""
    given = rules.trail_distance
    if given is None:
        return math.nan
    if isinstance(given, Series):
        return rules.trail_factor * given._values[bar]
    return rules.trail_factor * (given if isinstance(given, int | float) else given[bar])


def tightest(
    position: Position, own: Stop | None, proposals: Iterable[Stop | None], close: CloseOfBar
) -> Stop | None:
    """Of the strategy's own stop and the proposals the tightest, the first of equals.

    A proposal counts only if it tightens the stop and lies on the losing side of the market.
    """
    best = own
    for proposal in proposals:
        if proposal is None or not _tighter(position, proposal[0], position.stop_loss):
            continue
        if not valid_stop(position, ModifyStop(*proposal), close):
            continue
        if best is None or _tighter(position, proposal[0], best[0]):
            best = proposal
    return best


def _tighter(position: Position, price: float, than: float) -> bool:
    return price > than if position.is_long else price < than


def lots_to_close(action: PartialClose, size: float, spec: SymbolSpec) -> float | None:
    """Lots of a partial close on the volume grid; None unless both parts are large enough."""
    wanted = action.lots if action.lots is not None else (action.fraction or 0.0) * size
    if not math.isfinite(wanted):
        return None
    lots = round8(floor((wanted + 1e-12) / spec.volume_step) * spec.volume_step)
    least = spec.volume_min - 1e-12
    return lots if lots >= least and size - lots >= least else None


def one_of_each(actions: Iterable[Action]) -> list[Action]:
    """The actions of one answer. Raises [1001] for an unknown one or two of a kind."""
    found = list(actions)
    kinds = [type(action) for action in found]
    known = {Close, PartialClose, ModifyStop, ModifyTarget, Cancel}
    if len(set(kinds)) < len(kinds) or not set(kinds) <= known:
        raise error(
            1001,
            f"manage returned {found!r}",
            remedy="return at most one each of Close, PartialClose, ModifyStop, ModifyTarget, Cancel",
            stage="engine",
        )
    return found
