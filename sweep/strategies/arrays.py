"""The market as a vectorised function sees it: read-only arrays over the memory of the engine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sweep.arrow import numbers, read_all
from sweep.errors import error

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
_FIELDS: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Quotes:
    """Prices of one side, and the volume; one value per bar."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


@dataclass(frozen=True, slots=True)
class HigherQuotes:
    """Bars of a higher timeframe, one value per bar of it."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    label: Longs
    """Open times, µs UTC."""
    end_time: Longs
    """Ends, µs UTC; a bar is visible from its end on."""


class MarketArrays:
    """All loaded bars of one symbol, as the engine trades them. Nothing of it can be written to."""

    def __init__(self, core: Any) -> None:
        self._core = core
        meta = json.loads(core.meta())
        spec = meta["spec"]
        self.symbol: str = spec["symbol"]
        self.timeframe: str = meta["timeframe"]
        self.tick_size: float = spec["tick_size"]
        self.pip_size: float = spec["pip_size"]
        table = read_all(core.to_table())
        self.label: Longs = _longs(table["timestamp"])
        """Open times, µs UTC."""
        self.n = len(self.label)
        """Number of bars."""
        self.close_time: Longs = _longs(read_all(core.higher(self.timeframe))["end"])
        """Moments of decision: the ends of the bars, µs UTC."""
        self.bid = Quotes(*(numbers(table[f"bid_{name}"]) for name in _FIELDS))
        self.ask = Quotes(*(numbers(table[f"ask_{name}"]) for name in _FIELDS))

    def higher(self, timeframe: str, side: str = "bid") -> HigherQuotes:
        """Bars of a higher timeframe, given or made of the primary ones.

        Raises:
            SweepError: [1001] for one that the market does not have, or another side than bid and ask.
        """
        if side not in ("bid", "ask"):
            raise error(1001, f"unknown side {side!r}", where="higher", remedy="bid or ask")
        table = read_all(self._core.higher(timeframe))
        quotes = {name: numbers(table[f"{side}_{name}"]) for name in _FIELDS}
        return HigherQuotes(**quotes, label=_longs(table["timestamp"]), end_time=_longs(table["end"]))

    def visible(self, timeframe: str) -> Longs:
        """Index of the newest bar of a higher timeframe that is visible at the close of each bar, -1 for none."""
        column = read_all(self._core.aligned(timeframe))["bar"]
        return _longs(column.fill_null(-1))

    @cached_property
    def _grid(self) -> tuple[float, float]:
        exact = Fraction(repr(self.tick_size))
        return float(exact.numerator), float(exact.denominator)

    def rounded(self, x: Any, digits: int | None) -> Any:
        """Prices on the tick grid, halves away from zero; or to decimals of their exact value, halves to even."""
        values = np.asarray(x, dtype=np.float64)
        if digits is not None:
            rounded = np.array(
                [round(value, digits) if np.isfinite(value) else value for value in values.ravel().tolist()]
            )
            result = rounded.reshape(values.shape)
        else:
            m, n = self._grid
            with np.errstate(invalid="ignore"):
                scaled = values * n / m
                whole = np.trunc(scaled)
                ticks = whole + np.where(np.abs(scaled - whole) >= 0.5, np.sign(scaled), 0.0)
            result = ticks * m / n
        return result if values.ndim else float(result)


class MarketOfTrial:
    """`MarketArrays` with the rounding of one parameter set."""

    def __init__(self, arrays: MarketArrays, digits: int | None) -> None:
        self._arrays = arrays
        self._digits = digits

    def __getattr__(self, name: str) -> Any:
        return getattr(self._arrays, name)

    def round(self, x: Any) -> Any:
        """Prices on the symbol's tick grid, halves away from zero; with the parameter `round_digits` to that many decimals.

        A number or an array in, the same out; NaN stays NaN.
        """
        return self._arrays.rounded(x, self._digits)


class IndicatorsOf:
    """`ind(id, side="bid", timeframe=None, on=None, **params)`: any indicator of the catalogue as a read-only array with one value per
    bar, or a dict of arrays. Of an engine's symbol, series are computed once per worker; or of a market alone.
    """

    def __init__(self, engine: Any = None, symbol: int = 0, *, market: Any = None) -> None:
        self._engine = engine
        self._symbol = symbol
        self._market = market

    def __call__(
        self, id: str, side: str = "bid", timeframe: str | None = None, on: str | None = None, **params: Any
    ) -> Any:
        """Values known at the close of each bar, NaN where there are none; errors as `sweep.indicator`."""
        if self._market is None:
            outputs = self._engine.indicator(self._symbol, id, side, timeframe, on, params)
        else:
            from sweep import _core

            outputs = _core.indicator(self._market, id, side, timeframe, on, params)
        values = {name: _value(output) for name, output in outputs}
        return next(iter(values.values())) if len(values) == 1 else values


def _value(output: Any) -> Any:
    return output if isinstance(output, int | float) else numbers(read_all(output).column(0))


def _longs(column: Any) -> Longs:
    """Times, µs, and whole numbers."""
    return numbers(column.cast("int64"))
