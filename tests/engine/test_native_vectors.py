"""The numbered vectors on the native engine, and the same bytes from both engines."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sweep import _core
from sweep.reference.digest import table_digest
from sweep.reference.result import to_arrow
from tests.engine.support import market_of_case, run_case, run_script
from tests.reference.support import run_case as run_reference_case
from tests.vectors.engine import CASES, Case

BALANCE = 10000


def agrees(actual: Any, expected: Any) -> bool:
    """Numbers to 1e-9, the rest exactly."""
    if isinstance(expected, float) and isinstance(actual, (int, float)):
        return math.isclose(actual, expected, rel_tol=0, abs_tol=1e-9)
    return bool(actual == expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_vector_gives_the_expected_values(case: Case) -> None:
    result = run_case(case)
    trades = result.trades.to_pylist()
    for row in trades:
        for name in ("entry_time", "exit_time", "order_time"):
            row[name] = int(row[name].timestamp()) * 1_000_000
    expected = case.expected
    for actual, rows in ((trades, expected.get("trades")), (result.open_positions, expected.get("open"))):
        if rows is not None:
            assert len(actual) == len(rows)
            for row, wanted in zip(actual, rows, strict=True):
                assert all(agrees(row[k], v) for k, v in wanted.items() if k in row), (row, wanted)
    if "cash" in expected:
        assert agrees(result.equity["balance"].to_pylist()[-1], expected["cash"])
    if "equity" in expected:
        curve = result.equity["equity"].to_pylist()
        assert curve == pytest.approx([BALANCE, *expected["equity"]], rel=0, abs=1e-9)
    figures = (("metrics", result.metrics), ("summary", result.summary), ("blocked", result.blocked_bars))
    for section, actual in figures:
        for key, value in expected.get(section, {}).items():
            assert agrees(actual[key], value), (key, actual[key], value)
    if "rejections" in expected:
        assert result.rejections == expected["rejections"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_both_engines_give_the_same_bytes(case: Case) -> None:
    native, reference = run_case(case), run_reference_case(case)
    assert native.digests == reference.digests
    assert native.summary == reference.summary


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_tables_hash_to_the_digests_of_the_result(case: Case) -> None:
    result = run_case(case)
    for name in ("trades", "equity", "daily"):
        assert _core.table_digest(name, getattr(result, name)) == result.digests[name]
    parts = (result.digests[name] for name in ("trades", "daily", "metrics"))
    assert _core.result_digest(*parts) == result.digest


def test_the_canonical_digest_of_both_implementations_is_one() -> None:
    rows = run_reference_case(CASES[0]).trades
    table = to_arrow("trades", rows)
    assert _core.table_digest("trades", table) == table_digest("trades", rows)
    assert _core.table_digest("trades", table.combine_chunks()) == _core.table_digest("trades", table)


def test_signals_outside_the_window_never_act_and_are_counted() -> None:
    case = CASES[0]
    market = market_of_case(case)
    late = market.window(case.labels()[1], None, 500)
    result = run_script(late, case.full_options(), case.signals)
    assert (result.outside_window, result.trades.num_rows) == (1, 0)
