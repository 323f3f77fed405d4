"""What the metrics are computed from: equity samples, days, trades, counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from sweep.reference.metrics.arithmetic import total
from sweep.reference.numeric import divide
from sweep.reference.position import Position


@dataclass(frozen=True)
class Inputs:
    """Values of one backtest, or of several runs pooled; `equity` starts with row 0 (the initial balance), `daily` with day 1."""

    curves: Sequence[tuple[Sequence[int], Sequence[float]]]
    """Labels and equity samples of each run, row 0 included."""
    equity: Sequence[float]
    daily: Sequence[float]
    returns: Sequence[float]
    """r_j = D_j / D_(j-1) - 1 with D_0 = E_0, within each run."""
    span: int
    """From the first label to the close of the last bar, us, of all runs together."""
    periods_per_year: float
    risk_free_annual: float
    trades: Sequence[Position]
    """Closed positions, in closing order."""
    exposed_bars: int
    total_fees: float
    total_lots: float
    turnover: float
    optimistic_gain: float
    rejected: int
    partials: Sequence[Position] = ()
    """Records of partial exits."""

    @classmethod
    def of_run(
        cls, *, times: Sequence[int], equity: Sequence[float], daily: Sequence[float], end: int, **others: Any
    ) -> Inputs:
        """Of one run; `times` has row 0 too, `end` is the close time of the last bar."""
        returns = [divide(now, before) - 1 for before, now in pairwise([equity[0], *daily])]
        span, curves = end - times[0], [(times, equity)]
        return cls(curves=curves, equity=equity, daily=daily, returns=returns, span=span, **others)

    @property
    def initial(self) -> float:
        """E_0."""
        return self.equity[0]

    @property
    def final(self) -> float:
        """E_n."""
        return self.equity[-1]

    @property
    def bars(self) -> int:
        """n, the number of traded bars."""
        return len(self.equity) - 1

    @property
    def risk_free(self) -> float:
        """f, the risk-free return of one period."""
        return self.risk_free_annual / self.periods_per_year

    @cached_property
    def records(self) -> list[list[Position]]:
        """Of every trade the records of its partial exits in id order, then its own."""
        parts: dict[int | None, list[Position]] = {}
        for part in sorted(self.partials, key=lambda p: p.position_id):
            parts.setdefault(part.parent_id, []).append(part)
        return [[*parts.get(p.position_id, ()), p] for p in self.trades]

    @cached_property
    def net(self) -> list[float]:
        """net_p of every trade, in closing order."""
        return [total(r.result - r.entry_fee - r.exit_fee for r in records) for records in self.records]

    @cached_property
    def r_multiples(self) -> list[float]:
        """R_p of every trade, weighted by the risk amount."""
        return [
            _share(
                total(r.r_multiple * r.risk_per_trade for r in records),
                total(r.risk_per_trade for r in records),
            )
            for records in self.records
        ]

    @cached_property
    def net_r(self) -> list[float]:
        """N_p = net_p / M_p of every trade."""
        stakes = [total(r.money_at_risk for r in records) for records in self.records]
        return [_share(net, stake) for net, stake in zip(self.net, stakes, strict=True)]

    @cached_property
    def gains(self) -> list[float]:
        """Positive nets."""
        return [x for x in self.net if x > 0]

    @cached_property
    def losses(self) -> list[float]:
        """Negative nets."""
        return [x for x in self.net if x < 0]

    @property
    def net_profit(self) -> float:
        """E_n - E_0."""
        return self.final - self.initial

    @property
    def gross_loss(self) -> float:
        """Minus the sum of the negative nets."""
        return -total(self.losses)


def _share(part: float, whole: float) -> float:
    return part / whole if whole != 0 else 0.0
