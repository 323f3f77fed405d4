"""Trades beside trades, and times beside times."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.peers.work import Trades


@dataclass(frozen=True)
class Agreement:
    """How two lists of trades compare: entry bar, exit bar and direction of each."""

    ours: int
    theirs: int
    equal: int
    first: str = ""
    """The first trade of one side only."""

    @property
    def complete(self) -> bool:
        """Every trade of either side is one of the other."""
        return self.ours == self.theirs == self.equal

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.ours + other.ours,
            self.theirs + other.theirs,
            self.equal + other.equal,
            self.first or other.first,
        )

    def __str__(self) -> str:
        if self.complete:
            return f"all {self.ours:,} equal"
        return f"{self.equal:,} equal of {self.ours:,} here and {self.theirs:,} there ({self.first})"


def agreement(ours: Trades, theirs: Trades) -> Agreement:
    """Trades that are on both sides as often as on the rarer one."""
    here, there = (Counter(tuple(trade) for trade in trades) for trades in (ours, theirs))
    equal = (here & there).total()
    lone = sorted(
        (*((trade, "here") for trade in here - there), *((trade, "there") for trade in there - here))
    )
    first = ""
    if lone:
        (entry, exit, side), where = lone[0]
        first = f"first {'long' if side > 0 else 'short'} from bar {entry} to {exit}, only {where}"
    return Agreement(here.total(), there.total(), equal, first)


@dataclass(frozen=True)
class Spread:
    """Median and range of a sample."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values), len(values))

    def text(self, form: str = ",.1f") -> str:
        """Median (low to high)."""
        return f"{self.median:{form}} ({self.low:{form}} to {self.high:{form}})"


def ratios(theirs: Sequence[float], ours: Sequence[float]) -> list[float]:
    """How many times the peer costs what we cost, round by round: both figures of a ratio are of one round.

    Raises:
        ValueError: The rounds do not pair.
    """
    if not theirs:
        raise ValueError("no rounds")
    return [peer / own for peer, own in zip(theirs, ours, strict=True)]
