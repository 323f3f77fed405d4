"""`tpe` proposes the same in other processes, with other numbers of BLAS threads and other kernels of BLAS."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from benchmarks.problems import PROBLEMS
from benchmarks.tpe_quality import Case, trials
from tests.conftest import ROOT

SEARCHES = (("log_sphere", 1, 60), ("conditional", 64, 192), ("ackley", 64, 192), ("levy", 1, 60))
"""Function, batch size, trials."""
PRINT = "from tests.search.test_tpe_elsewhere import keys; print(*keys(), sep='\\n')"


def keys() -> list[str]:
    """What a few searches propose."""
    problems = {problem.name: problem for problem in PROBLEMS}
    found = []
    for name, size, count in SEARCHES:
        case = Case(problems[name], size, 1, count)
        found += [trial.proposal.key for trial in trials(case, "tpe", 5)]
    return found


@pytest.fixture(scope="module")
def here() -> list[str]:
    """What they propose in this process."""
    return keys()


@pytest.mark.parametrize(
    "environment",
    [
        {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "1"},
        pytest.param(
            {"OPENBLAS_NUM_THREADS": "4", "PYTHONHASHSEED": "2", "OPENBLAS_CORETYPE": "Sandybridge"},
            marks=pytest.mark.skipif(platform.machine() != "x86_64", reason="a core of x86-64"),
        ),
    ],
)
def test_the_same_in_another_process(environment: dict[str, str], here: list[str]) -> None:
    search = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", PRINT], env=search, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == here
