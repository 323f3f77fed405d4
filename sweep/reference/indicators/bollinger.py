"""Bollinger bands."""

from __future__ import annotations

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import number, whole
from sweep.reference.indicators.operators import defined, price_mean, window_std
from sweep.reference.market import Floats


def bollinger(
    candles: Candles, *, period: int = 20, std_factor: float = 2.0, ddof: int = 1
) -> dict[str, Floats]:
    """upper, mid, lower: the mean of the close and `std_factor` deviations to either side.

    With period 1 and ddof 1 only the mid is defined. Source: John Bollinger, Bollinger on Bollinger Bands (2001).
    """
    period = whole("period", period)
    ddof = whole("ddof", ddof, low=0, high=1)
    factor = number("std_factor", std_factor, low=0.0)
    mid = price_mean(candles.close, period, candles.grid)
    deviation = window_std(candles.close, period, ddof)
    with np.errstate(all="ignore"):
        return {
            "upper": defined(mid + factor * deviation),
            "mid": mid,
            "lower": defined(mid - factor * deviation),
        }


def bollinger_stepwise(
    candles: Candles, *, period: int = 20, std_factor: float = 2.0, ddof: int = 1
) -> dict[str, Floats]:
    """`bollinger` over the bars of its timeframe."""
    return bollinger(candles, period=period, std_factor=std_factor, ddof=ddof)
