"""Rows of result tables as values, and their way through the spool."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.executors.results import Result, from_dict, results_of, to_dict
from sweep.executors.worker import table_of
from sweep.ledger.table import parameter_column
from sweep.types import Digests, Kind, Status

DIGESTS = ("trades_digest", "daily_digest", "metrics_digest", "result_digest", "signals_digest")
number = st.one_of(st.none(), st.floats())


def table(rows: list[dict[str, object]]) -> pa.Table:
    texts = ["status", "kind", "reason", "identity", *DIGESTS]
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in texts}
    columns |= {
        name: pa.array([row.get(name) for row in rows], pa.float64())
        for name in ("seconds", "metrics.a", "metrics.b")
    }
    columns["returns"] = pa.array([row.get("returns") for row in rows], pa.list_(pa.float64()))
    return pa.table(columns)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "status": st.sampled_from([*Status]),
                "kind": st.one_of(st.none(), st.sampled_from([*Kind])),
                "reason": st.one_of(st.none(), st.text()),
                "identity": st.one_of(st.none(), st.text("0123456789abcdef")),
                "seconds": number.filter(lambda x: x is None or not math.isnan(x)),
                "metrics.a": number,
                "metrics.b": number,
                "returns": st.one_of(st.none(), st.lists(st.floats(allow_nan=False))),
                **dict.fromkeys(DIGESTS, st.one_of(st.none(), st.text())),
            }
        ),
        max_size=6,
    ),
    st.integers(0, 3),
)
def test_every_value_of_every_row_arrives_in_its_place(rows: list[dict[str, object]], first: int) -> None:
    found = list(results_of(table(rows).slice(first)))
    assert len(found) == len(rows[first:])
    for row, (result, seconds) in zip(rows[first:], found, strict=True):
        assert (result.status, result.kind) == (row["status"], row["kind"])
        assert (result.reason, result.identity, seconds) == (row["reason"], row["identity"], row["seconds"])
        digests = None if row["result_digest"] is None else tuple(row[name] for name in DIGESTS)
        assert result.digests == digests
        for name, value in result.metrics.items():
            given = row[f"metrics.{name}"]
            assert value == (given if isinstance(given, float) and math.isfinite(given) else None)
        returns = None if result.returns is None else list(result.returns)
        assert returns == row["returns"]


def test_columns_that_are_absent_or_empty_hold_nothing() -> None:
    rows = list(results_of(pa.table({"status": ["FAILED"], "kind": pa.nulls(1), "metrics.a": pa.nulls(1)})))
    assert rows == [(Result(Status.FAILED), None)]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"kind": ["RUIN"]}, 1005),
        ({"status": pa.array([None], pa.string())}, 1005),
        ({"status": ["COMPLETE"], "metrics.a": [1]}, 5004),
        ({"status": ["COMPLETE"], "reason": [1.0]}, 5004),
    ],
)
def test_other_tables_are_refused(columns: dict[str, object], code: int) -> None:
    with pytest.raises(SweepError) as refused:
        list(results_of(pa.table(columns)))
    assert refused.value.code == code


@given(
    st.dictionaries(
        st.sampled_from(["a", "b"]), st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
    )
)
def test_the_spool_keeps_all_but_the_returns(metrics: dict[str, float | None]) -> None:
    for digests in (None, Digests("t", "d", "m", "r"), Digests("t", "d", "m", "r", "s")):
        result = Result(Status.PRUNED, Kind.RUIN, "gone", "ab", digests, metrics)
        assert from_dict(json.loads(json.dumps(to_dict(result))), None) == result


value = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text()
)


@given(st.lists(st.dictionaries(st.sampled_from(["b", "a", "ß", "é"]), value), max_size=5))
def test_parameter_sets_are_columns_of_the_narrowest_type(params: list[dict[str, Any]]) -> None:
    table = table_of(params)
    names = sorted({name for row in params for name in row})
    assert (table.num_rows, table.column_names) == (len(params), names)
    for name in names:
        given = [row.get(name) for row in params]
        expected = parameter_column(given)
        assert table.column(name).type == expected.type
        assert table.column(name).to_pylist() == expected.to_pylist()
