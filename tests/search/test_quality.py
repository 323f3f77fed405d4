"""What the comparison of `tpe` with Optuna's estimator is made of: known optima, ranks and intervals."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.light_optuna import light_optuna
from benchmarks.problems import PROBLEMS
from benchmarks.tpe_quality import MARGIN, Case, best, differences, interval, table, trials

LOSS = {problem.name: problem.loss for problem in PROBLEMS}


def at(name: str, values: Any) -> float:
    """The loss at a vector."""
    return LOSS[name]({f"x{i:02d}": value for i, value in enumerate(values)})


def offset(count: int, by: float) -> np.ndarray:
    return by * np.cos(1.0 + np.arange(count))


def test_the_optima_are_those_of_the_literature() -> None:
    for minimum in [(-math.pi, 12.275), (math.pi, 2.275), (9.42478, 2.475)]:
        assert at("branin", minimum) == pytest.approx(0.397887, abs=1e-6)
    assert at("rosenbrock", [1.0] * 5) == 0.0
    hartmann = (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573)
    assert at("hartmann", hartmann) == pytest.approx(-3.32237, abs=1e-5)
    assert at("rastrigin", offset(8, 2.0)) == pytest.approx(0.0, abs=1e-12)
    assert at("ackley", offset(10, 6.0)) == pytest.approx(0.0, abs=1e-12)
    assert at("styblinski", offset(12, 0.5) - 2.903534) == pytest.approx(0.0, abs=1e-3)
    assert at("griewank", offset(15, 11.0)) == pytest.approx(0.0, abs=1e-12)
    assert at("levy", offset(20, 2.0) + 1.0) == pytest.approx(0.0, abs=1e-12)
    assert LOSS["log_sphere"]({"x00": 3e-4, "x01": 0.2, "n00": 300, "n01": 7}) == 0.0
    assert LOSS["conditional"]({"x00": 0.8, "branch": "square", "centre": 3.1, "width": 0.4}) == 0.0


def test_other_points_are_worse() -> None:
    rng = np.random.default_rng(0)
    for problem in PROBLEMS:
        space = problem.space(0)
        points = space.evaluate([tuple(d.from_unit(u) for d in space.dimensions) for u in rng.random(20)])
        losses = [problem.loss(point.candidate.params) for point in points if point.candidate is not None]
        assert len(losses) == 20
        assert all(math.isfinite(loss) for loss in losses)
        assert len(set(losses)) > 10


def test_rank_differences_and_their_interval() -> None:
    assert differences([1.0, 2.0], [3.0, 4.0]).tolist() == pytest.approx([-2 / 3, -2 / 3])
    assert differences([1.0, 1.0], [1.0, 1.0]).tolist() == [0.0, 0.0]
    assert differences([5.0, 1.0, 3.0], [2.0, 6.0, 4.0]).sum() == pytest.approx(-3 / 5)
    group = np.array([0.1, -0.2, 0.3, 0.0])
    mean, half = interval([group, group])
    assert mean == pytest.approx(0.05)
    # Student's t with 6 degrees of freedom, 97.5 %: 2.446912
    assert half == pytest.approx(2.446912 * math.sqrt(2 * group.var(ddof=1) / 4) / 2, rel=1e-6)


def test_a_run_and_the_page() -> None:
    case = Case(PROBLEMS[0], 64, 2, 1_000)
    found = best(replace(case, evaluations=200), "tpe", 1)
    assert found == best(replace(case, evaluations=200), "tpe", 1)
    assert 0.397 < found < 5.0
    equal = {case.key: {"tpe": [1.0, 2.0, 3.0], "optuna_tpe": [1.0, 2.0, 3.0]}}
    worse = {case.key: {"tpe": [4.0, 5.0, 6.0], "optuna_tpe": [1.0, 2.0, 3.0]}}
    assert f"by a margin of {MARGIN}: not worse" in "\n".join(table(equal))
    assert f"by a margin of {MARGIN}: not shown" in "\n".join(table(worse))
    partial = {case.key: {"tpe": [1.0, 2.0, 3.0], "optuna_tpe": [1.0, 2.0]}}
    page = "\n".join(table(partial))
    assert "| branin | 2 | 2 |" in page
    assert f"1 of {len(PROBLEMS)} functions" in page
    assert "Batches of 16" not in page


@pytest.mark.parametrize("name", ["log_sphere", "conditional"])
def test_the_light_optuna_searches_as_optuna_does(name: str) -> None:
    (problem,) = (problem for problem in PROBLEMS if problem.name == name)
    case = Case(problem, 16, 2, 80)
    plain = [trial.outcome.objectives for trial in trials(case, "optuna_tpe", 3)]
    with light_optuna():
        light = [trial.outcome.objectives for trial in trials(case, "optuna_tpe", 3)]
    assert light == [pytest.approx(losses, rel=1e-9) for losses in plain]
