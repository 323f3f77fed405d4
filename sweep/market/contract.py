"""From a raw table to bars or ticks: columns by name, exact types, instants in UTC.

The value rules (order, ranges, NaN, OHLC, pairing) are the native module's; here stands what depends on how a file
says it. Nothing is repaired, and nothing is converted that could change a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from sweep.config.market import ROLES, TICK_ROLES, MarketConfig
from sweep.errors import SweepError
from sweep.market.source import data_error, together
from sweep.market.times import labels, listed, offenders

SIDED_ROLES: Final = ("timestamp", *(f"{side}_{role}" for side in ("bid", "ask") for role in ROLES[1:]))
"""What the columns of bars with both sides can be."""
_SIDED: Final = re.compile(r"(bid|ask)[ _.:/|-]*(open|high|low|close|volume)")
_TIME_NAMES: Final = ("timestamp", "date", "datetime", "time", "utc time")
_SIZES: Final = ("size", "volume", "vol", "qty")
_OPTIONAL: Final = ("volume", "bid_size", "ask_size", "bid_volume", "ask_volume")
_UNITS: Final = {"M": 60_000_000, "H": 3_600_000_000, "D": 86_400_000_000, "W": 604_800_000_000}


@dataclass(frozen=True)
class Reading:
    """How a table is to be read: the keys of `market` with these names; `separator` to `header` are those of `csv`."""

    timeframe: str = ""
    kind: Literal["bars", "ticks"] = "bars"
    columns: Mapping[str, str | tuple[str, str]] = field(default_factory=dict)
    """Role to the name of its column; of the time also a pair: date, time."""
    stamp: Literal["open", "close"] = "open"
    separator: str = ","
    decimal: str = "."
    header: tuple[str, ...] | None = None
    """None: the first line holds the names."""
    time_format: str | None = None
    epoch_unit: Literal["s", "ms", "us", "ns"] | None = None
    time_zone: str | None = None
    assume_utc: bool = False
    cast: bool = False

    @classmethod
    def of(cls, config: MarketConfig, timeframe: str | None = None) -> Reading:
        """The reading of the config's own files or, with `timeframe`, of the bars that `higher` names for it."""
        kind: Literal["bars", "ticks"] = "bars" if config.ticks is None or timeframe else "ticks"
        roles = ROLES if kind == "bars" else TICK_ROLES
        return cls(
            timeframe=timeframe or config.timeframe or "",
            kind=kind,
            columns={role: name for role, name in config.columns.items() if role in roles},
            stamp=config.stamp,
            separator=config.csv.separator,
            decimal=config.csv.decimal,
            header=None if config.csv.header is True else config.csv.header,
            time_format=config.time_format,
            epoch_unit=config.epoch_unit,
            time_zone=config.time_zone,
            assume_utc=config.assume_utc,
            cast=config.cast,
        )


@dataclass(frozen=True)
class Bars:
    """Bars of one side before the value checks."""

    table: pa.Table
    """timestamp (us, UTC) of the bar's open, then open, high, low, close and, if the source has it, volume as float64;
    no nulls; one chunk."""
    notes: Mapping[str, Any]
    """For the report: name, extra_columns, widened columns, options without_effect and why."""


@dataclass(frozen=True)
class Ticks:
    """Ticks before the value checks."""

    table: pa.Table
    """timestamp (us, UTC), bid, ask and, if the source has them, bid_size, ask_size as float64; no nulls; one chunk."""
    notes: Mapping[str, Any]
    """For the report: name, extra_columns, widened columns, options without_effect and why."""


def to_bars(raw: pa.Table, name: str, reading: Reading) -> Bars:
    """Bars from a raw table; `name` stands for it in messages.

    Raises:
        SweepError: [1008] a column is absent, [1005] two claim one role or a null, [1004] a wrong type or a time that
            is not in its format, [1009] no zone, broken microseconds or an unknown zone, [1003] times out of range,
            [1010] no rows.
    """
    columns, notes = _convert(raw, name, reading, ROLES)
    return Bars(opened(pa.table(columns), reading).combine_chunks(), notes)


def opened(table: pa.Table, reading: Reading) -> pa.Table:
    """Bars whose stamps are those of the bars' open."""
    if reading.stamp == "open":
        return table
    step = pa.scalar(timeframe_us(reading.timeframe), pa.duration("us"))
    return table.set_column(0, "timestamp", pc.subtract_checked(table["timestamp"], step))


def to_ticks(raw: pa.Table, name: str, reading: Reading) -> Ticks:
    """Ticks from a raw table; `name` stands for it in messages.

    Sizes are found as `bid_size`, `bid_volume`, `bid_vol`, `bid_qty` and likewise for `ask`, with a space or nothing
    in the place of the underscore.

    Raises:
        SweepError: as `to_bars`.
    """
    columns, notes = _convert(raw, name, reading, TICK_ROLES)
    return Ticks(pa.table(columns).combine_chunks(), notes)


def _convert(
    raw: pa.Table, name: str, reading: Reading, wanted: Sequence[str]
) -> tuple[dict[str, pa.ChunkedArray], dict[str, Any]]:
    roles = find_roles(raw.column_names, name, reading.columns, wanted)
    if raw.num_rows == 0:
        raise data_error(
            1010, "no rows", name, f"give a file with {'ticks' if wanted is TICK_ROLES else 'bars'}"
        )
    columns: dict[str, pa.ChunkedArray] = {}
    problems: list[SweepError] = []
    for role in (role for role in wanted if role in roles):
        try:
            columns[role] = column_of(raw, role, roles[role], name, reading)
        except SweepError as problem:
            problems.append(problem)
    if problems:
        raise together(problems)
    taken = {index for found in roles.values() for index in found}
    kinds = {role: raw.schema.field(found[0]).type for role, found in roles.items()}
    notes = {
        "name": name,
        "extra_columns": [text for index, text in enumerate(raw.column_names) if index not in taken],
        "widened": [role for role in columns if role != "timestamp" and _bare(kinds[role]) != pa.float64()],
        "without_effect": _without_effect(_bare(kinds["timestamp"]), reading),
    }
    return columns, notes


def column_of(raw: pa.Table, role: str, found: Sequence[int], name: str, reading: Reading) -> pa.ChunkedArray:
    """The values of a role from its columns in a raw table, of a time maybe two.

    Raises:
        SweepError: [1004] [1005] [1009] [1003], as `to_bars`.
    """
    place = f"{name}: {role}"
    parts = [_plain(raw.column(index), place) for index in found]
    if role == "timestamp" and reading.time_format is not None:
        # Dates such as 20240102 are whole numbers in some formats.
        parts = [_digits(column) for column in parts]
    for column in parts:
        _check_type(column, role, len(parts), name, reading)
    for index, column in zip(found, parts, strict=True):
        _check_nulls(column, f"{name}: {raw.column_names[index]}")
    if role != "timestamp":
        return _numbers(parts[0], place)
    stamps = (
        parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, pa.scalar(" ", parts[0].type))
    )
    return labels(stamps, place, reading)


def _without_effect(kind: pa.DataType, reading: Reading) -> dict[str, str]:
    """Options for times that these times make no use of, and why."""
    types = pa.types
    zoned = types.is_timestamp(kind) and kind.tz is not None
    # Whole numbers are read as text by a format.
    text = _is_text(kind) or (types.is_integer(kind) and reading.time_format is not None)
    if text:
        zoned = "%z" in (reading.time_format or "")
    found = {}
    if zoned or (types.is_integer(kind) and not text):
        why = "the times carry a zone" if zoned else "times counted since 1970 are UTC"
        options = {"time_zone": reading.time_zone is not None, "assume_utc": reading.assume_utc}
        found = {option: why for option, given in options.items() if given}
    if reading.time_format is not None and not text:
        found["time_format"] = f"the times are {kind}, not text"
    if reading.epoch_unit is not None and (text or not types.is_integer(kind)):
        found["epoch_unit"] = f"the times are {kind}, not numbers"
    return found


def find_roles(
    names: Sequence[str], name: str, columns: Mapping[str, str | tuple[str, str]], wanted: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    """Index of the column of each wanted role, of the time maybe two, by name and never by position.

    `columns` maps roles to names.

    Raises:
        SweepError: [1008] a required column is absent, [1005] two columns claim one role.
    """
    chosen = {role: text for role, text in columns.items() if role in wanted}
    pair: tuple[int, ...] = ()
    claims: dict[str, list[int]] = {role: [] for role in wanted}
    for role, text in chosen.items():
        found = [_named(names, part, role, name) for part in ((text,) if isinstance(text, str) else text)]
        claims[role] = found[0]
        if len(found) == 2:
            for part in found:
                _settle({role: part}, names, name)
            pair = (found[0][0], found[1][0])
    taken = {index for found in claims.values() for index in found} | set(pair)
    role_of = _sided_role if wanted is SIDED_ROLES else _role
    for index, text in enumerate(names):
        role = role_of(text)
        if role in claims and role not in chosen and index not in taken:
            claims[role].append(index)
    roles = _settle(claims, names, name)
    return {**roles, "timestamp": pair} if pair else roles


def _named(names: Sequence[str], wanted: str, role: str, name: str) -> list[int]:
    found = [index for index, text in enumerate(names) if text == wanted]
    found = found or [index for index, text in enumerate(names) if text.lower() == wanted.lower()]
    if not found:
        has = f"it has {', '.join(names)}"
        raise data_error(1008, f"no column {wanted} for {role} (market.columns)", name, has)
    return found


def _role(text: str) -> str:
    plain = text.strip().lower()
    if plain in _TIME_NAMES:
        return "timestamp"
    joined = plain.replace(" ", "").replace("_", "")
    for side in ("bid", "ask"):
        if joined.removeprefix(side) in _SIZES and joined.startswith(side):
            return f"{side}_size"
    return plain


def _sided_role(text: str) -> str:
    match = _SIDED.fullmatch(text.strip().lower())
    return f"{match[1]}_{match[2]}" if match else _role(text)


def has_sides(names: Sequence[str], reading: Reading) -> bool:
    """Whether columns of these names hold the bars of both sides, as in `bid_open` and `Ask Close`."""
    if reading.kind == "ticks" or any(role in reading.columns for role in ROLES[1:5]):
        return False
    plain, sided = {_role(text) for text in names}, {_sided_role(text) for text in names}
    needed = {role for role in SIDED_ROLES[1:] if role not in _OPTIONAL}
    return needed <= sided and not plain >= set(ROLES[1:5])


def by_side(raw: pa.Table, name: str, reading: Reading) -> dict[str, pa.Table]:
    """The raw tables of bid and ask in a table of both, each with the other columns that are neither's.

    Raises:
        SweepError: [1008] no column for the time, [1005] two columns claim one role.
    """
    roles = find_roles(raw.column_names, name, reading.columns, SIDED_ROLES)
    tables = {}
    for side, other in (("bid", "ask"), ("ask", "bid")):
        gone = {index for role, found in roles.items() if role.startswith(f"{other}_") for index in found}
        own = {
            found[0]: role.removeprefix(f"{side}_") for role, found in roles.items() if role.startswith(side)
        }
        kept = [index for index in range(raw.num_columns) if index not in gone]
        names = [own.get(index, raw.column_names[index]) for index in kept]
        tables[side] = pa.Table.from_arrays([raw.column(index) for index in kept], names=names)
    return tables


def _settle(claims: Mapping[str, list[int]], names: Sequence[str], name: str) -> dict[str, tuple[int, ...]]:
    for role, found in claims.items():
        if len(found) > 1:
            rivals = " and ".join(names[index] for index in found)
            remedy = f"say which one with market.columns: {{{role}: NAME}}"
            if len({names[index] for index in found}) == 1:
                remedy = "no name tells them apart: rename or remove one of them in the source"
            if role == "timestamp" and len(found) == 2:
                remedy += f", or both: [{', '.join(names[index] for index in found)}]"
            raise data_error(1005, f"columns {rivals} both claim to be {role}", name, remedy)
    missing = [role for role, found in claims.items() if not found and role not in _OPTIONAL]
    if missing:
        remedy = f"it has {', '.join(names) or 'none'}; name it with market.columns: {{{missing[0]}: NAME}}"
        if "timestamp" in missing and "__index_level_0__" in names:
            remedy = "the index of the frame has no name: df.rename_axis('timestamp')"
        raise data_error(1008, f"no column for {', '.join(missing)}", name, remedy)
    return {role: (found[0],) for role, found in claims.items() if found}


def _plain(column: pa.ChunkedArray, place: str) -> pa.ChunkedArray:
    """The same values without an encoding around them; text always as large_string."""
    kind = column.type
    try:
        if pa.types.is_dictionary(kind):
            # Not by a cast, which does not know dictionaries of string_view.
            return pa.chunked_array([_wide(chunk.dictionary).take(chunk.indices) for chunk in column.chunks])
        if pa.types.is_run_end_encoded(kind):
            column = pc.run_end_decode(column)
        return _wide(column)
    except pa.ArrowException:
        raise data_error(1004, f"{kind} cannot be read", place, "store it without its encoding") from None


def _bare(kind: pa.DataType) -> pa.DataType:
    """The type without an encoding around it."""
    return kind.value_type if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind) else kind


def _digits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.large_string()) if pa.types.is_integer(column.type) else column


def _wide(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return column.cast(pa.large_string()) if _is_text(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _check_type(column: pa.ChunkedArray, role: str, parts: int, name: str, reading: Reading) -> None:
    place = f"{name}: {role}"
    kind = column.type
    if role == "timestamp":
        _check_time(column, parts, place, reading)
        return
    if kind == pa.float64():
        return
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        remedy = "store numbers; text is never converted"
        if pa.types.is_decimal(kind):
            remedy = "store it as float64; not every decimal has an exact one"
        raise data_error(1004, f"{kind} where float64 is needed", place, remedy)
    if not reading.cast:
        remedy = "cast: true widens it exactly, without rescaling"
        raise data_error(1004, f"{kind} where float64 is needed", place, remedy)


def _check_time(column: pa.ChunkedArray, parts: int, place: str, reading: Reading) -> None:
    kind, types = column.type, pa.types
    zoned = types.is_timestamp(kind) and kind.tz is not None
    if _is_text(kind):
        if reading.time_format is None:
            first = next((f" {value!r}" for value in column.slice(0, 1).to_pylist()), "")
            remedy = "say how it is written, for example time_format: '%d.%m.%Y %H:%M:%S'"
            raise data_error(1004, f"time is text{first}", place, remedy)
        zoned = "%z" in reading.time_format
    elif parts > 1:
        raise data_error(1004, f"date and time in two columns, one is {kind}", place, "both must be text")
    elif types.is_integer(kind):
        if reading.epoch_unit is None:
            number: Any = next(iter(column.slice(0, 1).to_pylist()), None)
            remedy = "say what it counts: epoch_unit: s, ms, us, ns"
            if number is not None and 1900_00_00 < number < 2200_00_00:
                remedy = f"is it a date? time_format: '%Y%m%d'; else {remedy}"
            raise data_error(1004, f"time is a bare {kind}, the first one {number}", place, remedy)
        return
    elif not (types.is_timestamp(kind) or types.is_date(kind)):
        raise data_error(1004, f"time is {kind}", place, "store it as a timestamp with a zone")
    if not zoned and not reading.assume_utc and reading.time_zone is None:
        raise data_error(1009, "time has no zone", place, "set assume_utc: true, or time_zone: Europe/Berlin")


def _check_nulls(column: pa.ChunkedArray, place: str) -> None:
    if column.null_count:
        rows = pc.indices_nonzero(pc.is_null(column)).slice(0, 5).to_pylist()
        what = f"{column.null_count} null value{'s' if column.null_count > 1 else ''}, {listed(rows)}"
        remedy = "remove or fill these rows in the source"
        raise data_error(1005, what, place, remedy, rows=rows, count=column.null_count)


def _numbers(column: pa.ChunkedArray, place: str) -> pa.ChunkedArray:
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        what = f"whole numbers too large for float64, {listed(offenders(column, pa.float64(), 5))}"
        raise data_error(1004, what, place, "store them as float64") from None


def timeframe_us(timeframe: str) -> int:
    """Length of a timeframe in microseconds; the text is already checked."""
    return _UNITS[timeframe[0]] * int(timeframe[1:])
