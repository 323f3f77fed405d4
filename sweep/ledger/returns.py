"""`returns/*.parquet`: the daily returns of a batch's trials, beside the ledger."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from sweep.errors import error

FOLDER = "returns"
SCHEMA = pa.schema([("number", pa.int64()), ("returns", pa.list_(pa.float64()))])


def pack(returns: Sequence[float]) -> bytes:
    """Arrow IPC bytes of one trial's daily returns, for the spool."""
    sink = pa.BufferOutputStream()
    table = pa.table({"returns": pa.array(returns, pa.float64())})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def unpack(data: bytes) -> list[float]:
    """Daily returns from `pack`."""
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        values: list[float] = reader.read_all().column("returns").to_pylist()
    return values


def write(
    folder: Path, k: int, returns: Mapping[int, Sequence[float] | None], *, stored: int = 0, window: int = 0
) -> None:
    """Write the returns of batch k, by trial number, before its commit; a batch run again replaces its file.

    Args:
        stored: rows of the batch that an earlier run wrote: an extension gets a file of its own.

    Raises:
        SweepError: [3000] if the file cannot be written.
    """
    target = folder / FOLDER / f"{window:04d}-{k:08d}-{stored}.parquet"
    draft = target.with_suffix(".tmp")
    numbers = sorted(returns)
    table = pa.table({"number": numbers, "returns": [returns[n] for n in numbers]}, schema=SCHEMA)
    try:
        target.parent.mkdir(exist_ok=True)
        with draft.open("wb") as file:
            pq.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        full = problem.errno == 28
        raise error(
            3007 if full else 3000,
            "the disk is full" if full else f"daily returns cannot be written: {problem}",
            where=str(target),
            remedy="make room, then resume the study",
            stage="infrastructure",
        ) from problem


def read(folder: Path, *, window: int = 0) -> pa.Table:
    """Returns of all committed and written batches: number, returns (list of float64, null where not run)."""
    files = sorted((folder / FOLDER).glob(f"{window:04d}-*.parquet"))
    if not files:
        return SCHEMA.empty_table()
    return pa.concat_tables([pq.read_table(file) for file in files]).sort_by("number")
