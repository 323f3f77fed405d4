"""Helpers: markets and runs of the reference engine from plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.reference.engine import run
from sweep.reference.market import Quotes, ReferenceMarket, TickRows, timeframe_micros
from sweep.reference.result import ReferenceResult
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from sweep.reference.ticks import bars_from_ticks
from tests.vectors.check import Outcome
from tests.vectors.engine import FIELDS, MINUTE_US, SPECS, START_US, Case
from tests.vectors.golden_g import Golden, golden_g


def market_of(
    label: Sequence[int],
    bid: Mapping[str, Any],
    ask: Mapping[str, Any],
    *,
    spec: Mapping[str, Any] = SPECS["EURUSD"],
    timeframe: str = "M1",
    first: int = 0,
    last: int | None = None,
) -> ReferenceMarket:
    """A market; bars first … last are traded."""
    length = timeframe_micros(timeframe)
    return ReferenceMarket(
        label=np.array(label, dtype=np.int64),
        bid=Quotes.of(**bid),
        ask=Quotes.of(**ask),
        spec=spec,
        timeframe=timeframe,
        timeframe_us=length,
        trade_from=label[first],
        trade_until=label[-1 if last is None else last] + length,
    )


def market_of_case(case: Case, symbol: str | None = None) -> ReferenceMarket:
    """The market of a vector, or of one symbol of it."""
    if case.ticks:
        return ticks_of(*case.quotes(), spec=SPECS[case.symbol])
    sides = (case.columns(side, symbol) for side in ("bid", "ask"))
    return market_of(case.labels(symbol), *sides, spec=SPECS[symbol or case.symbol])


def ticks_of(
    time: Sequence[int], bid: Sequence[float], ask: Sequence[float], *, spec: Mapping[str, Any]
) -> ReferenceMarket:
    """A market of ticks with the M1 bars that they complete; all are traded."""
    made = bars_from_ticks(time, bid, ask, None, "M1")
    return ReferenceMarket(
        label=made.label,
        bid=made.bid,
        ask=made.ask,
        spec=spec,
        timeframe="M1",
        timeframe_us=MINUTE_US,
        trade_from=time[0] // MINUTE_US * MINUTE_US,
        trade_until=time[-1] + 1,
        ticks=TickRows(time, bid, ask),
    )


def run_case(case: Case) -> ReferenceResult:
    """The backtest of a vector."""
    scripts = [
        SignalTable(case.rows_of(case.signals, name), case.rows_of(case.exits, name), Rules(**case.rules))
        for name in case.symbols
    ]
    markets = [market_of_case(case, name) for name in case.symbols]
    return run(markets, case.full_options(), scripts, {})


def outcome_of(result: ReferenceResult) -> Outcome:
    """A result as vectors see it."""
    return Outcome(
        trades=result.trades,
        open=result.open_positions,
        pending=result.pending_orders,
        ended=result.ended_orders,
        equity=[row["equity"] for row in result.equity],
        cash=result.equity[-1]["balance"],
        metrics=result.metrics,
        summary=result.summary,
        blocked=result.blocked_bars,
        rejections=result.rejections,
        counts=vars(result),
    )


def market_of_golden(golden: Golden | None = None) -> ReferenceMarket:
    """Dataset G as a market."""
    g = golden or golden_g()
    return market_of(g.label.tolist(), g.bid, g.ask, spec=g.spec, timeframe=g.timeframe)


def rates_of(**prices: float) -> dict[str, ReferenceMarket]:
    """Markets of rates by pair: one flat hour that ended where the bars of the vectors start."""
    label = START_US - 60 * MINUTE_US
    flat = {pair: {name: [price] for name in FIELDS} for pair, price in prices.items()}
    return {pair: market_of([label], side, side, timeframe="H1") for pair, side in flat.items()}


def bars(prices: Sequence[str], spread: float = 0.0) -> ReferenceMarket:
    """An EURUSD market from bid bars as text."""
    return market_of_case(Case("", prices, [], {}, spread=spread))


__all__ = [
    "MINUTE_US",
    "bars",
    "market_of",
    "market_of_case",
    "market_of_golden",
    "outcome_of",
    "rates_of",
    "run_case",
    "ticks_of",
]
