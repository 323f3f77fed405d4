"""Indicators as their formulas stand; one file per indicator, left-to-right arithmetic throughout.

Each is a function of candles and keyword parameters. A series is a float64 array with one value per bar, known at the close
of that bar and independent of later ones; NaN, never an infinity, where it is undefined. Parameters are checked before
anything is computed: [1003] out of range, [1004] wrong type, [1001] unknown name, [1008] missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from sweep.errors import error
from sweep.reference.higher import HigherBars, bars_of, higher_timeframe
from sweep.reference.indicators.atr import atr
from sweep.reference.indicators.bollinger import bollinger, bollinger_stepwise
from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import choice
from sweep.reference.indicators.choppiness import choppiness
from sweep.reference.indicators.dema import dema
from sweep.reference.indicators.dmi import dmi
from sweep.reference.indicators.ema import ema, ema_stepwise
from sweep.reference.indicators.garch_volatility import garch_volatility, garch_volatility_local
from sweep.reference.indicators.garch_vt import garch_vt
from sweep.reference.indicators.kalman_garch_zscore import kalman_garch_zscore, kalman_garch_zscore_local
from sweep.reference.indicators.kalman_mean import kalman_mean
from sweep.reference.indicators.kalman_zscore import kalman_zscore, kalman_zscore_stepwise
from sweep.reference.indicators.macd import macd
from sweep.reference.indicators.momentum import momentum
from sweep.reference.indicators.roc import roc
from sweep.reference.indicators.rolling_std import rolling_std
from sweep.reference.indicators.rsi import rsi
from sweep.reference.indicators.sma import sma
from sweep.reference.indicators.tema import tema
from sweep.reference.indicators.vol_cluster_series import vol_cluster_series
from sweep.reference.indicators.zscore import zscore
from sweep.reference.market import Quotes, ReferenceMarket
from sweep.reference.tick_grid import TickGrid

CATALOGUE: Final[dict[str, Callable[..., Any]]] = {
    "ema": ema,
    "ema_stepwise": ema_stepwise,
    "sma": sma,
    "rsi": rsi,
    "macd": macd,
    "roc": roc,
    "dmi": dmi,
    "bollinger": bollinger,
    "bollinger_stepwise": bollinger_stepwise,
    "atr": atr,
    "choppiness": choppiness,
    "kalman_mean": kalman_mean,
    "kalman_zscore": kalman_zscore,
    "kalman_zscore_stepwise": kalman_zscore_stepwise,
    "zscore": zscore,
    "garch_volatility": garch_volatility,
    "garch_vt": garch_vt,
    "garch_volatility_local": garch_volatility_local,
    "kalman_garch_zscore": kalman_garch_zscore,
    "kalman_garch_zscore_local": kalman_garch_zscore_local,
    "vol_cluster_series": vol_cluster_series,
    "dema": dema,
    "tema": tema,
    "momentum": momentum,
    "rolling_std": rolling_std,
}


def indicator(
    market: ReferenceMarket,
    id: str,
    side: str = "bid",
    timeframe: str | None = None,
    on: str | None = None,
    **params: Any,
) -> Any:
    """One float64 array with a value per primary bar, or a dict of arrays in the documented order.

    On a higher timeframe it runs over its bars (on="bars"), each value repeated until the next, or over the newest visible
    bar of every primary bar (on="raster", the default but for the ids that end in _stepwise). Local forms of one bar
    give a number, or a dict of the first bar (an int) and an array from there on.

    Raises [1001] for an unknown id, side, parameter or timeframe, [1008] for a missing parameter, [1003] and [1004] for a
    bad one, [1009] for a text that is no timeframe.
    """
    function = _function(id)
    name = market.timeframe if timeframe is None else higher_timeframe(timeframe, market.timeframe)
    mode = choice("on", on or ("bars" if id.endswith("_stepwise") else "raster"), ("bars", "raster"))
    chosen = choice("side", side, ("bid", "ask"))
    params = _named(function, id, params)
    grid = TickGrid.of(market.spec["tick_size"])
    if name == market.timeframe:
        return function(_candles(market.bid if chosen == "bid" else market.ask, grid), **params)
    higher = bars_of(market, name)
    quotes = higher.bid if chosen == "bid" else higher.ask
    if mode == "bars":
        return _expanded(function(_candles(quotes, grid), **params), higher)
    aligned = Quotes.of(
        *(higher.expand(x) for x in (quotes.open, quotes.high, quotes.low, quotes.close, quotes.volume))
    )
    return function(_candles(aligned, grid), **params)


def _expanded(output: Any, higher: HigherBars) -> Any:
    """Series of the bars as series of the primary bars; what belongs to one bar stays as it is."""
    if isinstance(output, dict):
        return output if "start" in output else {name: higher.expand(x) for name, x in output.items()}
    return higher.expand(output) if isinstance(output, np.ndarray) else output


def indicator_on(candles: Candles, id: str, **params: Any) -> Any:
    """`indicator` of bars without a market; the same results and errors."""
    function = _function(id)
    return function(candles, **_named(function, id, params))


def _function(id: str) -> Callable[..., Any]:
    function = CATALOGUE.get(id)
    if function is None:
        raise error(1001, f"unknown indicator {id!r}", remedy=", ".join(CATALOGUE))
    return function


def _named(function: Callable[..., Any], id: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, all of them declared and none missing; None is as good as not given."""
    declared = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    names = [p.name for p in declared]
    for name in params:
        if name not in names:
            raise error(1001, f"unknown parameter {name!r}", where=id, remedy=", ".join(names))
    given = {name: value for name, value in params.items() if value is not None}
    missing = [p.name for p in declared if p.default is p.empty and p.name not in given]
    if missing:
        raise error(1008, f"{missing[0]} is missing", where=id, remedy="give it")
    return given


def _candles(quotes: Quotes, grid: TickGrid) -> Candles:
    return Candles.of(quotes.open, quotes.high, quotes.low, quotes.close, grid=grid)
