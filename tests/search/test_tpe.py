"""The sampler `tpe`: what it proposes from what, in batches, on every kind of space."""

from __future__ import annotations

import random as global_random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sweep.expressions import Expression
from sweep.objective import Goal, Objective
from sweep.samplers import tpe
from sweep.samplers.base import Prefix, Settings, View
from sweep.samplers.memory import Memory
from sweep.samplers.parzen import Axis, Parzen, recency
from sweep.samplers.split import Row, Tier, split
from sweep.seeds import seed
from sweep.space import Candidate, Space
from sweep.types import Kind, Outcome, Status, Trial
from tests.search.fakes import failed, objective, simulate, toy_space
from tests.search.test_parzen import log_density

GRADED = objective(["max_drawdown_pct <= 25"])
NOISE = {"low": 0.01, "high": 100, "log": True}
SPACES: dict[str, dict[str, Any]] = {
    "continuous": {"noise": NOISE, "exit": {"low": 0.0, "high": 1.0}},
    "stepped": {"fast": {"low": 5, "high": 60}, "slow": {"low": 10, "high": 200, "step": 5}},
    "grid": {"fast": {"low": 5, "high": 25}, "slow": {"low": 30, "high": 200, "step": 5}},
    "log": {"noise": NOISE, "slow": {"low": 30, "high": 900, "log": True}},
    "categorical": {
        "ma": ["ema", "sma"],
        "reverse": [False, True],
        "frame": ["H1", "H4", "D1"],
        "fast": [5, 7, 9, 11],
    },
    "conditional": {
        "scenario": [1, 2, 3],
        "noise": NOISE | {"when": "scenario == 2"},
        "exit": {"low": 0.0, "high": 1.0},
    },
}
WIDE = {"fast": {"low": 5, "high": 60}, "exit": {"low": 0.0, "high": 1.0}}


def space(name: str, **options: Any) -> Space:
    others = "search" if name == "conditional" else "default"
    return toy_space(SPACES.get(name, WIDE), others=others, measured=False, **options)


def settings(made: Space, **options: Any) -> Settings:
    defaults: dict[str, Any] = {"objective": GRADED, "batch_size": 16, "n_startup": 8, "history": 60}
    return Settings(made, **defaults | options)


def ledger(made: Space, trials: int = 96, **options: Any) -> list[Trial]:
    return simulate(tpe.build(settings(made, **options)), GRADED, trials=trials, batch_size=16)


def view(trials: Sequence[Trial], pending: Sequence[Trial] = ()) -> View:
    used = frozenset(trial.proposal.key for trial in (*trials, *pending))
    return View(trials, [trial.proposal.params for trial in pending], used)


@pytest.mark.parametrize("name", SPACES)
def test_a_study_repeats_nothing_and_breaks_no_rule(name: str) -> None:
    made = space(name, where=["fast != 7"])
    trials = ledger(made)
    expected = 96 if made.cardinality is None or made.cardinality > 200 else 36
    assert len({trial.proposal.key for trial in trials}) == len(trials) == expected
    assert {trial.proposal.source for trial in trials} >= {"startup", "sampler"}
    assert all(trial.proposal.params["fast"] != 7 for trial in trials)
    assert made.accept([_given(made, trial) for trial in trials]) == [
        Candidate(trial.proposal.params, trial.proposal.key) for trial in trials
    ]


def _given(made: Space, trial: Trial) -> dict[str, Any]:
    dimensions = {dimension.name: dimension for dimension in made.dimensions}
    return {n: dimensions[n].value(c) for n, c in made.decode([trial.proposal.params])[0].items()}


@pytest.mark.parametrize("name", SPACES)
def test_proposing_is_pure(name: str) -> None:
    made = space(name)
    trials = ledger(made, 32 if name == "categorical" else 80)
    known, pending = trials[:-16], trials[-16:]
    before = (global_random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index,union-attr]
    sampler = tpe.build(settings(made))
    first = sampler.propose(5, 80, 16, view(known, pending))
    sampler.propose(2, 32, 16, view(trials[:16], trials[16:32]))
    again = tpe.build(settings(made)).propose(5, 80, 16, view(known, pending))
    assert first == again == sampler.propose(5, 80, 16, view(known, pending))
    assert sampler.propose(5, 80, 5, view(known, pending)) == first[:5]
    assert sampler.propose(6, 80, 16, view(known, pending)) != first
    assert (global_random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index,union-attr]


@pytest.mark.parametrize("name", SPACES)
def test_a_ledger_that_grows_is_read_row_by_row_and_proposes_the_same(name: str) -> None:
    made = space(name)
    trials = ledger(made, 32 if name == "categorical" else 160)
    grown: list[Trial] = []
    remembering = tpe.build(settings(made))
    for begin in range(0, len(trials), 16):
        grown += trials[begin : begin + 16]
        used = {trial.proposal.key for trial in grown}
        kept = remembering.propose(9, 144, 16, View(Prefix(grown, len(grown)), [], used))
        assert kept == tpe.build(settings(made)).propose(9, 144, 16, view(trials[: begin + 16]))
    shorter = remembering.propose(9, 144, 16, View(Prefix(grown, 16), [], {t.proposal.key for t in grown}))
    other = list(reversed(grown[:16]))
    assert shorter == remembering.propose(9, 144, 16, View(grown[:16], [], {t.proposal.key for t in grown}))
    assert len(remembering.propose(9, 144, 16, View(Prefix(other, 16), [], set()))) == 16


def test_a_prefix_is_a_sequence() -> None:
    trials = ledger(space("wide"), 16)
    prefix = Prefix(trials, 5)
    assert (len(prefix), list(prefix), prefix[-1], prefix[1:3]) == (5, trials[:5], trials[4], trials[1:3])
    assert list(reversed(prefix)) == trials[4::-1]
    for index in (5, -6):
        with pytest.raises(IndexError):
            _ = prefix[index]


@pytest.mark.parametrize("name", SPACES)
def test_a_candidate_does_not_depend_on_how_many_are_asked_for(name: str) -> None:
    made = space(name, where=["fast != 7"])
    trials = ledger(made, 32)
    known = {trial.proposal.key for trial in trials[:24]}
    model = tpe.TpeModel(settings(made))
    asked = {
        n: model.ask(11, n, view(trials), [], known) for n in (1, 3, 12, 32 if name != "categorical" else 12)
    }
    longest = asked[max(asked)]
    assert all(candidates == longest[:n] for n, candidates in asked.items())


def model_of(
    made: Space, trials: Sequence[Trial], pending: Sequence[Trial] = ()
) -> tuple[list[Axis], list[tpe.Group]]:
    axes = [tpe.axis(dimension) for dimension in made.dimensions]
    memory = Memory(made, axes, GRADED, 60)
    rows = memory.history(trials)
    return axes, tpe.groups(axes, rows, memory.points([t.proposal.params for t in pending]), 1)


@pytest.mark.parametrize("name", ["continuous", "stepped", "log", "categorical"])
def test_each_trial_takes_the_best_ratio_of_24_draws_from_the_good_rows(name: str) -> None:
    made = space(name)
    trials = ledger(made, 32 if name == "categorical" else 96)
    axes, (group,) = model_of(made, trials)
    width = len(axes)
    assert group.columns == tuple(range(width))
    draws = np.random.Generator(np.random.PCG64([77, 3])).random((4, 24, 2 * width))
    points = tpe.Candidates(axes, [group], 77).draw(3, [1, 3])
    for trial, sorted_points in zip((1, 3), points, strict=True):
        drawn = group.good.sample(draws[trial, :, width], draws[trial, :, :width])
        assert sorted(map(tuple, drawn.tolist())) == sorted(map(tuple, sorted_points.tolist()))
        score = log_density(group.good, sorted_points) - log_density(group.bad, sorted_points)
        assert (np.diff(score) <= 1e-9).all()


def test_the_model_is_made_of_good_bad_and_pending_rows() -> None:
    made = space("wide")
    trials = ledger(made)
    axes, (group,) = model_of(made, trials[:-16], trials[-16:])
    memory = Memory(made, axes, GRADED, 60)
    good, bad = split(memory.history(trials[:-16]), 1)
    pending = memory.points([trial.proposal.params for trial in trials[-16:]])
    assert 1 <= len(good) <= 6
    assert len(pending) == 16
    at = np.array([r.point for r in (*good, *bad)])
    liked = Parzen(axes, np.array([r.point for r in good]), np.ones(len(good)))
    disliked = Parzen(axes, np.array([*(r.point for r in bad), *pending]), recency(len(bad) + 16))
    assert log_density(group.good, at).tolist() == log_density(liked, at).tolist()
    assert log_density(group.bad, at).tolist() == log_density(disliked, at).tolist()


def test_pending_sets_repel() -> None:
    made = space("continuous")
    trials = ledger(made)
    _, (free,) = model_of(made, trials)
    _, (held,) = model_of(made, trials, trials[-1:] * 30)
    at = np.array(
        Memory(made, [tpe.axis(d) for d in made.dimensions], GRADED, 60).points([trials[-1].proposal.params])
    )
    assert log_density(held.good, at)[0] == log_density(free.good, at)[0]
    assert log_density(held.bad, at)[0] > log_density(free.bad, at)[0] + 0.5


def test_parameters_that_are_active_together_share_an_estimator() -> None:
    made = space("conditional")
    trials = ledger(made)
    _, model = model_of(made, trials)
    names = [tuple(made.dimensions[i].name for i in group.columns) for group in model]
    assert names == [("scenario", "fast", "slow", "ma", "reverse", "exit"), ("level",), ("band",), ("noise",)]
    active = np.array([[1, 1, 0, 1, 0], [1, 1, 0, 0, 0], [1, 1, 0, 1, 0]], dtype=bool)
    assert tpe.together(active) == [(0, 1), (2,), (3,), (4,)]
    assert tpe.together(np.ones((0, 2), dtype=bool)) == [(0,), (1,)]
    for trial in trials:
        assert ("noise" in made.decode([trial.proposal.params])[0]) == (
            trial.proposal.params["enabled"] == "2"
        )


def test_a_group_learns_from_the_rows_in_which_it_is_active() -> None:
    axes = [Axis("choice", size=2), Axis("real", 0.0, 1.0)]
    none = float("nan")
    rows = [Row(i, Tier.FEASIBLE, (float(i),), (float(i % 2), i / 40 if i % 2 else none)) for i in range(40)]
    first, second = tpe.groups(axes, rows, [(1.0, 0.5), (0.0, none)], 1)
    assert (first.columns, second.columns) == ((0,), (1,))
    assert len(first.good.weights) == 4 + 1
    assert len(first.bad.weights) == 36 + 2 + 1
    assert len(second.good.weights) == 2 + 1
    assert len(second.bad.weights) == 18 + 1 + 1


def test_invalid_and_known_candidates_give_way_to_the_next_best() -> None:
    made = space("stepped")
    trials = ledger(made, 64)
    model = tpe.TpeModel(settings(made))
    used = {trial.proposal.key for trial in trials}
    free = model.ask(5, 8, view(trials), [], used)
    axes, groups = model_of(made, trials)
    candidates = tpe.Candidates(axes, groups, 5).draw(0, range(8))
    names = [dimension.name for dimension in made.dimensions]

    def first(trial: int, banned: set[str]) -> str:
        for numbers in candidates[trial].tolist():
            point = tuple(axis.decode(number) for axis, number in zip(axes, numbers, strict=True))
            candidate = made.evaluate([point])[0].candidate
            if candidate is not None and candidate.key not in banned:
                return candidate.key
        raise AssertionError(names)

    banned = set(used)
    for trial, candidate in enumerate(free):
        assert candidate is not None
        assert candidate.key == first(trial, banned)
        banned.add(candidate.key)
    assert free[0] is not None
    taken = model.ask(5, 8, view(trials), [], used | {free[0].key})
    assert taken[0] is not None
    assert taken[0].key == first(0, used | {free[0].key})


def test_without_a_candidate_the_fallback_stream_proposes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = space("stepped")
    trials = ledger(made, 64)
    monkeypatch.setattr(tpe, "ROUNDS", 0)
    fallen = tpe.build(settings(made)).propose(4, 64, 16, view(trials))
    assert {proposal.source for proposal in fallen} == {"fallback"}
    assert len({p.key for p in fallen} | {t.proposal.key for t in trials}) == 80


def test_a_trial_draws_16_times_before_it_gives_up() -> None:
    made = space("stepped")
    trials = ledger(made, 64)

    class Everything(frozenset[str]):
        def __contains__(self, key: object) -> bool:
            asked.add(str(key))
            return True

    asked: set[str] = set()
    assert tpe.TpeModel(settings(made)).ask(5, 1, view(trials), [], Everything()) == [None]
    assert 24 < len(asked) <= 16 * 24


@pytest.mark.parametrize(("name", "once"), [("stepped", True), ("continuous", False)])
def test_points_of_a_small_space_are_judged_once(
    name: str, once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = space(name)
    trials = ledger(made, 64)
    judged: list[Any] = []
    evaluate = Space.evaluate
    monkeypatch.setattr(
        Space, "evaluate", lambda self, points, **k: (judged.extend(points), evaluate(self, points, **k))[1]
    )
    model = tpe.TpeModel(settings(made))
    first, again = (model.ask(5, 8, view(trials), [], frozenset()) for _ in range(2))
    assert first == again
    assert len(judged) >= 8
    assert (len(judged) == len(set(judged))) is once


def goals(count: int) -> Objective:
    listed = [Goal(name, Expression.parse(name), "minimize") for name in ("net_profit", "n_days", "wins")]
    return Objective(tuple(listed[:count]), (), 30)


def rate(params: Any, count: int) -> Outcome:
    """A front between exit = 0.2 and exit = 0.8 at fast = 20, and beside it failures and infeasible rows."""
    x, y = float(params["exit"]), (float(params["fast"]) - 20.0) / 10.0
    if 0.45 < x < 0.5:
        return failed(Kind.ENGINE_ERROR)
    values = ((x - 0.2) ** 2 + y**2, (x - 0.8) ** 2 + y**2, abs(y) + x)[:count]
    feasible = params["fast"] > 7
    return Outcome(
        Status.COMPLETE,
        None if feasible else Kind.CONSTRAINT,
        feasible,
        None,
        values,
        {"c": 0.0 if feasible else 1.0},
    )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_finds_the_front_of_up_to_three_objectives(count: int) -> None:
    made = space("wide")

    def run(n_startup: int) -> list[Trial]:
        sampler = tpe.build(settings(made, objective=goals(count), n_startup=n_startup, history=120))
        trials: list[Trial] = []
        for k in range(12):
            rows, pending = trials[: max(0, k - 1) * 16], trials[max(0, k - 1) * 16 :]
            batch = sampler.propose(k, 16 * k, 16, view(rows, pending))
            trials += [Trial(p, rate(p.params, count), {}, None, None) for p in batch]
        return trials

    def off(trials: Sequence[Trial]) -> float:
        return float(np.mean([abs(float(t.proposal.params["fast"] or 0) - 20.0) for t in trials[96:]]))

    learning, blind = run(16), run(10_000)
    assert len({trial.proposal.key for trial in learning}) == 192
    assert {trial.proposal.source for trial in learning[32:]} == {"sampler"}
    assert off(learning) < 0.6 * off(blind)


def test_the_seed_of_a_batch_is_that_of_the_study_and_its_number() -> None:
    made = space("continuous")
    trials = ledger(made, 48)
    used = {trial.proposal.key for trial in trials}
    asked = tpe.TpeModel(settings(made)).ask(seed(42, "sampler", 3), 16, view(trials), [], used)
    proposed = tpe.build(settings(made)).propose(3, 48, 16, view(trials))
    assert [candidate.key for candidate in asked if candidate is not None] == [p.key for p in proposed]


def test_a_space_with_nothing_to_search_has_one_point() -> None:
    made = toy_space({"fast": [9]}, others="default", measured=False)
    assert made.dimensions == ()
    trials = simulate(tpe.build(settings(made, n_startup=0)), GRADED, trials=16, batch_size=16)
    assert len(trials) == 1
