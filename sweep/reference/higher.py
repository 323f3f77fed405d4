"""Bars of higher timeframes: clock buckets, resampling, and which bar is visible when.

Times are microseconds since 1970-01-01 UTC. A bar of a higher timeframe is visible at a primary bar if and only if it
ends no later than the primary bar closes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sweep.errors import error
from sweep.reference.market import Floats, Quotes, ReferenceMarket, timeframe_micros

HIGHER: Final = (
    *("M1", "M2", "M3", "M4", "M5", "M6", "M10", "M12", "M15", "M20", "M30"),
    *("H1", "H2", "H3", "H4", "H6", "H8", "H12", "D1", "W1"),
)
_DAY: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A trading day: it starts at a local hour of a zone."""

    zone: str = "UTC"
    start_hour: int = 0

    def start(self, day: date) -> int:
        """First instant of the day of a date. A local time that does not exist means the first instant after the gap,
        one that occurs twice the earlier.
        """
        return _day_start(self.zone, self.start_hour, day)

    def date(self, instant: int) -> date:
        """The date of the day that contains an instant."""
        day = _local(self.zone, instant).date() + timedelta(days=1)
        while self.start(day) > instant:
            day -= timedelta(days=1)
        return day


@lru_cache(maxsize=100_000)
def _day_start(zone: str, start_hour: int, day: date) -> int:
    local = datetime.combine(day, time(start_hour))
    readings = [local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)]
    instants = sorted((reading - _EPOCH) // _MICROSECOND for reading in readings)
    for instant in instants:
        if _local(zone, instant) == local:
            return instant
    # The two readings lie on both sides of the gap.
    seconds = range(instants[0] // 1_000_000, instants[1] // 1_000_000 + 1)
    return seconds[bisect_left(seconds, local, key=lambda s: _local(zone, s * 1_000_000))] * 1_000_000


def _local(zone: str, instant: int) -> datetime:
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def higher_timeframe(text: str, primary: str) -> str:
    """The timeframe of this name, in any case and between blanks: the primary one or a higher one.

    Raises:
        SweepError: [1009] no timeframe, [1001] none of these.
    """
    name = text.strip().upper()
    long, short = timeframe_micros(name), timeframe_micros(primary)
    whole = _DAY % short == 0 if name in ("D1", "W1") else long % short == 0
    if name != primary and not (name in HIGHER and long > short and whole):
        raise error(
            1001, f"{name} is no higher timeframe of {primary}", remedy=f"use one of {', '.join(HIGHER)}"
        )
    return name


def bucket(timeframe: str, day: Day, instant: int) -> tuple[int, int]:
    """Start and end of the bucket of a higher timeframe that contains an instant."""
    if timeframe == "D1":
        return _between(day, day.date(instant), 1)
    if timeframe == "W1":
        first = (
            6 if day.start_hour > 12 else 0
        )  # the day that contains Monday noon: from Sunday on, or Monday
        today = day.date(instant)
        return _between(day, today - timedelta(days=(today.weekday() - first) % 7), 7)
    length = timeframe_micros(timeframe)
    start = instant // length * length
    return start, start + length


def _between(day: Day, first: date, days: int) -> tuple[int, int]:
    start, end = day.start(first), day.start(first + timedelta(days=days))
    while end == start:  # the zone left out this day
        days += 1
        end = day.start(first + timedelta(days=days))
    return start, end


@dataclass(frozen=True, slots=True)
class HigherBars:
    """Bars of one timeframe beside n primary bars."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    bid: Quotes
    ask: Quotes
    newest: NDArray[np.int32]
    """For each primary bar the newest bar that is visible and not stale, -1 for none."""

    def expand(self, native: Floats) -> Floats:
        """One value per bar as one per primary bar; NaN where no bar is visible."""
        values = np.full(len(self.newest), np.nan)
        seen = self.newest >= 0
        values[seen] = native[self.newest[seen]]
        return values


def bars_of(market: ReferenceMarket, timeframe: str) -> HigherBars:
    """The bars of a higher timeframe of a market, given or made of its primary ones.

    Raises:
        SweepError: [1006] days or weeks are asked for and a day begins inside a primary bar.
    """
    day, given = Day(*market.day), market.given.get(timeframe)
    if given is not None:
        return given_bars(market, given, day, market.stale_after)
    return higher_bars(market, timeframe, day, market.stale_after)


def higher_bars(
    market: ReferenceMarket, timeframe: str, day: Day | None = None, stale_after: int | None = None
) -> HigherBars:
    """The bars of a higher timeframe made of the primary ones; only buckets complete at the end of the data.

    Raises:
        SweepError: [1006] days or weeks are asked for and a day begins inside a primary bar.
    """
    day = day or Day()
    if timeframe in ("D1", "W1"):
        _check_days(market, day)
    last_close = int(market.label[-1]) + market.timeframe_us
    groups = [group for group in _groups(market, timeframe, day) if group[1] <= last_close]
    start = np.array([g[0] for g in groups], dtype=np.int64)
    end = np.array([g[1] for g in groups], dtype=np.int64)
    rows = [range(g[2], g[3]) for g in groups]
    return HigherBars(
        start, end, _merged(market.bid, rows), _merged(market.ask, rows), newest(market, end, stale_after)
    )


def given_bars(
    market: ReferenceMarket,
    given: ReferenceMarket,
    day: Day | None = None,
    stale_after: int | None = None,
) -> HigherBars:
    """The bars of a higher timeframe that came as a file of their own."""
    ends = [bucket(given.timeframe, day or Day(), int(label))[1] for label in given.label]
    end = np.array(ends, dtype=np.int64)
    return HigherBars(given.label, end, given.bid, given.ask, newest(market, end, stale_after))


def newest(market: ReferenceMarket, end: NDArray[np.int64], stale_after: int | None) -> NDArray[np.int32]:
    """k(i): for each primary bar the newest bar that has ended when it closes, -1 for none or a stale one."""
    close = market.label + market.timeframe_us
    found = np.full(len(market), -1, dtype=np.int32)
    for i in range(len(market)):
        k = int(np.searchsorted(end, close[i], side="right")) - 1
        if k >= 0 and (stale_after is None or i - int(np.searchsorted(close, end[k])) <= stale_after):
            found[i] = k
    return found


def _groups(market: ReferenceMarket, timeframe: str, day: Day) -> Iterator[tuple[int, int, int, int]]:
    """Start, end, first row and the row after the last of each bucket with bars."""
    row = 0
    while row < len(market):
        start, end = bucket(timeframe, day, int(market.label[row]))
        first = row
        while row < len(market) and market.label[row] < end:
            row += 1
        yield start, end, first, row


def _merged(side: Quotes, rows: list[range]) -> Quotes:
    volume = []
    for group in rows:
        total = 0.0
        for row in group:
            total += float(side.volume[row])
        volume.append(total)
    return Quotes.of(
        [side.open[g[0]] for g in rows],
        [side.high[g[0] : g[-1] + 1].max() for g in rows],
        [side.low[g[0] : g[-1] + 1].min() for g in rows],
        [side.close[g[-1]] for g in rows],
        volume,
    )


def _check_days(market: ReferenceMarket, day: Day) -> None:
    for label in market.label.tolist():
        if bucket("D1", day, label)[1] < label + market.timeframe_us:
            at = (_EPOCH + timedelta(microseconds=label)).isoformat()
            raise error(
                1006,
                "a day begins inside a primary bar",
                where=at,
                remedy="set market.day to a zone and hour at which primary bars begin",
                stage="data",
            )
