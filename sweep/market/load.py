"""From the section `market` of a config to a market: read, checked, paired, cut to its window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.config.market import MarketConfig
from sweep.market.contract import Bars, Reading, to_bars
from sweep.market.market import Market
from sweep.market.source import read
from sweep.market.specs import symbol_spec
from sweep.market.synthetic import generate

if TYPE_CHECKING:
    import pyarrow as pa


def load(config: MarketConfig, symbol_specs: Mapping[str, Any] | str | Path | None = None) -> Market:
    """The market that a config names, cut to its window with its warm-up bars.

    Raises:
        SweepError: stage data: [3001] [3002] [3004] the file, [1003] to [1011] the data contract; stage config: the
            symbol, the generator's keys, [4001] a format that this version lacks.
    """
    spec = symbol_spec(config.symbol or "", symbol_specs)
    if config.synthetic is not None:
        market = Market(generate(config.synthetic, spec, config.timeframe or ""))
    elif config.file is not None:
        market = pair(config, spec, _file(config, config.file), None)
    else:
        market = pair(config, spec, _file(config, config.bid), _file(config, config.ask))
    return _cut(market, config)


def pair(config: MarketConfig, spec: Mapping[str, Any], bid: Bars, ask: Bars | None) -> Market:
    """A market of both sides, or of one with a fixed spread; the native module checks every value."""
    from sweep import _core

    options = {
        "spec": dict(spec),
        "timeframe": config.timeframe,
        "spread_pips": config.spread_pips,
        "crossed": config.crossed,
        "max_alignment_loss": config.max_alignment_loss,
        "duplicates": config.duplicates,
        "name_bid": bid.notes["name"],
        "name_ask": bid.notes["name"] if ask is None else ask.notes["name"],
    }
    core = _core.Market.from_bars(bid.table, None if ask is None else ask.table, json.dumps(options))
    sides = [("bid", bid)] if ask is None else [("bid", bid), ("ask", ask)]
    return Market(core, sources=[{"side": side, **bars.notes} for side, bars in sides])


def from_tables(
    config: MarketConfig,
    bid: pa.Table,
    ask: pa.Table | None,
    symbol_specs: Mapping[str, Any] | str | Path | None,
) -> Market:
    """A market from raw tables in memory, by the same rules as from files."""
    spec = symbol_spec(config.symbol or "", symbol_specs)
    reading = Reading.of(config)
    sides = to_bars(bid, "bid", reading), None if ask is None else to_bars(ask, "ask", reading)
    return _cut(pair(config, spec, *sides), config)


def _file(config: MarketConfig, name: str | None) -> Bars:
    path = Path(name or "").expanduser()
    reading = Reading.of(config)
    return to_bars(read(path, reading), str(path), reading)


def _cut(market: Market, config: MarketConfig) -> Market:
    start, end = config.window
    if start is None and end is None:
        return market
    return market.window(start, end, config.warmup_bars)
