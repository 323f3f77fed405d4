"""Triple exponential moving average."""

from __future__ import annotations

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.ema import span_weight
from sweep.reference.indicators.operators import defined, ewm
from sweep.reference.market import Floats


def tema(candles: Candles, *, period: int) -> Floats:
    """3 e1 - 3 e2 + e3, each the EMA of the one before, e1 that of the close. Source: P. Mulloy (1994)."""
    weight = span_weight(whole("period", period))
    first = ewm(candles.close, weight)
    second = ewm(first, weight)
    third = ewm(second, weight)
    with np.errstate(all="ignore"):
        return defined(3.0 * first - 3.0 * second + third)
