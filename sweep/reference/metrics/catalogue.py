"""All metrics in canonical order, with their units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sweep.reference.metrics import activity, drawdown, growth, returns, trades
from sweep.reference.metrics.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: unit and function; None is an undefined value."""

    unit: str
    function: Callable[[Inputs], float | None]

    @property
    def name(self) -> str:
        """Name of the metric."""
        return self.function.__name__


CATALOGUE: Final = (
    Metric("money", growth.net_profit),
    Metric("money", growth.net_profit_pessimistic),
    Metric("money", growth.net_profit_optimistic),
    Metric("%", growth.total_return_pct),
    Metric("years", growth.span_years),
    Metric("%", growth.cagr_pct),
    Metric("money", drawdown.max_drawdown),
    Metric("%", drawdown.max_drawdown_pct),
    Metric("days", drawdown.drawdown_duration),
    Metric("bars", drawdown.drawdown_duration_bars),
    Metric("ratio", returns.sharpe_ratio),
    Metric("ratio", returns.sortino_ratio),
    Metric("ratio", drawdown.calmar_ratio),
    Metric("%", drawdown.ulcer_index),
    Metric("count", returns.n_days),
    Metric("ratio", returns.daily_return_skew),
    Metric("ratio", returns.daily_return_kurtosis),
    Metric("ratio", returns.periods_per_year),
    Metric("count", trades.total_trades),
    Metric("count", trades.wins),
    Metric("count", trades.losses),
    Metric("%", trades.win_rate_pct),
    Metric("ratio", trades.profit_factor),
    Metric("money", trades.expectancy),
    Metric("money", trades.avg_win),
    Metric("money", trades.avg_loss),
    Metric("ratio", trades.payoff_ratio),
    Metric("R", trades.avg_r_multiple),
    Metric("R", trades.avg_net_r),
    Metric("ratio", trades.t_stat_r),
    Metric("ratio", trades.sqn),
    Metric("ratio", trades.sharpe_trade),
    Metric("ratio", trades.sortino_trade),
    Metric("count", trades.longest_losing_streak),
    Metric("ratio", drawdown.recovery_factor),
    Metric("%", activity.exposure_pct),
    Metric("money", activity.total_fees),
    Metric("lots", activity.total_lots),
    Metric("money", activity.turnover),
    Metric("ratio", activity.trades_per_day),
    Metric("count", activity.active_days),
    Metric("count", trades.ambiguous_trades),
    Metric("count", activity.rejected_signals),
)


def compute(inputs: Inputs) -> dict[str, float | None]:
    """All metrics by name, in canonical order; a value that is not finite is undefined."""
    values = {}
    for metric in CATALOGUE:
        value = metric.function(inputs)
        values[metric.name] = value if value is not None and math.isfinite(value) else None
    return values
