"""The section `market`: which bars, where from, and what the reader may do with them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from sweep.config.base import Count, Name, Natural, NonNegative, NotBuilt, Positive, Section, Seed
from sweep.config.problems import invalid, nearest

ROLES: Final = ("timestamp", "open", "high", "low", "close", "volume")
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


def _columns(value: dict[str, str]) -> dict[str, str]:
    for role in value:
        if role not in ROLES:
            raise invalid(1001, f"unknown column role {role}", nearest(role, ROLES), role)
    return value


Timeframe = Annotated[
    str, AfterValidator(_timeframe), Field(json_schema_extra={"pattern": r"^[MHDW][1-9][0-9]{0,4}$"})
]
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


class MarketConfig(Section):
    """One symbol on one timeframe, from two files, one file with a fixed spread, or the generator."""

    symbol: Name | None = None
    timeframe: Timeframe | None = None
    bid: Name | None = None
    ask: Name | None = None
    file: Name | None = None
    spread_pips: NonNegative | None = None
    synthetic: SyntheticConfig | None = None
    window: Window = (None, None)
    warmup_bars: Natural = 500
    stamp: Literal["open", "close"] = "open"
    columns: Annotated[dict[str, Name], AfterValidator(_columns)] = Field(default_factory=dict)
    epoch_unit: Literal["s", "ms", "us", "ns"] | None = None
    time_zone: Name | None = None
    assume_utc: bool = False
    cast: bool = False
    duplicates: Literal["reject", "drop_identical"] = "reject"
    crossed: Literal["count", "clamp", "reject"] = "count"
    max_alignment_loss: Annotated[float, Field(ge=0, le=1)] = 0.01
    ticks: Annotated[Any, NotBuilt()] = Field(default=None, exclude=True)
    higher: Annotated[Any, NotBuilt(([], {}))] = Field(default=None, exclude=True)
    csv: Annotated[Any, NotBuilt(({},))] = Field(default=None, exclude=True)
    time_format: Annotated[Any, NotBuilt()] = Field(default=None, exclude=True)
    filter: Annotated[Any, NotBuilt(("none",))] = Field(default=None, exclude=True)
    day: Annotated[Any, NotBuilt(({"zone": "UTC", "start_hour": 0},))] = Field(default=None, exclude=True)
    stale_after: Annotated[Any, NotBuilt(("off",))] = Field(default=None, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _one_market(cls, data: Any) -> Any:
        if isinstance(data, list):
            raise invalid(4001, "a list of markets ({path}) is not built in this version", "give one mapping")
        if isinstance(data, dict) and data.get("synthetic") is not None:
            named = {key: value for key, value in data.items() if value is not None}
            return {"symbol": "EURUSD", "timeframe": "M5", **named}
        return data

    @model_validator(mode="after")
    def _one_source(self) -> MarketConfig:
        sources = [name for name in ("bid", "file", "synthetic") if getattr(self, name) is not None]
        if self.ask is not None and self.bid is None:
            raise invalid(
                1008, "{path}.ask without {path}.bid", "name both files, or one as file: with spread_pips:"
            )
        if len(sources) != 1:
            found = "no data" if not sources else " and ".join(sources) + " together"
            code = 1006 if sources else 1008
            raise invalid(
                code, f"{found} in {{path}}", "name bid and ask, or file with spread_pips, or synthetic"
            )
        if self.bid is not None and self.ask is None:
            raise invalid(
                1008, "{path}.bid without {path}.ask", "name both files, or one as file: with spread_pips:"
            )
        if self.file is not None and self.spread_pips is None:
            raise invalid(
                1008, "{path}.spread_pips is missing", "one-sided data need it; 0 is allowed", "spread_pips"
            )
        if self.file is None and self.spread_pips is not None:
            raise invalid(
                1006, "{path}.spread_pips goes with file only", "synthetic has its own; files have both sides"
            )
        if self.assume_utc and self.time_zone is not None:
            raise invalid(1006, "{path}.assume_utc and {path}.time_zone together", "keep one of them")
        for key in ("symbol", "timeframe"):
            if getattr(self, key) is None:
                raise invalid(1008, f"{{path}}.{key} is missing", f"name the {key}", key)
        return self


__all__ = ["ROLES", "Instant", "MarketConfig", "SyntheticConfig", "Window", "instant", "iso", "micros"]
