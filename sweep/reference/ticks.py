"""Bars built of ticks, one tick after the other, and the trading week of currencies.

Times are microseconds since 1970-01-01 UTC and never decrease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sweep.errors import error
from sweep.reference.higher import Day, bucket
from sweep.reference.market import Quotes, timeframe_micros

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SYDNEY: Final = ZoneInfo("Australia/Sydney")
_OPEN: Final = timedelta(hours=7)
_CLOSE: Final = timedelta(days=5, hours=7)


@dataclass(frozen=True, slots=True)
class TickBars:
    """The bars that ticks completed; both sides have the same labels and volumes."""

    label: NDArray[np.int64]
    bid: Quotes
    ask: Quotes


@dataclass(slots=True)
class _Forming:
    """The bar that ticks are going into."""

    start: int
    end: int
    last: int
    bid: list[float]
    ask: list[float]
    volume: float = 0.0

    def add(self, time: int, bid: float, ask: float, volume: float) -> None:
        self.last = time
        self.bid.append(bid)
        self.ask.append(ask)
        self.volume += volume


def bars_from_ticks(
    time: Sequence[int],
    bid: Sequence[float],
    ask: Sequence[float],
    bid_size: Sequence[float] | None,
    timeframe: str,
    day: Day | None = None,
) -> TickBars:
    """Bid bars of the bids and ask bars of the asks, by the clock buckets of a timeframe: minutes, hours, D1 or W1.

    Volume is the sum of the sizes at the bid, without sizes the number of ticks. Buckets without ticks make no bar. A
    bar is complete when a tick arrives at its end or later; the one still forming at the last tick is left out.

    Raises:
        SweepError: [1001] several days or weeks, [1006] a change of clocks makes a bar reach beyond its timeframe.
    """
    length = timeframe_micros(timeframe)
    if timeframe[0] in "DW" and timeframe not in ("D1", "W1"):
        remedy = "choose minutes, hours, D1 or W1"
        raise error(1001, f"ticks make no {timeframe} bars", where="market.timeframe", remedy=remedy)
    complete: list[_Forming] = []
    forming: _Forming | None = None
    for row, at in enumerate(time):
        if forming is None or at >= forming.end:
            if forming is not None:
                complete.append(forming)
            start, end = bucket(timeframe, day or Day(), at)
            forming = _Forming(start, end, at, [], [])
        forming.add(at, bid[row], ask[row], 1.0 if bid_size is None else bid_size[row])
    for bar, following in zip(complete, [*complete[1:], None], strict=False):
        close = bar.start + length
        if bar.last >= close or (following is not None and following.start < close):
            raise error(
                1006,
                f"{timeframe} bars are cut by a change of clocks",
                where=(_EPOCH + timedelta(microseconds=bar.start)).isoformat(),
                remedy="set market.day to a zone without changes of clocks, such as UTC",
                stage="data",
            )
    volume = [bar.volume for bar in complete]
    return TickBars(
        np.array([bar.start for bar in complete], dtype=np.int64),
        _side([bar.bid for bar in complete], volume),
        _side([bar.ask for bar in complete], volume),
    )


def _side(prices: Sequence[Sequence[float]], volume: Sequence[float]) -> Quotes:
    return Quotes.of(
        [bar[0] for bar in prices],
        [max(bar) for bar in prices],
        [min(bar) for bar in prices],
        [bar[-1] for bar in prices],
        volume,
    )


def in_fx_week(instant: int) -> bool:
    """Whether it is between Monday 07:00 and Saturday 07:00 in Sydney, the end excluded."""
    local = (_EPOCH + timedelta(microseconds=instant)).astimezone(_SYDNEY).replace(tzinfo=None)
    monday = datetime(local.year, local.month, local.day) - timedelta(days=local.weekday())
    return _OPEN <= local - monday < _CLOSE
