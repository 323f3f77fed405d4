"""The numbered vectors on the native engine, and the same bytes from both engines."""

from __future__ import annotations

import pytest

from sweep import _core
from sweep.reference.digest import table_digest
from sweep.reference.result import to_arrow
from tests.engine.support import market_of_case, outcome_of, run_case, run_script
from tests.reference.support import run_case as run_reference_case
from tests.vectors.check import assert_expected
from tests.vectors.engine import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_vector_gives_the_expected_values(case: Case) -> None:
    assert_expected(case, outcome_of(run_case(case)))


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
