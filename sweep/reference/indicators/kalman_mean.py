"""Local-level Kalman filter of the close."""

from __future__ import annotations

import math

import numpy as np

from sweep.errors import error
from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import number
from sweep.reference.indicators.operators import defined
from sweep.reference.market import Floats


def kalman_mean(candles: Candles, *, r: float = 0.01, q: float = 1.0) -> Floats:
    """The filtered level; r and q are the variances of measurement and process, of which only q / r matters.

    Source: A. C. Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989), 4.1.
    """
    return local_level(candles.close, noise_ratio(r, q))


def noise_ratio(r: object, q: object) -> float:
    """Ratio q / r of checked variances; [1003] if it is not finite."""
    process, measurement = number("q", q, low=0.0), number("r", r, low=0.0, open_below=True)
    ratio = process / measurement
    if not math.isfinite(ratio):
        raise error(1003, f"q/r is {process}/{measurement}", remedy="give a finite ratio")
    return ratio


def local_level(close: Floats, ratio: float) -> Floats:
    """The filter in units of r, started at the first present close; its variance grows through missing ones."""
    out: list[float] = []
    level: float | None = None
    variance = 1.0
    for price in close.tolist():
        missing = math.isnan(price)
        if level is None:
            if not missing:
                level = price
        else:
            variance = variance + ratio
            if not missing:
                gain = variance / (variance + 1.0)
                level = level + gain * (price - level)
                variance = (1.0 - gain) * variance
        out.append(math.nan if level is None else level)
    return defined(np.array(out, dtype=np.float64))
