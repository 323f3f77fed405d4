"""The trials table: one row per trial, deterministic columns only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sweep._core import column_table
from sweep.arrow import read_all
from sweep.errors import error
from sweep.ledger.schema import OBJECTIVE_COLUMNS

_HEAD = ("window", "number", "batch", "status", "kind", "feasible", "reason")
_JSON = ("intermediate", "partial")
_TAIL = ("identity", "trades_digest", "daily_digest", "metrics_digest", "result_digest", "signals_digest")
_INTEGERS = frozenset({"window", "number", "batch"})
_ALIKE = ({bool}, {int, float}, {str})
"""Kinds of values that one column holds."""


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
    parameter_names = sorted({key for params in parameters for key in params})
    table: dict[str, list[Any]] = {
        **{name: values[name] for name in _HEAD},
        "feasible": [bool(flag) for flag in values["feasible"]],
        **{f"params.{name}": _alike([params.get(name) for params in parameters]) for name in parameter_names},
        **{name: values[name] for name in (*used, *(f"metrics.{name}" for name in metrics))},
        **{name: [None if text == "{}" else text for text in values[name]] for name in _JSON},
        **{name: values[name] for name in _TAIL},
    }
    made = column_table(table)
    if made is None:
        raise error(4004, "the trials do not fit a table", where="trials table", stage="infrastructure")
    columns = read_all(made)
    types = {name: _type(name) for name in table if not name.startswith("params.")}
    # Of a column without values any type has been made.
    return pa.table({name: columns[name].cast(types.get(name, columns[name].type)) for name in table})


def _alike(values: list[Any]) -> list[Any]:
    """Values of one parameter that have one kind; JSON texts if they mix kinds."""
    kinds = {type(value) for value in values if value is not None}
    if any(kinds <= alike for alike in _ALIKE):
        return values
    return [None if value is None else json.dumps(value) for value in values]


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
    if name.startswith("metrics.") or name in OBJECTIVE_COLUMNS:
        return pa.float64()
    return pa.int64() if name in _INTEGERS else pa.bool_() if name == "feasible" else pa.string()
