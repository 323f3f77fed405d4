"""`sweep.samplers.TpeSampler` in studies of Optuna: its contract tests, and the same proposals as the sampler `tpe`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)
from optuna.trial import TrialState, create_trial

from sweep import samplers
from sweep.samplers import tpe
from sweep.samplers.base import View
from sweep.samplers.for_optuna import TpeSampler
from sweep.samplers.told import State, tell
from sweep.seeds import seed
from sweep.types import Trial
from tests.search.fakes import objective
from tests.search.test_tpe import ledger, settings, space

STATES = {State.COMPLETE: TrialState.COMPLETE, State.PRUNED: TrialState.PRUNED, State.FAIL: TrialState.FAIL}
GRADED = objective(["max_drawdown_pct <= 25"])


class TestContract(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    """Optuna's own tests of samplers, once with a random start-up, once without."""

    @pytest.fixture(params=[10, 0])
    def sampler(self, request: pytest.FixtureRequest) -> Callable[[], TpeSampler]:
        return lambda: TpeSampler(seed=7, n_startup_trials=request.param)


class TestRelativeContract(RelativeSamplerTestCase):
    """Optuna's own tests of samplers that suggest all parameters at once."""

    @pytest.fixture
    def sampler(self) -> Callable[[], TpeSampler]:
        return lambda: TpeSampler(seed=7, n_startup_trials=0)


def minimised(sampler: Any, trials: int = 60, **options: Any) -> optuna.Study:
    study = optuna.create_study(sampler=sampler, **options)

    def loss(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -5.0, 5.0)
        y = trial.suggest_float("y", 1e-4, 1e2, log=True)
        n = trial.suggest_int("n", 1, 64, log=True)
        kind = trial.suggest_categorical("kind", ["a", "b", "c"])
        step = trial.suggest_float("step", 0.0, 1.0, step=0.05)
        return (x - 1) ** 2 + math.log10(y) ** 2 + abs(n - 8) / 8 + "abc".index(kind) + abs(step - 0.35)

    study.optimize(loss, n_trials=trials)
    return study


def test_the_public_name() -> None:
    assert samplers.TpeSampler is TpeSampler


def test_it_minimises_better_than_chance_and_is_repeatable() -> None:
    def late(sampler: Any) -> float:
        values = [trial.value for trial in minimised(sampler).trials[30:]]
        return sum(value for value in values if value is not None) / len(values)

    learnt = [late(TpeSampler(seed=s)) for s in range(3)]
    blind = [late(optuna.samplers.RandomSampler(seed=s)) for s in range(3)]
    assert sum(learnt) < 0.6 * sum(blind)
    first, again = (minimised(TpeSampler(seed=3), 30) for _ in range(2))
    assert [t.params for t in first.trials] == [t.params for t in again.trials]
    assert [t.params for t in minimised(TpeSampler(seed=4), 3).trials] != [t.params for t in first.trials[:3]]
    assert minimised(TpeSampler(), 2).trials[0].params != minimised(TpeSampler(), 2).trials[0].params


@pytest.mark.parametrize("name", ["continuous", "grid", "log", "categorical"])
def test_asked_one_by_one_it_proposes_what_tpe_proposes_in_batches_of_one(name: str) -> None:
    made = space(name)
    rows = ledger(made, 32 if name == "categorical" else 64)
    ours = tpe.build(settings(made, batch_size=1, lag=1, history=40, n_startup=8))
    study = optuna.create_study(
        direction="maximize", sampler=TpeSampler(seed=42, history=40, n_startup_trials=8)
    )
    distributions = {dimension.name: _distribution(dimension) for dimension in made.dimensions}
    dimensions = {dimension.name: dimension for dimension in made.dimensions}
    for k, row in enumerate(rows):
        if k >= len(rows) - 6:
            proposal = ours.propose(k, k, 1, View(rows[:k], [], {t.proposal.key for t in rows[:k]}))[0]
            asked = study.ask(distributions)
            expected = {n: dimensions[n].value(c) for n, c in made.decode([proposal.params])[0].items()}
            assert asked.params == expected
            study.tell(asked, state=TrialState.FAIL)
            study = _restarted(study)
        study.add_trial(_frozen(row, made, distributions))


def _restarted(study: optuna.Study) -> optuna.Study:
    """The study without its last trial."""
    again = optuna.create_study(direction="maximize", sampler=study.sampler)
    again.add_trials(study.get_trials(deepcopy=False)[:-1])
    return again


def _distribution(dimension: Any) -> BaseDistribution:
    if dimension.values is None:
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    values = [dimension.value(i) for i in range(dimension.size)]
    if dimension.kind == "categorical" and not dimension.ordered:
        return CategoricalDistribution(values)
    step = 1 if len(values) == 1 else values[1] - values[0]
    return IntDistribution(values[0], values[-1], log=dimension.log, step=step)


def _frozen(row: Trial, made: Any, distributions: dict[str, BaseDistribution]) -> Any:
    told = tell(row, GRADED)
    assert told is not None
    dimensions = {dimension.name: dimension for dimension in made.dimensions}
    params = {n: dimensions[n].value(c) for n, c in made.decode([row.proposal.params])[0].items()}
    return create_trial(
        state=STATES[told.state],
        values=None if told.values is None else list(told.values),
        params=params,
        distributions={name: distributions[name] for name in params},
        constraints=dict(told.violations),
    )


def test_conditional_parameters_are_learnt_in_groups() -> None:
    study = optuna.create_study(sampler=TpeSampler(seed=1))

    def loss(trial: optuna.Trial) -> float:
        if trial.suggest_categorical("branch", ["p", "q"]) == "p":
            return 1.0 + (trial.suggest_float("a", 0.0, 1.0) - 0.9) ** 2
        b, c = trial.suggest_float("b", 0.0, 1.0), trial.suggest_int("c", 0, 20)
        return (b - 0.1) ** 2 + abs(c - 15) / 10

    study.optimize(loss, n_trials=80)
    late = [trial for trial in study.trials[40:] if trial.params["branch"] == "q"]
    assert len(late) > 25
    assert sum(abs(trial.params["c"] - 15) for trial in late) / len(late) < 4
    assert study.best_value < 0.02
    assert {frozenset(trial.params) for trial in study.trials} == {
        frozenset({"branch", "a"}),
        frozenset({"branch", "b", "c"}),
    }


def test_what_is_running_is_not_suggested_again_and_a_full_space_goes_on() -> None:
    study = optuna.create_study(sampler=TpeSampler(seed=2, n_startup_trials=0))
    distributions: dict[str, BaseDistribution] = {
        "n": IntDistribution(0, 3),
        "kind": CategoricalDistribution(["a", "b"]),
    }
    study.add_trial(create_trial(params={"n": 1, "kind": "a"}, distributions=distributions, value=1.0))
    asked = [study.ask(distributions) for _ in range(7)]
    assert len({tuple(trial.params.values()) for trial in asked} | {(1, "a")}) == 8
    assert study.ask(distributions).params["n"] in range(4)


def test_infeasible_trials_are_bad_ones() -> None:
    study = optuna.create_study(sampler=TpeSampler(seed=5))

    def loss(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        trial.set_constraint("c", x - 0.5)
        return -x

    study.optimize(loss, n_trials=60)
    late = [trial.params["x"] for trial in study.trials[30:]]
    assert 0.35 < sum(late) / len(late) < 0.55
    assert 0.45 < study.best_params["x"] <= 0.5


def test_two_directions() -> None:
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=TpeSampler(seed=6))
    study.optimize(
        lambda t: (t.suggest_float("x", 0.0, 1.0) + abs(t.suggest_float("y", 0.0, 9.0) - 7), t.params["x"]),
        n_trials=80,
    )
    late = [trial.params["y"] for trial in study.trials[40:]]
    assert sum(abs(y - 7) for y in late) / len(late) < 1.2


def test_the_history_is_capped_and_what_makes_no_sense_refused() -> None:
    sampler = TpeSampler(seed=8, history=20)
    study = minimised(sampler, 50)
    trial = study.ask()
    trial.suggest_float("x", -5.0, 5.0)
    for options in ({"history": 0}, {"n_startup_trials": -1}):
        with pytest.raises(ValueError, match="history"):
            TpeSampler(**options)


def test_the_seed_of_a_trial() -> None:
    study = minimised(TpeSampler(seed=9), 20)
    trial = study.ask()
    spy: list[int] = []
    made = tpe.Candidates.__init__

    def record(self: Any, axes: Any, model: Any, batch_seed: int) -> None:
        spy.append(batch_seed)
        made(self, axes, model, batch_seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tpe.Candidates, "__init__", record)
        trial = study.ask()
        trial.suggest_float("x", -5.0, 5.0)
    assert spy == [seed(9, "sampler", 21)]


@pytest.mark.parametrize("log", [False, True])
def test_more_integers_than_floats_tell_apart(log: bool) -> None:
    study = optuna.create_study(sampler=TpeSampler(seed=3, n_startup_trials=5))
    highest = 2**62

    def loss(trial: optuna.Trial) -> float:
        found = trial.suggest_int("x", 1, highest, log=log)
        assert isinstance(found, int)
        assert 1 <= found <= highest
        return abs(math.log2(found) - 40.0) if log else abs(found / highest - 0.25)

    study.optimize(loss, n_trials=40)
    assert study.best_value < (2.0 if log else 0.05)
