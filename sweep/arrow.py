"""Native tables as PyArrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def read_all(source: Any) -> pa.Table:
    """The table behind an object with the Arrow C stream protocol, without a copy.

    `pyarrow.table` would do the same and import pandas, where it is installed, to ask whether it is a data frame.
    """
    import pyarrow as pa

    return pa.RecordBatchReader.from_stream(source).read_all()
