"""Both engines on random cases of everything: the same bytes. The long form is `make agree`."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.engine import cases

SHORT = 3000
"""Cases in the suite."""
COUNT = int(os.environ.get("SWEEP_CASES", SHORT))
CHUNK = 100


def compare(first: int) -> Counter[str]:
    """Runs a chunk of cases on both engines and tells what they exercised."""
    results = []
    for seed in range(first, min(first + CHUNK, COUNT)):
        case = cases.make(seed)
        native = cases.native(case)
        try:
            cases.assert_same(native, cases.reference(case))
        except AssertionError as difference:
            raise AssertionError(f"case {seed} ({case.kind}): {difference}") from None
        results.append((case, native))
    return cases.tally(results)


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What all cases together exercised, after both engines agreed on every one."""
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        for tally in pool.map(compare, range(0, COUNT, CHUNK)):
            total += tally
    return total


def test_both_engines_give_the_same_bytes(seen: Counter[str]) -> None:
    assert seen["cases"] == COUNT


def test_the_cases_are_worth_running(seen: Counter[str]) -> None:
    """Most of them trade, and every kind of order, exit, end and rejection occurs often."""
    assert seen["traded"] >= 0.8 * COUNT
    least = COUNT // 100
    assert {name: seen[name] for name in cases.WANTED if seen[name] < least} == {}
