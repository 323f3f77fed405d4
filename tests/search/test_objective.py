from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.objective import Objective, ResultConstraint
from sweep.types import Kind, Outcome, Status
from tests.search.fakes import METRICS, failed, metrics, objective, row


def violation(constraint: Any, **given_metrics: float | None) -> float:
    return ResultConstraint.parse(constraint).violation(metrics(**given_metrics))


@pytest.mark.parametrize(
    ("constraint", "value", "expected"),
    [
        ("max_drawdown_pct <= 25", 30.0, 0.2), ("max_drawdown_pct <= 25", 20.0, -0.2), ("max_drawdown_pct <= 25", 25.0, 0.0),
        ("max_drawdown_pct < 25", 25.0, 1e-12), ("max_drawdown_pct < 25", 24.0, -0.04), ("max_drawdown_pct >= -4", -6.0, 0.5),
        ("max_drawdown_pct > 0", 0.0, 1e-12), ("max_drawdown_pct > 0", -2.0, 2.0), ("max_drawdown_pct == 4", 6.0, 0.5),
        ("max_drawdown_pct == 4", 4.0, 0.0), ("max_drawdown_pct != 4", 4.0, 1e-12), ("max_drawdown_pct != 4", 9.0, -1.0),
        ("25 >= max_drawdown_pct", 30.0, 0.2), ("max_drawdown_pct - 5 <= 20", 30.0, 0.25), ("max_drawdown_pct <= 5 * 5", 30.0, 0.2),
        ({"metric": "max_drawdown_pct", "op": ">=", "value": 1.1}, 0.0, 1.0),
        ({"expr": "2 * max_drawdown_pct", "op": "<=", "value": 50}, 30.0, 0.2),
        ("max_drawdown_pct <= 25", None, 1.0), ("1 / max_drawdown_pct >= 0", 0.0, 1.0), ("max_drawdown_pct <= 25", float("nan"), 1.0),
    ],
)  # fmt: skip
def test_signed_violations(constraint: Any, value: float | None, expected: float) -> None:
    assert violation(constraint, max_drawdown_pct=value) == pytest.approx(expected, abs=1e-15)


def test_two_measured_sides_are_compared_by_their_difference() -> None:
    assert violation("net_profit >= max_drawdown", net_profit=3.0, max_drawdown=5.0) == 2.0


@pytest.mark.parametrize(
    ("metric", "good", "bad"),
    [
        ("profit_factor", {"wins": 40.0, "losses": 0.0}, {"wins": 0.0, "losses": 0.0}),
        ("payoff_ratio", {"wins": 40.0, "losses": 0.0}, {"wins": 0.0, "losses": 3.0}),
        (
            "recovery_factor",
            {"max_drawdown": 0.0, "net_profit": 5.0},
            {"max_drawdown": 0.0, "net_profit": 0.0},
        ),
        (
            "calmar_ratio",
            {"max_drawdown_pct": 0.0, "cagr_pct": 5.0},
            {"max_drawdown_pct": 3.0, "cagr_pct": None},
        ),
        ("sortino_ratio", {"n_days": 9.0, "sharpe_ratio": 2.0}, {"n_days": 1.0, "sharpe_ratio": None}),
        ("sortino_trade", {"avg_r_multiple": 0.5}, {"avg_r_multiple": 0.0}),
    ],
)
def test_a_favourable_null_counts_as_infinite(
    metric: str, good: dict[str, float], bad: dict[str, float]
) -> None:
    for op, expected in ((">", -1.0), (">=", -1.0), ("!=", -1.0), ("<", 1.0), ("<=", 1.0), ("==", 1.0)):
        assert violation(f"{metric} {op} 1.5", **{metric: None, **good}) == expected
        assert violation(f"{metric} {op} 1.5", **{metric: None, **bad}) == 1.0
    as_objective = Objective.build([{"metric": metric, "direction": "maximize"}], metrics=METRICS)
    assert (
        as_objective.grade("COMPLETE", None, None, metrics(**{metric: None, **good})).kind is Kind.NAN_METRIC
    )


OUTCOMES: list[tuple[Any, Any, dict[str, float | None], Status, Kind | None, bool, bool, float]] = [
    ("COMPLETE", None, {}, Status.COMPLETE, None, True, True, 0.0),
    ("COMPLETE", None, {"max_drawdown_pct": 30.0}, Status.COMPLETE, Kind.CONSTRAINT, False, True, 0.2),
    ("COMPLETE", None, {"total_trades": 12.0}, Status.FAILED, Kind.TOO_FEW_TRADES, False, False, 18 / 30),
    (
        "COMPLETE",
        None,
        {"total_trades": 0.0, "t_stat_r": None},
        Status.FAILED,
        Kind.NO_TRADES,
        False,
        False,
        1.0,
    ),
    ("FAILED", "INVALID_PARAMS", {}, Status.FAILED, Kind.INVALID_PARAMS, False, False, 2.0),
    ("COMPLETE", None, {"t_stat_r": None}, Status.FAILED, Kind.NAN_METRIC, False, False, 0.0),
    ("COMPLETE", None, {"t_stat_r": float("inf")}, Status.FAILED, Kind.NAN_METRIC, False, False, 0.0),
    ("FAILED", "ENGINE_ERROR", {}, Status.FAILED, Kind.ENGINE_ERROR, False, False, 0.0),
    ("FAILED", "DATA_MISMATCH", {}, Status.FAILED, Kind.DATA_MISMATCH, False, False, 0.0),
    ("FAILED", "TIMEOUT", {}, Status.FAILED, Kind.TIMEOUT, False, False, 0.0),
    ("FAILED", "WORKER_LOST", {}, Status.FAILED, Kind.WORKER_LOST, False, False, 0.0),
    ("FAILED", "OUT_OF_MEMORY", {}, Status.FAILED, Kind.OUT_OF_MEMORY, False, False, 0.0),
    ("PRUNED", None, {}, Status.PRUNED, None, False, False, 0.0),
]


@pytest.mark.parametrize(
    ("status", "kind", "given_metrics", "as_status", "as_kind", "feasible", "valued", "total"), OUTCOMES
)
def test_the_outcome_table(
    status: str,
    kind: str | None,
    given_metrics: dict[str, float | None],
    as_status: Status,
    as_kind: Kind | None,
    feasible: bool,
    valued: bool,
    total: float,
) -> None:
    graded = objective(["max_drawdown_pct <= 25"])
    outcome = graded.grade(status, kind, "why", metrics(**given_metrics))
    assert (outcome.status, outcome.kind, outcome.feasible) == (as_status, as_kind, feasible)
    assert outcome.objectives == ((1.0,) if valued else (None,))
    assert outcome.total_violation == pytest.approx(total)
    assert (outcome.reason is None) == (as_status is Status.COMPLETE and feasible)
    if as_status is Status.COMPLETE:
        assert list(outcome.violations) == ["total_trades >= 30", "max_drawdown_pct <= 25"]


def test_a_constraint_on_total_trades_sets_min_trades() -> None:
    graded = objective(["total_trades >= 10", "total_trades <= 500"])
    assert graded.min_trades == 10
    assert graded.constraint_names == ("total_trades >= 10", "total_trades <= 500")
    assert graded.grade("COMPLETE", None, None, metrics(total_trades=9.0)).kind is Kind.TOO_FEW_TRADES
    assert (
        objective(min_trades=0).grade("COMPLETE", None, None, metrics(total_trades=0.0)).kind
        is Kind.NO_TRADES
    )


def test_the_default_objective_and_expressions_with_a_name() -> None:
    assert Objective.build(metrics=METRICS).names == ("t_stat_r",)
    form = {"expr": "sharpe_ratio - 0.02*max_drawdown_pct", "name": "score", "direction": "minimize"}
    graded = Objective.build(form, metrics=METRICS)
    assert (graded.names, graded.directions) == (("score",), ("minimize",))
    outcome = graded.grade("COMPLETE", None, None, metrics(sharpe_ratio=2.0, max_drawdown_pct=10.0))
    assert outcome.objectives == (1.8,)


def ranked(direction: str) -> list[int]:
    graded = objective(["max_drawdown_pct <= 25"], direction=direction)

    def grade(**given_metrics: float | None) -> Outcome:
        return graded.grade("COMPLETE", None, None, metrics(**given_metrics))

    outcomes = [
        failed(Kind.ENGINE_ERROR),
        grade(t_stat_r=9.0, max_drawdown_pct=50.0),
        grade(t_stat_r=1.0),
        grade(t_stat_r=2.0),
        grade(total_trades=29.0),
        grade(t_stat_r=2.0),
        Outcome(Status.PRUNED, None, False, "level", (None,), {}),
        grade(total_trades=0.0),
    ]
    trials = [
        row(n, outcome, {"n": n}, intermediate={"1": 3.0} if n == 6 else {})
        for n, outcome in enumerate(outcomes)
    ]
    best = graded.best(trials)
    order = [trial.number for trial in graded.rank(reversed(trials))]
    assert best is not None
    assert best.number == order[0]
    return order


def test_ranking_feasible_infeasible_pruned_failed_with_ties_by_number() -> None:
    assert ranked("maximize") == [3, 5, 2, 4, 1, 7, 6, 0]
    assert ranked("minimize") == [2, 3, 5, 4, 1, 7, 6, 0]


def test_pruned_trials_by_later_level_then_value() -> None:
    graded = objective()
    ended: list[tuple[Kind, dict[str, float]]] = [
        (Kind.RUIN, {"0": 99.0}),
        (Kind.LEVEL_0, {}),
        (Kind.LEVEL_0, {"0": 9.0}),
        (Kind.LEVEL_1, {"0": 99.0}),
        (Kind.LEVEL_1, {"0": 1.0, "1": 2.0}),
        (Kind.LEVEL_1, {"0": 1.0, "1": 5.0}),
    ]
    trials = [
        row(n, Outcome(Status.PRUNED, kind, False, "why", (None,), {}), {"n": n}, intermediate=levels)
        for n, (kind, levels) in enumerate(ended)
    ]
    assert [trial.number for trial in graded.rank(trials)] == [5, 4, 3, 2, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(-5, 5), st.floats(0, 60)), min_size=1, max_size=30))
def test_best_never_comes_from_what_does_not_trade_or_breaks_a_constraint(
    rows: list[tuple[int, float, float]],
) -> None:
    graded = objective(["max_drawdown_pct <= 25"])
    trials = [
        row(
            n,
            graded.grade(
                "COMPLETE", None, None, metrics(total_trades=float(t), t_stat_r=s, max_drawdown_pct=d)
            ),
            {"n": n},
        )
        for n, (t, s, d) in enumerate(rows)
    ]
    good = [(s, -n) for n, (t, s, d) in enumerate(rows) if t >= 30 and d <= 25]
    best = graded.best(trials)
    assert (best is None) == (not good)
    if best is not None:
        assert best.number == -max(good)[1]


@pytest.mark.parametrize(
    ("objectives", "constraints", "code"),
    [
        ([{"metric": "t_stat_r", "direction": "maximize"}] * 2, [], 1006),
        ([{"metric": name, "direction": "maximize"} for name in METRICS[:4]], [], 1003),
        ([{"metric": "t_stat", "direction": "maximize"}], [], 1001),
        ([{"metric": "t_stat_r"}], [], 1008),
        ([{"metric": "t_stat_r", "direction": "up"}], [], 1001),
        ([{"metric": "t_stat_r", "expr": "wins", "direction": "maximize"}], [], 1008),
        ([{"direction": "maximize"}], [], 1008),
        ([{"metric": "t_stat_r", "direction": "maximize", "goal": 1}], [], 1001),
        ([{"expr": "1 + 1", "direction": "maximize"}], [], 1001),
        ([], ["max_drawdown <= 5", "max_drawdwn <= 5"], 1001),
        ([], ["0 < wins < 5"], 1001),
        ([], ["wins"], 1001),
        ([], ["wins in [1, 2]"], 1001),
        ([], ["1 < 2"], 1001),
        ([], [{"metric": "wins", "op": ">="}], 1008),
        ([], [{"metric": "wins", "op": "=>", "value": 1}], 1001),
        ([], [{"metric": "wins", "op": ">=", "value": "many"}], 1004),
        ([], [{"metric": "wins", "op": ">=", "value": True}], 1004),
    ],
)
def test_mistakes(objectives: Any, constraints: Any, code: int) -> None:
    with pytest.raises(SweepError) as caught:
        Objective.build(objectives, constraints, metrics=METRICS)
    assert caught.value.code == code


def test_a_complete_row_without_its_trade_count_is_a_bug() -> None:
    with pytest.raises(SweepError) as caught:
        objective().grade("COMPLETE", None, None, metrics(total_trades=None))
    assert caught.value.code == 4004
