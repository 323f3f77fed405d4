"""The contract of file sources: a path in, the raw table out; and which format reads which file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from sweep.errors import SweepError, error, not_built

if TYPE_CHECKING:
    import pyarrow as pa

_LATER: Final = {
    ".csv": "CSV",
    ".txt": "CSV",
    ".gz": "compressed CSV",
    ".arrow": "Arrow IPC",
    ".ipc": "Arrow IPC",
    ".feather": "Feather",
}


class Source(Protocol):
    """Reads one file format; checks nothing but that the file is whole."""

    name: str
    suffixes: tuple[str, ...]

    def read(self, path: Path) -> pa.Table:
        """All columns as the file holds them.

        Raises:
            SweepError: [3004] not this format, cut short, or a wrong checksum.
        """
        ...


def read(path: Path) -> pa.Table:
    """The raw table in a file, whose suffix names the format.

    Raises:
        SweepError: [3001] absent, [3002] not readable, [3004] not the format, cut short or a wrong page checksum,
            [4001] a format that this version lacks.
    """
    _reachable(path)
    source = _source(path)
    try:
        return source.read(path)
    except PermissionError:
        raise data_error(3002, "file is not readable", path, "check its permissions") from None


def data_error(code: int, what: str, place: object, remedy: str = "") -> SweepError:
    """An error of stage data."""
    return error(code, what, where=str(place), remedy=remedy, stage="data")


def _source(path: Path) -> Source:
    from sweep.market.parquet import ParquetSource

    sources: tuple[Source, ...] = (ParquetSource(),)
    suffix = path.suffix.lower()
    for source in sources:
        if suffix in source.suffixes:
            return source
    if suffix in _LATER:
        raise not_built(f"reading {_LATER[suffix]} files", where=str(path), remedy="convert it to Parquet")
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
