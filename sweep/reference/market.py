"""What the reference engine runs on: bars of both sides, the symbol's specification and the traded window."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sweep.errors import error

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
_UNITS: Final = {"M": 60_000_000, "H": 3_600_000_000, "D": 86_400_000_000, "W": 604_800_000_000}
_TIMEFRAME: Final = re.compile(r"([MHDW])([1-9][0-9]*)")


def timeframe_micros(timeframe: str) -> int:
    """Length of a timeframe such as M5 in microseconds. Raises [1009] for anything else."""
    match = _TIMEFRAME.fullmatch(timeframe)
    if match is None:
        raise error(
            1009, f"{timeframe!r} is no timeframe", remedy="use M, H, D or W and a whole number, such as M5"
        )
    return _UNITS[match[1]] * int(match[2])


@dataclass(frozen=True, slots=True)
class SymbolSpec:
    """Units of a symbol: lots, pips and ticks in its quote currency."""

    symbol: str
    contract_size: float
    pip_size: float
    tick_size: float
    volume_min: float
    volume_step: float
    volume_max: float
    base_currency: str
    quote_currency: str
    tick_value: float | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> SymbolSpec:
        """A specification from a mapping. Raises [1001] for an unknown field, [1008] for a missing, [1003] for a bad one."""
        names = [f.name for f in fields(cls)]
        for name in values:
            if name not in names:
                raise error(
                    1001, f"unknown field {name!r}", where="symbol specification", remedy=", ".join(names)
                )
        missing = [n for n in names if n != "tick_value" and values.get(n) is None]
        if missing:
            raise error(
                1008, f"missing {', '.join(missing)}", where="symbol specification", remedy="give every field"
            )
        spec = cls(**values)
        numbers = {n: getattr(spec, n) for n in names if not n.endswith("currency") and n != "symbol"}
        for name, value in numbers.items():
            if value is not None and not (np.isfinite(value) and value > 0):
                raise error(
                    1003, f"{name} is {value}", where=spec.symbol, remedy="give a finite number above 0"
                )
        if spec.volume_min > spec.volume_max:
            raise error(1003, "volume_min is above volume_max", where=spec.symbol, remedy="swap them")
        return spec


@dataclass(frozen=True, slots=True)
class Quotes:
    """Bars of one side; float64 arrays of equal length."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    @classmethod
    def of(
        cls,
        open: ArrayLike,
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        volume: ArrayLike | None = None,
    ) -> Quotes:
        """Bars from anything that becomes an array; volume defaults to zero. Raises [1011] for unequal lengths."""
        prices = [np.asarray(x, dtype=np.float64) for x in (open, high, low, close)]
        prices.append(np.zeros(len(prices[0])) if volume is None else np.asarray(volume, dtype=np.float64))
        if len({len(x) for x in prices}) > 1:
            raise error(
                1011, "open, high, low, close and volume differ in length", remedy="give equal lengths"
            )
        return cls(*prices)

    def __len__(self) -> int:
        return len(self.close)


@dataclass(frozen=True, slots=True)
class TickRows:
    """Ticks in the order of the file: times in microseconds, never decreasing."""

    time: Sequence[int]
    bid: Sequence[float]
    ask: Sequence[float]


@dataclass(frozen=True, slots=True)
class ReferenceMarket:
    """Checked bars of one symbol, warm-up first. Times are microseconds since 1970-01-01 UTC.

    Bars with trade_from <= label < trade_until are traded; the earlier ones only feed indicators.
    """

    label: NDArray[np.int64]
    bid: Quotes
    ask: Quotes
    spec: Mapping[str, Any]
    timeframe: str
    timeframe_us: int
    trade_from: int
    trade_until: int
    day: tuple[str, int] = ("UTC", 0)
    """Zone and local hour at which a trading day begins."""
    stale_after: int | None = None
    """Age in primary bars after which a higher bar is not seen."""
    given: Mapping[str, ReferenceMarket] = field(default_factory=dict)
    """Bars of higher timeframes that came as files, by timeframe."""
    ticks: TickRows | None = None
    """What is traded instead of the bars, which the ticks completed."""

    def __post_init__(self) -> None:
        if not len(self.label) == len(self.bid) == len(self.ask):
            raise error(
                1011, "labels, bids and asks differ in length", stage="data", remedy="pair them by label"
            )

    def __len__(self) -> int:
        return len(self.label)

    @classmethod
    def from_table(
        cls,
        table: pa.Table,
        meta: Mapping[str, Any],
        given: Mapping[str, ReferenceMarket] | None = None,
        ticks: TickRows | None = None,
    ) -> ReferenceMarket:
        """The market that `Market.to_table()` and `Market.meta` describe, with given higher timeframes."""
        day = meta.get("day") or {"zone": "UTC", "start_hour": 0}

        def side(name: str) -> Quotes:
            return Quotes.of(
                *(table[f"{name}_{f}"].to_numpy() for f in ("open", "high", "low", "close", "volume"))
            )

        return cls(
            label=table["timestamp"].cast("int64").to_numpy(),
            bid=side("bid"),
            ask=side("ask"),
            spec=meta["spec"],
            timeframe=meta["timeframe"],
            timeframe_us=timeframe_micros(meta["timeframe"]),
            trade_from=meta["trade_from"],
            trade_until=meta["trade_until"],
            day=(day["zone"], day["start_hour"]),
            stale_after=meta.get("stale_after"),
            given=given or {},
            ticks=ticks,
        )

    @property
    def forming(self) -> int:
        """Label of the bar that the last tick lies in."""
        from sweep.reference.higher import Day, bucket

        assert self.ticks is not None
        return bucket(self.timeframe, Day(*self.day), self.ticks.time[-1])[0]

    def traded(self) -> Sequence[int]:
        """Indices of the traded bars. Raises [1010] if there is none; ticks may have completed none."""
        inside = np.flatnonzero((self.label >= self.trade_from) & (self.label < self.trade_until))
        if len(inside) == 0:
            if self.ticks is not None:
                return range(0)
            raise error(1010, "no bar lies in the window", stage="data", remedy="widen market.window")
        return range(int(inside[0]), int(inside[-1]) + 1)

    def with_spread(self, multiplier: float) -> ReferenceMarket:
        """The market with every positive spread multiplied; 1 changes nothing."""
        if multiplier == 1:
            return self

        def widen(bid: Floats, ask: Floats) -> Floats:
            return np.where(ask > bid, bid + (ask - bid) * multiplier, ask)

        b, a = self.bid, self.ask
        columns = [widen(b.open, a.open), widen(b.high, a.high), widen(b.low, a.low), widen(b.close, a.close)]
        high, low = np.maximum.reduce(columns), np.minimum.reduce(columns)
        given = {timeframe: market.with_spread(multiplier) for timeframe, market in self.given.items()}
        ask = Quotes(columns[0], high, low, columns[3], a.volume)
        ticks = self.ticks
        if ticks is not None:
            wide = widen(np.asarray(ticks.bid), np.asarray(ticks.ask))
            ticks = TickRows(ticks.time, ticks.bid, wide.tolist())
        return replace(self, ask=ask, given=given, ticks=ticks)
