"""Relative strength index."""

from __future__ import annotations

from typing import Final

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import choice, whole
from sweep.reference.indicators.operators import change, ewm, percent, wilder
from sweep.reference.market import Floats

SEEDS: Final = ("wilder", "first")


def rsi(candles: Candles, *, period: int = 14, seed: str = "wilder") -> Floats:
    """Average gain in percent of average gain plus average loss; NaN as long as the close has not moved.

    The averages are Wilder's, seeded with a mean (`wilder`) or with the first change (`first`). A change across a missing
    bar is not counted. Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    period = whole("period", period)
    form = choice("seed", seed, SEEDS)
    difference = change(candles.close)
    gain = np.maximum(difference, 0.0)
    loss = np.maximum(-difference, 0.0)
    if form == "wilder":
        gains, losses = wilder(gain, period), wilder(loss, period)
    else:
        gains, losses = ewm(gain, 1 / period), ewm(loss, 1 / period)
    with np.errstate(all="ignore"):
        return percent(gains, gains + losses)
