"""The reference engine: one backtest, bar by bar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.errors import error
from sweep.reference.context import Context, Frame, Indicators
from sweep.reference.digest import result_digest, table_digest
from sweep.reference.market import ReferenceMarket, SymbolSpec
from sweep.reference.metrics import CATALOGUE, Inputs, compute
from sweep.reference.metrics.calendar import calendar_of, daily_series, periods_per_year
from sweep.reference.options import Options
from sweep.reference.orders import direction_of, reference_price
from sweep.reference.position import DIRECTIONS
from sweep.reference.result import ReferenceResult, equity_row, order_row, position_row, trade_row
from sweep.reference.simulation import Simulation
from sweep.reference.strategy import ReferenceStrategy
from sweep.reference.summary import summary
from sweep.reference.trader import guarded

_NOT_IN_DIGEST = ("cagr_pct", "calmar_ratio")


def run(
    market: ReferenceMarket | Sequence[ReferenceMarket],
    options: Mapping[str, Any],
    strategy: ReferenceStrategy | Sequence[ReferenceStrategy],
    params: Mapping[str, Any],
    rates: Mapping[str, ReferenceMarket] | None = None,
) -> ReferenceResult:
    """Backtest one parameter set on the traded bars, or ticks, of a market, or of several on one account.

    `options` has the sections execution, costs, account, rates, metrics, gates; what is left out takes its default.
    `rates` are the markets of the rate series, by pair. Several markets need as many strategies. Raises [1001] [1003]
    [1004] [1008] for bad options, [1010] without bars, [2000] if the strategy fails, [2005] if an amount became infinite, [2008] if an amount has to be
    converted and there is no rate, [4001] for ticks of several symbols.
    """
    markets = [market] if isinstance(market, ReferenceMarket) else list(market)
    strategies = [strategy] if isinstance(strategy, ReferenceStrategy) else list(strategy)
    sections = {name: section for name, section in options.items() if name != "gates"}
    chosen = Options.of(sections, rates)
    widened = [one.with_spread(chosen.spread_multiplier) for one in markets]
    simulation = Simulation(widened, chosen, strategies, dict(params), options.get("gates"))
    simulation.run()
    _finite(simulation)
    return _result(simulation, strategies)


def _finite(simulation: Simulation) -> None:
    """Raises [2005] if an amount overflowed: one that did stays so."""
    last, book = simulation.curve.samples[-1], simulation.book
    drawdown = max(sample.high_water - sample.equity for sample in simulation.curve.samples)
    amounts = {"cash": book.cash, "equity": last.equity, "fees": book.total_fees, "drawdown": drawdown}
    for name, amount in amounts.items():
        if not math.isfinite(amount):
            remedy = "use smaller sizes, fees or multipliers"
            raise error(2005, f"{name} became {amount}", where="money", remedy=remedy, stage="engine")


def signals(
    market: ReferenceMarket,
    strategy: ReferenceStrategy,
    params: Mapping[str, Any],
    *,
    spread_multiplier: float = 1,
) -> list[dict[str, Any]]:
    """What the strategy says at every bar from warm-up on, gates and slots ignored: rows of trade_signal.

    The entry of a market order is its reference price.
    """
    widened = market.with_spread(spread_multiplier)
    frame = Frame(widened, SymbolSpec.of(widened.spec), dict(params))
    guarded(strategy.prepare, frame.view, Indicators(widened), frame.params)
    rows = []
    for i in range(guarded(strategy.warmup, frame.params), len(widened)):
        bid, ask = frame.bid[i].close, frame.ask[i].close
        for signal in guarded(strategy.evaluate, Context(frame, i)):
            direction = direction_of(signal.direction)
            rows.append(
                {
                    "bar_index": i,
                    "timestamp": frame.label[i],
                    "direction": DIRECTIONS[direction] if direction is not None else signal.direction,
                    "order_type": signal.order_type,
                    "entry": reference_price(signal, bid, ask) if direction is not None else None,
                    "stop_loss": signal.stop_loss,
                    "take_profit": signal.take_profit,
                    "tag": signal.tag,
                    "symbol": frame.spec.symbol,
                    "size": signal.size,
                    "valid_bars": signal.valid_bars,
                    "good_till": signal.good_till,
                    "oco_group": signal.oco_group,
                    "reason": signal.reason,
                    "scenario": signal.scenario,
                }
            )
    return rows


def _result(simulation: Simulation, strategies: Sequence[ReferenceStrategy]) -> ReferenceResult:
    book, samples, options = simulation.book, simulation.curve.samples, simulation.options
    traders, market = simulation.traders, simulation.traders[0].market
    labels = [sample.timestamp for sample in samples[1:]]
    calendar = options.calendar or calendar_of(labels)
    daily = daily_series(labels, [sample.equity for sample in samples[1:]], calendar)
    rejections = simulation.rejections
    metrics = compute(
        Inputs(
            times=[sample.timestamp for sample in samples],
            equity=[sample.equity for sample in samples],
            daily=[equity for _, equity in daily],
            end=labels[-1] + market.timeframe_us,
            periods_per_year=options.periods_per_year or periods_per_year(calendar, market.timeframe),
            risk_free_annual=options.risk_free_annual,
            trades=book.closed,
            partials=book.partials,
            exposed_bars=simulation.exposed_bars,
            total_fees=book.total_fees,
            total_lots=book.total_lots,
            turnover=book.turnover,
            optimistic_gain=book.optimistic_gain,
            rejected=rejections.total,
        )
    )
    trades = [trade_row(p) for p in (*book.closed, *book.partials)]
    equity = [equity_row(sample) for sample in samples]
    days = [{"date": date, "equity": value} for date, value in daily]
    pending = sorted((order for t in traders for order in t.pending), key=lambda order: order.position_id)
    blocked: dict[str, int] = {}
    for trader in traders:
        for cause, bars in trader.blocked.items():
            blocked[cause] = blocked.get(cause, 0) + bars
    return ReferenceResult(
        trades=trades,
        equity=equity,
        daily=days,
        metrics=metrics,
        summary=summary(
            simulation.curve,
            book.closed,
            book.partials,
            book.ended,
            cash=book.cash,
            total_fees=book.total_fees,
        ),
        open_positions=[position_row(p) for p in book.open],
        pending_orders=[order_row(order) for order in pending],
        ended_orders=[order_row(order) for order in book.ended],
        rejections=rejections.by_reason(),
        rejection_details=rejections.details,
        blocked_bars=blocked,
        invalid_modify=sum(trader.invalid_modify for trader in traders),
        outside_window=sum(
            strategy.rows_outside(trader.traded) for strategy, trader in zip(strategies, traders, strict=True)
        ),
        sizes_raised=sum(trader.execution.sizes_raised for trader in traders),
        sizes_capped=sum(trader.execution.sizes_capped for trader in traders),
        ruined_at=simulation.ruined_at,
        warnings=[text for trader in traders for text in _warnings(trader.spec, options)],
        digests=_digests(trades, days, metrics, equity),
    )


def metrics_rows(metrics: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """The metrics table that enters a digest: canonical order, without those that need `pow`."""
    return [
        {"name": m.name, "value": metrics[m.name], "unit": m.unit}
        for m in CATALOGUE
        if m.name not in _NOT_IN_DIGEST
    ]


def _digests(
    trades: list[dict[str, Any]],
    daily: list[dict[str, Any]],
    metrics: Mapping[str, float | None],
    equity: list[dict[str, Any]],
) -> dict[str, str]:
    parts = {
        "trades": table_digest("trades", trades),
        "daily": table_digest("daily", daily),
        "metrics": table_digest("metrics", metrics_rows(metrics)),
    }
    return {**parts, "result": result_digest(**parts), "equity": table_digest("equity", equity)}


def _warnings(spec: SymbolSpec, options: Options) -> list[str]:
    """A tick value that contradicts the contract size."""
    if spec.tick_value is None or spec.quote_currency != options.currency:
        return []
    implied = spec.tick_value / spec.tick_size
    if abs(implied - spec.contract_size) <= 1e-6 * spec.contract_size:
        return []
    return [
        f"{spec.symbol}: tick_value / tick_size = {implied!r} differs from contract_size = {spec.contract_size!r}"
    ]
