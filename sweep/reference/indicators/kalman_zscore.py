"""Residual of the Kalman filter in units of its rolling deviation."""

from __future__ import annotations

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.kalman_mean import kalman_mean
from sweep.reference.indicators.operators import defined, guarded_divide, window_std
from sweep.reference.market import Floats


def kalman_zscore(candles: Candles, *, window: int = 100, r: float = 0.01, q: float = 1.0) -> Floats:
    """(close - kalman_mean) / deviation of that residual over the window; the residual is not demeaned."""
    window = whole("window", window, low=2)
    mean = kalman_mean(candles, r=r, q=q)
    with np.errstate(all="ignore"):
        residual = defined(candles.close - mean)
    return guarded_divide(residual, window_std(residual, window, 1))


def kalman_zscore_stepwise(candles: Candles, *, window: int = 100, r: float = 0.01, q: float = 1.0) -> Floats:
    """`kalman_zscore` over the bars of its timeframe."""
    return kalman_zscore(candles, window=window, r=r, q=q)
