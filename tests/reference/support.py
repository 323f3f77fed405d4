"""Helpers: markets and runs of the reference engine from plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.reference.engine import run
from sweep.reference.market import Quotes, ReferenceMarket, timeframe_micros
from sweep.reference.result import ReferenceResult
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
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


def market_of_case(case: Case) -> ReferenceMarket:
    """The market of a vector."""
    return market_of(case.labels(), case.columns("bid"), case.columns("ask"), spec=SPECS[case.symbol])


def run_case(case: Case) -> ReferenceResult:
    """The backtest of a vector."""
    rules = Rules(timeout_minutes=case.timeout_minutes, timeout_bars=case.timeout_bars)
    strategy = SignalTable(case.signals, case.exits, rules)
    return run(market_of_case(case), case.full_options(), strategy, {})


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


__all__ = ["MINUTE_US", "bars", "market_of", "market_of_case", "market_of_golden", "rates_of", "run_case"]
