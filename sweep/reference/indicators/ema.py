"""Exponential moving average of the close."""

from __future__ import annotations

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import ewm
from sweep.reference.market import Floats


def ema(candles: Candles, *, period: int) -> Floats:
    """EWM of the close with weight 2 / (period + 1); no warm-up mask."""
    whole("period", period)
    return ewm(candles.close, 2 / (period + 1))
