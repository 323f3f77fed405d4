"""CSV files, plain or gzipped: read in parallel with the types of the used columns given up front.

Nothing is guessed: separator, decimal mark and header are told. A good file is parsed once; only what Arrow refuses is
looked at again, slowly, for the line and the values at fault.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from sweep.config.market import ROLES, TICK_ROLES
from sweep.errors import SweepError
from sweep.market.contract import SIDED_ROLES, Reading, find_roles, has_sides
from sweep.market.source import data_error, together
from sweep.market.times import named, offenders

_OPENING: Final = 1 << 18
"""Bytes looked at before the file is parsed."""
_SEPARATORS: Final = {";": "';'", "\t": "tab", "|": "'|'", ",": "','"}
_LINE: Final = re.compile(r"\r\n|\n|\r")
_ISO: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:\.(?P<fraction>\d{1,9}))?)?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_ZONED: Final = r"(?:Z|[+-]\d\d(?::?\d\d)?)$"
_SHOWN: Final = 5
_COUNTED: Final = 1000
"""Cells that cannot be read are counted up to here."""


@dataclass(frozen=True)
class _Layout:
    """What the opening of a file says."""

    path: Path
    reading: Reading
    names: tuple[str, ...]
    skip: int
    """Lines before the first row."""
    bare: bool
    """Whether there is no row."""
    quoted: bool
    """Whether there are quotes in the rows; without, a quote is a character like any other."""
    kinds: dict[int, pa.DataType]
    """Type of each used column."""


class CsvSource:
    """Source of CSV files."""

    name = "csv"
    suffixes: tuple[str, ...] = (".csv", ".txt", ".tsv", ".csv.gz", ".txt.gz", ".tsv.gz")

    def read(self, path: Path, reading: Reading) -> pa.Table:
        """All columns by name; those without a role are null and not parsed.

        Raises:
            SweepError: [3004] empty, not UTF-8, NUL bytes, rows of other lengths or cut short, [1004] cells that are
                no numbers or no times, [1008] [1005] the columns, [1009] times with and without a zone.
        """
        layout = _layout(path, reading)
        if layout.bare:
            return pa.table([pa.nulls(0)] * len(layout.names), names=list(layout.names))
        try:
            table = _parsed(layout)
        except (PermissionError, SweepError):
            raise
        except (pa.ArrowException, OSError) as problem:
            table = _quoted_later(layout, problem)
        columns = [
            table.column(str(index)) if index in layout.kinds else pa.nulls(table.num_rows)
            for index in range(len(layout.names))
        ]
        return pa.Table.from_arrays(columns, names=list(layout.names))


def _parsed(layout: _Layout) -> pa.Table:
    table = _parse(layout, layout.kinds)
    if layout.quoted:
        _check_lines(layout, table.num_rows)
    return table


def _quoted_later(layout: _Layout, problem: Exception) -> pa.Table:
    """The columns of a refused file whose first quote comes after its opening; else the diagnosis."""
    if not layout.quoted and _has_quotes(layout.path):
        layout = replace(layout, quoted=True)
        try:
            return _parsed(layout)
        except SweepError:
            raise
        except (pa.ArrowException, OSError) as again:
            problem = again
    raise _diagnosis(layout, problem) from None


def _parse(layout: _Layout, kinds: dict[int, pa.DataType], threads: bool = True) -> pa.Table:
    """The used columns, named by their position; errors without `threads` tell the row."""
    from pyarrow import csv

    reading = layout.reading
    names = [str(index) for index in range(len(layout.names))]
    types = {str(index): kind for index, kind in kinds.items()}
    options: dict[str, Any] = {
        "read_options": csv.ReadOptions(use_threads=threads, column_names=names, skip_rows=layout.skip),
        "parse_options": csv.ParseOptions(
            delimiter=reading.separator, quote_char='"' if layout.quoted else False, newlines_in_values=False
        ),
        "convert_options": csv.ConvertOptions(
            include_columns=list(types),
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            decimal_point=reading.decimal,
        ),
    }
    with pa.input_stream(str(layout.path), compression="gzip" if _zipped(layout.path) else None) as file:
        return csv.read_csv(file, **options)


def _layout(path: Path, reading: Reading) -> _Layout:
    lines = _opening(path)
    at = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    rows = [_cells(line, reading.separator) for line in lines[at:] if line.strip()]
    if not rows:
        raise data_error(3004, "no line with text", path, "write the file anew")
    if reading.header is None:
        names, rows, skip = tuple(_bare(cell) for cell in rows[0]), rows[1:], at + 1
    else:
        names, skip = reading.header, 0
    width = len(rows[0]) if reading.header and rows else len(names)
    if width == 1:
        _check_separator(lines[at], path, reading)
    roles = _roles(names, path, reading)
    kinds = dict.fromkeys((index for found in roles.values() for index in found), pa.float64())
    times = roles["timestamp"]
    kinds |= dict.fromkeys(times, pa.string())
    if rows and len(rows[0]) == len(names):
        _check_quotes(rows, {index for index in kinds if index not in times}, names, path)
        if len(times) == 1:
            cells = (_bare(row[times[0]]) for row in rows if len(row) == len(names))
            kinds[times[0]] = _time_type(next((cell for cell in cells if cell), ""), reading)
    quoted = any('"' in line for line in lines[skip:])
    return _Layout(path, reading, names, skip, not rows, quoted, kinds)


def _opening(path: Path) -> list[str]:
    """The first lines, the last maybe cut."""
    try:
        with _open(path) as file:
            start = file.read(_OPENING)
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise _cut(path, problem) from None
    if not start:
        raise data_error(3004, "empty file", path, "write the file anew")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise data_error(3004, "text in UTF-16", path, "save it as UTF-8")
    if start[:2] == b"\x1f\x8b":
        raise data_error(3004, "compressed with gzip", path, f"name it {path.name}.gz")
    if b"\0" in start:
        line = start[: start.index(b"\0")].count(b"\n") + 1
        raise _nul(path, line)
    whole = start if len(start) < _OPENING else start[: start.rfind(b"\n") + 1] or start
    try:
        return _LINE.split(whole.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise _no_utf8(path, whole[: problem.start].count(b"\n") + 1) from None


def _roles(names: tuple[str, ...], path: Path, reading: Reading) -> dict[str, tuple[int, ...]]:
    try:
        wanted: Sequence[str] = ROLES if reading.kind == "bars" else TICK_ROLES
        if has_sides(names, reading):
            wanted = SIDED_ROLES
        return find_roles(names, str(path), reading.columns, wanted)
    except SweepError as problem:
        if problem.code == 1008 and reading.header is None and any(_is_number(name) for name in names):
            remedy = "name its columns with market.csv.header: [date, time, open, high, low, close, volume]"
            first = reading.separator.join(names)
            raise data_error(1008, f"no header, the first line is `{first}`", path, remedy) from None
        raise


def _check_separator(line: str, path: Path, reading: Reading) -> None:
    """Refuses a file of one column whose first line has another separator in it."""
    counts = {char: line.count(char) for char in _SEPARATORS if char != reading.separator and char in line}
    if counts:
        likely = max(counts, key=lambda char: (counts[char], char != ","))
        remedy = f"set market.csv.separator: {_SEPARATORS[likely]}"
        raise data_error(1008, f"one column `{line.strip()}`", path, remedy)


def _check_quotes(rows: list[list[str]], numbers: set[int], names: tuple[str, ...], path: Path) -> None:
    """Refuses quoted numbers in the opening: Arrow would take them for plain ones."""
    for index in sorted(numbers):
        found = [
            (row, cells[index])
            for row, cells in enumerate(rows)
            if index < len(cells) and cells[index].startswith('"')
        ]
        if found:
            raise _quoted_numbers(found[:_SHOWN], names[index], path)


def _time_type(cell: str, reading: Reading) -> pa.DataType:
    """The one type that all times must have if the first that is there is written like this."""
    if reading.time_format is not None:
        return pa.string()
    if reading.epoch_unit is not None or cell.lstrip("-").isdecimal():
        return pa.int64()
    match = _ISO.fullmatch(cell)
    if match is None:
        return pa.string()
    unit = "ns" if len(match["fraction"] or "") > 6 else "us"
    return pa.timestamp(unit, tz="UTC" if match["zone"] else None)


def _check_lines(layout: _Layout, rows: int) -> None:
    """Refuses what Arrow takes without a word: line ends inside quotes, and the rows between them; quoted numbers.

    Where the quotes of a line stand is told by its quotes and separators alone, and few lines differ in that.
    """
    separator = layout.reading.separator
    rest = bytes(set(range(256)) - {ord('"'), ord(separator)})
    times = layout.kinds.keys() - {index for index, kind in layout.kinds.items() if kind == pa.float64()}
    numbers = sorted(layout.kinds.keys() - times)
    good: set[bytes] = set()
    found: dict[int, list[tuple[int, str]]] = {}
    count = 0
    with _open(layout.path) as file:
        lines = (part for line in file for part in line.splitlines() if part.strip())
        for row, line in enumerate(lines, -1 if layout.reading.header is None else 0):
            count = row + 1
            marks = line.translate(None, rest)
            if row < 0 or marks in good:
                continue
            cells = _cells(line.decode("utf-8", "replace"), separator)
            wrong = [index for index in numbers if index < len(cells) and '"' in cells[index]]
            for index in wrong:
                found.setdefault(index, []).append((row, cells[index]))
            if not wrong:
                good.add(marks)
            elif len(found[wrong[0]]) == _SHOWN:
                break
    if found:
        index = min(found)
        raise _quoted_numbers(found[index], layout.names[index], layout.path)
    if count > rows:
        what = f"{count} lines make {rows} rows: a line end inside quotes, or a quote that is not closed"
        raise data_error(3004, what, layout.path, "write the file without such cells")


def _has_quotes(path: Path) -> bool:
    try:
        with _open(path) as file:
            return any(b'"' in line for line in file)
    except (OSError, EOFError, zlib.error):
        return False


def _diagnosis(layout: _Layout, problem: Exception) -> SweepError:
    """What is wrong with a file that Arrow refused."""
    try:
        found = _bad_line(layout) or _bad_cells(layout)
    except (gzip.BadGzipFile, EOFError, zlib.error) as cut:
        return _cut(layout.path, cut)
    except pa.ArrowException as again:
        found, problem = None, again
    what = " ".join(str(problem).split()).rstrip(".")
    return found or data_error(3004, f"not a CSV file: {what}", layout.path, "write the file anew")


def _bad_line(layout: _Layout) -> SweepError | None:
    path, separator = layout.path, layout.reading.separator
    expected = len(layout.names)
    for number, line in _lines(path):
        if b"\0" in line:
            return _nul(path, number)
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            return _no_utf8(path, number)
        quotes = layout.quoted and '"' in text
        cells = len(_cells(text, separator)) if quotes else text.count(separator) + 1
        if number > layout.skip and text and cells != expected:
            what = f"line {number} has {cells} of {expected} cells"
            if cells > expected:
                what = f"line {number} has {cells} cells, {expected} are named"
            return data_error(3004, what, path, f"mend the line: {text[:80]!r}")
    return None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with _open(path) as file:
        yield from enumerate(file, 1)


def _bad_cells(layout: _Layout) -> SweepError | None:
    """What is wrong in each column that cannot be read."""
    problems: list[SweepError] = []
    texts = _parse(layout, dict.fromkeys(layout.kinds, pa.string()), threads=False)
    for index, kind in layout.kinds.items():
        column = texts.column(str(index))
        if kind == pa.float64() and layout.reading.decimal == ",":
            column = pc.replace_substring(pc.replace_substring(column, ".", "?"), ",", ".")
        rows = offenders(pc.utf8_trim_whitespace(column), kind, _COUNTED)
        if rows:
            original = texts.column(str(index))
            found = [(row, original[row].as_py()) for row in rows[:_SHOWN]]
            problems.append(_bad_values(layout, index, kind, found, len(rows)))
    return together(problems) if problems else None


def _bad_values(
    layout: _Layout, index: int, kind: pa.DataType, found: list[tuple[int, str]], count: int
) -> SweepError:
    place, rows = f"{layout.path}: {layout.names[index]}", [row for row, _ in found]

    def problem(code: int, what: str, remedy: str) -> SweepError:
        total = count if count < _COUNTED else None
        return data_error(code, what, place, remedy, rows=rows, count=total)

    first, reading = found[0][1], layout.reading
    cells = f"{count} {'cells' if count > 1 else 'cell'}" if count < _COUNTED else f"{count} cells or more"
    if kind == pa.float64():
        remedy = "text is never converted to numbers"
        if "," in first and reading.decimal == ".":
            remedy = "decimal commas? set market.csv.decimal: ',' and its separator"
        return problem(1004, f"no number in {cells}, {named(found)}", remedy)
    if kind == pa.int64():
        return problem(1004, f"no whole number in {cells}, {named(found)}", "epoch times are whole numbers")
    if pa.types.is_timestamp(kind) and _ISO.fullmatch(first):
        zoned = re.search(_ZONED, first[10:]) is not None
        if zoned != (kind.tz is not None):
            what = f"some times have a zone and some not, {cells} unlike the first, {named(found)}"
            return problem(1009, what, "write all of them alike")
    what = f"no ISO 8601 time like the first in {cells}, {named(found)}"
    return problem(1004, what, "write all alike; of any other form say it with time_format")


def _cells(line: str, separator: str) -> list[str]:
    """Cells of a line, quotes kept."""
    if '"' not in line:
        return line.split(separator)
    char = re.escape(separator)
    return [match[1] for match in re.finditer(rf'(?:^|{char})("(?:[^"]|"")*"[^{char}]*|[^{char}]*)', line)]


def _bare(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _zipped(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _open(path: Path) -> gzip.GzipFile | BinaryIO:
    return gzip.open(path) if _zipped(path) else path.open("rb")


def _quoted_numbers(found: list[tuple[int, str]], column: str, path: Path) -> SweepError:
    what = f"numbers in quotes, {named(found)}"
    return data_error(1004, what, f"{path}: {column}", "write numbers without quotes")


def _cut(path: Path, problem: Exception) -> SweepError:
    return data_error(3004, f"not a whole gzip file: {problem}", path, "write the file anew")


def _nul(path: Path, line: int) -> SweepError:
    return data_error(3004, f"NUL byte in line {line}", path, "write the file anew, as UTF-8 text")


def _no_utf8(path: Path, line: int) -> SweepError:
    return data_error(3004, f"line {line} is not UTF-8", path, "save it as UTF-8")
