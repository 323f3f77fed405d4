"""Changed copies of sound inputs: bytes, JSON and Arrow tables."""

from __future__ import annotations

import json
import random
from typing import Any

import pyarrow as pa

EXTREME = (
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**63),
    1e308,
    -1e308,
    1e-308,
    0.1,
    "",
    "\x00",
    "NaN",
    None,
    True,
    [],
    {},
)


def bytes_of(rng: random.Random, data: bytes) -> bytes:
    """A few bytes changed, left out or put in."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        place = rng.randrange(len(changed))
        kind = rng.random()
        if kind < 0.4:
            changed[place] ^= 1 << rng.randrange(8)
        elif kind < 0.7:
            changed[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind < 0.85:
            changed[place : place + rng.choice((1, 2, 4, 8))] = b""
        else:
            changed[place:place] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 8))))
        if not changed:
            break
    return bytes(changed)


def value_of(rng: random.Random, value: Any) -> Any:
    """One place of a JSON value replaced."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {**value, rng.choice(("", "x", key + "_", key.upper())): value[key]}
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: value_of(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return [*value[:place], value_of(rng, value[place]), *value[place + 1 :]]
    return rng.choice(EXTREME)


def text_of(rng: random.Random, value: Any) -> str:
    """JSON text with places replaced, or with bytes changed."""
    if rng.random() < 0.6:
        for _ in range(rng.choice((1, 1, 2, 3))):
            value = value_of(rng, value)
        return json.dumps(value)
    return bytes_of(rng, json.dumps(value).encode()).decode(errors="replace")


class RefusedError(Exception):
    """PyArrow itself refuses the input; the native module does not get to see it."""


def table_of(rng: random.Random, table: pa.Table) -> pa.Table:
    """The table with bytes of its columns changed, or with another shape."""
    kind = rng.random()
    try:
        if kind < 0.25:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            return pa.ipc.open_stream(bytes_of(rng, sink.getvalue().to_pybytes())).read_all()
        place = rng.randrange(table.num_columns)
        name, column = table.column_names[place], table.column(place).combine_chunks()
        if kind < 0.75:
            buffers = [
                b if b is None else pa.py_buffer(_same_length(rng, b.to_pybytes())) for b in column.buffers()
            ]
            if rng.random() < 0.2:
                buffers[0] = pa.py_buffer(bytes(rng.randrange(256) for _ in range(len(column) // 8 + 8)))
            return table.set_column(place, name, _rebuilt(column, buffers))
        if kind < 0.8:
            return table.drop_columns([name])
        if kind < 0.85:
            return table.rename_columns(
                [n if n != name else rng.choice(("", "x", *table.column_names)) for n in table.column_names]
            )
        if kind < 0.9:
            types = (
                pa.int64(),
                pa.float32(),
                pa.utf8(),
                pa.bool_(),
                pa.null(),
                pa.timestamp("ns"),
                pa.binary(),
            )
            return table.set_column(place, name, pa.nulls(len(table), rng.choice(types)))
        if kind < 0.95:
            start = rng.randrange(len(table))
            part = table.slice(start, rng.choice((0, 1, len(table))))
            return rng.choice((part, pa.concat_tables([part, table]), pa.concat_tables([table, part])))
        return table.take(pa.array([rng.randrange(len(table)) for _ in range(len(table))]))
    except (
        pa.ArrowException,
        UnicodeError,
        ValueError,
        KeyError,
        OSError,
        MemoryError,
        TypeError,
    ) as problem:
        raise RefusedError from problem


def _rebuilt(column: pa.Array, buffers: list[pa.Buffer | None]) -> pa.Array:
    """The column over other buffers; of a dictionary those are its indices."""
    if isinstance(column, pa.DictionaryArray):
        return pa.DictionaryArray.from_buffers(column.type, len(column), buffers, column.dictionary)
    return pa.Array.from_buffers(column.type, len(column), buffers)


def _same_length(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            place = rng.randrange(len(changed))
            changed[place] = rng.choice((changed[place] ^ (1 << rng.randrange(8)), 0, 0x7F, 0x80, 0xFF))
    return bytes(changed)
