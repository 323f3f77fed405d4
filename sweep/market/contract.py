"""From a raw table to bars: columns by name, exact types, instants in UTC.

The value rules (order, ranges, NaN, OHLC, pairing) are the native module's; here stands what depends on how a file
says it. Nothing is repaired, and nothing is converted that could change a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sweep.config.market import ROLES
from sweep.errors import error
from sweep.market.source import data_error

_TIME_NAMES: Final = ("timestamp", "date", "datetime", "time", "utc time")
_OPTIONAL: Final = ("volume",)
_UNITS: Final = {"M": 60_000_000, "H": 3_600_000_000, "D": 86_400_000_000, "W": 604_800_000_000}
_UTC_US: Final = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Reading:
    """How a table is to be read: the keys of `market` with these names."""

    timeframe: str
    columns: Mapping[str, str] = field(default_factory=dict)
    stamp: Literal["open", "close"] = "open"
    epoch_unit: Literal["s", "ms", "us", "ns"] | None = None
    time_zone: str | None = None
    assume_utc: bool = False
    cast: bool = False


@dataclass(frozen=True)
class Bars:
    """Bars of one side before the value checks."""

    table: pa.Table
    """timestamp (us, UTC) of the bar's open, then open, high, low, close and, if the source has it, volume as float64;
    no nulls; one chunk."""
    notes: Mapping[str, Any]
    """For the report: name, extra_columns, widened columns."""


def to_bars(raw: pa.Table, name: str, reading: Reading) -> Bars:
    """Bars from a raw table; `name` stands for it in messages.

    Raises:
        SweepError: [1008] a column is absent, [1005] two claim one role or a null, [1004] a wrong type, [1009] no zone,
            broken microseconds or an unknown zone, [1003] times out of range, [1010] no rows.
    """
    roles = find_roles(raw.column_names, name, reading.columns)
    if raw.num_rows == 0:
        raise data_error(1010, "no rows", name, "give a file with bars")
    used = {role: raw.column(index) for role, index in roles.items()}
    for role, column in used.items():
        _check_type(column.type, role, name, reading)
    for role, column in used.items():
        _check_nulls(column, f"{name}: {raw.column_names[roles[role]]}")
    columns = {"timestamp": _labels(used["timestamp"], name, reading)}
    for role in ROLES[1:]:
        if role in used:
            columns[role] = _numbers(used[role], f"{name}: {role}")
    notes = {
        "name": name,
        "extra_columns": [text for index, text in enumerate(raw.column_names) if index not in roles.values()],
        "widened": [role for role in used if role != "timestamp" and used[role].type != pa.float64()],
    }
    return Bars(pa.table(columns).combine_chunks(), notes)


def find_roles(names: Sequence[str], name: str, columns: Mapping[str, str]) -> dict[str, int]:
    """Index of the column of each role, by name and never by position; `columns` maps roles to names.

    Raises:
        SweepError: [1008] a required column is absent, [1005] two columns claim one role.
    """
    claims: dict[str, list[int]] = {role: [] for role in ROLES}
    for role, wanted in columns.items():
        claims[role] = [i for i, text in enumerate(names) if text == wanted] or [
            i for i, text in enumerate(names) if text.lower() == wanted.lower()
        ]
        if not claims[role]:
            has = f"it has {', '.join(names)}"
            raise data_error(1008, f"no column {wanted} for {role} (market.columns)", name, has)
    taken = {index for found in claims.values() for index in found}
    for index, text in enumerate(names):
        plain = text.strip().lower()
        role = "timestamp" if plain in _TIME_NAMES else plain
        if role in claims and role not in columns and index not in taken:
            claims[role].append(index)
    return _settle(claims, names, name)


def _settle(claims: Mapping[str, list[int]], names: Sequence[str], name: str) -> dict[str, int]:
    for role, found in claims.items():
        if len(found) > 1:
            rivals = " and ".join(names[index] for index in found)
            remedy = f"say which one with market.columns: {{{role}: NAME}}"
            raise data_error(1005, f"columns {rivals} both claim to be {role}", name, remedy)
    missing = [role for role, found in claims.items() if not found and role not in _OPTIONAL]
    if missing:
        columns = f"it has {', '.join(names) or 'none'}; name it with market.columns: {{{missing[0]}: NAME}}"
        raise data_error(1008, f"no column for {', '.join(missing)}", name, columns)
    return {role: found[0] for role, found in claims.items() if found}


def _check_type(kind: pa.DataType, role: str, name: str, reading: Reading) -> None:
    place = f"{name}: {role}"
    types = pa.types
    if role == "timestamp":
        if types.is_integer(kind):
            if reading.epoch_unit is None:
                raise data_error(
                    1004, f"time is a bare {kind}", place, "say what it counts: epoch_unit: s, ms, us, ns"
                )
            return
        if not (types.is_timestamp(kind) or types.is_date(kind)):
            raise data_error(1004, f"time is {kind}", place, "store it as a timestamp with a zone")
        zoned = types.is_timestamp(kind) and kind.tz is not None
        if not zoned and not reading.assume_utc and reading.time_zone is None:
            raise data_error(
                1009, "time has no zone", place, "set assume_utc: true, or time_zone: Europe/Berlin"
            )
        return
    if kind == pa.float64():
        return
    if not (types.is_floating(kind) or types.is_integer(kind)):
        raise data_error(
            1004, f"{kind} where float64 is needed", place, "store numbers; text is never converted"
        )
    if not reading.cast:
        remedy = "cast: true widens it exactly, without rescaling"
        raise data_error(1004, f"{kind} where float64 is needed", place, remedy)


def _check_nulls(column: pa.ChunkedArray, place: str) -> None:
    if column.null_count:
        rows = pc.indices_nonzero(pc.is_null(column)).slice(0, 5).to_pylist()
        what = f"{column.null_count} null value{'s' if column.null_count > 1 else ''}, {_rows(rows)}"
        raise data_error(1005, what, place, "remove or fill these rows in the source")


def _numbers(column: pa.ChunkedArray, place: str) -> pa.ChunkedArray:
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        raise data_error(
            1004, "whole numbers too large for float64", place, "store them as float64"
        ) from None


def _labels(column: pa.ChunkedArray, name: str, reading: Reading) -> pa.ChunkedArray:
    place = f"{name}: timestamp"
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    elif pa.types.is_integer(kind):
        column = _in_range(column, pa.int64(), place).cast(pa.timestamp(reading.epoch_unit, tz="UTC"))
    if column.type.tz is None:
        column = _with_zone(column, place, reading)
    if column.type.unit == "ns":
        _whole_microseconds(column, place)
    column = _in_range(column, _UTC_US, place)
    if reading.stamp == "close":
        step = pa.scalar(timeframe_us(reading.timeframe), pa.duration("us"))
        column = pc.subtract_checked(column, step)
    return column


def _with_zone(column: pa.ChunkedArray, place: str, reading: Reading) -> pa.ChunkedArray:
    if reading.time_zone is None:
        return column.cast(pa.timestamp(column.type.unit, tz="UTC"))
    try:
        ZoneInfo(reading.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        remedy = "give a name such as Europe/Berlin"
        where = "market.time_zone"
        raise error(1001, f"unknown time zone {reading.time_zone}", where=where, remedy=remedy) from None
    try:
        return pc.assume_timezone(column, reading.time_zone, ambiguous="raise", nonexistent="raise")
    except pa.ArrowInvalid:
        what = f"a local time that does not exist, or exists twice, in {reading.time_zone}"
        raise data_error(1009, what, place, "store the times in UTC") from None


def _whole_microseconds(column: pa.ChunkedArray, place: str) -> None:
    rest = np.flatnonzero(column.cast(pa.int64()).to_numpy() % 1000)
    if rest.size:
        what = f"{rest.size} times with broken microseconds, {_rows(rest[:5].tolist())}"
        raise data_error(1009, what, place, "store whole microseconds")


def _in_range(column: pa.ChunkedArray, kind: pa.DataType, place: str) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except pa.ArrowInvalid:
        raise data_error(
            1003, "times outside what microseconds can hold", place, "wrong epoch_unit?"
        ) from None


def _rows(rows: Sequence[int]) -> str:
    return f"row{'s' if len(rows) > 1 else ''} {', '.join(str(row) for row in rows)}"


def timeframe_us(timeframe: str) -> int:
    """Length of a timeframe in microseconds; the text is already checked."""
    return _UNITS[timeframe[0]] * int(timeframe[1:])
