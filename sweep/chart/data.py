"""What a chart of a backtest shows, as plain arrays: few enough points to stay usable, none of them invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sweep.errors import error

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]

CANDLES: Final = 1500
"""Up to so many bars each is drawn as a candle."""
POINTS: Final = 3000
"""Longer series are cut into so many stretches, of which the extremes stay."""


@dataclass(frozen=True)
class Prices:
    """Bid bars of the traded window, or stretches of equally many: first open, highest, lowest, last close."""

    symbol: str
    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    bars: int
    """Bars that they were made of."""

    @property
    def exact(self) -> bool:
        """Whether every element is one bar."""
        return self.bars == len(self.time)

    @classmethod
    def of(cls, market: Any, first: int) -> Prices:
        """Bars of a market from the label `first` (us) on."""
        table = market.to_table()
        label: Ints = table["timestamp"].to_numpy().astype(np.int64)
        start = int(np.searchsorted(label, first))
        columns = {n: table[f"bid_{n}"].to_numpy()[start:] for n in ("open", "high", "low", "close")}
        count = len(label) - start
        starts = _starts(count, count if count <= CANDLES else POINTS)
        ends = np.append(starts[1:], count) - 1
        return cls(
            symbol=market.symbol,
            time=times(label[start:][starts]),
            open=columns["open"][starts],
            high=np.maximum.reduceat(columns["high"], starts),
            low=np.minimum.reduceat(columns["low"], starts),
            close=columns["close"][ends],
            bars=count,
        )


@dataclass(frozen=True)
class Trades:
    """Rows of the trades table of one symbol, in its order; a missing target is NaN."""

    table: pa.Table

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    def time(self, name: str) -> Times:
        """A column of times."""
        return times(self.table[name].to_numpy().astype(np.int64))

    def number(self, name: str) -> Floats:
        """A column of numbers."""
        found: Floats = self.table[name].to_numpy().astype(np.float64)
        return found

    def text(self, name: str) -> list[str]:
        """A column of texts."""
        return [str(value) for value in self.table[name].to_pylist()]

    @property
    def long(self) -> npt.NDArray[np.bool_]:
        """Which rows are long."""
        return np.array([side == "long" for side in self.text("direction")], dtype=bool)

    @property
    def net(self) -> Floats:
        """Result after fees."""
        return self.number("result") - self.number("total_fee")

    @property
    def moved(self) -> npt.NDArray[np.bool_]:
        """Rows whose stop at the end was not the initial one."""
        return np.asarray(self.number("stop_loss") != self.number("initial_stop_loss"))


@dataclass(frozen=True)
class Curve:
    """A series of samples, thinned to those where a stretch begins, ends, is highest and is lowest."""

    time: Times
    value: Floats

    @classmethod
    def of(cls, label: Ints, value: Floats) -> Curve:
        """The samples that are drawn."""
        at = thinned(value)
        return cls(times(label[at]), value[at])


@dataclass(frozen=True)
class Picture:
    """All that a chart shows."""

    title: str
    prices: tuple[Prices, ...]
    """One per symbol."""
    trades: tuple[Trades, ...]
    """One per symbol."""
    open: tuple[list[dict[str, Any]], ...]
    """Positions left open, per symbol."""
    equity: Curve
    drawdown: Curve

    @classmethod
    def of(cls, backtest: Any) -> Picture:
        """The picture of a `Backtest`. Raises [1007] if it does not know its market."""
        if not backtest.markets:
            raise error(
                1007,
                "this backtest does not know the market that it ran on",
                where="Backtest.plot",
                remedy="run it with sweep.Engine(market, ...).run(params)",
            )
        label: Ints = backtest.equity["timestamp"].to_numpy().astype(np.int64)
        prices = tuple(Prices.of(market, int(label[0])) for market in backtest.markets)
        symbols = [one.symbol for one in prices]
        return cls(
            title=_title(backtest, symbols),
            prices=prices,
            trades=tuple(_of_symbol(backtest.trades, symbol) for symbol in symbols),
            open=tuple(
                [dict(p) for p in backtest.open_positions if p.get("symbol", symbol) == symbol]
                for symbol in symbols
            ),
            equity=Curve.of(label, backtest.equity["equity"].to_numpy()),
            drawdown=Curve.of(label, backtest.equity["drawdown"].to_numpy()),
        )


def times(micros: Ints) -> Times:
    """Times in us UTC as NumPy times."""
    return micros.astype("datetime64[us]")


def opened(positions: list[dict[str, Any]]) -> tuple[Times, Floats]:
    """Times and prices of the entries of positions that are still open."""
    entries = np.array([p["entry_time"] for p in positions], dtype=np.int64)
    return times(entries), np.array([p["entry_price"] for p in positions], dtype=np.float64)


def segments(start: npt.NDArray[Any], end: npt.NDArray[Any], gap: Any) -> npt.NDArray[Any]:
    """start_0, end_0, gap, start_1, …: coordinates of separate pieces of one line."""
    line = np.empty(3 * len(start), dtype=start.dtype)
    line[0::3], line[1::3], line[2::3] = start, end, gap
    return line


def thinned(value: Floats, points: int = POINTS) -> Ints:
    """Indices, ascending, of the samples to draw: all, or first, last, lowest and highest of each stretch."""
    count = len(value)
    if count <= points:
        return np.arange(count)
    starts = _starts(count, points // 4)
    ends = np.append(starts[1:], count)
    chosen = [starts, ends - 1]
    for extreme in (np.argmin, np.argmax):
        chosen.append(np.array([a + extreme(value[a:b]) for a, b in zip(starts, ends, strict=True)]))
    found: Ints = np.unique(np.concatenate(chosen))
    return found


def _starts(count: int, stretches: int) -> Ints:
    """First indices of stretches of equally many elements."""
    stretches = min(stretches, count)
    return np.arange(stretches) * count // max(stretches, 1)


def _of_symbol(table: pa.Table, symbol: str) -> Trades:
    import pyarrow.compute as pc

    return Trades(table.filter(pc.equal(table["symbol"].cast("string"), symbol)))


def _title(backtest: Any, symbols: list[str]) -> str:
    timeframe = backtest.markets[0].timeframe
    net = backtest.metrics["net_profit"]
    bars = backtest.equity.num_rows - 1
    return f"{', '.join(symbols)} {timeframe}, {bars:,} bars, {backtest.trades.num_rows:,} trades, net {net:,.2f}"
