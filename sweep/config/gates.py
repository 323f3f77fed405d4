"""The section `gates`: when new entries are blocked; and the events of its news, which may come from a file.

Key names and types only, as in the other sections of the engine: the native module fills in the defaults and checks
times, zones, offsets and currencies. The order of the gates is kept: bars are counted under the first closed one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, WrapValidator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from sweep.config.base import Name, Natural, Section, given_keys
from sweep.config.market import Instant, instant, micros
from sweep.errors import SweepError, error

COLUMNS: Final = ("time", "currency", "impact")
"""Columns of a file of events; impact may be absent, and others are not read."""
Impact = Literal["low", "medium", "high"]


class SessionWindow(Section):
    """A window [start, end) of local wall time."""

    start: Name
    end: Name
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = None
    zone: Name | None = None


class AnchoredWindow(Section):
    """A window around the local opening of a market."""

    anchor: Literal["london", "new_york", "tokyo", "sydney", "frankfurt", "europe", "asia"]
    from_: Name = Field(alias="from")
    to: Name


class NewsEvent(Section):
    """A scheduled event."""

    time: Instant
    currency: Name
    impact: Impact | None = None


def _form(value: Any) -> str:
    return "text" if isinstance(value, str) else "list"


Events = Annotated[
    Annotated[Name, Tag("text")] | Annotated[list[NewsEvent], Tag("list")], Discriminator(_form)
]
Blocked = Annotated[
    Annotated[Literal["*"], Tag("text")] | Annotated[list[Name], Tag("list")], Discriminator(_form)
]


class NewsSection(Section):
    """Events around which entries are blocked: a list, or a CSV file."""

    events: Events
    before_minutes: Natural | None = None
    after_minutes: Natural | None = None
    min_impact: Impact | None = None
    blocks: dict[Name, Blocked] | None = None


class CooldownSection(Section):
    """Pauses after exits and accepted orders."""

    after_exit_minutes: Natural | None = None
    after_exit_bars: Natural | None = None
    after_signal_minutes: Natural | None = None
    after_signal_bars: Natural | None = None


class GatesSection(Section):
    """When new entries are blocked."""

    sessions: list[SessionWindow] | None = None
    anchored: list[AnchoredWindow] | None = None
    news: NewsSection | None = None
    cooldown: CooldownSection | None = None


def _in_written_order(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    checked = check(value)
    return {name: checked[name] for name in value if name in checked}


Gates = Annotated[dict[str, Any], given_keys(GatesSection), WrapValidator(_in_written_order)]


def with_events(gates: Mapping[str, Any]) -> dict[str, Any]:
    """The section with the events of its news as the engine takes them: a list, times in µs UTC.

    Raises:
        SweepError: [3001] [3002] the file of events, [1008] a missing column or value of it, [1009] no time, [1004] no
            mapping of news.
    """
    news = gates.get("news")
    if not isinstance(news, Mapping) or news.get("events") is None:
        return dict(gates)
    return {**gates, "news": {**news, "events": _events(news["events"])}}


def without_events(gates: Mapping[str, Any]) -> dict[str, Any]:
    """The section with an empty list of events."""
    news = gates.get("news")
    return {**gates, "news": {**news, "events": []}} if news else dict(gates)


def _events(given: Any) -> Any:
    if isinstance(given, str | Path):
        return [_event(row, f"{given}:{line}", "") for line, row in _rows(Path(given))]
    if not isinstance(given, Sequence):
        return given  # the engine says what is wrong
    return [
        _event(event, f"gates.news.events.{k}", ".time") if isinstance(event, Mapping) else event
        for k, event in enumerate(given)
    ]


def _event(event: Mapping[str, Any], where: str, key: str) -> dict[str, Any]:
    """An event with its time in µs; integers are µs."""
    time = event.get("time")
    if isinstance(time, str | date):
        try:
            time = micros(instant(time))
        except PydanticCustomError as problem:
            context = problem.context or {}
            raise error(
                int(context["code"]), str(context["what"]), where=where + key, remedy=str(context["remedy"])
            ) from None
    return {**event, "time": time}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and values of a CSV file with a header; blank values and blank lines are absent."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            for name in COLUMNS[:2]:
                if name not in (table.fieldnames or ()):
                    raise _problem(1008, f"no column {name}", path, f"write a header: {','.join(COLUMNS)}")
            for row in table:
                values = {name: (row.get(name) or "").strip() for name in COLUMNS}
                for name in COLUMNS[:2]:
                    if not values[name]:
                        raise _problem(1008, f"{name} is missing", f"{path}:{table.line_num}", "fill it in")
                values["impact"] = values["impact"].lower()
                yield table.line_num, {name: value for name, value in values.items() if value}
    except FileNotFoundError:
        raise _problem(3001, "file not found", path, "name a CSV file of events") from None
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise _problem(3002, f"cannot read the file: {cause}", path, "name a CSV file in UTF-8") from None


def _problem(code: int, what: str, where: str | Path, remedy: str) -> SweepError:
    return error(code, what, where=str(where), remedy=remedy, stage="data" if code > 3000 else "config")


__all__ = ["COLUMNS", "Gates", "with_events", "without_events"]
