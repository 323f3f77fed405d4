"""The trials table: one row per trial, deterministic columns only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sweep.ledger.schema import OBJECTIVE_COLUMNS

_HEAD = ("window", "number", "batch", "status", "kind", "feasible", "reason")
_JSON = ("intermediate", "partial")
_TAIL = ("identity", "trades_digest", "daily_digest", "metrics_digest", "result_digest", "signals_digest")
_INTEGERS = frozenset({"window", "number", "batch"})


def trials_table(connection: sqlite3.Connection, metrics: Sequence[str], objectives: int) -> pa.Table:
    """Columns: window, number, batch, status, kind, feasible, reason, `params.<name>`…, obj0…, `metrics.<name>`…,
    intermediate and partial (JSON; null where there is nothing), identity and the digests; rows by window and number.

    A parameter column is int64, double, bool or utf8; utf8 JSON texts if a parameter mixes kinds. Null = inactive.
    """
    used = OBJECTIVE_COLUMNS[:objectives]
    names = ["params", *_HEAD, *used, *_JSON, *_TAIL]
    columns = [f't."{name}"' for name in names] + [f'm."{name}"' for name in metrics]
    found = connection.execute(
        f"SELECT {', '.join(columns)} FROM trials t "
        'JOIN trial_metrics m ON m."window" = t."window" AND m.number = t.number ORDER BY t."window", t.number'
    ).fetchall()
    values: dict[str, list[Any]] = {
        name: [row[i] for row in found] for i, name in enumerate([*names, *(f"metrics.{m}" for m in metrics)])
    }
    parameters = [json.loads(text) for text in values["params"]]
    table: dict[str, pa.Array] = {}
    for name in _HEAD:
        table[name] = pa.array(values[name], _type(name)) if name != "feasible" else _flags(values[name])
    for name in sorted({key for params in parameters for key in params}):
        table[f"params.{name}"] = parameter_column([params.get(name) for params in parameters])
    for name in used:
        table[name] = pa.array(values[name], pa.float64())
    for name in metrics:
        table[f"metrics.{name}"] = pa.array(values[f"metrics.{name}"], pa.float64())
    for name in _JSON:
        table[name] = pa.array([None if text == "{}" else text for text in values[name]], pa.string())
    for name in _TAIL:
        table[name] = pa.array(values[name], pa.string())
    return pa.table(table)


def parameter_column(values: Sequence[Any]) -> pa.Array:
    """Arrow column of one parameter: the narrowest of bool, int64, double, utf8 that holds all its values."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int}:
        return pa.array(values, pa.int64())
    if kinds <= {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds == {str}:
        return pa.array(values, pa.string())
    return pa.array([None if v is None else json.dumps(v) for v in values], pa.string())


def _type(name: str) -> pa.DataType:
    return pa.int64() if name in _INTEGERS else pa.string()


def _flags(values: Sequence[int]) -> pa.Array:
    return pa.array([bool(value) for value in values], pa.bool_())
