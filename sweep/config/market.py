"""The section `market`: which bars, where from, and what the reader may do with them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from sweep.config import timeformat
from sweep.config.base import Count, Name, Natural, NonNegative, Positive, Section, Seed
from sweep.config.problems import invalid, nearest, shown
from sweep.errors import SweepError

ROLES: Final = ("timestamp", "open", "high", "low", "close", "volume")
"""What the columns of bars can be."""
TICK_ROLES: Final = ("timestamp", "bid", "ask", "bid_size", "ask_size")
"""What the columns of ticks can be."""
_ALL_ROLES: Final = (*ROLES, *TICK_ROLES[1:])
_PATTERN: Final = "^[MHDW][1-9][0-9]{0,4}$"
_TIMEFRAME: Final = re.compile(r"[MHDW][1-9][0-9]{0,4}")


def instant(value: Any) -> datetime:
    """A moment in UTC from a date (00:00 of that day), a datetime or ISO 8601 text; without a zone it is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise invalid(
                1009, f"{value!r} is not a date or time", "write 2012-02-01 or 2012-02-01T09:30:00Z"
            ) from None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise invalid(1004, f"expected a date, got {value!r}", "write 2012-02-01 or 2012-02-01T09:30:00Z")


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of a UTC moment, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def iso(moment: datetime) -> str:
    """Shortest ISO 8601 text of a UTC moment: the bare date at midnight."""
    text = moment.replace(tzinfo=None).isoformat()
    return text.removesuffix("T00:00:00") if text.endswith("T00:00:00") else f"{text}Z"


def _window(value: Any) -> tuple[datetime | None, datetime | None]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise invalid(1004, "expected [start, end]", "write two dates, the end is not included")
    start, end = (None if bound is None else instant(bound) for bound in value)
    if start is not None and end is not None and start >= end:
        raise invalid(
            1003, f"empty window: {iso(start)} is not before {iso(end)}", "swap or widen the bounds"
        )
    return start, end


def _timeframe(value: str) -> str:
    if not _TIMEFRAME.fullmatch(value):
        raise invalid(1009, f"{value!r} is not a timeframe", "write M, H, D or W and a number: M5, H1, D1")
    return value


def _columns(value: Any) -> dict[str, str | tuple[str, str]]:
    if not isinstance(value, dict):
        raise invalid(1004, f"{{path}} must be a mapping, got {shown(value)}", "write {close: Last}")
    columns: dict[str, str | tuple[str, str]] = {}
    for role, name in value.items():
        if role not in _ALL_ROLES:
            raise invalid(1001, f"unknown column role {role}", nearest(str(role), _ALL_ROLES), str(role))
        if isinstance(name, list | tuple):
            if role != "timestamp" or len(name) != 2 or not all(_is_name(part) for part in name):
                what = f"{{path}}.{role} must be the name of one column"
                raise invalid(1004, what, "only timestamp takes two: [DATE, TIME]", role)
            columns[role] = (name[0], name[1])
        elif _is_name(name):
            columns[role] = name
        else:
            raise invalid(1004, f"{{path}}.{role} must be the name of a column, got {shown(name)}", "", role)
    return columns


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _separator(value: str) -> str:
    char = {"tab": "\t", "\\t": "\t"}.get(value, value)
    if len(char) != 1 or not char.isascii() or char.isalnum() or char in '"\r\n\0.+-':
        raise invalid(1009, f"{value!r} cannot separate the cells of a file", "write , or ; or | or tab")
    return char


def _header(value: Any) -> Any:
    if value is True:
        return True
    if isinstance(value, list | tuple) and value and all(_is_name(name) for name in value):
        return tuple(value)
    what = f"{{path}} must be true or a list of column names, got {shown(value)}"
    raise invalid(1004, what, "for a file without header write [date, time, open, high, low, close, volume]")


def _higher(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    for timeframe in value:
        if not isinstance(timeframe, str):
            what = f"{{path}} must be a list of timeframes, got {shown(timeframe)} in it"
            raise invalid(1004, what, "write [H1, H4], or {H1: {bid: FILE, ask: FILE}}")
        if list(value).count(timeframe) > 1:
            raise invalid(1006, f"{{path}} names {timeframe} twice", "keep one of them")
    return dict.fromkeys(value)


def _stale_after(value: Any) -> Any:
    return None if value == "off" else value


def _zone(value: str) -> str:
    try:
        value == "UTC" or ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(1001, f"unknown time zone {value}", "give a name such as America/New_York") from None
    return value


Timeframe = Annotated[str, AfterValidator(_timeframe), Field(json_schema_extra={"pattern": _PATTERN})]
Instant = Annotated[
    datetime,
    BeforeValidator(instant),
    PlainSerializer(iso, when_used="json"),
    WithJsonSchema({"type": "string", "description": "date or time in UTC, ISO 8601"}),
]
Window = Annotated[
    tuple[datetime | None, datetime | None],
    BeforeValidator(_window),
    PlainSerializer(lambda bounds: [b and iso(b) for b in bounds], when_used="json"),
    WithJsonSchema(
        {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": ["string", "null"], "description": "date or time in UTC, ISO 8601"},
            "description": "half-open: [start, end)",
        }
    ),
]


class SyntheticConfig(Section):
    """Generated bars: keys and defaults of the synthetic market, version 1."""

    bars: Count
    seed: Seed = 42
    start: Instant = datetime(2020, 1, 2, tzinfo=UTC)
    price: Positive | None = None
    """Null: 12000 pips of the symbol."""
    volatility: Positive = 0.1
    spread_pips: NonNegative = 0.8
    correlation: NonNegative = 0.0
    jump_rate: NonNegative = 0.0
    gap_rate: NonNegative = 0.0
    weekends: Literal["closed", "open"] = "closed"


class CsvConfig(Section):
    """How a CSV file is written; nothing of it is guessed."""

    separator: Annotated[str, AfterValidator(_separator)] = ","
    """One character, or the word tab."""
    decimal: Literal[".", ","] = "."
    header: Annotated[
        Literal[True] | tuple[str, ...],
        PlainValidator(_header),
        WithJsonSchema(
            {
                "anyOf": [
                    {"const": True},
                    {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
                ],
                "description": "true, or the names of the columns of a file without header",
            }
        ),
    ] = True

    @model_validator(mode="after")
    def _two_commas(self) -> CsvConfig:
        if self.separator == self.decimal:
            what = f"{{path}}.separator and {{path}}.decimal are both {self.decimal!r}"
            raise invalid(1006, what, "files with decimal commas have another separator, mostly ;")
        return self


class DayConfig(Section):
    """Where a trading day begins: the hour of the local time of a zone."""

    zone: Annotated[Name, AfterValidator(_zone)] = "UTC"
    start_hour: Annotated[Natural, Field(le=23)] = 0


class HigherConfig(Section):
    """Files of a higher timeframe: both sides, or one file as in `market`."""

    bid: Name | None = None
    ask: Name | None = None
    file: Name | None = None
    spread_pips: NonNegative | None = None

    @model_validator(mode="after")
    def _sides(self) -> HigherConfig:
        _check_sides(self)
        if self.bid is None and self.file is None:
            remedy = "name bid and ask, or file with spread_pips; null resamples the primary bars"
            raise invalid(1008, "no data in {path}", remedy)
        return self


class MarketConfig(Section):
    """One symbol on one timeframe, from two files, one file with both sides or a fixed spread, ticks, or the generator."""

    symbol: Name | None = None
    timeframe: Timeframe | None = None
    bid: Name | None = None
    ask: Name | None = None
    file: Name | None = None
    spread_pips: NonNegative | None = None
    ticks: Name | None = None
    synthetic: SyntheticConfig | None = None
    higher: Annotated[
        dict[Timeframe, HigherConfig | None],
        BeforeValidator(_higher),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "array", "items": {"type": "string", "pattern": _PATTERN}},
                    {
                        "type": "object",
                        "propertyNames": {"pattern": _PATTERN},
                        "additionalProperties": {
                            "anyOf": [{"type": "null"}, HigherConfig.model_json_schema()]
                        },
                    },
                ],
                "description": "timeframes, null or in a list: resampled; else the files that hold them",
            }
        ),
    ] = Field(default_factory=dict)
    window: Window = (None, None)
    warmup_bars: Natural = 500
    stamp: Literal["open", "close"] = "open"
    columns: Annotated[
        dict[str, str | tuple[str, str]],
        PlainValidator(_columns),
        WithJsonSchema(
            {
                "type": "object",
                "properties": {
                    "timestamp": {
                        "anyOf": [
                            {"type": "string", "minLength": 1},
                            {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
                        ]
                    },
                    **{role: {"type": "string", "minLength": 1} for role in _ALL_ROLES[1:]},
                },
                "additionalProperties": False,
                "description": "role: name of the column; timestamp may be [date column, time column]",
            }
        ),
    ] = Field(default_factory=dict)
    csv: CsvConfig = CsvConfig()
    time_format: (
        Annotated[Name, BeforeValidator(timeformat.not_empty), AfterValidator(timeformat.checked)] | None
    ) = None
    epoch_unit: Literal["s", "ms", "us", "ns"] | None = None
    time_zone: Annotated[Name, AfterValidator(_zone)] | None = None
    assume_utc: bool = False
    cast: bool = False
    duplicates: Literal["reject", "drop_identical"] = "reject"
    crossed: Literal["count", "clamp", "reject"] = "count"
    max_alignment_loss: Annotated[float, Field(ge=0, le=1)] = 0.01
    filter: Literal["none", "fx_week"] = "none"
    day: DayConfig = DayConfig()
    stale_after: Annotated[
        Count | None,
        BeforeValidator(_stale_after),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["off", None]}]}),
    ] = None
    """Bars of the higher timeframe; null or off: never stale."""

    @model_validator(mode="before")
    @classmethod
    def _one_market(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("synthetic") is not None:
            named = {key: value for key, value in data.items() if value is not None}
            return {"symbol": "EURUSD", "timeframe": "M5", **named}
        return data

    @model_validator(mode="after")
    def _one_source(self) -> MarketConfig:
        sources = [name for name in ("bid", "file", "ticks", "synthetic") if getattr(self, name) is not None]
        if self.ask is not None and self.bid is None:
            _check_sides(self)
        if len(sources) != 1:
            found = "no data" if not sources else " and ".join(sources) + " together"
            code = 1006 if sources else 1008
            remedy = "name bid and ask, or file with spread_pips, or ticks, or synthetic"
            raise invalid(code, f"{found} in {{path}}", remedy)
        _check_sides(self)
        if self.assume_utc and self.time_zone is not None:
            raise invalid(1006, "{path}.assume_utc and {path}.time_zone together", "keep one of them")
        if self.time_format is not None and self.epoch_unit is not None:
            raise invalid(
                1006, "{path}.time_format and {path}.epoch_unit together", "times are text or numbers"
            )
        for key in ("symbol", "timeframe"):
            if getattr(self, key) is None:
                raise invalid(1008, f"{{path}}.{key} is missing", f"name the {key}", key)
        self._check_roles()
        if self.timeframe in self.higher:
            raise invalid(
                1006, f"{{path}}.higher names {self.timeframe}, the primary timeframe", "leave it out"
            )
        self._check_higher()
        return self

    def _check_higher(self) -> None:
        """Only timeframes whose bars can be made of the primary ones, or stand beside them."""
        from sweep import _core

        for timeframe in self.higher:
            try:
                _core.check_higher(timeframe, self.timeframe or "")
            except SweepError as problem:
                raise invalid(problem.code, problem.what, problem.remedy, "higher") from None

    def _check_roles(self) -> None:
        if self.ticks is not None and self.stamp == "close":
            raise invalid(1006, "{path}.stamp: close goes with bars", "ticks have no close", "stamp")
        bars = self.ticks is None or any(self.higher.values())
        roles = {*(ROLES if bars else ()), *(TICK_ROLES if self.ticks is not None else ())}
        for role in self.columns:
            if role not in roles:
                kind = "bars" if self.ticks is None else "ticks"
                remedy = f"they have {', '.join(sorted(roles))}"
                raise invalid(1006, f"{{path}}.columns.{role} is no column of {kind}", remedy)


def _check_sides(files: MarketConfig | HigherConfig) -> None:
    """Both sides, or one file; whether that needs a spread, its columns say."""
    both = "name both files, or one as file: with spread_pips:"
    if (files.bid is None) != (files.ask is None):
        named, absent = ("ask", "bid") if files.bid is None else ("bid", "ask")
        raise invalid(1008, f"{{path}}.{named} without {{path}}.{absent}", both)
    if files.bid is not None and files.file is not None:
        raise invalid(1006, "bid and file together in {path}", "keep one of them")
    if files.file is None and files.spread_pips is not None:
        remedy = "ticks, synthetic data and pairs of files have both sides"
        raise invalid(1006, "{path}.spread_pips goes with file only", remedy)


__all__ = [
    "ROLES",
    "TICK_ROLES",
    "CsvConfig",
    "DayConfig",
    "HigherConfig",
    "Instant",
    "MarketConfig",
    "SyntheticConfig",
    "Window",
    "instant",
    "iso",
    "micros",
]
