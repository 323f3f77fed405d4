"""Input of an indicator: bars of one side with the missing ones marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sweep.errors import error
from sweep.reference.market import Floats
from sweep.reference.tick_grid import TickGrid


@dataclass(frozen=True, slots=True)
class Candles:
    """High, low and close, NaN in all three where the bar is missing; the tick grid if the symbol is known."""

    high: Floats
    low: Floats
    close: Floats
    grid: TickGrid | None

    @classmethod
    def of(
        cls,
        open: ArrayLike,
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        *,
        grid: TickGrid | None = None,
    ) -> Candles:
        """A bar with any non-finite price is missing as a whole. Raises [1011] for unequal lengths."""
        o, h, lo, c = (np.array(x, dtype=np.float64) for x in (open, high, low, close))
        if not len(o) == len(h) == len(lo) == len(c):
            raise error(1011, "open, high, low and close differ in length", remedy="give equal lengths")
        missing = ~(np.isfinite(o) & np.isfinite(h) & np.isfinite(lo) & np.isfinite(c))
        for field in (h, lo, c):
            field[missing] = np.nan
        return cls(h, lo, c, grid)

    def __len__(self) -> int:
        return len(self.close)
