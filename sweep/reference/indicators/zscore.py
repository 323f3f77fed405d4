"""Z-scores of the close in three forms."""

from __future__ import annotations

from typing import Final

import numpy as np

from sweep.errors import error
from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import choice, whole
from sweep.reference.indicators.ema import ema
from sweep.reference.indicators.operators import defined, guarded_divide, price_mean, window_std
from sweep.reference.market import Floats

MODES: Final = ("rolling", "rolling_residual", "ema_residual")


def zscore(
    candles: Candles, *, window: int = 100, mode: str = "rolling", ema_period: int | None = None
) -> Floats:
    """(close - mean) / deviation: of the closes (rolling), or of the residuals (rolling_residual, ema_residual)."""
    window = whole("window", window, low=2)
    form = choice("mode", mode, MODES)
    if ema_period is not None:
        ema_period = whole("ema_period", ema_period)
    if form == "ema_residual":
        if ema_period is None:
            raise error(1008, "ema_period is missing", where="zscore", remedy="mode ema_residual needs it")
        mean = ema(candles, period=ema_period)
    else:
        mean = price_mean(candles.close, window, candles.grid)
    with np.errstate(all="ignore"):
        residual = defined(candles.close - mean)
    spread = candles.close if form == "rolling" else residual
    return guarded_divide(residual, window_std(spread, window, 1))
