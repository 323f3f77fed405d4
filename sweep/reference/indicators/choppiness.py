"""Choppiness index."""

from __future__ import annotations

import math

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import (
    defined,
    guarded_divide,
    true_range,
    window_max,
    window_min,
    window_sum,
)
from sweep.reference.market import Floats


def choppiness(candles: Candles, *, period: int = 14) -> Floats:
    """Sum of true ranges over the range of the window, as 100 log10(.) / log10(period); NaN without a range.

    Source: E. W. Dreiss.
    """
    period = whole("period", period, low=2)
    ranges = window_sum(true_range(candles.high, candles.low, candles.close), period)
    with np.errstate(all="ignore"):
        span = window_max(candles.high, period) - window_min(candles.low, period)
        shares = guarded_divide(ranges, span)
        logs = np.array([math.log10(x) if x > 0.0 else math.nan for x in shares.tolist()], dtype=np.float64)
        return defined(100.0 * logs / math.log10(period))
