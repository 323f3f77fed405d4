"""The price grid of a symbol as exact integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class TickGrid:
    """Tick size M/N in lowest terms, taken from its shortest decimal form (0.00001 = 1/100000)."""

    numerator: int
    denominator: int

    @classmethod
    def of(cls, tick_size: float) -> TickGrid:
        """The grid of a tick size."""
        exact = Fraction(repr(float(tick_size)))
        return cls(exact.numerator, exact.denominator)

    def price(self, ticks: int) -> float:
        """The double nearest to `ticks` ticks."""
        return (ticks * self.numerator) / self.denominator

    def ticks(self, price: float) -> int | None:
        """Whole ticks of an on-grid price; None if the price is off the grid or not finite."""
        scaled = (price * self.denominator) / self.numerator
        if not math.isfinite(scaled):
            return None
        ticks = round(scaled)
        return ticks if self.price(ticks) == price else None

    def round(self, price: float) -> float:
        """The grid price nearest to `price`, halves away from zero."""
        scaled = (price * self.denominator) / self.numerator
        if not math.isfinite(scaled):
            return math.nan
        whole = math.floor(abs(scaled))
        if abs(scaled) - whole >= 0.5:
            whole += 1
        return self.price(whole if scaled >= 0 else -whole)
