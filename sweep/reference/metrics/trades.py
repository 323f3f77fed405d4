"""Counts, averages and ratios of the trades; nets are after all costs, R multiples before commission."""

from __future__ import annotations

import math

from sweep.reference.metrics.arithmetic import deviation, downside, mean, total
from sweep.reference.metrics.inputs import Inputs


def total_trades(x: Inputs) -> float:
    """T."""
    return float(len(x.trades))


def wins(x: Inputs) -> float:
    """Trades with a positive net."""
    return float(len(x.gains))


def losses(x: Inputs) -> float:
    """Trades with a negative net; zero is neither."""
    return float(len(x.losses))


def win_rate_pct(x: Inputs) -> float | None:
    """Wins in percent of the trades."""
    return 100 * len(x.gains) / len(x.trades) if x.trades else None


def profit_factor(x: Inputs) -> float | None:
    """Sum of the gains over minus the sum of the losses."""
    return total(x.gains) / x.gross_loss if x.losses else None


def expectancy(x: Inputs) -> float | None:
    """Mean net of a trade."""
    return mean(x.net) if x.net else None


def avg_win(x: Inputs) -> float | None:
    """Mean of the gains."""
    return mean(x.gains) if x.gains else None


def avg_loss(x: Inputs) -> float | None:
    """Mean of the losses, negative."""
    return mean(x.losses) if x.losses else None


def payoff_ratio(x: Inputs) -> float | None:
    """Average win over minus the average loss."""
    win, loss = avg_win(x), avg_loss(x)
    return None if win is None or loss is None else win / -loss


def avg_r_multiple(x: Inputs) -> float | None:
    """Mean R."""
    return mean(x.r_multiples) if x.trades else None


def avg_net_r(x: Inputs) -> float | None:
    """Mean net in units of the money at risk."""
    return mean(x.net_r) if x.trades else None


def t_stat_r(x: Inputs) -> float | None:
    """Student's t of the net R."""
    return _t(x, len(x.trades))


def sqn(x: Inputs) -> float | None:
    """System quality number: the t statistic with at most 100 trades counted."""
    return _t(x, min(len(x.trades), 100))


def sharpe_trade(x: Inputs) -> float | None:
    """Mean R over its deviation."""
    spread = deviation(x.r_multiples, 1) if len(x.trades) >= 2 else None
    return None if spread is None else mean(x.r_multiples) / spread


def sortino_trade(x: Inputs) -> float | None:
    """Mean R over the downside deviation of all trades."""
    spread = downside(x.r_multiples, 0.0) if len(x.trades) >= 2 else None
    return None if spread is None else mean(x.r_multiples) / spread


def longest_losing_streak(x: Inputs) -> float:
    """Longest run of consecutive losses."""
    longest = run = 0
    for net in x.net:
        run = run + 1 if net < 0 else 0
        longest = max(longest, run)
    return float(longest)


def ambiguous_trades(x: Inputs) -> float:
    """Trades whose exit bar hit stop and target in an unknown order."""
    return float(len([p for p in x.trades if p.same_bar_ambiguous]))


def _t(x: Inputs, count: int) -> float | None:
    spread = deviation(x.net_r, 1) if len(x.trades) >= 2 else None
    return None if spread is None else math.sqrt(count) * mean(x.net_r) / spread
