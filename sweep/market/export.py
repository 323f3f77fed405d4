"""Bars as files: Parquet, CSV or Feather by suffix, one file per side, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sweep.errors import error

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES: Final = (".parquet", ".csv", ".feather")
_FIELDS: Final = ("open", "high", "low", "close", "volume")


def sides(table: pa.Table) -> dict[str, pa.Table]:
    """Bid and ask bars (timestamp, open, high, low, close, volume) of a table with columns `bid_open` and so on."""
    return {
        side: table.select(["timestamp", *(f"{side}_{name}" for name in _FIELDS)]).rename_columns(
            ["timestamp", *_FIELDS]
        )
        for side in ("bid", "ask")
    }


def targets(to: Path, names: Sequence[str], *, force: bool) -> dict[str, Path]:
    """The file of each name: `to` itself for one, else `to` with `_bid`, `_ask` before its suffix [.parquet].

    Raises:
        SweepError: [1001] another suffix, [1006] a file is there and `force` is not given.
    """
    whole = to if to.suffix else to.with_name(f"{to.name}.parquet")
    stem, suffix = whole.stem, whole.suffix
    files = {name: whole if len(names) == 1 else whole.with_name(f"{stem}_{name}{suffix}") for name in names}
    return {name: target(path, SUFFIXES, force=force) for name, path in files.items()}


def target(path: Path, suffixes: Sequence[str], *, force: bool) -> Path:
    """The path, if a file of this kind may be written there.

    Raises:
        SweepError: [1001] another suffix, [1006] a file is there and `force` is not given.
    """
    if path.suffix.lower() not in suffixes:
        what = f"cannot write a file that ends in {path.suffix or 'nothing'}"
        raise error(1001, what, where=str(path), remedy=f"known: {', '.join(suffixes)}")
    if path.exists() and not force:
        raise error(1006, "the file is there already", where=str(path), remedy="--force overwrites it")
    return path


def write(tables: Mapping[str, pa.Table], files: Mapping[str, Path]) -> None:
    """Writes the table of each name to its file. Floats keep every bit in every format; Parquet pages have checksums.

    Raises:
        SweepError: [3001] no such folder, [3000] a file cannot be written.
    """
    for name, path in files.items():
        whole(path, partial(_save, tables[name], path.suffix.lower()))


def whole(path: Path, save: Callable[[Path], object]) -> None:
    """Lets `save` write a file beside `path`, then renames it: the file is there whole or not at all.

    Raises:
        SweepError: [3001] no such folder, [3000] the file cannot be written.
    """
    if not path.parent.is_dir():
        where = str(path.parent)
        raise error(3001, "the folder does not exist", where=where, remedy="make it first", stage="data")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        save(unfinished)
        unfinished.replace(path)
    except OSError as problem:
        raise error(
            3000,
            f"cannot write {path.name}: {problem}",
            where=str(path.parent),
            remedy="check the folder and the space on its disk",
            stage="infrastructure",
        ) from problem
    finally:
        unfinished.unlink(missing_ok=True)


def _save(table: pa.Table, suffix: str, path: Path) -> None:
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, path, compression="zstd", write_page_checksum=True)
    elif suffix == ".csv":
        from pyarrow import csv

        # Floats in the shortest digits that read back equal, times in ISO 8601 with Z.
        csv.write_csv(table, path)
    else:
        from pyarrow import feather

        feather.write_feather(table, path, compression="zstd")
