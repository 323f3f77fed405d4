"""Rate of change of the close."""

from __future__ import annotations

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import change, percent, previous
from sweep.reference.market import Floats


def roc(candles: Candles, *, period: int = 14) -> Floats:
    """Change over `period` bars in percent of the older close; NaN if either bar is missing or that close is 0."""
    period = whole("period", period)
    return percent(change(candles.close, period), previous(candles.close, period))
