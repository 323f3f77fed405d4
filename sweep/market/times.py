"""Times as files have them to instants in UTC, exact to the microsecond: text by its format, integers, local times."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sweep.config.timeformat import pieces
from sweep.errors import SweepError
from sweep.market.source import data_error

if TYPE_CHECKING:
    from sweep.market.contract import Reading

UTC_US: Final = pa.timestamp("us", tz="UTC")
_NAIVE_US: Final = pa.timestamp("us")
_ROWS: Final = 1 << 18
"""Rows of text parsed at once; many such pieces go to threads."""
_WIDTHS: Final = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_ISO: Final = {"%Y": 0, "%m": 5, "%d": 8, "%H": 11, "%M": 14, "%S": 17}
"""Where the digits of a directive stand in ISO 8601."""
_NUMERIC: Final = frozenset("YymdHIMSf")
_PATTERNS: Final = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "f": r"\d{1,9}",
    "b": "[A-Za-z]{3}",
    "B": "[A-Za-z]{3,9}",
    "p": "[AaPp][Mm]",
    "z": r"Z|[+-]\d{2}:?\d{2}",
}
_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
Ints = npt.NDArray[np.int64]


def labels(column: pa.ChunkedArray, place: str, reading: Reading) -> pa.ChunkedArray:
    """A time column whose type is already accepted as timestamp (us, UTC), not moved by `stamp`.

    Raises:
        SweepError: [1004] text that is not in the format, [1009] broken microseconds, an unknown zone or a local time
            that is none or two, [1003] out of range.
    """
    kind = column.type
    if pa.types.is_large_string(kind):
        column = text(column, reading.time_format or "", place)
    elif pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    elif pa.types.is_integer(kind):
        column = _in_range(column, pa.int64(), place).cast(pa.timestamp(reading.epoch_unit, tz="UTC"))
    if column.type.tz is None:
        column = _with_zone(column, place, reading)
    if column.type.unit == "ns":
        _whole_microseconds(column, place)
    return _in_range(column, UTC_US, place)


def text(column: pa.ChunkedArray, text_format: str, place: str) -> pa.ChunkedArray:
    """Text without nulls (large_string) by a strptime format as timestamp (us), with zone UTC if it holds `%z`.

    The whole text must match; one digit is enough for day, month and hour where the format leaves no doubt.

    Raises:
        SweepError: [1004] text that does not match or is no date, [1009] digits beyond the microsecond.
    """
    parts = pieces(text_format)
    zoned = "%z" in parts
    batches = [chunk.slice(start, _ROWS) for chunk in column.chunks for start in range(0, len(chunk), _ROWS)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        parsed = list(pool.map(lambda batch: _parse(batch, parts), batches))
    for wrong, code, what, remedy in (
        ("bad", 1004, f"do not match time_format {text_format!r}", "set market.time_format to what they are"),
        ("broken", 1009, "have broken microseconds", "store whole microseconds"),
    ):
        counts = [len(getattr(part, wrong)) for part in parsed]
        if sum(counts):
            starts = np.cumsum([0, *(len(batch) for batch in batches)])
            rows = [
                (start + row, batch[row].as_py())
                for start, batch, part in zip(starts, batches, parsed, strict=False)
                for row in getattr(part, wrong)[:5].tolist()
            ][:5]
            said = f"{sum(counts)} times {what}, {named(rows)}"
            raise data_error(code, said, place, remedy, rows=[row for row, _ in rows], count=sum(counts))
    return pa.chunked_array([part.times for part in parsed], type=UTC_US if zoned else _NAIVE_US)


def named(rows: Sequence[tuple[int, str]]) -> str:
    """Rows with what stands in them: `row 3 '31.02.2012', row 9 ''`."""
    return ", ".join(f"row {row} {value!r}" for row, value in rows)


def offenders(column: pa.ChunkedArray, kind: pa.DataType, most: int) -> list[int]:
    """The first rows, at most `most`, that cannot become `kind`, by halving what cannot."""
    found: list[int] = []
    stack = [(0, len(column))]
    while stack and len(found) < most:
        start, count = stack.pop()
        try:
            column.slice(start, count).cast(kind)
        except pa.ArrowInvalid:
            if count == 1:
                found.append(start)
            else:
                half = count // 2
                stack += [(start + half, count - half), (start, half)]
    return found


@dataclass(frozen=True)
class _Parsed:
    times: pa.Array
    bad: Ints
    """Rows that do not match, or are no date."""
    broken: Ints
    """Rows with digits other than 0 beyond the microsecond."""


_NONE: Final = np.empty(0, np.int64)


def _parse(batch: pa.Array, parts: Sequence[str]) -> _Parsed:
    times = _fixed(batch, parts)
    return _loose(batch, parts) if times is None else _Parsed(times, _NONE, _NONE)


def _fixed(batch: pa.Array, parts: Sequence[str]) -> pa.Array | None:
    """Rows of one width with two-digit parts: their bytes moved to ISO 8601, which Arrow parses; None if not so."""
    offsets = np.frombuffer(batch.buffers()[1], np.int64)[batch.offset : batch.offset + len(batch) + 1]
    width = int(offsets[1] - offsets[0])
    if (np.diff(offsets) != width).any():
        return None
    spans = _spans(parts, width)
    if spans is None:
        return None
    held = np.frombuffer(batch.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].reshape(len(batch), width)
    digits = spans["%f"][1] - spans["%f"][0] if "%f" in spans else 0
    length = 20 + digits if digits else 19
    out = np.empty((len(batch), length), np.uint8)
    out[:] = np.frombuffer(b"0000-00-00T00:00:00.000000"[:length], np.uint8)
    for part, (start, end) in spans.items():
        if part == "%f":
            out[:, 20:] = held[:, start:end]
        elif len(part) == 2:
            out[:, _ISO[part] : _ISO[part] + end - start] = held[:, start:end]
        elif (held[:, start] != ord(part[0])).any():
            return None
    ends = pa.py_buffer(np.arange(len(batch) + 1, dtype=np.int32) * length)
    iso = pa.StringArray.from_buffers(len(batch), ends, pa.py_buffer(out))
    try:
        return iso.cast(_NAIVE_US)
    except pa.ArrowInvalid:
        return None


def _spans(parts: Sequence[str], width: int) -> dict[str, tuple[int, int]] | None:
    """Columns of each part in rows of this width; literals get their position as a suffix; None: not fixed."""
    digits = width - sum(_WIDTHS.get(part, len(part)) for part in parts if part != "%f")
    if ("%f" in parts) != (digits > 0) or digits < 0 or digits > 6:
        return None
    spans: dict[str, tuple[int, int]] = {}
    at = 0
    for part in parts:
        if (len(part) == 2 and part != "%f" and part not in _WIDTHS) or not part.isascii():
            return None
        wide = digits if part == "%f" else _WIDTHS.get(part, 1)
        spans[part if len(part) == 2 else f"{part}@{at}"] = (at, at + wide)
        at += wide
    return spans


def _loose(batch: pa.Array, parts: Sequence[str]) -> _Parsed:
    """Any format, by a regular expression; slower, and names the rows that do not match."""
    found = pc.extract_regex(batch, _regex(parts))
    match = found.is_valid().to_numpy(zero_copy_only=False)
    groups = {part[1]: pc.struct_field(found, part[1]) for part in parts if len(part) == 2}

    def number(name: str) -> Ints:
        return _ints(groups[name]) if name in groups else np.zeros(len(batch), np.int64)

    year = number("Y")
    if "y" in groups:
        year = number("y")
        year = year + np.where(year < 69, 2000, 1900)
    names = groups.get("b", groups.get("B"))
    month = number("m") if names is None else _months(names, 3 if "b" in groups else None)
    hour = number("H")
    if "I" in groups:
        hour = number("I")
        match &= (hour >= 1) & (hour <= 12)
        hour = hour % 12 + 12 * _equal(pc.utf8_lower(groups["p"]), "pm")
    minute, second, day = number("M"), number("S"), number("d")
    months = (year - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1)
    date = months.astype("M8[D]") + (day - 1)
    match &= (month >= 1) & (month <= 12) & (day >= 1) & (date.astype("M8[M]") == months)
    match &= (hour < 24) & (minute < 60) & (second < 60)
    micros = date.astype("M8[us]").astype(np.int64)
    micros += ((hour * 60 + minute) * 60 + second) * 1_000_000
    broken = np.zeros(len(batch), bool)
    if "f" in groups:
        nanos = _ints(pc.utf8_rpad(groups["f"], 9, "0"))
        micros += nanos // 1000
        broken = match & (nanos % 1000 != 0)
    if "z" in groups:
        offset, valid = _offsets(groups["z"])
        micros -= offset * 60_000_000
        match &= valid
    kind = UTC_US if "z" in groups else _NAIVE_US
    return _Parsed(pa.array(micros).cast(kind), np.flatnonzero(~match), np.flatnonzero(broken))


def _regex(parts: Sequence[str]) -> str:
    out = []
    for index, part in enumerate(parts):
        if len(part) == 1:
            out.append(re.escape(part))
            continue
        around = (*parts[max(index - 1, 0) : index], *parts[index + 1 : index + 2])
        packed = any(len(other) == 2 and other[1] in _NUMERIC for other in around)
        digits = r"\d{2}" if packed else r"\d{1,2}"
        out.append(f"(?P<{part[1]}>{_PATTERNS.get(part[1], digits)})")
    return f"^{''.join(out)}$"


def _ints(group: pa.Array) -> Ints:
    return np.asarray(pc.fill_null(group, "0").cast(pa.int64()))


def _equal(group: pa.Array, word: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.equal(group, word), False).to_numpy(zero_copy_only=False))


def _months(group: pa.Array, letters: int | None) -> Ints:
    known = pa.array([month[:letters] for month in _MONTHS], group.type)
    return np.asarray(pc.fill_null(pc.index_in(pc.utf8_lower(group), known), -1)).astype(np.int64) + 1


def _offsets(group: pa.Array) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Minutes east of UTC, and whether they are possible."""
    plain = pc.replace_substring(pc.replace_substring(group, "Z", "+00:00"), ":", "")
    hours, minutes = (_ints(pc.utf8_slice_codeunits(plain, at, at + 2)) for at in (1, 3))
    sign = np.where(_equal(pc.utf8_slice_codeunits(plain, 0, 1), "-"), -1, 1)
    return sign * (hours * 60 + minutes), (hours < 24) & (minutes < 60)


def _with_zone(column: pa.ChunkedArray, place: str, reading: Reading) -> pa.ChunkedArray:
    if reading.time_zone is None:
        return column.cast(pa.timestamp(column.type.unit, tz="UTC"))
    try:
        return pc.assume_timezone(column, reading.time_zone, ambiguous="raise", nonexistent="raise")
    except pa.ArrowInvalid:
        raise _no_instant(column, place, reading.time_zone) from None


def _no_instant(column: pa.ChunkedArray, place: str, zone: str) -> SweepError:
    """Names the local times that the two readings of the clock's changes tell apart."""
    try:
        early = pc.assume_timezone(column, zone, ambiguous="earliest", nonexistent="earliest")
        late = pc.assume_timezone(column, zone, ambiguous="latest", nonexistent="latest")
    except pa.ArrowInvalid:
        return data_error(1009, f"no rules for the time zone {zone}", place, "install the system's tzdata")
    rows = np.flatnonzero(pc.not_equal(early, late).to_numpy())
    found = [(row, str(column[row])) for row in rows[:5].tolist()]
    what = f"{rows.size} local times that do not exist, or exist twice, in {zone}, {named(found)}"
    return data_error(1009, what, place, "store the times in UTC", rows=rows[:5].tolist(), count=rows.size)


def _whole_microseconds(column: pa.ChunkedArray, place: str) -> None:
    rest = np.flatnonzero(column.cast(pa.int64()).to_numpy() % 1000)
    if rest.size:
        rows = rest[:5].tolist()
        what = f"{rest.size} times with broken microseconds, {listed(rows)}"
        raise data_error(1009, what, place, "store whole microseconds", rows=rows, count=rest.size)


def _in_range(column: pa.ChunkedArray, kind: pa.DataType, place: str) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except pa.ArrowInvalid:
        what = f"times outside what microseconds can hold, {listed(offenders(column, kind, 5))}"
        raise data_error(1003, what, place, "wrong epoch_unit?") from None


def listed(rows: Sequence[int]) -> str:
    """Rows by number: `rows 3, 4`."""
    return f"row{'s' if len(rows) > 1 else ''} {', '.join(str(row) for row in rows)}"
