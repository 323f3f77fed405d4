"""The equity curve: one sample per traded bar after the initial balance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the equity table."""

    timestamp: int
    equity: float
    balance: float
    drawdown: float
    high_water: float


class Curve:
    """Samples in time order; row 0 is the initial balance at the label of the first traded bar."""

    def __init__(self, initial_balance: float, label: int) -> None:
        self.samples = [Sample(label, initial_balance, initial_balance, 0.0, initial_balance)]

    @property
    def last(self) -> float:
        """Equity of the last sample."""
        return self.samples[-1].equity

    def sample(self, label: int, equity: float, balance: float) -> None:
        """Append the sample of a bar."""
        high_water = max(self.samples[-1].high_water, equity)
        self.samples.append(Sample(label, equity, balance, equity - high_water, high_water))
