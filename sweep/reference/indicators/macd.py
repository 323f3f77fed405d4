"""Moving average convergence and divergence."""

from __future__ import annotations

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import whole
from sweep.reference.indicators.ema import span_weight
from sweep.reference.indicators.operators import defined, ewm
from sweep.reference.market import Floats


def macd(candles: Candles, *, fast: int = 12, slow: int = 26, signal: int = 9) -> dict[str, Floats]:
    """line, signal, hist: the fast EMA less the slow one, the EMA of that line, and their difference.

    The fast period may be the longer one. Source: Gerald Appel.
    """
    fast, slow, signal = whole("fast", fast), whole("slow", slow), whole("signal", signal)
    with np.errstate(all="ignore"):
        line = defined(ewm(candles.close, span_weight(fast)) - ewm(candles.close, span_weight(slow)))
        average = ewm(line, span_weight(signal))
        return {"line": line, "signal": average, "hist": defined(line - average)}
