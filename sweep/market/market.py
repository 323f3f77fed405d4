"""`Market`: the bars of one dataset, bid and ask, with a content digest."""

from __future__ import annotations

import json
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

    def __init__(self, core: _core.Market, *, sources: Sequence[Mapping[str, Any]] = ()) -> None:
        """Wraps a native market; `sources` are notes on its files for the report."""
        self.core = core
        self._sources = [dict(source) for source in sources]
        self._meta: dict[str, Any] = json.loads(core.meta())

    @classmethod
    def read(cls, *, symbol_specs: Mapping[str, Any] | str | Path | None = None, **keys: Any) -> Market:
        """Reads bars from files; `keys` are those of the section `market` of a config.

        `symbol`, `timeframe` and `bid` + `ask` (paths), or `file` with `spread_pips`; then `window` (start, end),
        `warmup_bars`, `stamp`, `columns`, `time_zone`, `assume_utc`, `epoch_unit`, `cast`, `duplicates`, `crossed`,
        `max_alignment_loss`. `symbol_specs` replaces fields of the built-in symbol table.

        Example:
            `Market.read(bid="b.parquet", ask="a.parquet", symbol="GBPUSD", timeframe="M5")`

        Raises:
            SweepError: stage config for the keys, stage data for the files (the data contract).
        """
        from sweep.market.load import load

        return load(_section(keys), symbol_specs)

    @classmethod
    def from_arrow(
        cls,
        bid: Any,
        ask: Any = None,
        *,
        symbol_specs: Mapping[str, Any] | str | Path | None = None,
        **keys: Any,
    ) -> Market:
        """Bars from tables in memory that speak Arrow (PyArrow, pandas, polars); one side with `spread_pips`.

        The rules and the other `keys` are those of `read`.

        Raises:
            SweepError: as `read`; [1004] if a table does not speak Arrow.
        """
        from sweep.market.load import from_tables

        named = {"file": "bid"} if ask is None else {"bid": "bid", "ask": "ask"}
        config = _section({**keys, **named})
        return from_tables(config, _table(bid), None if ask is None else _table(ask), symbol_specs)

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
    def from_table(cls, table: pa.Table, meta: Mapping[str, Any]) -> Market:
        """A market from what `to_table` and `meta` gave; the values are trusted and the memory is shared.

        The table must never be written again.
        """
        from sweep import _core

        return cls(_core.Market.from_table(table, json.dumps(dict(meta))))

    def to_table(self) -> pa.Table:
        """All bars in one chunk, without a copy: timestamp, bid_open … bid_volume, ask_open … ask_volume."""
        return read_all(self.core.to_table())

    def window(
        self, start: datetime | date | int | None, end: datetime | date | int | None, warmup_bars: int = 500
    ) -> Market:
        """The bars traded in [start, end), with up to `warmup_bars` before them for indicators.

        Bounds are dates (00:00 UTC), datetimes (UTC if they have no zone) or microseconds; None is the market's own.

        Raises:
            SweepError: [1010] no bar in the window.
        """
        return Market(self.core.window(_micros(start), _micros(end), warmup_bars), sources=self._sources)

    @property
    def meta(self) -> dict[str, Any]:
        """What `from_table` needs beside the rows: spec, timeframe, trade_from, trade_until, history_from (us)."""
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
        return {**json.loads(self.core.report()), "sources": [dict(source) for source in self._sources]}

    def __len__(self) -> int:
        """Number of bars held."""
        return self.bars

    def __repr__(self) -> str:
        """Symbol, timeframe, size and digest."""
        return f"Market({self.symbol} {self.timeframe}, {self.bars} bars, digest {self.digest[:12]})"


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
