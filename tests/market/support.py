"""Good bars in memory, and files made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = np.datetime64("2012-02-01T16:43", "us").astype(np.int64)
MINUTE = 60_000_000
UTC = pa.timestamp("us", tz="UTC")


def bars(count: int = 200, *, offset: float = 0.0, start: int = int(START), step: int = MINUTE) -> pa.Table:
    """One-minute bars on a gentle wave, without a defect."""
    index = np.arange(count)
    middle = 1.58 + 0.001 * np.sin(index / 7.0) + offset
    columns = {
        "timestamp": pa.array(start + index * step, pa.int64()).cast(UTC),
        "open": middle,
        "high": middle + 0.0003,
        "low": middle - 0.0003,
        "close": middle + 0.0001,
        "volume": (index % 5).astype(np.float64),
    }
    return pa.table(columns)


def replaced(table: pa.Table, column: str, values: Any) -> pa.Table:
    """The table with another column of that name."""
    return table.set_column(table.column_names.index(column), column, pa.chunked_array([values]))


def poke(table: pa.Table, column: str, row: int, value: float) -> pa.Table:
    """The table with one other value."""
    values = table[column].to_numpy().copy()
    values[row] = value
    return replaced(table, column, pa.array(values, from_pandas=False))


def write(folder: Path, table: pa.Table, name: str = "bars.parquet", **options: Any) -> str:
    """A Parquet file of the table."""
    path = folder / name
    pq.write_table(table, path, **options)
    return str(path)
