"""Tables, figures and digests of a standalone portfolio, as plain rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sweep.reference.curve import Curve, Sample
from sweep.reference.digest import table_digest
from sweep.reference.metrics import Inputs, compute
from sweep.reference.metrics.calendar import calendar_of, daily_series, periods_per_year
from sweep.reference.portfolio import ReferencePortfolio
from sweep.reference.position import DIRECTIONS, Order, Position
from sweep.reference.result import equity_row, meta_text, position_row, trade_row
from sweep.reference.schema import REGISTRY
from sweep.reference.summary import summary as figures

Row = Mapping[str, Any]
UNKNOWN: Final = ("net_profit_pessimistic", "net_profit_optimistic", "exposure_pct", "rejected_signals")
"""Metrics that need bars or signals, which a portfolio does not see."""


def state(portfolio: ReferencePortfolio) -> dict[str, Any]:
    """The one row of portfolio_state."""
    last = portfolio.curve().samples[-1]
    return {
        "timestamp": portfolio.now,
        "balance": portfolio.cash,
        "equity": portfolio.equity,
        "margin_used": portfolio.margin_used,
        "unrealised_pnl": portfolio.unrealised(portfolio.now),
        "realised_pnl": portfolio.realised,
        "total_fees": portfolio.total_fees,
        "position_count": len(portfolio.open),
        "pending_count": len(portfolio.pending),
        "drawdown": last.drawdown,
        "high_water": last.high_water,
    }


def positions(portfolio: ReferencePortfolio) -> list[dict[str, Any]]:
    """All records in id order, rows of execution_position."""
    filled = (*portfolio.open.values(), *portfolio.closed, *portfolio.partials)
    orders = (*portfolio.pending.values(), *portfolio.ended)
    rows = [*map(_filled_row, filled), *map(_order_row, orders)]
    return sorted(rows, key=lambda row: row["position_id"])


def trades(portfolio: ReferencePortfolio) -> list[dict[str, Any]]:
    """Closed positions in closing order, then closed parts."""
    return [trade_row(p) for p in (*portfolio.closed, *portfolio.partials)]


def equity_curve(portfolio: ReferencePortfolio, kind: str = "sampled") -> list[dict[str, Any]]:
    """Rows of the schema equity."""
    return [equity_row(s) for s in (_sampled if kind == "sampled" else _per_trade)(portfolio)]


def summary(portfolio: ReferencePortfolio) -> dict[str, float | int]:
    """The fifteen figures; equity is as of the last operation."""
    return figures(
        portfolio.curve().samples,
        portfolio.closed,
        portfolio.partials,
        portfolio.ended,
        equity=portfolio.equity,
        cash=portfolio.cash,
        total_fees=portfolio.total_fees,
    )


def metrics(portfolio: ReferencePortfolio) -> dict[str, float | None]:
    """The metrics, their samples the updates."""
    samples = portfolio.curve().samples
    labels = [s.timestamp for s in samples[1:]]
    calendar = calendar_of(labels) if labels else "business_day"
    values = compute(
        Inputs.of_run(
            times=[s.timestamp for s in samples],
            equity=[s.equity for s in samples],
            daily=[value for _, value in daily_series(labels, [s.equity for s in samples[1:]], calendar)],
            end=samples[-1].timestamp,
            periods_per_year=periods_per_year(calendar, "M1"),
            risk_free_annual=0.0,
            trades=portfolio.closed,
            partials=portfolio.partials,
            exposed_bars=0,
            total_fees=portfolio.total_fees,
            total_lots=portfolio.total_lots,
            turnover=portfolio.turnover,
            optimistic_gain=0.0,
            rejected=0,
        )
    )
    return {**values, **dict.fromkeys(UNKNOWN)}


def digests(portfolio: ReferencePortfolio) -> dict[str, str]:
    """Digests of the tables: trades, equity (both kinds), records, state."""
    return {
        "trades": table_digest("trades", trades(portfolio)),
        "sampled": table_digest("equity", equity_curve(portfolio)),
        "per_trade": table_digest("equity", equity_curve(portfolio, "per_trade")),
        "positions": table_digest("execution_position", positions(portfolio)),
        "state": table_digest("portfolio_state", [state(portfolio)]),
    }


def _sampled(portfolio: ReferencePortfolio) -> list[Sample]:
    """The initial balance, then the last update of each time."""
    first, *rest = portfolio.curve().samples
    return [first, *{sample.timestamp: sample for sample in rest}.values()]


def _per_trade(portfolio: ReferencePortfolio) -> list[Sample]:
    """The balance after every trade, in order of the exits."""
    trades = sorted((*portfolio.closed, *portfolio.partials), key=lambda p: p.exit_time or 0)
    start = portfolio.start or 0
    first = min([start, *(p.exit_time or 0 for p in trades[:1])])
    curve, equity = Curve(portfolio.initial_balance, first), portfolio.initial_balance
    for p in trades:
        equity += p.result - p.entry_fee - p.exit_fee
        curve.sample(p.exit_time or 0, equity, equity)
    return curve.samples


def _filled_row(p: Position) -> dict[str, Any]:
    done = {"result": p.result, "r_multiple": p.r_multiple} if p.reason is not None else {}
    return {**position_row(p), **done}


def _order_row(order: Order) -> dict[str, Any]:
    """A record that was never filled: no size, no risk, no fees."""
    row = {
        **dict.fromkeys(f.name for f in REGISTRY["execution_position"].fields),
        "position_id": order.position_id,
        "symbol": order.symbol,
        "direction": DIRECTIONS[order.direction],
        "order_type": order.order_type,
        "status": "pending" if order.reason is None else "closed",
        "order_time": order.order_time,
        "exit_time": order.end_time,
        "order_price": order.price,
        "stop_loss": order.stop_loss,
        "take_profit": order.take_profit,
        "initial_stop_loss": order.stop_loss,
        "initial_take_profit": order.take_profit,
        "stop_kind": "initial",
        "reason": order.reason,
        "same_bar_ambiguous": False,
        "scenario": order.scenario,
        "tag": order.tag,
        "meta": meta_text(order),
    }
    return row | dict.fromkeys(("size", "risk_per_trade", "entry_fee", "exit_fee"), 0.0)
