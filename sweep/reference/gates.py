"""Entry gates, asked at one moment at a time: nothing is compiled, every rule is evaluated as it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sweep.reference.market import SymbolSpec

Event = tuple[int, int]
"""Moment in µs and bar of an exit or of an order."""

_MINUTE_US: Final = 60_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_IMPACTS: Final = ("low", "medium", "high")
_ANCHORS: Final = {
    "london": (time(8), "Europe/London"),
    "new_york": (time(9, 30), "America/New_York"),
    "tokyo": (time(9), "Asia/Tokyo"),
    "sydney": (time(8), "Australia/Sydney"),
    "frankfurt": (time(8), "Europe/Berlin"),
}
_ALIASES: Final = {"europe": "london", "asia": "tokyo"}


class Gates:
    """The configured gates of one symbol, in configured order."""

    def __init__(self, gates: Mapping[str, Any], spec: SymbolSpec, cooldown: Mapping[str, int]) -> None:
        self._gates = gates
        self._spec = spec
        self._cooldown = cooldown
        self.names: tuple[str, ...] = tuple(gates)
        """Names in the order in which they are asked."""

    @classmethod
    def of(cls, gates: Mapping[str, Any] | None, spec: SymbolSpec, cooldown_bars: int = 0) -> Gates:
        """From the section `gates` of a config, times of events in µs; `cooldown_bars` is the strategy's own."""
        given = {name: gate for name, gate in (gates or {}).items() if gate is not None}
        configured = {key: value or 0 for key, value in given.get("cooldown", {}).items()}
        if not any(configured.values()):
            given.pop("cooldown", None)
        bars = max(configured.get("after_exit_bars", 0), cooldown_bars)
        cooldown = {**configured, "after_exit_bars": bars}
        if any(cooldown.values()):
            # Where none is configured, the strategy's own comes last.
            given.setdefault("cooldown", cooldown)
        return cls(given, spec, cooldown)

    def blocking(
        self, moment: int, bar: int, last_exit: Event | None, last_signal: Event | None
    ) -> str | None:
        """The first gate that is closed for a decision at `moment` (µs) on bar `bar`, if one is."""
        closed: dict[str, Callable[[], bool]] = {
            "sessions": lambda: not any(_in_session(window, moment) for window in self._gates["sessions"]),
            "anchored": lambda: not any(_in_anchored(window, moment) for window in self._gates["anchored"]),
            "news": lambda: self._near_news(self._gates["news"], moment),
            "cooldown": lambda: self._paused(moment, bar, last_exit, last_signal),
        }
        return next((name for name in self.names if closed[name]()), None)

    def _near_news(self, news: Mapping[str, Any], moment: int) -> bool:
        before = news.get("before_minutes", 60) * _MINUTE_US
        after = news.get("after_minutes", 30) * _MINUTE_US
        return any(
            event["time"] - before <= moment < event["time"] + after
            for event in news["events"]
            if _matters(event, news.get("min_impact")) and self._concerned(event["currency"], news)
        )

    def _concerned(self, currency: str, news: Mapping[str, Any]) -> bool:
        own = {self._spec.base_currency, self._spec.quote_currency}
        named = (news.get("blocks") or {}).get(currency, ())
        return currency in own or named == "*" or not own.isdisjoint(named)

    def _paused(self, moment: int, bar: int, last_exit: Event | None, last_signal: Event | None) -> bool:
        for name, event in (("exit", last_exit), ("signal", last_signal)):
            if event is None:
                continue
            minutes = self._cooldown.get(f"after_{name}_minutes", 0)
            bars = self._cooldown.get(f"after_{name}_bars", 0)
            if moment - event[0] < minutes * _MINUTE_US or bar - event[1] < bars:
                return True
        return False


def _matters(event: Mapping[str, Any], least: str | None) -> bool:
    """An event without an impact always does."""
    impact = event.get("impact")
    return impact is None or least is None or _IMPACTS.index(impact) >= _IMPACTS.index(least)


def _utc(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)


def _in_session(window: Mapping[str, Any], moment: int) -> bool:
    local = _utc(moment).astimezone(ZoneInfo(window.get("zone") or "UTC")).replace(tzinfo=None)
    clock = local - datetime.combine(local.date(), time())
    start, end = _offset(window["start"]), _offset(window["end"])
    if end > start:
        return _on(window, local.date()) and start <= clock < end
    yesterday = local.date() - timedelta(days=1)
    return (_on(window, local.date()) and clock >= start) or (_on(window, yesterday) and clock < end)


def _on(window: Mapping[str, Any], day: date) -> bool:
    days = window.get("days")
    return days is None or _DAYS[day.weekday()] in days


def _in_anchored(window: Mapping[str, Any], moment: int) -> bool:
    opening, zone = _ANCHORS[_ALIASES.get(window["anchor"], window["anchor"])]
    now = _utc(moment)
    start, end = _offset(window["from"]), _offset(window["to"])
    # The opening is at most `end` before now and `start` after it; its local date is next to its date in UTC.
    day, last = (now - end).date() - timedelta(days=1), (now - start).date() + timedelta(days=1)
    while day <= last:
        anchor = datetime.combine(day, opening, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if anchor + start <= now < anchor + end:
            return True
        day += timedelta(days=1)
    return False


def _offset(text: str) -> timedelta:
    """±HH:MM."""
    hours, minutes = text.lstrip("+-").split(":")
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return -size if text.startswith("-") else size
