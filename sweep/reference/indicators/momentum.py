"""Change of the close over some bars."""

from __future__ import annotations

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import change
from sweep.reference.market import Floats


def momentum(candles: Candles, *, period: int) -> Floats:
    """C_i - C_{i - period}; NaN if either bar is missing. The same as TA-Lib MOM."""
    return change(candles.close, whole("period", period))
