"""Native tables as PyArrow tables, their columns as NumPy arrays, and tables of users against the schema registry."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from sweep.errors import error

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def read_all(source: Any) -> pa.Table:
    """The table behind an object with the Arrow C stream protocol, without a copy.

    `pyarrow.table` would do the same and import pandas, where it is installed, to ask whether it is a data frame.
    """
    import pyarrow as pa

    return pa.RecordBatchReader.from_stream(source).read_all()


def numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """The numbers of a column without nulls, read-only; shares the memory unless it has several chunks.

    `to_numpy` would do the same and import pandas first, where it is installed.
    """
    import numpy as np

    arrays = [np.from_dlpack(chunk) for chunk in getattr(column, "chunks", [column])]
    if not arrays:
        return np.empty(0)
    whole: NDArray[Any] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    whole.flags.writeable = False
    return whole


def to_ipc(table: pa.Table) -> pa.Buffer:
    """The rows of a table as an Arrow IPC stream, those of a slice alone."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_ipc(data: Any) -> pa.Table:
    """The table of `to_ipc`, sharing the memory."""
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()


@cache
def schema(name: str) -> dict[str, Any]:
    """A schema of the registry: version, fingerprint, fields [{name, type, nullable}]. Raises [1001]."""
    from sweep import _core

    registry: dict[str, dict[str, Any]] = json.loads(_core.schemas())
    if name not in registry:
        raise error(1001, f"unknown schema {name!r}", where="schema registry", remedy=", ".join(registry))
    return registry[name]


def conform(name: str, table: Any, *, where: str) -> pa.Table:
    """A user's table, checked against a schema of the registry, its columns in canonical order.

    The order of the columns does not matter, plain and large text pass for a dictionary, and a nullable column may be
    left out.

    Raises:
        SweepError: [1004] if it does not speak Arrow, [1005] naming the first field that differs.
    """
    if not hasattr(table, "__arrow_c_stream__"):
        raise error(
            1004, f"{type(table).__name__} does not speak Arrow", where=where, remedy="give a PyArrow table"
        )
    given = read_all(table)
    known = schema(name)
    for field in known["fields"]:
        given = _field(given, field, f"{where} (schema {name} {known['version']})")
    names = [field["name"] for field in known["fields"]]
    unknown = [column for column in given.column_names if column not in names]
    if unknown:
        remedy = f"the fields are {', '.join(names)}"
        raise error(1005, f"field {unknown[0]!r} is unknown", where=where, remedy=remedy)
    return given.select(names)


def _field(table: pa.Table, field: dict[str, Any], where: str) -> pa.Table:
    """The table, of which one field is as the registry has it."""
    import pyarrow as pa

    name, wanted = field["name"], field["type"]
    count = table.column_names.count(name)
    if count == 0 and field["nullable"]:
        return table.append_column(name, pa.nulls(table.num_rows, _type(wanted)))
    if count != 1:
        what = "is absent" if count == 0 else f"is there {count} times"
        raise error(1005, f"field {name!r} {what}", where=where, remedy=f"give a column of {wanted}")
    column = table[name]
    if not _passes(column.type, wanted):
        remedy = f"cast it to {wanted}"
        raise error(1005, f"field {name!r} is {column.type}, not {wanted}", where=where, remedy=remedy)
    if column.null_count and not field["nullable"]:
        what = f"field {name!r} has {column.null_count} nulls and may have none"
        raise error(1005, what, where=where, remedy="fill or drop these rows")
    return table


def _type(text: str) -> Any:
    """The Arrow type of a type's text."""
    import pyarrow as pa

    named = {"double": pa.float64(), "bool": pa.bool_(), "string": pa.string()}
    if text.startswith("timestamp"):
        return pa.timestamp("us", tz="UTC")
    if text.startswith("dictionary"):
        return pa.dictionary(pa.int32(), pa.string())
    return named.get(text) or pa.type_for_alias(text)


def _passes(given: Any, wanted: str) -> bool:
    import pyarrow as pa

    if wanted.startswith(("dictionary", "string")):
        value = given.value_type if pa.types.is_dictionary(given) else given
        return bool(pa.types.is_string(value) or pa.types.is_large_string(value))
    return bool(given == _type(wanted))
