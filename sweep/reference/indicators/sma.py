"""Simple moving average of the close, exact in ticks."""

from __future__ import annotations

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import price_mean
from sweep.reference.market import Floats


def sma(candles: Candles, *, period: int) -> Floats:
    """Mean of the last `period` closes; NaN unless all are present. The same as TA-Lib SMA."""
    period = whole("period", period)
    return price_mean(candles.close, period, candles.grid)
