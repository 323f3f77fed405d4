"""Trading days and the length of a year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

DAY_US: Final = 86_400_000_000
_SATURDAY: Final = 5
_DAYS_PER_YEAR: Final = {"continuous": 365.0, "business_day": 252.0}


def weekday(day: int) -> int:
    """Weekday of a day number since 1970-01-01 (a Thursday): Monday 0 to Sunday 6."""
    return (day + 3) % 7


def calendar_of(labels: Sequence[int]) -> str:
    """`continuous` if at least half of the Saturdays in the span, and at least one, have bars; else `business_day`."""
    days = {label // DAY_US for label in labels}
    saturdays = [d for d in range(min(days), max(days) + 1) if weekday(d) == _SATURDAY]
    with_bars = [d for d in saturdays if d in days]
    return "continuous" if with_bars and 2 * len(with_bars) >= len(saturdays) else "business_day"


def trading_day(label: int, calendar: str) -> int:
    """Day number that a bar belongs to; in a business-day market the weekend belongs to Monday."""
    day = label // DAY_US
    if calendar == "business_day" and weekday(day) >= _SATURDAY:
        return day + 7 - weekday(day)
    return day


def periods_per_year(calendar: str, timeframe: str) -> float:
    """Daily returns per year; longer timeframes have one return per bar."""
    unit, count = timeframe[0], int(timeframe[1:])
    if unit == "W":
        return 52.0 / count
    return _DAYS_PER_YEAR[calendar] / (count if unit == "D" else 1)


def daily_series(labels: Sequence[int], equity: Sequence[float], calendar: str) -> list[tuple[int, float]]:
    """(00:00 UTC of the trading day, last equity sample of it), in order."""
    days: dict[int, float] = {}
    for label, value in zip(labels, equity, strict=True):
        days[trading_day(label, calendar)] = value
    return [(day * DAY_US, value) for day, value in days.items()]
