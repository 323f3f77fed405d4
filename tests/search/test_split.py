"""Good and bad rows against Optuna's split, and the history against its definition."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import optuna
import pytest
from optuna._hypervolume import compute_hypervolume
from optuna.samplers._tpe import sampler as theirs
from optuna.trial import TrialState, create_trial

from sweep.expressions import Expression
from sweep.objective import Goal, Objective
from sweep.objective.pareto import ranks
from sweep.samplers.history import Best, History, history
from sweep.samplers.split import Row, Tier, largest_hypervolume, lesson, split
from sweep.samplers.told import State, Told, tell
from sweep.types import Kind, Outcome, Status, Trial
from tests.search.fakes import failed, objective, row

DIRECTIONS = ("minimize", "maximize", "minimize")


def several(count: int) -> Objective:
    """An objective of `count` goals, a, b and c."""
    goals = [Goal(n, Expression.parse(n), d) for n, d in zip("abc", DIRECTIONS, strict=True)]  # type: ignore[arg-type]
    return Objective(tuple(goals[:count]), (), 30)


def told(rng: np.random.Generator, objectives: int, coarse: bool) -> Told:
    values = rng.normal(size=objectives)
    if coarse:
        values = np.round(values * 2) / 2
    kind = rng.choice(["complete"] * 5 + ["broken", "few", "pruned", "blank", "fail"])
    if kind == "complete":
        return Told(State.COMPLETE, tuple(values.tolist()), {"c": -1.0}, {})
    if kind == "broken":
        return Told(State.COMPLETE, tuple(values.tolist()), {"c": abs(values[0]) + 0.1, "d": -3.0}, {})
    if kind == "few":
        return Told(State.PRUNED, None, {"c": 0.5, "d": float(rng.integers(1, 4))}, {})
    if kind == "pruned" and objectives == 1:
        steps = {step: float(values[0]) for step in range(rng.integers(1, 4))}
        return Told(State.PRUNED, None, {"c": 0.0}, steps)
    return Told(State.FAIL if kind == "fail" else State.PRUNED, None, {"c": 0.0}, {})


def rows_and_study(seed: int, objectives: int, coarse: bool) -> tuple[list[Row], optuna.Study]:
    rng = np.random.default_rng(seed)
    directions = list(DIRECTIONS[:objectives])
    study = optuna.create_study(directions=directions)
    rows = []
    for number in range(int(rng.integers(1, 120))):
        what = told(rng, objectives, coarse)
        rows.append(Row(number, *lesson(what, directions), (float(number),)))
        study.add_trial(
            create_trial(
                state=TrialState[what.state.name],
                values=None if what.values is None else list(what.values),
                intermediate_values=dict(what.intermediate),
                constraints=dict(what.violations) if what.state is not State.FAIL else {},
            )
        )
    return rows, study


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_good_rows_are_those_of_optuna(seed: int, objectives: int) -> None:
    rows, study = rows_and_study(seed, objectives, coarse=seed % 2 == 0 and objectives == 1)
    trials = [trial for trial in study.get_trials(deepcopy=False) if trial.state is not TrialState.FAIL]
    gamma = theirs.default_gamma if objectives == 1 else theirs.default_gamma_multiobjective
    below, above = theirs._split_trials(study, trials, gamma(len(trials)))
    good, bad = split(rows, objectives)
    assert [each.number for each in good] == [trial.number for trial in below]
    assert [each.number for each in bad] == [trial.number for trial in above]


def test_the_order_of_tiers() -> None:
    lessons = [
        Told(State.FAIL, None, {}, {}),
        Told(State.PRUNED, None, {"c": 0.3}, {}),
        Told(State.COMPLETE, (99.0,), {"c": 0.1}, {}),
        Told(State.PRUNED, None, {"c": 0.0}, {}),
        Told(State.PRUNED, None, {"c": 0.0}, {0: 7.0}),
        Told(State.PRUNED, None, {"c": 0.0}, {0: 1.0, 1: 2.0}),
        Told(State.PRUNED, None, {"c": 0.0}, {0: 1.0, 1: 3.0}),
        Told(State.COMPLETE, (-5.0,), {"c": -1.0}, {}),
    ]
    rows = [Row(i, *lesson(what, ["maximize"]), ()) for i, what in enumerate(lessons)]
    order = [7, 6, 5, 4, 3, 2, 1]
    for copies in (2, 4):
        many = [Row(100 * c + r.number, r.tier, r.order, ()) for c in range(copies) for r in rows]
        good, bad = split(many, 1)
        taken = -(-7 * copies // 10)
        expected = [100 * c + number for number in order for c in range(copies)][:taken]
        assert sorted(each.number for each in good) == sorted(expected)
        assert len(good) + len(bad) == 7 * copies
    assert lesson(Told(State.PRUNED, None, {}, {0: float("nan")}), ["minimize"])[1] == (0.0, float("inf"))


def test_one_objective_has_at_most_25_good_rows_and_several_a_tenth() -> None:
    one = [Row(i, Tier.FEASIBLE, (float(i),), ()) for i in range(400)]
    assert [each.number for each in split(one, 1)[0]] == list(range(25))
    two = [Row(i, Tier.FEASIBLE, (float(i), float(i)), ()) for i in range(400)]
    assert [each.number for each in split(two, 2)[0]] == list(range(40))


def brute_ranks(losses: np.ndarray) -> list[int]:
    rank = [0] * len(losses)
    left, level = set(range(len(losses))), 0
    while left:
        front = {
            i
            for i in left
            if not any((losses[j] <= losses[i]).all() and (losses[j] < losses[i]).any() for j in left)
        }
        for i in front:
            rank[i] = level
        left -= front
        level += 1
    return rank


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_non_domination_ranks(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    for _ in range(20):
        losses = rng.integers(0, 6, (30, objectives)).astype(float)
        full = brute_ranks(losses)
        assert ranks(losses).tolist() == full


@pytest.mark.parametrize("objectives", [2, 3])
def test_the_last_rank_is_split_greedily_by_hypervolume(objectives: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(6):
        cloud = rng.random((60, objectives)) - 0.3
        front = cloud[ranks(cloud) == 0]
        worst = front.max(axis=0)
        reference = np.maximum(1.1 * worst, 0.9 * worst)
        for count in range(1, len(front)):
            chosen = largest_hypervolume(front, count)
            assert len(set(chosen.tolist())) == count
        picked: list[int] = []
        for number in largest_hypervolume(front, len(front) - 1).tolist():
            volumes = {
                i: compute_hypervolume(front[[*picked, i]], reference)
                for i in range(len(front))
                if i not in picked
            }
            assert volumes[number] == pytest.approx(max(volumes.values()), rel=1e-12)
            picked.append(number)


def test_a_front_with_repeats_and_one_without_bounds() -> None:
    front = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert largest_hypervolume(front, 3).tolist() == [0, 1, 2]
    assert sorted(largest_hypervolume(front, 2).tolist()) == [0, 1]
    assert largest_hypervolume(np.array([[-np.inf, 1.0], [0.0, -np.inf], [0.5, 0.5]]), 2).tolist() == [0, 1]


def graded(number: int, values: Sequence[float], feasible: bool = True) -> Trial:
    outcome = Outcome(
        Status.COMPLETE,
        None if feasible else Kind.CONSTRAINT,
        feasible,
        None,
        tuple(values),
        {"total_trades >= 30": -1.0 if feasible else float(abs(values[0])) + 0.1},
    )
    return row(number, outcome, {"n": number})


def read(trial: Trial, goals: Objective) -> Row:
    what = tell(trial, goals)
    assert what is not None
    return Row(trial.number, *lesson(what, goals.directions), ())


def defined(trials: Sequence[Trial], goals: Objective, cap: int) -> list[int]:
    """The history by its definition: all rows ranked, the best tenth of the cap, then the latest."""
    feasible = [trial for trial in trials if trial.outcome.feasible]
    others = [trial for trial in trials if not trial.outcome.feasible]
    losses = [
        [
            v * (-1 if d == "maximize" else 1)
            for v, d in zip(t.outcome.objectives, goals.directions, strict=True)
            if v is not None
        ]
        for t in feasible
    ]
    rank = brute_ranks(np.array(losses)) if feasible else []
    best = [t.number for _, t in sorted(zip(rank, feasible, strict=True), key=lambda e: (e[0], e[1].number))]
    best += [trial.number for trial in goals.rank(others)]
    kept = set(best[: -(-cap // 10)])
    for trial in reversed(trials):
        if len(kept) < cap:
            kept.add(trial.number)
    return sorted(kept)


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("shape", ["cloud", "coarse", "improving", "front"])
def test_the_history_of_several_objectives(objectives: int, shape: str) -> None:
    goals = several(objectives)
    rng = np.random.default_rng(7)
    trials: list[Trial] = []
    kept = History(40, several=True)
    for number in range(160):
        values = rng.normal(size=objectives)
        if shape == "coarse":
            values = np.round(values)
        if shape == "improving":
            values += np.array([-1.0, 1.0, -1.0])[:objectives] * (number // 20)
        if shape == "front":
            values /= np.linalg.norm(values)
        trials.append(graded(number, values.tolist(), feasible=rng.random() < 0.8))
        kept.add(read(trials[-1], goals))
        if number % 9 == 0 or number == 159:
            expected = defined(trials, goals, 40)
            assert [each.number for each in kept.rows()] == expected
            assert [trial.number for trial in history(trials, goals, 40)] == expected


def test_a_row_of_several_objectives_can_come_back() -> None:
    best = Best(2, several=True)
    for number, losses in enumerate([(0.0, 4.0), (1.0, 3.0), (5.0, -1.0)]):
        best.add(Row(number, Tier.FEASIBLE, losses, ()))
    assert sorted(each.number for each in best.rows()) == [0, 1]
    best.add(Row(3, Tier.FEASIBLE, (-1.0, 2.0), ()))
    assert sorted(each.number for each in best.rows()) == [2, 3]


def test_the_history_of_one_objective_is_the_same_kept_or_sorted() -> None:
    goals = objective()
    rng = np.random.default_rng(3)
    trials = [
        row(n, failed(Kind.ENGINE_ERROR), {"n": n})
        if rng.random() < 0.2
        else graded(n, [float(np.round(rng.normal(), 1))], feasible=rng.random() < 0.7)
        for n in range(300)
    ]
    kept = History(60, several=False)
    for count, trial in enumerate(trials, start=1):
        kept.add(read(trial, goals))
        if count % 50 == 0:
            best = {each.number for each in goals.rank(trials[:count])[:25]}
            latest = itertools.islice((n for n in reversed(range(count)) if n not in best), 60 - len(best))
            assert [each.number for each in kept.rows()] == sorted(best | set(latest))


def test_values_are_signed_by_their_directions() -> None:
    assert lesson(Told(State.COMPLETE, (1.0, 2.0, 3.0), {"c": 0.0}, {}), DIRECTIONS) == (
        Tier.FEASIBLE,
        (1.0, -2.0, 3.0),
    )
