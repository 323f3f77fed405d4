"""Ratios and moments of the daily returns."""

from __future__ import annotations

import math

from sweep.reference.metrics.arithmetic import deviation, downside, mean, moment
from sweep.reference.metrics.inputs import Inputs


def sharpe_ratio(x: Inputs) -> float | None:
    """Annualised mean excess return over its deviation."""
    spread = deviation(x.returns, 1) if len(x.returns) >= 2 else None
    if spread is None:
        return None
    return (mean(x.returns) - x.risk_free) / spread * math.sqrt(x.periods_per_year)


def sortino_ratio(x: Inputs) -> float | None:
    """Annualised mean excess return over the downside deviation of all days."""
    spread = downside(x.returns, x.risk_free) if len(x.returns) >= 2 else None
    if spread is None:
        return None
    return (mean(x.returns) - x.risk_free) / spread * math.sqrt(x.periods_per_year)


def n_days(x: Inputs) -> float:
    """Number of daily returns."""
    return float(len(x.returns))


def daily_return_skew(x: Inputs) -> float | None:
    """Third standardised population moment."""
    if not _spread_out(x):
        return None
    second = moment(x.returns, 2)
    return moment(x.returns, 3) / (second * math.sqrt(second))


def daily_return_kurtosis(x: Inputs) -> float | None:
    """Fourth standardised population moment; 3 for a normal distribution."""
    if not _spread_out(x):
        return None
    second = moment(x.returns, 2)
    return moment(x.returns, 4) / (second * second)


def periods_per_year(x: Inputs) -> float:
    """P."""
    return x.periods_per_year


def _spread_out(x: Inputs) -> bool:
    return len(x.returns) >= 3 and moment(x.returns, 2) > 1e-30
