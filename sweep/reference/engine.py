"""The reference engine: one backtest, bar by bar."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sweep.errors import error
from sweep.reference.context import Context, Frame, Indicators
from sweep.reference.digest import result_digest, table_digest
from sweep.reference.market import ReferenceMarket, SymbolSpec
from sweep.reference.metrics import CATALOGUE, Inputs, compute
from sweep.reference.metrics.calendar import calendar_of, periods_per_year
from sweep.reference.options import Options
from sweep.reference.orders import Rejections, direction_of, reference_price
from sweep.reference.pooling import pooled
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

    `options` has the sections execution, costs, account, rates, metrics, gates, early_stop; what is left out takes its default.
    `rates` are the markets of the rate series, by pair. Several markets need as many strategies. Raises [1001] [1003]
    [1004] [1008] for bad options, [1010] without bars, [2000] if the strategy fails, [2005] if an amount became infinite, [2008] if an amount has to be
    converted and there is no rate, [4001] for ticks of several symbols.
    """
    markets = [market] if isinstance(market, ReferenceMarket) else list(market)
    strategies = [strategy] if isinstance(strategy, ReferenceStrategy) else list(strategy)
    chosen, widened = _prepared(markets, options, rates)
    simulation = Simulation(widened, chosen, strategies, dict(params), options.get("gates"))
    simulation.run()
    _finite(simulation)
    calendar = chosen.calendar or calendar_of(simulation.labels())
    return _result([simulation], strategies, calendar)


def run_parts(
    markets: Sequence[ReferenceMarket],
    options: Mapping[str, Any],
    strategies: Callable[[], Sequence[ReferenceStrategy]],
    params: Mapping[str, Any],
    rates: Mapping[str, ReferenceMarket] | None,
    parts: Sequence[tuple[int, int]],
) -> ReferenceResult:
    """As `run`, of parts of the window, [from, until) in labels, each from a flat start, pooled.

    `strategies` makes new ones for every part. No trades are counted at a part's middle.
    """
    chosen, widened = _prepared(markets, options, rates)
    limits = {**chosen.early_stop, "min_trades_by_midpoint": None}
    chosen = replace(chosen, early_stop=limits)
    labels = [int(label) for market in widened for label in market.label[market.traded()]]
    simulations: list[Simulation] = []
    used: list[ReferenceStrategy] = []
    for start, end in parts:
        used = list(strategies())
        there = [
            (replace(market, trade_from=start, trade_until=end), strategy)
            for market, strategy in zip(widened, used, strict=True)
            if any(start <= label < end for label in market.label)
        ]
        narrowed, chosen_ones = [market for market, _ in there], [strategy for _, strategy in there]
        simulation = Simulation(narrowed, chosen, chosen_ones, dict(params), options.get("gates"))
        simulation.run()
        _finite(simulation)
        simulations.append(simulation)
        if simulation.stopped:
            break
    return _result(simulations, used, chosen.calendar or calendar_of(labels))


def _prepared(
    markets: Sequence[ReferenceMarket],
    options: Mapping[str, Any],
    rates: Mapping[str, ReferenceMarket] | None,
) -> tuple[Options, list[ReferenceMarket]]:
    sections = {name: section for name, section in options.items() if name != "gates"}
    chosen = Options.of(sections, rates)
    return chosen, [one.with_spread(chosen.spread_multiplier) for one in markets]


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


def _result(
    simulations: Sequence[Simulation], strategies: Sequence[ReferenceStrategy], calendar: str
) -> ReferenceResult:
    pool = pooled(simulations, calendar)
    options, market = simulations[0].options, simulations[0].traders[0].market
    traders = [trader for simulation in simulations for trader in simulation.traders]
    rejections = Rejections()
    for simulation in simulations:
        rejections.pool(simulation.rejections)
    metrics = compute(
        Inputs(
            curves=[([s.timestamp for s in curve], [s.equity for s in curve]) for curve in pool.curves],
            equity=pool.equity,
            daily=[equity for _, equity in pool.daily],
            returns=pool.returns,
            span=pool.span,
            periods_per_year=options.periods_per_year or periods_per_year(calendar, market.timeframe),
            risk_free_annual=options.risk_free_annual,
            trades=pool.closed,
            partials=pool.partials,
            exposed_bars=pool.exposed_bars,
            total_fees=pool.total_fees,
            total_lots=pool.total_lots,
            turnover=pool.turnover,
            optimistic_gain=pool.optimistic_gain,
            rejected=rejections.total,
        )
    )
    samples = [sample for curve in pool.curves for sample in curve]
    trades = [trade_row(p) for p in (*pool.closed, *pool.partials)]
    equity = [equity_row(sample) for sample in samples]
    days = [{"date": date, "equity": value} for date, value in pool.daily]
    blocked: dict[str, int] = {}
    for trader in traders:
        for cause, bars in trader.blocked.items():
            blocked[cause] = blocked.get(cause, 0) + bars
    stopped = simulations[-1].stopped
    ruined = [s.ruined_at for s in simulations if s.ruined_at is not None]
    return ReferenceResult(
        trades=trades,
        equity=equity,
        daily=days,
        metrics=metrics,
        summary=summary(
            samples,
            pool.closed,
            pool.partials,
            pool.ended,
            equity=pool.equity[-1],
            cash=pool.cash,
            total_fees=pool.total_fees,
        ),
        open_positions=[position_row(p) for p in pool.open],
        pending_orders=[order_row(order) for order in pool.pending],
        ended_orders=[order_row(order) for order in pool.ended],
        rejections=rejections.by_reason(),
        rejection_details=rejections.details,
        blocked_bars=blocked,
        invalid_modify=sum(trader.invalid_modify for trader in traders),
        outside_window=sum(
            strategy.rows_outside(trader.traded)
            for strategy, trader in zip(strategies, traders, strict=False)
        ),
        sizes_raised=sum(trader.execution.sizes_raised for trader in traders),
        sizes_capped=sum(trader.execution.sizes_capped for trader in traders),
        ruined_at=ruined[0] if ruined else None,
        stopped=None if stopped is None else asdict(stopped),
        warnings=[text for trader in simulations[0].traders for text in _warnings(trader.spec, options)],
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
