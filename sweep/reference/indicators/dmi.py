"""Directional movement: plus_di, minus_di, adx."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import choice, whole
from sweep.reference.indicators.operators import defined, directional_movement, ewm, percent, true_range
from sweep.reference.market import Floats
from sweep.reference.numeric import divide

SEEDS: Final = ("wilder", "first")


def dmi(candles: Candles, *, period: int = 14, seed: str = "wilder") -> dict[str, Floats]:
    """Directional indicators and their average index, in percent. Source: J. Welles Wilder (1978)."""
    period = whole("period", period)
    if choice("seed", seed, SEEDS) == "first":
        return _seeded_first(candles, period)
    plus, minus = directional_movement(candles.high, candles.low)
    ranges = true_range(candles.high, candles.low, candles.close)
    state = _Wilder(period)
    rows = []
    for up, down, reach in zip(plus.tolist(), minus.tolist(), ranges.tolist(), strict=True):
        if math.isnan(up):
            state.skip()
        else:
            state.observe(up, down, reach)
        rows.append((state.plus_di, state.minus_di, state.adx))
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    return {"plus_di": columns[:, 0].copy(), "minus_di": columns[:, 1].copy(), "adx": columns[:, 2].copy()}


def _percent(a: float, b: float) -> float:
    """100 times the guarded quotient."""
    share = divide(a, b)
    result = 100.0 * share
    return result if math.isfinite(share) and math.isfinite(result) else math.nan


@dataclass(slots=True)
class _Wilder:
    """Wilder's own scheme: sums over the first period - 1 observations, then S - S / p + x."""

    period: int
    plus_di: float = math.nan
    minus_di: float = math.nan
    adx: float = math.nan
    _run: int = 0
    _sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    _strengths: int = 0
    _strength_sum: float = 0.0
    _average: float = math.nan
    _any_strength: bool = False

    def skip(self) -> None:
        """A bar that is no observation: before the first full run it starts the run anew."""
        if self._run < self.period:
            self._run = 0
            self._sums = [0.0, 0.0, 0.0]

    def observe(self, plus: float, minus: float, reach: float) -> None:
        """One observation; updates the three outputs."""
        values = (plus, minus, reach)
        if self._run < self.period:
            self._run += 1
        if self._run < self.period:
            self._sums = [s + x for s, x in zip(self._sums, values, strict=True)]
            return
        self._sums = [s - s / self.period + x for s, x in zip(self._sums, values, strict=True)]
        self.plus_di = _percent(self._sums[0], self._sums[2])
        self.minus_di = _percent(self._sums[1], self._sums[2])
        if not math.isnan(self.plus_di):
            self._strengthen(_percent(abs(self.minus_di - self.plus_di), self.minus_di + self.plus_di))

    def _strengthen(self, dx: float) -> None:
        known = not math.isnan(dx)
        self._any_strength = self._any_strength or known
        if self._strengths < self.period:
            self._strengths += 1
            self._strength_sum += dx if known else 0.0
            if self._strengths == self.period:
                self._average = self._strength_sum / self.period
        elif known:
            self._average = (self._average * (self.period - 1) + dx) / self.period
        self.adx = self._average if self._any_strength else math.nan


def _seeded_first(candles: Candles, period: int) -> dict[str, Floats]:
    """Exponential averages from the first bar on; no movement counts as an observation of 0, an infinite one as none."""
    weight = 1 / period
    moves = directional_movement(candles.high, candles.low)
    plus, minus = (defined(np.where(np.isnan(x), 0.0, x)) for x in moves)
    ranges = ewm(true_range(candles.high, candles.low, candles.close), weight)
    plus_di = percent(ewm(plus, weight), ranges)
    minus_di = percent(ewm(minus, weight), ranges)
    with np.errstate(all="ignore"):
        strength = percent(np.abs(minus_di - plus_di), minus_di + plus_di)
    return {"plus_di": plus_di, "minus_di": minus_di, "adx": ewm(strength, weight)}
