from __future__ import annotations

import random as global_random
import subprocess
import sys
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from sweep.objective import Objective
from sweep.samplers import named, nsga2, tpe
from sweep.samplers import optuna as optuna_module
from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Named, Settings, View, position_after
from sweep.samplers.history import history
from sweep.samplers.optuna import distribution, from_optuna, to_optuna
from sweep.seeds import seed
from sweep.types import INFEASIBLE_RESULTS, Kind, Outcome, Status, Trial
from tests.search.fakes import failed, metrics, objective, row, simulate, toy_space

NOISE = {"low": 0.01, "high": 100, "log": True}
MIXED = {"noise": NOISE, "slow": {"low": 30, "high": 90, "log": True}, "exit": {"low": 0.0, "high": 1.0}}
NSGA3 = Named("optuna.samplers:NSGAIIISampler", {"population_size": 8})
ASKED = [optuna_module, nsga2, named]
"""Modules of samplers that Optuna is asked for."""
FLAT = {"pinned": {"enabled": "1+2+3"}, "others": "search"}
GRADED = objective(["max_drawdown_pct <= 25"])


def settings(space: Any = None, **options: Any) -> Settings:
    defaults: dict[str, Any] = {
        "objective": GRADED,
        "batch_size": 16,
        "n_startup": 8,
        "history": 60,
        "named": NSGA3,
    }
    return Settings(space=space or toy_space(MIXED, **FLAT, measured=False), **defaults | options)


def finished(sampler: AdaptiveSampler, trials: int, graded: Objective = GRADED) -> list[Trial]:
    return simulate(sampler, graded, trials=trials, batch_size=16)


@pytest.mark.parametrize("module", [*ASKED, tpe])
def test_run_150_and_extend_by_150_is_run_300(module: Any) -> None:
    def made() -> AdaptiveSampler:
        sampler: AdaptiveSampler = module.build(
            settings(batch_size=32, n_startup=32, start_points=["default"])
        )
        return sampler

    short = simulate(made(), GRADED, trials=150, batch_size=32)
    long = simulate(made(), GRADED, trials=300, batch_size=32, stored=short)
    assert (len(short), len(long)) == (150, 300)
    assert len({trial.proposal.key for trial in long}) == 300
    assert {trial.proposal.source for trial in long} == {"start_point", "startup", "sampler"}


@pytest.mark.parametrize("module", ASKED)
def test_propose_is_pure_and_leaves_global_generators_alone(module: Any) -> None:
    trials = finished(module.build(settings()), 64)
    keys = [trial.proposal.key for trial in trials]
    pending = [trial.proposal.params for trial in trials[48:]]
    views = [View(trials[:48], pending, used, 0) for used in (keys, keys[::-1], frozenset(keys))]
    before = (global_random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index,union-attr]
    sampler = module.build(settings())
    proposals = [sampler.propose(4, 64, 16, view) for view in views]
    proposals.append(module.build(settings()).propose(4, 64, 16, views[0]))
    assert all(p == proposals[0] for p in proposals)
    assert sampler.propose(4, 64, 5, views[1]) == proposals[0][:5]
    assert (global_random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index,union-attr]
    assert sampler.propose(5, 64, 16, views[0]) != proposals[0]
    assert [p.number for p in proposals[0]] == list(range(64, 80))
    assert {(p.source, p.stream_pos) for p in proposals[0]} == {("sampler", None)}


class Spy:
    """Records what Optuna is told, and with which sampler."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[Any] = []
        self.states: list[Any] = []
        self.samplers: list[dict[str, Any]] = []
        add, tell, make = optuna.Study.add_trials, optuna.Study.tell, optuna.samplers.TPESampler

        def add_trials(study: Any, trials: Any) -> None:
            self.told = list(trials)
            add(study, self.told)

        def tell_one(study: Any, trial: Any, *args: Any, **kwargs: Any) -> Any:
            self.states.append(kwargs.get("state"))
            return tell(study, trial, *args, **kwargs)

        def sampler(**kwargs: Any) -> Any:
            self.samplers.append(kwargs)
            return make(**kwargs)

        monkeypatch.setattr(optuna.Study, "add_trials", add_trials)
        monkeypatch.setattr(optuna.Study, "tell", tell_one)
        monkeypatch.setattr(optuna.samplers, "TPESampler", sampler)


def grade(**given: float | None) -> Outcome:
    return GRADED.grade("COMPLETE", None, None, metrics(**given))


KEYS = ["parameters", "total_trades >= 30", "max_drawdown_pct <= 25"]
LEVEL_0 = Outcome(Status.PRUNED, Kind.LEVEL_0, False, "level 0", (None,), {})
RUIN = Outcome(Status.PRUNED, Kind.RUIN, False, "ruined", (None,), {})
TABLE: list[tuple[str, Outcome, dict[str, float], TrialState | None, float | None, list[float]]] = [
    ("feasible", grade(t_stat_r=1.5), {}, TrialState.COMPLETE, 1.5, [0.0, -70 / 30, -0.96]),
    (
        "constraint",
        grade(t_stat_r=9.0, max_drawdown_pct=50.0),
        {},
        TrialState.COMPLETE,
        9.0,
        [0.0, -70 / 30, 1.0],
    ),
    ("too few trades", grade(total_trades=12.0), {}, TrialState.PRUNED, None, [0.0, 18 / 30, 0.0]),
    ("no trades", grade(total_trades=0.0), {}, TrialState.PRUNED, None, [0.0, 1.0, 0.0]),
    (
        "invalid",
        GRADED.grade("FAILED", "INVALID_PARAMS", "no", {}),
        {},
        TrialState.PRUNED,
        None,
        [2.0, 0.0, 0.0],
    ),
    ("undefined", grade(t_stat_r=None), {}, TrialState.FAIL, None, [0.0] * 3),
    ("engine error", failed(Kind.ENGINE_ERROR), {}, TrialState.FAIL, None, [0.0] * 3),
    ("data mismatch", failed(Kind.DATA_MISMATCH), {}, None, None, []),
    ("timeout", failed(Kind.TIMEOUT), {}, TrialState.FAIL, None, [0.0] * 3),
    ("worker lost", failed(Kind.WORKER_LOST), {}, TrialState.FAIL, None, [0.0] * 3),
    ("out of memory", failed(Kind.OUT_OF_MEMORY), {}, TrialState.FAIL, None, [0.0] * 3),
    ("pruned at a level", LEVEL_0, {"0": 0.7}, TrialState.PRUNED, None, [0.0] * 3),
    ("pruned early", RUIN, {}, TrialState.PRUNED, None, [0.0] * 3),
]


@pytest.mark.parametrize("module", ASKED)
@pytest.mark.parametrize("case", TABLE, ids=[case[0] for case in TABLE])
def test_what_optuna_is_told_of_each_row_of_the_outcome_table(
    case: Any, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, outcome, intermediate, state, value, violations = case
    base = finished(module.build(settings()), 32)
    number = len(base)
    special = row(number, outcome, {**base[5].proposal.params, "exit": 0.123}, intermediate=intermediate)
    spy = Spy(monkeypatch)
    view = View([*base, special], [], {t.proposal.key for t in base}, 0)
    module.build(settings(start_points=())).propose(3, number + 1, 1, view)
    told = [trial for trial in spy.told if trial.params.get("exit") == 0.123]
    assert len(told) == (0 if state is None else 1)
    assert len(spy.told) == number + len(told)
    for trial in told:
        assert trial.state is state
        assert trial.values == (None if value is None else [value])
        assert list(trial.constraints) == KEYS
        assert list(trial.constraints.values()) == pytest.approx(violations)
        assert trial.intermediate_values == {int(k): v for k, v in intermediate.items()}


def test_no_row_without_an_objective_carries_a_value_into_the_sampler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trials = finished(optuna_module.build(settings(history=500)), 160)
    kinds = {trial.outcome.kind for trial in trials}
    assert {
        None,
        Kind.CONSTRAINT,
        Kind.NO_TRADES,
        Kind.TOO_FEW_TRADES,
        Kind.INVALID_PARAMS,
        Kind.ENGINE_ERROR,
        Kind.NAN_METRIC,
    } <= kinds
    spy = Spy(monkeypatch)
    optuna_module.build(settings(history=500)).propose(
        10, 160, 1, View(trials, [], [t.proposal.key for t in trials], 0)
    )
    assert len(spy.told) == 160
    for trial, told in zip(trials, spy.told, strict=True):
        valued = trial.outcome.status is Status.COMPLETE
        assert (told.values is not None) == valued == (told.state is TrialState.COMPLETE)
        assert (told.state is TrialState.PRUNED) == (trial.outcome.kind in INFEASIBLE_RESULTS)
        if trial.outcome.kind in INFEASIBLE_RESULTS:
            assert sum(v for v in told.constraints.values() if v > 0) > 0
        assert list(told.constraints) == KEYS


def test_pending_sets_are_running_and_the_sampler_is_made_with_the_batch_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trials = finished(optuna_module.build(settings()), 48)
    spy = Spy(monkeypatch)
    pending = [trial.proposal.params for trial in trials[32:]]
    made = optuna_module.build(settings()).propose(
        3, 48, 16, View(trials[:32], pending, [t.proposal.key for t in trials], 0)
    )
    running = spy.told[32:]
    assert [t.state for t in running] == [TrialState.RUNNING] * 16
    assert [t.params["exit"] for t in running] == [params["exit"] for params in pending]
    assert spy.samplers == [
        {
            "multivariate": True,
            "group": False,
            "constant_liar": True,
            "n_startup_trials": 0,
            "seed": seed(42, "sampler", 3) % 2**32,
        }
    ]
    assert len({p.key for p in made} - {t.proposal.key for t in trials}) == 16


def test_start_up_lasts_until_enough_rows_are_usable() -> None:
    sampler = optuna_module.build(settings(n_startup=8))
    good = finished(sampler, 16)[:7]
    params = good[0].proposal.params
    useless = [row(50 + i, failed(Kind.ENGINE_ERROR), {**params, "exit": i / 100}) for i in range(20)]
    infeasible = row(90, grade(total_trades=3.0), {**params, "exit": 0.9})
    usable = [trial for trial in good if trial.outcome.kind not in (Kind.ENGINE_ERROR, Kind.NAN_METRIC)]
    complete = [
        *usable,
        *(row(30 + i, grade(), {**params, "exit": 0.3 + i / 100}) for i in range(7 - len(usable))),
    ]
    assert {p.source for p in sampler.propose(2, 91, 16, View([*complete, *useless], [], [], 20))} == {
        "startup"
    }
    assert {
        p.source for p in sampler.propose(2, 91, 16, View([*complete, *useless, infeasible], [], [], 20))
    } == {"sampler"}


@pytest.mark.parametrize("startup", ["qmc", "random"])
def test_start_up_continues_its_stream_and_start_points_come_first(startup: Any) -> None:
    sampler = tpe.build(settings(startup=startup, start_points=["default", {"fast": 5}], n_startup=100))
    first = sampler.propose(0, 0, 16, View([], [], [], 0))
    second = sampler.propose(1, 16, 16, View([], [], [p.key for p in first], position_after(first)))
    assert [p.source for p in first] == ["start_point"] * 2 + ["startup"] * 14
    positions = [p.stream_pos for p in (*first[2:], *second)]
    assert all(p is not None for p in positions)
    assert positions == sorted(set(positions))  # type: ignore[type-var]
    assert len({p.key for p in (*first, *second)}) == 32


def test_the_history_keeps_the_best_and_the_latest_in_trial_order() -> None:
    trials = [row(n, grade(t_stat_r=float(-abs(n - 40))), {"n": n}) for n in range(200)]
    kept = [trial.number for trial in history(trials, GRADED, 60)]
    assert kept == [*range(28, 53), *range(165, 200)]
    assert history(trials[:60], GRADED, 60) == trials[:60]
    assert [t.number for t in history(trials, GRADED, 10)] == list(range(35, 45))


def test_distributions_and_coordinates() -> None:
    space = toy_space(
        {
            **MIXED,
            "fast": {"low": 5, "high": 9},
            "ma": ["ema", "sma"],
            "frame": {"choices": ["H1", "H4", "D1"], "ordered": True},
        },
        measured=False,
    )
    made = {d.name: distribution(d) for d in space.dimensions}
    assert made == {
        "fast": optuna.distributions.IntDistribution(0, 4),
        "slow": optuna.distributions.IntDistribution(30, 90, log=True),
        "ma": optuna.distributions.CategoricalDistribution((0, 1)),
        "noise": optuna.distributions.FloatDistribution(0.01, 100, log=True),
        "frame": optuna.distributions.IntDistribution(0, 2),
        "exit": optuna.distributions.FloatDistribution(0.0, 1.0),
    }
    for dimension in space.dimensions:
        for u in (0.0, 0.3, 0.999):
            coordinate = dimension.from_unit(u)
            assert from_optuna(dimension, to_optuna(dimension, coordinate)) == coordinate


def test_conditional_parameters_are_asked_for_only_where_they_are_active(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = toy_space(
        {"scenario": [1, 2, 3], "noise": NOISE | {"when": "scenario == 2"}}, others="search", measured=False
    )
    sampler = optuna_module.build(settings(space))
    trials = finished(sampler, 96)
    spy = Spy(monkeypatch)
    made = sampler.propose(6, 96, 16, View(trials, [], [t.proposal.key for t in trials], 0))
    assert spy.samplers[0]["group"] is True
    assert {p.source for p in made} == {"sampler"}
    for trial, told in zip(history(trials, GRADED, 60), spy.told, strict=True):
        enabled = trial.proposal.params["enabled"]
        conditional = {"level"} if enabled == "1" else {"level", "noise"} if enabled == "2" else {"band"}
        assert set(told.params) == {"scenario", "fast", "slow", "ma", "reverse"} | conditional


def test_invalid_and_repeated_suggestions_are_told_fail_and_then_fall_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = toy_space(
        {"fast": {"low": 5, "high": 40}, "slow": {"low": 10, "high": 40}, "ma": ["ema", "sma"]},
        where=["fast >= slow - 2"],
        measured=False,
    )
    sampler = optuna_module.build(settings(space))
    trials = finished(sampler, 48)
    spy = Spy(monkeypatch)
    made = sampler.propose(3, 48, 16, View(trials, [], [t.proposal.key for t in trials], 0))
    assert len(made) == 16
    assert spy.states
    assert set(spy.states) == {TrialState.FAIL}

    monkeypatch.setattr(optuna_module.OptunaModel, "_ask_one", lambda *_: None)
    fallen = sampler.propose(3, 48, 16, View(trials, [], [t.proposal.key for t in trials], 0))
    assert {p.source for p in fallen} == {"fallback"}
    assert len({p.key for p in fallen} | {t.proposal.key for t in trials}) == 64
    assert sampler.propose(3, 48, 6, View(trials, [], [t.proposal.key for t in trials], 0)) == fallen[:6]


def test_a_small_space_is_exhausted() -> None:
    space = toy_space({"ma": ["ema", "sma"], "reverse": [False, True], "fast": [5, 6, 7]}, where=["fast < 7"])
    for n_startup in (1, 100):
        trials = finished(tpe.build(settings(space, n_startup=n_startup, max_rejects=500)), 64)
        assert len(trials) == 8
        assert len({trial.proposal.key for trial in trials}) == 8


def test_it_finds_better_values_than_its_start_up() -> None:
    best = []
    for n_startup in (16, 10_000):
        trials = simulate(
            optuna_module.build(settings(n_startup=n_startup)), GRADED, trials=160, batch_size=16
        )
        top = GRADED.best(trials)
        assert top is not None
        assert top.outcome.objectives[0] is not None
        best.append(sum(t.outcome.objectives[0] or 0.0 for t in GRADED.rank(trials)[:10]))
    assert best[0] > best[1]


def test_names_and_versions() -> None:
    made = [module.build(settings()) for module in (*ASKED, tpe)]
    assert [(s.name, s.version, s.adaptive) for s in made] == [
        ("optuna_tpe", 1, True),
        ("nsga2", 1, True),
        ("optuna.samplers:NSGAIIISampler", 1, True),
        ("tpe", 2, True),
    ]
    assert "32 trials are blind" in made[0].notes[0]


def test_optuna_is_imported_by_its_own_samplers_only() -> None:
    code = "import sys, sweep.samplers.base, sweep.samplers.grid, sweep.samplers.random, sweep.samplers.qmc; print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
