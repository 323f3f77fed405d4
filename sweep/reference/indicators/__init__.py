"""Indicators as their formulas stand; one file per indicator, left-to-right arithmetic throughout.

Each is a function of candles and keyword parameters. A series is a float64 array with one value per bar, known at the close
of that bar and independent of later ones; NaN, never an infinity, where it is undefined. Parameters are checked before
anything is computed: [1003] out of range, [1004] wrong type, [1001] unknown name, [1008] missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from sweep.errors import error, not_built
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
from sweep.reference.market import ReferenceMarket, timeframe_micros
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
    market: ReferenceMarket, id: str, side: str = "bid", timeframe: str | None = None, **params: Any
) -> Any:
    """One float64 array with a value per bar, or a dict of arrays in the documented order.

    Local forms of one bar give a number, or a dict of the first bar (an int) and an array from there on.

    Raises [1001] for an unknown id, side or parameter, [1008] for a missing parameter, [1003] and [1004] for a bad one,
    [1009] for a text that is no timeframe, [4001] for a higher timeframe.
    """
    function = _function(id)
    if timeframe is not None and _other(market, timeframe):
        raise not_built(f"indicator {id} on timeframe {timeframe}", remedy="use the primary timeframe")
    _check_names(function, id, params)
    return function(_candles(market, side), **params)


def indicator_on(candles: Candles, id: str, **params: Any) -> Any:
    """`indicator` of bars without a market; the same results and errors."""
    function = _function(id)
    _check_names(function, id, params)
    return function(candles, **params)


def _function(id: str) -> Callable[..., Any]:
    function = CATALOGUE.get(id)
    if function is None:
        raise error(1001, f"unknown indicator {id!r}", remedy=", ".join(CATALOGUE))
    return function


def _other(market: ReferenceMarket, timeframe: str) -> bool:
    """Whether this names another timeframe than the market's own."""
    text = timeframe.strip().upper()
    return text != market.timeframe and timeframe_micros(text) != market.timeframe_us


def _check_names(function: Callable[..., Any], id: str, params: Mapping[str, Any]) -> None:
    declared = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    names = [p.name for p in declared]
    for name in params:
        if name not in names:
            raise error(1001, f"unknown parameter {name!r}", where=id, remedy=", ".join(names))
    missing = [p.name for p in declared if p.default is p.empty and p.name not in params]
    if missing:
        raise error(1008, f"{missing[0]} is missing", where=id, remedy="give it")


def _candles(market: ReferenceMarket, side: str) -> Candles:
    chosen = choice("side", side, ("bid", "ask"))
    quotes = market.bid if chosen == "bid" else market.ask
    return Candles.of(
        quotes.open, quotes.high, quotes.low, quotes.close, grid=TickGrid.of(market.spec["tick_size"])
    )
