"""`Market`: the bars of one dataset, bid and ask, with a content digest."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.arrow import read_all

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep import _core
    from sweep.config.market import MarketConfig

_SYNTHETIC = frozenset({"symbol", "timeframe", "window", "warmup_bars"})


class Market:
    """Bars of one symbol and timeframe, bid and ask, checked; immutable, shared by engines without a copy.

    Made by `read`, `from_arrow` or `synthetic`. Bars have a label (their open time) in microseconds UTC.
    """

    def __init__(
        self,
        core: _core.Market,
        *,
        sources: Sequence[Mapping[str, Any]] = (),
        notes: Mapping[str, Any] | None = None,
    ) -> None:
        """Wraps a native market; `sources` are notes on its files for the report, `notes` those of an earlier import."""
        self.core = core
        self._sources = [dict(source) for source in sources]
        self._notes = None if notes is None else dict(notes)
        self._meta: dict[str, Any] = json.loads(core.meta())

    @classmethod
    def read(
        cls, *, symbol_specs: Mapping[str, Any] | str | Path | None = None, cache: bool = False, **keys: Any
    ) -> Market:
        """Reads bars or ticks from files; `keys` are those of the section `market` of a config.

        `symbol`, `timeframe` and `bid` + `ask` (paths), or `file` (with `spread_pips`, unless it has columns
        `bid_open` … `ask_close`), or `ticks`; then `higher`,
        `window` (start, end), `warmup_bars`, `stamp`, `columns`, `csv`, `time_format`, `time_zone`, `assume_utc`,
        `epoch_unit`, `cast`, `duplicates`, `crossed`, `max_alignment_loss`, `filter`, `day`, `stale_after`.
        `symbol_specs` replaces fields of the built-in symbol table. With `cache` the rows are kept in the dataset cache
        of SWEEP_HOME and mapped into memory from there; where that fails, a warning says why.

        Example:
            `Market.read(bid="b.parquet", ask="a.parquet", symbol="GBPUSD", timeframe="M5")`

        Raises:
            SweepError: stage config for the keys, stage data for the files (the data contract).
        """
        from sweep.config.load import home_folder
        from sweep.market.cache import DatasetCache
        from sweep.market.load import load

        datasets = DatasetCache(home_folder()) if cache else None
        market = load(_section(keys), symbol_specs, cache=datasets)
        for text in () if datasets is None else datasets.warnings:
            warnings.warn(text, stacklevel=2)
        return market

    @classmethod
    def from_arrow(
        cls,
        bid: Any = None,
        ask: Any = None,
        *,
        ticks: Any = None,
        symbol_specs: Mapping[str, Any] | str | Path | None = None,
        **keys: Any,
    ) -> Market:
        """Bars from tables in memory that speak Arrow (PyArrow, pandas, polars): bid and ask, one table of both (as
        `to_table` gives), or one side with `spread_pips`; or `ticks`.

        The rules and the other `keys` are those of `read`.

        Raises:
            SweepError: as `read`; [1004] if a table does not speak Arrow.
        """
        from sweep.market.load import from_tables

        if ticks is not None:
            tables = {"ticks": ticks}
        else:
            tables = {"file": bid} if ask is None else {"bid": bid, "ask": ask}
        config = _section({**keys, **{role: role for role in tables}})
        return from_tables(config, {role: _table(table) for role, table in tables.items()}, symbol_specs)

    @classmethod
    def synthetic(cls, *, symbol_specs: Mapping[str, Any] | str | Path | None = None, **keys: Any) -> Market:
        """A generated market, the same on every machine.

        `bars`, `seed`, `start`, `price`, `volatility` (per year), `spread_pips`, `correlation`, `jump_rate`,
        `gap_rate`, `weekends`; and `symbol` [EURUSD], `timeframe` [M5], `window`, `warmup_bars`.

        Example:
            `Market.synthetic(bars=100_000, seed=7)`

        Raises:
            SweepError: [1001] [1003] [1004] [1008] for the keys.
        """
        from sweep.market.load import load

        market = {key: keys.pop(key) for key in list(keys) if key in _SYNTHETIC}
        return load(_section({**market, "synthetic": keys}), symbol_specs)

    @classmethod
    def from_table(
        cls,
        table: pa.Table,
        meta: Mapping[str, Any],
        *,
        sources: Sequence[Mapping[str, Any]] = (),
        notes: Mapping[str, Any] | None = None,
    ) -> Market:
        """A market from what `rows` and `meta` gave; the values are trusted and the memory is shared.

        The table must never be written again. `sources` and `notes` are for the report.
        """
        return cls(_core_of(table, meta), sources=sources, notes=notes)

    def to_table(self) -> pa.Table:
        """All bars in one chunk, without a copy: timestamp, bid_open … bid_volume, ask_open … ask_volume."""
        return read_all(self.core.to_table())

    def rows(self) -> pa.Table:
        """What the market is made of, without a copy: its ticks if there are any, else its bars."""
        ticks = self.ticks_table()
        return self.to_table() if ticks is None else ticks

    def window(
        self, start: datetime | date | int | None, end: datetime | date | int | None, warmup_bars: int = 500
    ) -> Market:
        """The bars traded in [start, end), with up to `warmup_bars` before them for indicators.

        Bounds are dates (00:00 UTC), datetimes (UTC if they have no zone) or microseconds; None is the market's own.

        Raises:
            SweepError: [1010] no bar in the window.
        """
        return self._with(self.core.window(_micros(start), _micros(end), warmup_bars))

    def with_higher(self, given: Sequence[Market], *, trusted: bool = False) -> Market:
        """The same bars with given bars of higher timeframes, which take the place of resampled ones.

        Each is a market of the same symbol with its own timeframe. `trusted` skips the comparison with the primary bars.

        Raises:
            SweepError: [1001] another symbol or no higher timeframe, [1006] bars that do not start where a bar of
                that timeframe starts, or whose stamps are those of their closes, [1010] none is complete.
        """
        return self._with(self.core.with_higher([market.core for market in given], trusted))

    def given_higher(self) -> list[Market]:
        """The bars of higher timeframes that were given."""
        return [Market(core) for core in self.core.given_higher()]

    def hashed(self) -> str:
        """Market digest, computed from the rows even where it is known from a record."""
        return self._again({}).digest

    def with_digest(self, digest: str) -> Market:
        """The same market, its digest taken from a trusted record instead of computed."""
        return self._again({"digest": digest})

    def core_in(self, module: Any) -> Any:
        """The native market in a native module; that of a plug-in gets the same memory."""
        if isinstance(self.core, module.Market):
            return self.core
        core = _core_of(self.rows(), {**self.meta, "digest": self.digest}, module)
        given = [market.core_in(module) for market in self.given_higher()]
        return core.with_higher(given, True) if given else core

    def _again(self, known: Mapping[str, Any]) -> Market:
        return self._with(_core_of(self.rows(), {**self.meta, **known}))

    def resample(self, timeframe: str) -> pa.Table:
        """Bars of a higher timeframe, given or made of the primary bars: timestamp, end, bid_open … ask_volume.

        Only bars that have ended when the last primary bar closes.

        Raises:
            SweepError: [1001] no higher timeframe of this market, [1009] no timeframe, [1006] a day begins inside a bar.
        """
        return read_all(self.core.higher(timeframe))

    def aligned(self, timeframe: str) -> pa.Table:
        """For every primary bar the newest bar of a timeframe that is known at its close.

        Columns: bar (number of that bar, null = none or stale), bid_open … ask_volume (NaN = none or stale).

        Raises:
            SweepError: as `resample`.
        """
        return read_all(self.core.aligned(timeframe))

    def ticks_table(self) -> pa.Table | None:
        """The ticks that the bars were built of: timestamp, bid, ask, bid_size, ask_size; None if there are none."""
        ticks = self.core.ticks_table()
        return None if ticks is None else read_all(ticks)

    @property
    def kind(self) -> str:
        """bars, or ticks."""
        return str(self._meta.get("kind") or "bars")

    @property
    def dataset(self) -> str:
        """Digest that identities name: that of the rows, together with those of given higher timeframes."""
        return str(self.core.dataset)

    @property
    def meta(self) -> dict[str, Any]:
        """What `from_table` needs beside the rows: kind (of ticks), spec, timeframe, trade_from, trade_until, history_from (us)."""
        return dict(self._meta)

    @property
    def symbol(self) -> str:
        """Symbol."""
        return str(self.spec["symbol"])

    @property
    def spec(self) -> dict[str, Any]:
        """Complete symbol specification."""
        return dict(self._meta["spec"])

    @property
    def timeframe(self) -> str:
        """Primary timeframe, for example M5."""
        return str(self._meta["timeframe"])

    @property
    def bars(self) -> int:
        """Number of bars held, warm-up included."""
        return int(self.core.rows)

    @property
    def digest(self) -> str:
        """Market digest of the rows held, lower-case hex."""
        return str(self.core.digest)

    @property
    def report(self) -> dict[str, Any]:
        """What is remarkable but legal: gaps, crossings, jumps and so on; `sources` says what the files held."""
        return {**json.loads(self.core.report()), "import": self.notes, "sources": self.sources}

    @property
    def notes(self) -> dict[str, Any]:
        """What happened when the data were read: `import` of the report."""
        return dict(json.loads(self.core.notes()) if self._notes is None else self._notes)

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What the files held, one entry per side."""
        return [dict(source) for source in self._sources]

    def _with(self, core: _core.Market) -> Market:
        return Market(core, sources=self._sources, notes=self._notes)

    def __len__(self) -> int:
        """Number of bars held."""
        return self.bars

    def __repr__(self) -> str:
        """Symbol, timeframe, size and digest."""
        return f"Market({self.symbol} {self.timeframe}, {self.bars} bars, digest {self.digest[:12]})"


def dataset_of(digests: Mapping[str, str]) -> str:
    """Digest that identities name, of the `Market.dataset` of every symbol: that of one; of several, of all of them."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    return hashlib.sha256("".join(digests[symbol] for symbol in sorted(digests)).encode()).hexdigest()


def _core_of(table: pa.Table, meta: Mapping[str, Any], module: Any = None) -> _core.Market:
    """The native market of rows and meta, in sweep's native module or that of a plug-in; nothing is checked again."""
    from sweep import _core

    cls = (module or _core).Market
    make = cls.from_ticks_table if meta.get("kind") == "ticks" else cls.from_table
    core: _core.Market = make(table, json.dumps(dict(meta)))
    return core


def _section(keys: Mapping[str, Any]) -> MarketConfig:
    from sweep.config.load import section
    from sweep.config.market import MarketConfig

    return section(MarketConfig, keys, "market")


def _table(source: Any) -> pa.Table:
    from sweep.errors import error

    if not hasattr(source, "__arrow_c_stream__"):
        what = f"{type(source).__name__} does not speak Arrow"
        raise error(1004, what, remedy="give a PyArrow table, a pandas or a polars frame", stage="data")
    return read_all(source)


def _micros(bound: datetime | date | int | None) -> int | None:
    if bound is None or isinstance(bound, int):
        return bound
    from sweep.config.market import instant, micros

    return micros(instant(bound))
