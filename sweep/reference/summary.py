"""The fifteen summary figures, rounded for people."""

from __future__ import annotations

from collections.abc import Sequence

from sweep.reference.curve import Sample
from sweep.reference.metrics.arithmetic import total
from sweep.reference.numeric import round_dec
from sweep.reference.position import Order, Position


def summary(
    samples: Sequence[Sample],
    closed: Sequence[Position],
    partials: Sequence[Position],
    ended: Sequence[Order],
    *,
    equity: float,
    cash: float,
    total_fees: float,
) -> dict[str, float | int]:
    """Summary of a backtest; keys, order and decimals are fixed."""
    initial = samples[0].equity
    records = [*closed, *partials]
    with_risk = [p for p in records if p.risk_per_trade > 0]
    risk = total(p.risk_per_trade for p in with_risk)
    weighted = total(p.r_multiple * p.risk_per_trade for p in with_risk)
    wins = len([p for p in closed if p.result > 0])
    return {
        "Initial Balance": initial,
        "Final Balance": round_dec(cash, 2),
        "Equity": round_dec(equity, 2),
        "Max Drawdown": round_dec(max(s.high_water - s.equity for s in samples), 2),
        "Drawdown Initial Balance": round_dec(max(max(0.0, initial - s.equity) for s in samples), 2),
        "Total Fees": round_dec(total_fees, 2),
        "Total Lots": round_dec(total(p.size for p in records), 2),
        "Total Trades": len(closed),
        "Expired Orders": len([order for order in ended if order.reason == "limit_expired"]),
        "Partial Closed Orders": len(partials),
        "Orders closed at Break Even": len([p for p in closed if p.reason == "break_even_stop_loss"]),
        "Avg R-Multiple": round_dec(weighted / risk, 3) if with_risk else 0.0,
        "Winrate": round_dec(100 * wins / len(closed), 2) if closed else 0.0,
        "Wins": wins,
        "Losses": len(closed) - wins,
    }
