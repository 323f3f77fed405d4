"""Indicators as their formulas stand; one file per indicator, left-to-right arithmetic throughout."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from sweep.errors import error, not_built
from sweep.reference.indicators.atr import atr
from sweep.reference.indicators.bollinger import bollinger
from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import choice
from sweep.reference.indicators.dmi import dmi
from sweep.reference.indicators.ema import ema
from sweep.reference.indicators.kalman_mean import kalman_mean
from sweep.reference.indicators.kalman_zscore import kalman_zscore
from sweep.reference.indicators.rolling_std import rolling_std
from sweep.reference.indicators.sma import sma
from sweep.reference.indicators.zscore import zscore
from sweep.reference.market import Floats, ReferenceMarket
from sweep.reference.tick_grid import TickGrid

Output = Floats | dict[str, Floats]

CATALOGUE: Final[dict[str, Callable[..., Output]]] = {
    "ema": ema,
    "sma": sma,
    "dmi": dmi,
    "bollinger": bollinger,
    "atr": atr,
    "kalman_mean": kalman_mean,
    "kalman_zscore": kalman_zscore,
    "zscore": zscore,
    "rolling_std": rolling_std,
}


def indicator(
    market: ReferenceMarket, id: str, side: str = "bid", timeframe: str | None = None, **params: Any
) -> Output:
    """One array on the raster, or a dict of arrays in the documented order.

    Raises [1001] for an unknown id, side or parameter, [1008] for a missing parameter, [1003] and [1004] for a bad one,
    [4001] for a higher timeframe.
    """
    function = CATALOGUE.get(id)
    if function is None:
        raise error(1001, f"unknown indicator {id!r}", remedy=", ".join(CATALOGUE))
    if timeframe is not None and timeframe.strip().upper() != market.timeframe:
        raise not_built(f"indicator {id} on timeframe {timeframe}", remedy="use the primary timeframe")
    declared = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    names = [p.name for p in declared]
    for name in params:
        if name not in names:
            raise error(1001, f"unknown parameter {name!r}", where=id, remedy=", ".join(names))
    missing = [p.name for p in declared if p.default is p.empty and p.name not in params]
    if missing:
        raise error(1008, f"{missing[0]} is missing", where=id, remedy="give it")
    return function(_candles(market, side), **params)


def _candles(market: ReferenceMarket, side: str) -> Candles:
    chosen = choice("side", side, ("bid", "ask"))
    quotes = market.bid if chosen == "bid" else market.ask
    return Candles.of(
        quotes.open, quotes.high, quotes.low, quotes.close, grid=TickGrid.of(market.spec["tick_size"])
    )
