"""Depth and length of drawdowns, and ratios to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sweep.reference.metrics.arithmetic import mean
from sweep.reference.metrics.calendar import DAY_US
from sweep.reference.metrics.growth import cagr_pct
from sweep.reference.metrics.inputs import Inputs
from sweep.reference.numeric import divide


def max_drawdown(x: Inputs) -> float:
    """Largest fall below the running peak."""
    return max(high - equity for _, curve in x.curves for high, equity in _peaks(curve))


def max_drawdown_pct(x: Inputs) -> float:
    """Largest fall in percent of the running peak."""
    return max(100 * (high - equity) / high for _, curve in x.curves for high, equity in _peaks(curve))


def drawdown_duration(x: Inputs) -> float:
    """Longest stretch below a peak in days, by labels."""
    return (
        max(
            (times[end] - times[start] for times, curve in x.curves for start, end in _stretches(curve)),
            default=0,
        )
        / DAY_US
    )


def drawdown_duration_bars(x: Inputs) -> float:
    """Longest stretch below a peak in samples."""
    return float(max((end - start for _, curve in x.curves for start, end in _stretches(curve)), default=0))


def calmar_ratio(x: Inputs) -> float | None:
    """Compound growth over the largest percentage drawdown."""
    growth, depth = cagr_pct(x), max_drawdown_pct(x)
    return None if growth is None or depth == 0 else growth / depth


def ulcer_index(x: Inputs) -> float | None:
    """Root mean square of the daily percentage drawdown."""
    if not x.daily:
        return None
    falls = [100 * (high - equity) / high for high, equity in _peaks([x.initial, *x.daily])][1:]
    return math.sqrt(mean([fall * fall for fall in falls]))


def recovery_factor(x: Inputs) -> float | None:
    """Profit over the largest drawdown."""
    depth = max_drawdown(x)
    return None if depth == 0 else divide(x.net_profit, depth)


def _peaks(equity: Sequence[float]) -> Iterator[tuple[float, float]]:
    """(running peak, equity) of every sample."""
    high = -math.inf
    for value in equity:
        high = max(high, value)
        yield high, value


def _stretches(equity: Sequence[float]) -> Iterator[tuple[int, int]]:
    """(last sample at the peak, first sample back at it, or the last sample) of every stretch below a peak."""
    peak = 0
    below = False
    for k, value in enumerate(equity):
        if value >= equity[peak]:
            if below:
                yield peak, k
            peak, below = k, False
        else:
            below = True
    if below:
        yield peak, len(equity) - 1
