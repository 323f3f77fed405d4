"""Profit, span and compound growth."""

from __future__ import annotations

import math
from typing import Final

from sweep.reference.metrics.inputs import Inputs

YEAR_US: Final = 31_557_600_000_000


def net_profit(x: Inputs) -> float:
    """E_n - E_0."""
    return x.net_profit


def net_profit_pessimistic(x: Inputs) -> float:
    """The booked profit: where a bar hit both levels the stop was taken."""
    return x.net_profit


def net_profit_optimistic(x: Inputs) -> float:
    """The profit if every ambiguous bar had reached the target first."""
    return x.net_profit + x.optimistic_gain


def total_return_pct(x: Inputs) -> float:
    """Profit in percent of the initial balance."""
    return 100 * (x.final - x.initial) / x.initial


def span_years(x: Inputs) -> float:
    """From the first label to the close of the last bar, in years of 365.25 days."""
    return x.span / YEAR_US


def cagr_pct(x: Inputs) -> float | None:
    """Compound annual growth; None without a span, if the final equity is not positive or the growth not finite."""
    if x.final <= 0 or span_years(x) <= 0:
        return None
    try:
        return 100 * (math.pow(x.final / x.initial, 1 / span_years(x)) - 1)
    except OverflowError:
        return None
