"""`trials.parquet`: the trials table beside the ledger."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from sweep.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweep.ledger import Ledger

FILE = "trials.parquet"


class ParquetTracker:
    """Writes the trials table to `<study>/trials.parquet`; a reader sees the old file or the new one."""

    name = "parquet"

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def project(self, ledger: Ledger, *, final: bool) -> None:
        """Write the table; while the study runs nothing is written, since the ledger itself can be read."""
        if final:
            write(ledger.table(), self._path)


def write(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, whole or not at all.

    Raises:
        SweepError: [3000] if the file cannot be written.
    """
    whole(path, lambda partial: pq.write_table(table, partial, compression="zstd"))


def whole(path: Path, save: Callable[[Path], None]) -> None:
    """Let `save` write a file beside `path`, then rename it: the file is there whole or not at all.

    Raises:
        SweepError: [3000] if the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        save(partial)
        partial.replace(path)
    except OSError as problem:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise error(
            3000,
            f"cannot write {path.name}: {problem}",
            where=str(path.parent),
            remedy="check the folder and the space on its disk",
            stage="infrastructure",
        ) from problem
