"""The section `market` as a whole: one symbol, or a list of symbols that trade on one portfolio."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from sweep.config.base import Section, as_tuple
from sweep.config.market import MarketConfig
from sweep.config.problems import invalid

_SHARED: Final = ("timeframe", "day", "stale_after")
"""Keys on which all symbols of a portfolio agree."""


def _together(markets: tuple[MarketConfig, ...]) -> MarketConfig | tuple[MarketConfig, ...]:
    """Symbols that can trade on one portfolio; a list of one is that one."""
    if not markets:
        raise invalid(1008, "no market in {path}", "name one, or one per symbol")
    first = markets[0]
    for number, market in enumerate(markets[1:], start=1):
        if market.symbol in {other.symbol for other in markets[:number]}:
            what, remedy = f"{{path}} names {market.symbol} twice", "keep one of them"
            raise invalid(1001, what, remedy, f"{number}.symbol")
        for key in _SHARED:
            own, wanted = getattr(market, key), getattr(first, key)
            if own != wanted:
                what = f"{{path}}.{number}.{key} is {_option(own)}, {{path}}.0.{key} {_option(wanted)}"
                raise invalid(1001, what, "all symbols share it", f"{number}.{key}")
    ticks = [number for number, market in enumerate(markets) if market.ticks is not None]
    if ticks and len(markets) > 1:
        remedy = "trade one symbol, or build bars: sweep data resample FILE M1 --ticks --to bars.parquet"
        raise invalid(4001, "ticks of several symbols ({path})", remedy, f"{ticks[0]}.ticks")
    return first if len(markets) == 1 else markets


def _option(value: Any) -> str:
    """An option as it would be written."""
    if isinstance(value, Section):
        value = value.model_dump()
    return "off" if value is None else str(value)


def _as_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


Markets = Annotated[
    Annotated[MarketConfig, Tag("one symbol")]
    | Annotated[
        tuple[MarketConfig, ...], BeforeValidator(as_tuple), AfterValidator(_together), Tag("several symbols")
    ],
    Discriminator(lambda value: "several symbols" if _as_list(value) else "one symbol"),
]
"""The section `market`: of one symbol as it is, of several one per symbol, in the order in which they trade."""

__all__ = ["Markets"]
