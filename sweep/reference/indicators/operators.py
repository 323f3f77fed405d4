"""The operators that indicators are made of.

Window sums run from the oldest element to the newest: the loop goes over the positions in the window, and each step adds
that position for all windows at once, so every window is summed in the stated order.
"""

from __future__ import annotations

import math

import numpy as np

from sweep.reference.market import Floats
from sweep.reference.tick_grid import TickGrid


def defined(x: Floats) -> Floats:
    """A copy in which everything that is not finite is the canonical NaN."""
    return np.where(np.isfinite(x), x, np.nan)


def guarded_divide(a: Floats, b: Floats) -> Floats:
    """The quotient a / b where that is finite, else NaN."""
    with np.errstate(all="ignore"):
        return defined(a / b)


def percent(a: Floats, b: Floats) -> Floats:
    """100 times the guarded quotient."""
    with np.errstate(all="ignore"):
        return defined(100.0 * guarded_divide(a, b))


def ewm(x: Floats, weight: float) -> Floats:
    """Exponential average without bias correction; an average ages through missing inputs."""
    out: list[float] = []
    average: float | None = None
    aged = 1.0 - weight
    gap = False
    for value in x.tolist():
        if math.isnan(value):
            gap = True
            aged = aged * (1.0 - weight)
        else:
            g = weight / (aged + weight) if gap else weight
            average = value if average is None else average + g * (value - average)
            gap = False
            aged = 1.0 - weight
        out.append(math.nan if average is None else average)
    return defined(np.array(out, dtype=np.float64))


def wilder(x: Floats, period: int) -> Floats:
    """Wilder average, seeded with the mean of the first `period` consecutive inputs."""
    out: list[float] = []
    average: float | None = None
    run: list[float] = []
    for value in x.tolist():
        missing = math.isnan(value)
        if average is not None:
            if not missing:
                average = (average * (period - 1) + value) / period
        elif missing:
            run = []
        else:
            run.append(value)
            if len(run) == period:
                total = 0.0
                for element in run:
                    total += element
                average = total / period
        out.append(math.nan if average is None else average)
    return defined(np.array(out, dtype=np.float64))


def window_mean(x: Floats, window: int) -> Floats:
    """Mean of each window as first element + mean of the differences to it."""
    out = np.full(len(x), np.nan)
    count = len(x) - window + 1
    if count > 0:
        first = x[:count]
        with np.errstate(all="ignore"):
            out[window - 1 :] = first + _difference_sum(x, window) / window
    return defined(out)


def window_std(x: Floats, window: int, ddof: int) -> Floats:
    """Deviation of each window, two passes over the differences to its first element."""
    out = np.full(len(x), np.nan)
    count = len(x) - window + 1
    if count > 0 and window > ddof:
        first = x[:count]
        with np.errstate(all="ignore"):
            centre = _difference_sum(x, window) / window
            squares = np.zeros(count)
            for j in range(window):
                off = (x[j : j + count] - first) - centre
                squares = squares + off * off
            out[window - 1 :] = np.sqrt(squares / (window - ddof))
    return defined(out)


def window_sum(x: Floats, window: int) -> Floats:
    """Sum of each window, oldest element first."""
    out = np.full(len(x), np.nan)
    count = len(x) - window + 1
    if count > 0:
        total = np.zeros(count)
        with np.errstate(all="ignore"):
            for j in range(window):
                total = total + x[j : j + count]
        out[window - 1 :] = total
    return defined(out)


def window_max(x: Floats, window: int) -> Floats:
    """Largest element of each window; NaN unless all are present."""
    out = np.full(len(x), np.nan)
    count = len(x) - window + 1
    if count > 0:
        largest = x[:count]
        for j in range(1, window):
            largest = np.maximum(largest, x[j : j + count])
        out[window - 1 :] = largest
    return defined(out)


def window_min(x: Floats, window: int) -> Floats:
    """Smallest element of each window; NaN unless all are present."""
    return -window_max(-x, window)


def _difference_sum(x: Floats, window: int) -> Floats:
    count = len(x) - window + 1
    total = np.zeros(count)
    for j in range(window):
        total = total + (x[j : j + count] - x[:count])
    return total


def price_mean(x: Floats, window: int, grid: TickGrid | None) -> Floats:
    """Mean of each window of prices: exact in ticks where all its prices are on the grid, else `window_mean`."""
    out = window_mean(x, window)
    if grid is None:
        return out
    ticks = [grid.ticks(value) for value in x.tolist()]
    total = 0
    off_grid = 0
    for i, entering in enumerate(ticks):
        total += entering or 0
        off_grid += entering is None
        if i >= window:
            leaving = ticks[i - window]
            total -= leaving or 0
            off_grid -= leaving is None
        if i >= window - 1 and off_grid == 0:
            out[i] = (grid.numerator * total) / (window * grid.denominator)
    return out


def previous(x: Floats, bars: int = 1) -> Floats:
    """The series some bars later; NaN at the first indices."""
    out = np.full(len(x), np.nan)
    out[bars:] = x[: max(len(x) - bars, 0)]
    return out


def change(x: Floats, bars: int = 1) -> Floats:
    """x_i - x_{i - bars}; NaN where either is missing."""
    with np.errstate(all="ignore"):
        return defined(x - previous(x, bars))


def scaled_returns(close: Floats, use_log_returns: bool, scale: float) -> Floats:
    """Returns scale * ln(C_i / C_{i-1}), or scale * (C_i / C_{i-1} - 1); NaN where not finite or a bar is missing."""
    with np.errstate(all="ignore"):
        ratios = close / previous(close)
        if not use_log_returns:
            return defined(scale * (ratios - 1.0))
        return defined(scale * np.array([_ln(x) for x in ratios.tolist()], dtype=np.float64))


def _ln(x: float) -> float:
    return math.log(x) if x > 0.0 else math.nan


def larger(a: float, b: float) -> float:
    """The larger of two numbers; NaN if either is."""
    if math.isnan(a) or math.isnan(b):
        return math.nan
    return max(a, b)


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """True range; only high - low at index 0 and after a missing bar."""
    before = previous(close)
    with np.errstate(all="ignore"):
        span = np.abs(high - low)
        wide = np.maximum(np.maximum(span, np.abs(high - before)), np.abs(low - before))
        return defined(np.where(np.isnan(before), span, wide))


def directional_movement(high: Floats, low: Floats) -> tuple[Floats, Floats]:
    """+DM and -DM; both NaN where this bar or the one before is missing."""
    with np.errstate(all="ignore"):
        up = high - previous(high)
        down = previous(low) - low
    missing = np.isnan(up) | np.isnan(down)
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    return np.where(missing, np.nan, plus), np.where(missing, np.nan, minus)
