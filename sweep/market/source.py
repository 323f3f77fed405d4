"""The contract of file sources: a path in, the raw table out; and which format reads which file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sweep.errors import SweepError, error

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.market.contract import Reading


class Source(Protocol):
    """Reads one file format; checks nothing but that the file is whole."""

    name: str
    suffixes: tuple[str, ...]

    def read(self, path: Path, reading: Reading) -> pa.Table:
        """All columns as the file holds them; a text format needs `reading` to know their types.

        Raises:
            SweepError: [3004] not this format, cut short, or a wrong checksum.
        """
        ...


def read(path: Path, reading: Reading | None = None) -> pa.Table:
    """The raw table in a file, whose suffix names the format; of CSV the used columns, the others all null.

    Raises:
        SweepError: [3001] absent, [3002] not readable, [3004] not the format, cut short or a wrong page checksum,
            [1009] an unknown format; of CSV also what `csv` says.
    """
    from sweep.market.contract import Reading

    _reachable(path)
    source = _source(path)
    try:
        return source.read(path, reading or Reading())
    except PermissionError:
        raise data_error(3002, "file is not readable", path, "check its permissions") from None


def data_error(
    code: int,
    what: str,
    place: object,
    remedy: str = "",
    *,
    rows: Sequence[int] = (),
    count: int | None = None,
) -> SweepError:
    """An error of stage data; `rows` are the first of those at fault, `count` how many there are."""
    context = {} if count is None else {"rows": list(rows), "count": count}
    return error(code, what, where=str(place), remedy=remedy, stage="data", context=context)


def together(problems: Sequence[SweepError]) -> SweepError:
    """The first of several errors of stage data, with all of them in its context as `problems`."""
    first = problems[0]
    if len(problems) > 1:
        first.context["problems"] = [
            {
                "code": found.code,
                "what": found.what,
                "where": found.where,
                "remedy": found.remedy,
                **found.context,
            }
            for found in problems
        ]
    return first


def _source(path: Path) -> Source:
    from sweep.market.csv import CsvSource
    from sweep.market.ipc import IpcSource
    from sweep.market.parquet import ParquetSource

    sources: tuple[Source, ...] = (ParquetSource(), CsvSource(), IpcSource())
    suffix = path.suffix.lower()
    if suffix == ".gz":
        suffix = "".join(path.suffixes[-2:]).lower()
    for source in sources:
        if suffix in source.suffixes:
            return source
    known = ", ".join(known for source in sources for known in source.suffixes)
    raise error(
        1009, f"unknown file format {suffix or '(no suffix)'}", where=str(path), remedy=f"known: {known}"
    )


def _reachable(path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except FileNotFoundError:
        raise data_error(3001, "file not found", path, "check the path") from None
    except IsADirectoryError:
        raise data_error(3001, "a folder, not a file", path, "name one file") from None
    except PermissionError:
        raise data_error(3002, "file is not readable", path, "check its permissions") from None
    except OSError as problem:
        raise data_error(3000, f"file cannot be opened: {problem.strerror}", path) from None
