"""Canonical digests of tables and of results."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sweep.reference.schema import REGISTRY, Field

Row = Mapping[str, Any]
_LETTERS: Final = {"ts": "t", "d": "s"}
_FORMATS: Final = {"t": "q", "l": "q", "u": "Q", "i": "i", "b": "B", "f": "d"}


def table_bytes(schema: str, rows: Sequence[Row]) -> bytes:
    """The canonical bytes of a table given as rows; times in microseconds, null as None."""
    definition = REGISTRY[schema]
    parts = [
        b"sweep.table.v1\n",
        schema.encode() + b"\0",
        definition.fingerprint.encode("ascii"),
        struct.pack("<Q", len(rows)),
    ]
    for field in definition.fields:
        parts.append(_column(field, [row[field.name] for row in rows]))
    return b"".join(parts)


def table_digest(schema: str, rows: Sequence[Row]) -> str:
    """SHA-256 of the canonical bytes of a table, lower-case hex."""
    return hashlib.sha256(table_bytes(schema, rows)).hexdigest()


def result_digest(trades: str, daily: str, metrics: str) -> str:
    """The digest of a result from those of its trades, daily equity and metrics."""
    raw = b"".join(bytes.fromhex(digest) for digest in (trades, daily, metrics))
    return hashlib.sha256(b"sweep.result.v1\n" + raw).hexdigest()


def _column(field: Field, values: Sequence[Any]) -> bytes:
    letter = _LETTERS.get(field.type, field.type)
    parts = [field.name.encode() + b"\0", letter.encode("ascii")]
    if field.nullable:
        parts.append(bytes(0 if value is None else 1 for value in values))
    return b"".join(parts) + _values(letter, values)


def _values(letter: str, values: Sequence[Any]) -> bytes:
    """The values row by row; null is zero, text of length 0."""
    if letter == "s":
        texts = [("" if value is None else value).encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    numbers = [0 if value is None else value for value in values]
    if letter == "f":
        numbers = [math.nan if math.isnan(x) else x + 0.0 for x in numbers]
    return struct.pack(f"<{len(numbers)}{_FORMATS[letter]}", *numbers)
