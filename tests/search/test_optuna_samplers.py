"""Samplers of Optuna besides TPE: `nsga2`, `gp` without its extra, and any other by import path."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import optuna
import pytest
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler

from sweep.errors import SweepError
from sweep.expressions import Expression
from sweep.objective import Goal, Objective
from sweep.samplers import gp, named, nsga2
from sweep.samplers.base import Named, Settings, View
from sweep.seeds import seed
from sweep.types import Kind, Outcome, ParamValue, Trial
from tests.search.fakes import failed, metrics, objective, row, simulate, toy_space

GRADED = objective(["max_drawdown_pct <= 25"])
SPACE = {
    "fast": {"low": 5, "high": 29},
    "slow": {"low": 30, "high": 90, "step": 5},
    "ma": ["ema", "sma"],
    "exit": {"low": 0.0, "high": 1.0},
}
NAMES = ("t_stat_r", "max_drawdown_pct", "profit_factor")
DIRECTIONS = ("maximize", "minimize", "maximize")


def settings(space: Any = None, **options: Any) -> Settings:
    defaults: dict[str, Any] = {"objective": GRADED, "batch_size": 16, "n_startup": 8, "history": 60}
    return Settings(space=space or toy_space(SPACE, measured=False), **defaults | options)


def several(count: int) -> Objective:
    goals = [Goal(n, Expression.parse(n), d) for n, d in zip(NAMES, DIRECTIONS, strict=True)]  # type: ignore[arg-type]
    return Objective(tuple(goals[:count]), (), 30)


def front(params: Mapping[str, ParamValue], graded: Objective) -> Outcome:
    """Objectives that pull `exit` apart; other parameters only lose."""
    x, loss = float(params["exit"] or 0), abs(float(params["fast"] or 0) - 17) / 4  # type: ignore[arg-type]
    given = {
        "t_stat_r": x - loss,
        "max_drawdown_pct": x * x + loss,
        "profit_factor": float(params["ma"] == "ema") - loss,
    }
    return graded.grade("COMPLETE", None, None, metrics(**given))


class Parents:
    """Records the parents that NSGA-II chooses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chosen: list[list[Any]] = []
        select = NSGAIISampler.select_parent

        def record(sampler: Any, study: Any, generation: int) -> Any:
            found = select(sampler, study, generation)
            self.chosen.append(found)
            return found

        monkeypatch.setattr(NSGAIISampler, "select_parent", record)


def test_the_parents_of_nsga2_are_the_best_of_all_told_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of far more rows than the history that caps the others."""
    base = simulate(nsga2.build(settings(n_startup=1000)), GRADED, trials=320, batch_size=16)
    parents = Parents(monkeypatch)
    used = {trial.proposal.key for trial in base}
    made = nsga2.build(settings()).propose(20, 320, 16, View(base, [], used, 0))
    assert {p.source for p in made} == {"sampler"}
    assert len(parents.chosen) == 1  # one generation of one batch
    expected = [trial.outcome.objectives[0] for trial in GRADED.rank(base)[:50]]
    assert sorted(t.value for t in parents.chosen[0]) == sorted(expected)  # type: ignore[type-var]


def test_fewer_rows_than_a_population_have_no_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    base = simulate(
        nsga2.build(settings(n_startup=1000)), several(1), trials=48, batch_size=16, landscape=front
    )
    parents = Parents(monkeypatch)
    nsga2.build(settings(objective=several(1))).propose(3, 48, 16, View(base, [], [], 0))
    assert parents.chosen == []


@pytest.mark.parametrize("count", [2, 3])
def test_all_of_a_front_are_parents(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graded = several(count)
    built = nsga2.build(settings(objective=graded))
    rows = simulate(built, graded, trials=160, batch_size=16, landscape=front)
    assert len({trial.proposal.key for trial in rows}) == 160
    parents = Parents(monkeypatch)
    built.propose(10, 160, 16, View(rows, [], {t.proposal.key for t in rows}, 0))
    signs = [-1 if direction == "maximize" else 1 for direction in DIRECTIONS[:count]]
    losses = [[s * v for s, v in zip(signs, t.outcome.objectives, strict=True)] for t in rows]  # type: ignore[operator]

    def dominated(point: list[float]) -> bool:
        return any(q != point and all(a <= b for a, b in zip(q, point, strict=True)) for q in losses)

    leading = [point for point in losses if not dominated(point)]
    chosen = [[s * v for s, v in zip(signs, t.values, strict=True)] for t in parents.chosen[0]]
    assert len(leading) > 1
    if len(leading) <= 50:
        assert all(point in chosen for point in leading)
    else:
        assert all(point in leading for point in chosen)


def test_nsga2_finds_better_values_than_chance() -> None:
    found = []
    for n_startup in (32, 10_000):
        trials = simulate(
            nsga2.build(settings(n_startup=n_startup)),
            several(1),
            trials=480,
            batch_size=16,
            landscape=front,
        )
        found.append(sum(t.outcome.objectives[0] or 0.0 for t in trials[-64:]))
    assert found[0] > found[1] + 10


@pytest.mark.parametrize("module", [nsga2, named])
def test_only_complete_rows_end_the_start_up(module: Any) -> None:
    sampler = module.build(settings(named=Named("optuna.samplers:RandomSampler")))
    params = {"fast": 5, "slow": 30, "ma": "ema"}

    def rows(outcome: Outcome, count: int, first: int) -> list[Trial]:
        return [row(first + i, outcome, {**params, "exit": (first + i) / 1000}) for i in range(count)]

    good = GRADED.grade("COMPLETE", None, None, metrics())
    few = GRADED.grade("COMPLETE", None, None, metrics(total_trades=3.0))
    useless = [*rows(few, 20, 0), *rows(failed(Kind.ENGINE_ERROR), 20, 20)]
    for count, source in ((7, "startup"), (8, "sampler")):
        view = View([*useless, *rows(good, count, 40)], [], [], 0)
        assert {p.source for p in sampler.propose(3, 48, 16, view)} == {source}


def test_nsga2_searches_conditional_spaces() -> None:
    space = toy_space({"scenario": [1, 2, 3], "exit": {"low": 0.0, "high": 1.0}}, others="search")
    rows = simulate(nsga2.build(settings(space)), GRADED, trials=160, batch_size=16)
    assert len({trial.proposal.key for trial in rows}) == 160
    sources = [trial.proposal.source for trial in rows[-64:]]
    assert sources.count("sampler") > 48


# ------------------------------------------------------------------------------------------------------ by import path
class Plain(BaseSampler):
    """A user's own sampler, which takes no seed."""

    def __init__(self, quantile: float = 0.5) -> None:
        if not 0 <= quantile <= 1:
            raise ValueError("quantile must be within 0 and 1")
        self.quantile = quantile

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        if self.quantile == 1:
            raise KeyError(name)
        if name == "exit":
            return (trial.number * self.quantile) % 1
        return getattr(distribution, "low", 0)


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_samplers")
    module.Plain = Plain  # type: ignore[attr-defined]
    module.number = 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_samplers", module)


@pytest.mark.usefixtures("mine")
def test_a_sampler_without_a_seed_is_made_with_its_options() -> None:
    made = named.build(settings(n_startup=0, named=Named("my_samplers:Plain", {"quantile": 0.01})))
    proposals = made.propose(0, 0, 16, View([], [], [], 0))
    assert [p.params["exit"] for p in proposals] == pytest.approx([i / 100 for i in range(16)])
    assert {p.params["fast"] for p in proposals} == {5}
    assert {p.source for p in proposals} == {"sampler"}


def test_a_sampler_with_a_seed_gets_that_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int | None] = []
    init = RandomSampler.__init__

    def record(sampler: Any, seed: int | None = None) -> None:
        seeds.append(seed)
        init(sampler, seed)

    monkeypatch.setattr(RandomSampler, "__init__", record)
    made = named.build(settings(n_startup=0, named=Named("optuna.samplers:RandomSampler")))
    del seeds[:]
    for k in (0, 5):
        made.propose(k, 16 * k, 16, View([], [], [], 0))
    assert seeds == [seed(42, "sampler", k) % 2**32 for k in (0, 5)]


def test_a_named_tpe_is_optuna_tpe() -> None:
    from sweep.samplers import optuna as optuna_tpe

    options = {"multivariate": True, "group": False, "constant_liar": True, "n_startup_trials": 0}
    path = Named("optuna.samplers:TPESampler", options)
    graded = several(1)
    one = named.build(settings(objective=graded, named=path))
    two = optuna_tpe.build(settings(objective=graded))
    rows = [simulate(sampler, graded, trials=96, batch_size=16, landscape=front) for sampler in (one, two)]
    assert rows[0] == rows[1]
    assert one.name == "optuna.samplers:TPESampler"


def test_genetic_samplers_by_path_have_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their generation is an attribute of the rows, without which they draw at random for ever."""
    sizes: list[int] = []
    select = optuna.samplers.NSGAIIISampler.select_parent

    def record(sampler: Any, study: Any, generation: int) -> Any:
        found = select(sampler, study, generation)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(optuna.samplers.NSGAIIISampler, "select_parent", record)
    graded = several(2)
    path = Named("optuna.samplers:NSGAIIISampler", {"population_size": 8})
    simulate(
        named.build(settings(objective=graded, named=path)),
        graded,
        trials=64,
        batch_size=16,
        landscape=front,
    )
    assert sizes == [8, 8]


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("path", "options", "code", "words"),
    [
        ("no_such_module:Class", {}, 1001, "No module named 'no_such_module'"),
        ("optuna.samplers:TPESamplr", {}, 1001, "has no attribute 'TPESamplr'"),
        ("my_samplers:number", {}, 1004, "no sampler of Optuna"),
        ("optuna:Study", {}, 1004, "no sampler of Optuna"),
        ("optuna.samplers:BaseSampler", {}, 1004, "refuses its options"),
        ("optuna.samplers:RandomSampler", {"sead": 3}, 1004, "sead"),
        ("optuna.samplers:RandomSampler", {"seed": 3}, 1006, "search.seed"),
        ("my_samplers:Plain", {"quantile": 2}, 1004, "quantile must be within 0 and 1"),
    ],
)
def test_mistakes_are_found_before_the_run(path: str, options: dict[str, Any], code: int, words: str) -> None:
    with pytest.raises(SweepError) as caught:
        named.build(settings(named=Named(path, options)))
    assert caught.value.code == code
    assert words in str(caught.value)
    assert str(caught.value.context["where"]).startswith("search.sampler")


@pytest.mark.usefixtures("mine")
def test_a_sampler_that_raises_ends_the_study_with_its_words() -> None:
    made = named.build(settings(n_startup=0, named=Named("my_samplers:Plain", {"quantile": 1})))
    with pytest.raises(SweepError) as caught:
        made.propose(0, 0, 16, View([], [], [], 0))
    assert (caught.value.code, caught.value.stage) == (2000, "engine")
    assert "KeyError: 'fast'" in str(caught.value)


# ------------------------------------------------------------------------------------------------------------------ gp
def test_gp_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gp, "find_spec", lambda name: None)
    with pytest.raises(SweepError) as caught:
        gp.build(settings())
    assert caught.value.code == 6000
    assert "sweep-backtest[gp]" in str(caught.value)


def test_gp_searches_no_conditional_parameters() -> None:
    space = toy_space(
        {"fast": {"low": 5, "high": 9}, "exit": {"low": 0.0, "high": 1.0, "when": "fast > 6"}}, measured=False
    )
    with pytest.raises(SweepError) as caught:
        gp.build(settings(space))
    assert (caught.value.code, caught.value.context["where"]) == (1006, "search.space.exit")


@pytest.mark.parametrize(("trials", "warned"), [(1_000, False), (1_001, True)])
def test_gp_warns_of_long_studies(trials: int, warned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gp, "find_spec", lambda name: object())
    notes = gp.build(settings(trials=trials)).notes
    assert any("consider tpe" in note for note in notes) is warned
