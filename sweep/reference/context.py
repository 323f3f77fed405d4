"""What a strategy sees at the close of a bar: never anything later."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sweep.errors import error
from sweep.reference.higher import HigherBars, bars_of, higher_timeframe
from sweep.reference.indicators import indicator, indicator_on
from sweep.reference.indicators.candles import Candles
from sweep.reference.market import Floats, Quotes, ReferenceMarket, SymbolSpec
from sweep.reference.numeric import round_dec
from sweep.reference.tick_grid import TickGrid


class Bar(NamedTuple):
    """One bar of one side."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class Series:
    """Handle of an indicator series; only a context can read it."""

    __slots__ = ("_values",)

    def __init__(self, values: Floats) -> None:
        self._values: list[float] = values.tolist()


class NativeSeries:
    """Handle of an indicator over the bars of a higher timeframe; only a context can read it."""

    __slots__ = ("_timeframe", "_values")

    def __init__(self, timeframe: str, values: Floats) -> None:
        self._timeframe = timeframe
        self._values: list[float] = values.tolist()


class Local:
    """Handle of a local form of an indicator, one that is made for a single bar; only a context can read it."""

    __slots__ = ("_at",)

    def __init__(self, at: Callable[[int], Any]) -> None:
        self._at = at


@dataclass(frozen=True, slots=True)
class MarketView:
    """What `prepare` may know about the market: units and labels, no prices."""

    symbol: str
    timeframe: str
    tick_size: float
    pip_size: float
    label: tuple[int, ...]


class Indicators:
    """`ind(id, side="bid", timeframe=None, on=None, **params)`: one handle, or a dict of handles for several outputs; computed once each."""

    def __init__(self, market: ReferenceMarket) -> None:
        self._market = market
        self._known: dict[tuple[Any, ...], Series | dict[str, Series]] = {}

    def __call__(
        self, id: str, side: str = "bid", timeframe: str | None = None, on: str | None = None, **params: Any
    ) -> Any:
        """The handles of an indicator; errors as `indicator` raises them."""
        key = (id, side, timeframe, on, *sorted((name, repr(value)) for name, value in params.items()))
        if key not in self._known:
            output = indicator(self._market, id, side, timeframe, on, **params)
            self._known[key] = (
                {name: Series(x) for name, x in output.items()}
                if isinstance(output, dict)
                else Series(output)
            )
        return self._known[key]

    def local(self, id: str, side: str = "bid", **params: Any) -> Local:
        """An indicator with a parameter `idx`, computed anew at each bar that asks for it."""
        return Local(lambda i: indicator(self._market, id, side, idx=i, **params))

    def native(self, id: str, timeframe: str, side: str = "bid", **params: Any) -> NativeSeries:
        """An indicator with one output over the bars of a higher timeframe, one value per bar of it."""
        name = higher_timeframe(timeframe, self._market.timeframe)
        higher = bars_of(self._market, name)
        quotes = higher.bid if side == "bid" else higher.ask
        candles = Candles.of(
            quotes.open,
            quotes.high,
            quotes.low,
            quotes.close,
            grid=TickGrid.of(self._market.spec["tick_size"]),
        )
        return NativeSeries(name, indicator_on(candles, id, **params))


class Frame:
    """The prices of a backtest as plain lists; contexts are windows on it."""

    def __init__(self, market: ReferenceMarket, spec: SymbolSpec, params: Mapping[str, Any]) -> None:
        self.label: list[int] = market.label.tolist()
        self.timeframe_us = market.timeframe_us
        self.bid = _columns(market.bid)
        self.ask = _columns(market.ask)
        self.spec = spec
        self.grid = TickGrid.of(spec.tick_size)
        self.params = params
        self._market = market
        self._higher: dict[str, HigherBars] = {}
        self.view = MarketView(
            spec.symbol, market.timeframe, spec.tick_size, spec.pip_size, tuple(self.label)
        )

    def higher(self, timeframe: str) -> HigherBars:
        """The bars of a higher timeframe, made once."""
        name = higher_timeframe(timeframe, self._market.timeframe)
        if name not in self._higher:
            self._higher[name] = bars_of(self._market, name)
        return self._higher[name]


def _columns(quotes: Quotes) -> list[Bar]:
    fields = (quotes.open, quotes.high, quotes.low, quotes.close, quotes.volume)
    return [Bar(*row) for row in zip(*(x.tolist() for x in fields), strict=True)]


class Context:
    """All that is known at the close of bar i. Asking for the future, or for a bar before bar 0, is [1003]."""

    __slots__ = ("_frame", "_i")

    def __init__(self, frame: Frame, i: int) -> None:
        self._frame = frame
        self._i = i

    @property
    def i(self) -> int:
        """Index of the bar, counted from the first loaded one."""
        return self._i

    @property
    def label(self) -> int:
        """Open time of the bar, microseconds UTC."""
        return self._frame.label[self._i]

    @property
    def close_time(self) -> int:
        """Close time of the bar, microseconds UTC."""
        return self._frame.label[self._i] + self._frame.timeframe_us

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters of the strategy."""
        return self._frame.params

    @property
    def tick_size(self) -> float:
        """Tick size of the symbol."""
        return self._frame.spec.tick_size

    @property
    def pip_size(self) -> float:
        """Pip size of the symbol."""
        return self._frame.spec.pip_size

    def bid(self, m: int = 0) -> Bar:
        """The bid bar m bars ago."""
        return self._frame.bid[self._at(m)]

    def ask(self, m: int = 0) -> Bar:
        """The ask bar m bars ago."""
        return self._frame.ask[self._at(m)]

    def value(self, series: Series, m: int = 0) -> float:
        """The value of a series m bars ago; NaN where it is undefined."""
        return series._values[self._at(m)]

    def history(self, series: Series) -> list[float]:
        """The values of a series at bars 0 to i."""
        return series._values[: self._i + 1]

    def local(self, handle: Local) -> Any:
        """The local form of an indicator at bar i: a number, or a dict of the first bar and the values up to i."""
        return handle._at(self._i)

    def visible(self, timeframe: str, m: int = 0) -> int:
        """Index of the newest bar of a higher timeframe that was visible m bars ago, -1 for none."""
        return int(self._frame.higher(timeframe).newest[self._at(m)])

    def higher(self, timeframe: str, side: str = "bid", m: int = 0) -> Bar | None:
        """The m-th newest visible bar of a higher timeframe; None where there is none."""
        bars = self._frame.higher(timeframe)
        k = self._back(self.visible(timeframe), m)
        if k is None:
            return None
        quotes = bars.bid if side == "bid" else bars.ask
        columns = (quotes.open, quotes.high, quotes.low, quotes.close, quotes.volume)
        return Bar(*(float(column[k]) for column in columns))

    def native(self, series: NativeSeries, m: int = 0) -> float:
        """The value at the m-th newest visible bar of its timeframe; NaN where there is none."""
        k = self._back(self.visible(series._timeframe), m)
        return math.nan if k is None else series._values[k]

    def round(self, x: float) -> float:
        """A price on the tick grid, halves away from zero; with the parameter round_digits to that many decimals."""
        digits = self._frame.params.get("round_digits")
        return self._frame.grid.round(x) if digits is None else round_dec(x, digits)

    @staticmethod
    def _back(newest: int, m: int) -> int | None:
        """Index of the bar m before the newest one. Raises [1003] for a later bar."""
        if m < 0:
            raise error(1003, f"bar {-m} after the newest is not reachable", remedy="ask for 0 or more")
        return newest - m if newest - m >= 0 else None

    def _at(self, m: int) -> int:
        if m < 0 or m > self._i:
            raise error(
                1003,
                f"{m} bars ago is not reachable",
                where=f"bar {self._i}",
                remedy="ask for 0 to i bars ago",
                stage="engine",
            )
        return self._i - m
