"""Rolling standard deviation of the close."""

from __future__ import annotations

from sweep.errors import error
from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import window_std
from sweep.reference.market import Floats


def rolling_std(candles: Candles, *, period: int, ddof: int = 1) -> Floats:
    """Deviation of the last `period` closes with divisor period - ddof. The same as pandas rolling(period).std(ddof)."""
    period = whole("period", period)
    ddof = whole("ddof", ddof, low=0, high=1)
    if period <= ddof:
        raise error(1003, f"period is {period}", where="rolling_std", remedy=f"give more than ddof = {ddof}")
    return window_std(candles.close, period, ddof)
