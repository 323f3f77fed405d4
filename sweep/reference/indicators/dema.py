"""Double exponential moving average."""

from __future__ import annotations

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.ema import span_weight
from sweep.reference.indicators.operators import defined, ewm
from sweep.reference.market import Floats


def dema(candles: Candles, *, period: int) -> Floats:
    """2 e1 - e2, with e1 the EMA of the close and e2 the EMA of e1. Source: P. Mulloy (1994)."""
    weight = span_weight(whole("period", period))
    first = ewm(candles.close, weight)
    second = ewm(first, weight)
    with np.errstate(all="ignore"):
        return defined(2.0 * first - second)
