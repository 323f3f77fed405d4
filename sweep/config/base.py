"""Base class of all sections, and the value types they share.

Strict: no text for numbers, no bool for numbers. A key with the value null takes its default, save where `NULL`
stands in its annotation. `NotBuilt` marks keys of the interface that this version lacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from sweep.config.problems import invalid, shown

NULL: Final = "null has a meaning of its own"
"""Marks a key at which null is a value and not a request for the default."""


class Section(BaseModel):
    """A mapping of known keys; frozen, and strict about types."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=False
    )

    @model_validator(mode="before")
    @classmethod
    def _null_takes_the_default(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        return {
            key: value
            for key, value in data.items()
            if value is not None or key not in fields or NULL in fields[key].metadata
        }

    def given(self) -> dict[str, Any]:
        """The keys that were written, as plain values."""
        return self.model_dump(exclude_unset=True, by_alias=True)


@dataclass(frozen=True)
class NotBuilt:
    """A known key that this version cannot honour: anything but its off values is refused with [4001]."""

    off: tuple[Any, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"enum": [None, *self.off], "description": "not built in this version: only these values"}

    def _check(self, value: Any) -> Any:
        for off in (None, *self.off):
            if type(value) is type(off) and value == off:
                return off
        given = f" ({shown(value)})" if isinstance(value, str | int | float) else ""
        raise invalid(4001, f"{{path}}{given} is not built in this version", "leave it out")


def given_keys(section: type[Section]) -> GetPydanticSchema:
    """Annotation of a plain dict that is checked, and described in the schema, by a section."""

    def build(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda checked: checked.given(),
            handler(section),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value),
        )

    return GetPydanticSchema(build)


def _integral(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def or_word(word: str, check: Callable[[Any], Any], wanted: str, schema: Mapping[str, Any]) -> Any:
    """Annotation metadata for `word` or a value that `check` returns; it returns None for what it refuses."""

    def validate(value: Any) -> Any:
        if value == word:
            return word
        checked = check(value)
        if checked is None:
            raise invalid(1004, f"{{path}} must be {word} or {wanted}, got {shown(value)}")
        return checked

    return PlainValidator(validate), WithJsonSchema({"anyOf": [{"const": word}, dict(schema)]})


def count(low: int) -> Callable[[Any], int | None]:
    """Check for whole numbers of at least `low`."""

    def check(value: Any) -> int | None:
        value = _integral(value)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= low else None

    return check


_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|min|h|d)")
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: Any) -> float | None:
    """Seconds of a number, or of a text such as `5 s`, `10m`, `2 h`; None if it is neither or not > 0."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        value = float(match.group(1)) * _SECONDS[match.group(2)] if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < float("inf") else None


def _duration(value: Any) -> float:
    checked = seconds(value)
    if checked is None:
        what = f"{{path}} must be a duration, got {shown(value)}"
        raise invalid(1004, what, "write seconds, or 30 s, 10 min, 2 h, 1 d")
    return checked


_BYTES: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|kB|MB|GB)")
_UNITS: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9}


def _bytes(value: Any) -> int:
    if isinstance(value, str):
        match = _BYTES.fullmatch(value.strip())
        value = int(float(match.group(1)) * _UNITS[match.group(2)]) if match else None
    checked = count(0)(value)
    if checked is None:
        raise invalid(1004, f"{{path}} must be a number of bytes, got {shown(value)}", "write 512 MiB")
    return checked


def _json_only(value: Any) -> Any:
    """Refuses, deep inside free-form values, what has no canonical JSON: dates, NaN and infinities."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        key, item = stack.pop()
        if isinstance(item, Mapping):
            stack.extend((f"{key}.{name}" if key else name, child) for name, child in item.items())
        elif isinstance(item, list):
            stack.extend((f"{key}.{index}" if key else str(index), child) for index, child in enumerate(item))
        elif isinstance(item, float) and not (abs(item) < float("inf")):
            raise invalid(1003, f"{item} is not a finite number", "give a finite number", key)
        elif not (item is None or isinstance(item, bool | int | float | str)):
            raise invalid(1004, f"{item} is read as a date", "quote it if text is meant", key)
    return value


def as_tuple(value: Any) -> Any:
    """Lists as tuples; one bare value as a tuple of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Int = Annotated[int, BeforeValidator(_integral)]
"""Whole number; 5.0 and 5e3 count as whole, true and text do not."""
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1), BeforeValidator(_integral)]
"""Whole number of at least 1."""
Natural = Annotated[int, Field(ge=0), BeforeValidator(_integral)]
"""Whole number of at least 0."""
Seed = Annotated[int, Field(ge=0, lt=2**64), BeforeValidator(_integral)]
"""Unsigned 64-bit seed."""
Name = Annotated[str, Field(min_length=1)]
Duration = Annotated[
    float,
    PlainValidator(_duration),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}]}),
]
"""Seconds."""
ByteCount = Annotated[
    int,
    PlainValidator(_bytes),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}),
]
Values = Annotated[dict[str, Any], AfterValidator(_json_only)]
"""Free-form mapping of JSON values; its keys are checked by whoever knows them."""
