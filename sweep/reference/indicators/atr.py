"""Average true range."""

from __future__ import annotations

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.operators import true_range, wilder
from sweep.reference.market import Floats


def atr(candles: Candles, *, period: int = 14) -> Floats:
    """Wilder average of the true range; high - low of bar 0 takes part in the seed. Source: J. Welles Wilder (1978)."""
    period = whole("period", period)
    return wilder(true_range(candles.high, candles.low, candles.close), period)
