"""From the section `market` of a config to a market: read, checked, paired, cut to its window."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.config.market import MarketConfig, micros
from sweep.errors import SweepError, error
from sweep.market.cache import DatasetCache, Request
from sweep.market.contract import Bars, Reading, Ticks, by_side, has_sides, to_bars, to_ticks
from sweep.market.market import Market
from sweep.market.source import read
from sweep.market.specs import symbol_spec
from sweep.market.synthetic import generate

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from sweep.config.market import HigherConfig

Specs = Mapping[str, Any] | str | Path | None


def load(config: MarketConfig, symbol_specs: Specs = None, *, cache: DatasetCache | None = None) -> Market:
    """The market that a config names, with its given higher timeframes, cut to its window with its warm-up bars.

    Args:
        config: the section `market`.
        symbol_specs: fields over the built-in table, or a YAML file of them.
        cache: where imported data are kept; None reads the files every time.

    Raises:
        SweepError: stage data: [3001] [3002] [3004] the file, [1003] to [1011] the data contract, [3008] a dataset that
            is not what was recorded; stage config: the symbol, the generator's keys.
    """
    spec = symbol_spec(config.symbol or "", symbol_specs)
    whole = _whole(config, spec, cache)
    given = []
    for timeframe, files in config.higher.items():
        if files is not None:
            with _placed(f"market.higher.{timeframe}"):
                given.append(_whole(higher_config(config, timeframe, files), spec, cache, stamp=config.stamp))
    start, end = (_micros(bound) for bound in config.window)
    if given:
        # A window of a market with given higher timeframes cuts them by their own bars.
        market = whole.with_higher(given)
        return market if (start, end) == (None, None) else market.window(start, end, config.warmup_bars)
    if (start, end) == (None, None):
        return whole
    if cache is None or config.synthetic is not None:
        return whole.window(start, end, config.warmup_bars)
    return cache.windowed(whole, start, end, config.warmup_bars)


def load_all(
    sections: Sequence[MarketConfig], symbol_specs: Specs = None, *, cache: DatasetCache | None = None
) -> tuple[Market, ...]:
    """The markets of all symbols, each by `load`."""
    return tuple(load(section, symbol_specs, cache=cache) for section in sections)


def higher_config(config: MarketConfig, timeframe: str, files: HigherConfig) -> MarketConfig:
    """The section that reads the files of a higher timeframe: that of the market, with these files."""
    own = {"bid": files.bid, "ask": files.ask, "file": files.file, "spread_pips": files.spread_pips}
    none: dict[str, Any] = {
        "ticks": None,
        "synthetic": None,
        "higher": {},
        "window": (None, None),
        "stamp": "open",
    }
    return config.model_copy(update={**own, **none, "timeframe": timeframe, "stale_after": None})


def load_rates(
    series: Mapping[str, MarketConfig], symbol_specs: Specs = None, *, cache: DatasetCache | None = None
) -> dict[str, Market]:
    """The rate series of a config: one market per pair; a mistake in its section is named as a key of `rates`."""
    markets = {}
    for pair, config in series.items():
        with _placed(f"rates.series.{pair}"):
            markets[pair] = load(config, symbol_specs, cache=cache)
    return markets


@contextmanager
def _placed(section: str) -> Iterator[None]:
    """Names a mistake in a section that is read like `market` as one of its own keys."""
    try:
        yield
    except SweepError as problem:
        if problem.stage != "config" or not problem.where.startswith("market."):
            raise
        place = f"{section}.{problem.where.removeprefix('market.')}"
        raise error(problem.code, problem.what, where=place, remedy=problem.remedy) from None


def from_tables(config: MarketConfig, tables: Mapping[str, pa.Table], symbol_specs: Specs) -> Market:
    """A market from raw tables in memory, by role (bid, ask, file, ticks) and by the same rules as from files."""
    spec = symbol_spec(config.symbol or "", symbol_specs)
    reading = Reading.of(config)
    sides = _sides({role: (table, role) for role, table in tables.items()}, reading)
    market = _assembled(config, spec, sides, None)
    start, end = (_micros(bound) for bound in config.window)
    return market if (start, end) == (None, None) else market.window(start, end, config.warmup_bars)


def _whole(
    config: MarketConfig, spec: Mapping[str, Any], cache: DatasetCache | None, stamp: str | None = None
) -> Market:
    """All rows of a market; `stamp` is that of the files of a higher timeframe, whose bars differ in length."""
    if config.synthetic is not None:
        options = {key: value for key, value in _alignment(config).items() if value is not None}
        return Market(generate(config.synthetic, spec, config.timeframe or "", options))
    files = {role: Path(name).expanduser().absolute() for role, name in sides_of(config).items()}
    if cache is None:
        return _read(config, spec, files, stamp)
    request = Request(files, _decisive(config, spec, stamp))
    market = cache.get(request)
    if market is not None:
        return market
    stamps = request.stamps()
    return cache.put(request, _read(config, spec, files, stamp), stamps)


def sides_of(config: MarketConfig) -> dict[str, str]:
    """Paths of the rows by role: bid and ask, file, or ticks."""
    named = {role: getattr(config, role) for role in ("bid", "ask", "file", "ticks")}
    return {role: path for role, path in named.items() if path is not None}


def _decisive(config: MarketConfig, spec: Mapping[str, Any], stamp: str | None) -> dict[str, Any]:
    """Every option that decides which rows the files give."""
    elsewhere = {"bid", "ask", "file", "ticks", "synthetic", "higher", "window", "warmup_bars"}
    options = config.model_dump(mode="json", exclude=elsewhere, warnings=False)
    return {**options, "spec": dict(spec), "higher_stamp": stamp}


def _read(
    config: MarketConfig, spec: Mapping[str, Any], files: Mapping[str, Path], stamp: str | None
) -> Market:
    reading = Reading.of(config)
    sides = _sides({role: (read(path, reading), str(path)) for role, path in files.items()}, reading)
    return _assembled(config, spec, sides, stamp)


def _sides(tables: Mapping[str, tuple[pa.Table, str]], reading: Reading) -> dict[str, Bars | Ticks]:
    """Bars by side, or ticks, of raw tables and their names by role."""
    convert = to_ticks if reading.kind == "ticks" else to_bars
    sides: dict[str, Bars | Ticks] = {}
    for role, (table, name) in tables.items():
        if role == "file" and has_sides(table.column_names, reading):
            for side, part in by_side(table, name, reading).items():
                sides[side] = to_bars(part, f"{name} ({side})", reading)
        else:
            sides[role] = convert(table, name, reading)
    return sides


def _assembled(
    config: MarketConfig, spec: Mapping[str, Any], sides: Mapping[str, Bars | Ticks], stamp: str | None
) -> Market:
    """A market of both sides, of one with a fixed spread, or of ticks; the native module checks every value."""
    from sweep import _core

    options: dict[str, Any] = {"spec": dict(spec), "timeframe": config.timeframe, "crossed": config.crossed}
    options |= {key: value for key, value in _alignment(config).items() if value is not None}
    sources = [{"side": role, **rows.notes} for role, rows in sides.items()]
    if "ticks" in sides:
        options["name"] = sides["ticks"].notes["name"]
        return Market(_core.Market.from_ticks(sides["ticks"].table, json.dumps(options)), sources=sources)
    bid, ask = sides.get("bid", sides.get("file")), sides.get("ask")
    assert bid is not None
    _check_spread(config, bid, ask)
    options |= {
        "spread_pips": config.spread_pips,
        "max_alignment_loss": config.max_alignment_loss,
        "duplicates": config.duplicates,
        "name_bid": bid.notes["name"],
        "name_ask": (ask or bid).notes["name"],
    }
    if stamp is not None:
        options["higher_stamp"] = stamp
    core = _core.Market.from_bars(bid.table, None if ask is None else ask.table, json.dumps(options))
    return Market(core, sources=sources)


def _check_spread(config: MarketConfig, bid: Bars | Ticks, ask: Bars | Ticks | None) -> None:
    """One side needs a spread, two have their own."""
    if ask is None and config.spread_pips is None:
        what = f"spread_pips is missing: {bid.notes['name']} has one side only"
        raise error(1008, what, where="market.spread_pips", remedy="one-sided data need it; 0 is allowed")
    if ask is not None and config.spread_pips is not None:
        what = f"spread_pips is for one side: {config.file or 'the table'} has bids and asks"
        raise error(1006, what, where="market.spread_pips", remedy="leave it out")


def _alignment(config: MarketConfig) -> dict[str, Any]:
    """Trading days, staleness and filter, as far as they are not the defaults."""
    day = config.day.model_dump()
    return {
        "day": None if day == {"zone": "UTC", "start_hour": 0} else day,
        "stale_after": config.stale_after,
        "filter": None if config.filter == "none" else config.filter,
    }


def _micros(bound: datetime | None) -> int | None:
    return None if bound is None else micros(bound)
