"""Exponential moving average of the close."""

from __future__ import annotations

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import ewm
from sweep.reference.market import Floats


def ema(candles: Candles, *, period: int) -> Floats:
    """EWM of the close with weight 2 / (period + 1); no warm-up mask. Source: pandas ewm(span, adjust=False)."""
    period = whole("period", period)
    return ewm(candles.close, span_weight(period))


def ema_stepwise(candles: Candles, *, period: int) -> Floats:
    """`ema` over the bars of its timeframe."""
    return ema(candles, period=period)


def span_weight(period: int) -> float:
    """Weight of the newest value for an average of this span."""
    return 2 / (period + 1)
