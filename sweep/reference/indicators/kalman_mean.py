"""Local-level Kalman filter of the close."""

from __future__ import annotations

import math

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import number
from sweep.reference.indicators.operators import defined
from sweep.reference.market import Floats


def kalman_mean(candles: Candles, *, r: float = 0.01, q: float = 1.0) -> Floats:
    """The filtered level, in units of the measurement variance r, so that only q / r matters."""
    ratio = number("q", q, low=0.0) / number("r", r, low=0.0, open_below=True)
    out: list[float] = []
    level: float | None = None
    variance = 1.0
    for close in candles.close.tolist():
        missing = math.isnan(close)
        if level is None:
            if not missing:
                level = close
        else:
            variance = variance + ratio
            if not missing:
                gain = variance / (variance + 1.0)
                level = level + gain * (close - level)
                variance = (1.0 - gain) * variance
        out.append(math.nan if level is None else level)
    return defined(np.array(out, dtype=np.float64))
