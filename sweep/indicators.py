"""Indicators by name, and their catalogue, from the declarations in Rust."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from sweep.arrow import read_all
from sweep.errors import error

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.market.market import Market

Floats = NDArray[np.float64]
Output = Floats | float | int
_PRICES: Final = ("open", "high", "low", "close")


def indicator(
    market: Market | Mapping[str, Any] | Any,
    id: str,
    side: str = "bid",
    timeframe: str | None = None,
    *,
    on: str | None = None,
    tick_size: float | None = None,
    **params: Any,
) -> Output | dict[str, Output]:
    """Values of an indicator, known at the close of each bar; NaN where there is none.

    Args:
        market: Bars; or one-dimensional arrays of equal length by name (open, high, low, close; those left out are the
            close); or a table with these columns that speaks Arrow (PyArrow, pandas, polars), others being ignored.
        id: Name in the catalogue (`sweep indicators`).
        side: bid or ask, of a market. Arrays have one side.
        timeframe: Of a market: the primary one, or a higher one. What is known of it at the close of each primary bar.
        on: Of a higher timeframe: `bars` runs over its bars and repeats each value until the next, `raster` over the
            newest known bar of every primary bar, so that a bar counts as often as it is repeated. Default: `bars` for
            the ids that end in `_stepwise`, `raster` for the others.
        tick_size: Of arrays: above 0; averages of prices on this grid are exact. A market has its own.
        params: Parameters of the indicator.

    Returns:
        A float64 array with one value per bar, or a dict in the documented order where there are several outputs. Local
        forms with `idx` give the values of one bar.

    Example:
        `sweep.indicator(market, "kalman_zscore", window=100, r=0.5, q=0.1)`

    Raises:
        SweepError: [1001] an unknown name, [1003] out of range, [1004] a wrong type, [1006] a timeframe of arrays or a
            tick size of a market, [1008] a parameter is missing, [1009] no timeframe, [1011] arrays of different length.
    """
    from sweep import _core
    from sweep.market.market import Market

    _text("id", id)
    _text("side", side)
    for name, text in (("timeframe", timeframe), ("on", on)):
        if text is not None:
            _text(name, text)
    if isinstance(market, Market):
        if tick_size is not None:
            raise error(1006, "tick_size is given, but a market has its own", remedy="leave it out")
        outputs = _core.indicator(market.core, id, side, timeframe, on, params)
        higher = timeframe is not None and timeframe.strip().upper() != market.timeframe
        if higher and (on is None or on.strip().lower() == "raster") and not id.endswith("_stepwise"):
            _warn_of_raster()
    else:
        tick = None if tick_size is None else _ratio(tick_size)
        outputs = _core.indicator_on(_table(market), id, side, timeframe, on, params, tick)
    values = {name: _value(output) for name, output in outputs}
    return next(iter(values.values())) if len(values) == 1 else values


@cache
def _warn_of_raster() -> None:
    """Once: it is rarely what one wants."""
    logging.getLogger("sweep").warning(
        'an indicator on a higher timeframe runs over repeated bars (on="raster"); on="bars" counts every bar once'
    )


def catalogue() -> list[dict[str, Any]]:
    """All indicators: id, title, parameters, outputs, first valid index, formula, source."""
    from sweep import _core

    return cast("list[dict[str, Any]]", json.loads(_core.indicators()))


def declaration(id: str) -> dict[str, Any]:
    """One indicator of the catalogue.

    Raises:
        SweepError: [1001] unknown, with the nearest name or all of them; [1004] no text.
    """
    from sweep.config.problems import nearest

    _text("id", id)
    known = {item["id"]: item for item in catalogue()}
    if id not in known:
        remedy = nearest(id, known) or f"known: {', '.join(known)}"
        raise error(1001, f"unknown indicator {id!r}", remedy=remedy)
    return known[id]


def allowed(parameter: Mapping[str, Any]) -> str:
    """Values of a declared parameter, in words."""
    if parameter["choices"]:
        return ", ".join(parameter["choices"])
    if parameter["type"] == "bool":
        return "true, false"
    low, high = parameter["low"], parameter["high"]
    if high is not None:
        return f"{parameter['type']} {low} to {high}"
    return f"{parameter['type']} {'above' if parameter['low_open'] else 'from'} {low:g}"


def first_of(item: Mapping[str, Any]) -> str:
    """First index with a value, and the bars in which it is counted."""
    bars = "bars of its timeframe" if item["on"] == "bars" else "primary bars"
    return f"{item['first']}, in {bars}"


def _value(output: Any) -> Output:
    if isinstance(output, int | float):
        return output
    return cast("Floats", read_all(output).column(0).to_numpy())


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise error(1004, f"{name} is {value!r}", remedy="give a text")


def _ratio(tick_size: object) -> tuple[float, float]:
    """The tick size M / N in lowest terms, from its shortest decimal form."""
    if isinstance(tick_size, bool) or not isinstance(tick_size, Real):
        raise error(1004, f"tick_size is {tick_size!r}", remedy="give a number above 0")
    try:
        exact = Fraction(repr(float(tick_size)))
        ratio = float(exact.numerator), float(exact.denominator)
    except (ValueError, OverflowError):  # not finite, or so small that N is not
        ratio = (0.0, 0.0)
    if ratio[0] <= 0.0:
        raise error(1003, f"tick_size is {tick_size}", remedy="give a number above 0")
    return ratio


def _table(market: Any) -> pa.Table:
    """The four prices of arrays by name, or of a table that speaks Arrow."""
    import pyarrow as pa

    if isinstance(market, Mapping):
        for name in market:
            if name not in _PRICES:
                raise error(1001, f"unknown array {name!r}", remedy=f"give {', '.join(_PRICES)}")
        given = dict(market)
    elif hasattr(market, "__arrow_c_stream__"):
        table = read_all(market)
        given = {name: table.column(name) for name in _PRICES if name in table.column_names}
    else:
        what = f"a market cannot be made of {type(market).__name__}"
        raise error(1004, what, remedy="give a Market, arrays by name, or a table that speaks Arrow")
    if "close" not in given:
        raise error(1008, "the array close is missing", remedy="give it; open, high and low default to it")
    arrays = {name: _array(name, values) for name, values in given.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise error(1011, f"arrays of different length: {found}", remedy="give one value per bar in each")
    return pa.table({name: arrays.get(name, arrays["close"]) for name in _PRICES})


def _array(name: str, values: Any) -> Floats:
    """One-dimensional numbers; None becomes NaN. [1004] for anything else."""
    try:
        array = np.asarray(values)
        if array.ndim == 1 and (array.dtype.kind in "fiuO" or not len(array)):
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        pass
    raise error(1004, f"{name} is no array of numbers", remedy="give one number per bar")
