"""Successive halving inside a batch: which of its trials go on from one pruning level to the next.

It waits for the whole level, so a batch's outcome depends on its parameter sets alone, never on who finishes first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

FRACTIONS: Final = (Fraction(1, 9), Fraction(1, 3), Fraction(1))
"""Share of the traded bars that each level runs."""
LAST: Final = len(FRACTIONS) - 1
"""The level that runs the whole window: a plain backtest."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a level below the last says of one trial."""

    number: int
    value: float | None
    """The objective; None where it is undefined."""
    trades: float
    over: bool = False
    """Whether it failed, or was given up: it goes no further."""


@dataclass(frozen=True, slots=True)
class Halving:
    """The rule: at each level the best n/eta (rounded up) of n trials go on."""

    eta: int
    maximize: bool
    min_trades: int
    cycle: bool = False
    """hyperband: batch k starts at level k mod 3 instead of 0."""

    def first_level(self, k: int) -> int:
        """The level that batch k starts at."""
        return k % len(FRACTIONS) if self.cycle else 0

    def kept(self, count: int) -> int:
        """Trials of `count` that go on."""
        return -(-count // self.eta)

    def ranked(self, level: int, measured: Iterable[Measured]) -> list[Measured]:
        """By objective with enough trades for the level; by objective; without one by trades; over; tie: lower number."""
        enough = math.ceil(FRACTIONS[level] * self.min_trades)

        def order(one: Measured) -> tuple[int, float, int]:
            if one.over:
                return 3, 0.0, one.number
            if one.value is None:
                return 2, -one.trades, one.number
            loss = -one.value if self.maximize else one.value
            return (0 if one.trades >= enough else 1), loss, one.number

        return sorted(measured, key=order)

    def promoted(self, level: int, measured: Iterable[Measured]) -> list[int]:
        """Numbers of the trials that go on to the next level, the best first."""
        ranked = self.ranked(level, measured)
        return [one.number for one in ranked[: self.kept(len(ranked))] if not one.over]

    def full_runs(self, k: int, count: int) -> float:
        """Cost of batch k with `count` trials, in backtests of the whole window, if no trial ends early."""
        total = Fraction(0)
        for level in range(self.first_level(k), LAST + 1):
            total += count * FRACTIONS[level]
            count = self.kept(count)
        return float(total)
