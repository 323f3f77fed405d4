"""`returns/*.parquet`: the daily returns of a batch's trials, or their sums over blocks of days, beside the ledger."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sweep.arrow import from_ipc, to_ipc
from sweep.ledger.transaction import file_error

Form = Literal["all", "blocks", "none"]
"""What is kept of the daily returns."""

Returns = Sequence[float] | NDArray[np.float64]
"""Daily returns of one trial."""

FOLDER: Final = "returns"
MOST_BLOCKS: Final = 16
SHORTEST_BLOCK: Final = 20
"""Days."""
SCHEMA = pa.schema([("number", pa.int64()), ("returns", pa.list_(pa.float64()))])
BLOCKS = pa.schema(
    [
        ("number", pa.int64()),
        ("days", pa.int64()),
        ("sums", pa.list_(pa.float64())),
        ("squares", pa.list_(pa.float64())),
    ]
)


def pack(returns: Returns) -> bytes:
    """Arrow IPC bytes of one trial's daily returns, for the spool."""
    packed: bytes = to_ipc(pa.Table.from_arrays([_floats(returns)], names=["returns"])).to_pybytes()
    return packed


def unpack(data: bytes) -> list[float]:
    """Daily returns from `pack`."""
    values: list[float] = from_ipc(data).column("returns").to_pylist()
    return values


def form_of(recorded: str | bool) -> Form:
    """What a ledger says is kept; the first ones said yes or no."""
    forms: dict[str | bool, Form] = {True: "all", False: "none", "all": "all", "blocks": "blocks"}
    return forms.get(recorded, "none")


def blocks_of(days: int) -> int:
    """Number of blocks that a series of so many days is cut into: an even number, at most 16, of at least 20 days each.

    0 if it is too short for 4 of them.
    """
    return next((count for count in range(MOST_BLOCKS, 2, -2) if days // count >= SHORTEST_BLOCK), 0)


def block_sums(returns: Returns) -> tuple[list[float], list[float]] | None:
    """Sums and sums of squares over equal blocks of consecutive days, the first days that are too many left out.

    None for a series that is too short.
    """
    count = blocks_of(len(returns))
    if count == 0:
        return None
    days = np.asarray(returns[len(returns) % count :], np.float64).reshape(count, -1)
    return days.sum(axis=1).tolist(), np.square(days).sum(axis=1).tolist()


def write(
    folder: Path,
    k: int,
    returns: Mapping[int, Returns | None],
    *,
    form: Form = "all",
    stored: int = 0,
    window: int = 0,
) -> None:
    """Write the returns of batch k, by trial number, before its commit; a batch run again replaces its file.

    Args:
        form: `all`, `blocks` for their sums and sums of squares over blocks, `none` for nothing.
        stored: rows of the batch that an earlier run wrote: an extension gets a file of its own.

    Raises:
        SweepError: [3000] [3002] [3007] for the disk.
    """
    if form != "none":
        _write(folder / FOLDER / f"{window:04d}-{k:08d}-{stored}.parquet", _table(returns, form))


def replace(folder: Path, returns: Mapping[int, Returns | None], *, form: Form) -> None:
    """Put the returns of trials that were run again, by trial number, in the place of what was written for them."""
    for file in sorted((folder / FOLDER).glob("*.parquet")) if form != "none" else ():
        table = pq.read_table(file)
        numbers = table["number"].to_pylist()
        again = {number: returns[number] for number in numbers if number in returns}
        if again:
            kept = table.filter(pa.array([number not in again for number in numbers]))
            _write(file, pa.concat_tables([kept, _table(again, form)]).sort_by("number"))


def read(folder: Path, *, window: int = 0) -> pa.Table:
    """Returns of all committed and written batches: number, returns (list of float64, null where not run).

    Where blocks are kept: number, days, sums and squares (lists of float64), as `BLOCKS`.
    """
    files = sorted((folder / FOLDER).glob(f"{window:04d}-*.parquet"))
    if not files:
        return SCHEMA.empty_table()
    return pa.concat_tables([pq.read_table(file) for file in files]).sort_by("number")


# PyArrow's conversions of lists and arrays import pandas, which takes a second in the midst of a study: columns are made
# from their buffers.
def _table(returns: Mapping[int, Returns | None], form: Form) -> pa.Table:
    numbers = sorted(returns)
    series = [returns[number] for number in numbers]
    if form == "all":
        return pa.Table.from_arrays([_integers(numbers), _lists(series)], schema=SCHEMA)
    cut = [None if days is None else block_sums(days) for days in series]
    columns = [
        _integers(numbers),
        _integers([None if days is None else len(days) for days in series]),
        _lists([None if sums is None else sums[0] for sums in cut]),
        _lists([None if sums is None else sums[1] for sums in cut]),
    ]
    return pa.Table.from_arrays(columns, schema=BLOCKS)


def _floats(values: Returns) -> pa.Array:
    held = np.ascontiguousarray(values, np.float64)
    return pa.Array.from_buffers(pa.float64(), len(held), [None, pa.py_buffer(held)])


def _integers(values: Sequence[int | None]) -> pa.Array:
    held = np.array([value or 0 for value in values], np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [_validity(values), pa.py_buffer(held)])


def _lists(values: Sequence[Returns | None]) -> pa.Array:
    given = [np.asarray(() if each is None else each, np.float64) for each in values]
    offsets = np.zeros(len(given) + 1, np.int32)
    np.cumsum([len(each) for each in given], out=offsets[1:])
    items = _floats(np.concatenate(given) if given else ())
    return pa.Array.from_buffers(
        pa.list_(pa.float64()), len(given), [_validity(values), pa.py_buffer(offsets)], children=[items]
    )


def _validity(values: Sequence[object]) -> pa.Buffer | None:
    """The bits of what is not None; no buffer if nothing is."""
    there = np.array([value is not None for value in values], np.bool_)
    return None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))


def _write(target: Path, table: pa.Table) -> None:
    draft = target.with_suffix(".tmp")
    try:
        target.parent.mkdir(exist_ok=True)
        with draft.open("wb") as file:
            # Numbers that are all different: dictionaries, compression and statistics only cost time.
            pq.write_table(table, file, compression="none", use_dictionary=False, write_statistics=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as problem:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise file_error(problem, target, "daily returns") from problem
