"""The sampler `gp` itself; needs the extra of that name: `make test-gp`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from sweep.expressions import Expression
from sweep.objective import Goal, Objective
from sweep.samplers import gp
from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Settings, View
from sweep.types import Outcome, ParamValue
from tests.runtime import support
from tests.search.fakes import metrics, objective, simulate, toy_space

pytest.importorskip("torch", reason="make test-gp")

SPACE = {
    "fast": {"low": 5, "high": 29},
    "ma": ["ema", "sma"],
    "noise": {"low": 0.01, "high": 100, "log": True},
    "exit": {"low": 0.0, "high": 1.0},
}
GOALS = [
    Goal("t_stat_r", Expression.parse("t_stat_r"), "maximize"),
    Goal("max_drawdown_pct", Expression.parse("max_drawdown_pct"), "minimize"),
]
PLAIN = objective()
LIMITED = objective(["max_drawdown_pct <= 25"])


def build(graded: Objective = PLAIN, **options: Any) -> AdaptiveSampler:
    defaults: dict[str, Any] = {"batch_size": 2, "n_startup": 8, "history": 16}
    return gp.build(Settings(space=toy_space(SPACE, measured=False), objective=graded, **defaults | options))


def bowl(params: Mapping[str, ParamValue], graded: Objective) -> Outcome:
    fast, exit_at = float(params["fast"] or 0), float(params["exit"] or 0)  # type: ignore[arg-type]
    score = -(((fast - 17) / 12) ** 2) - (exit_at - 0.3) ** 2 - 0.2 * (params["ma"] == "sma")
    return graded.grade("COMPLETE", None, None, metrics(t_stat_r=score, max_drawdown_pct=40 * exit_at))


@pytest.mark.parametrize("graded", [PLAIN, LIMITED, Objective(tuple(GOALS), (), 30)])
def test_it_finds_better_values_than_chance_and_repeats_none(graded: Objective) -> None:
    trials = simulate(build(graded), graded, trials=22, batch_size=2, landscape=bowl)
    assert len({trial.proposal.key for trial in trials}) == 22
    assert [trial.proposal.source for trial in trials[12:]] == ["sampler"] * 10
    values = [trial.outcome.objectives[0] or 0.0 for trial in trials]
    assert sum(values[-8:]) > sum(values[:8])


def test_extending_equals_having_asked_for_more() -> None:
    short = simulate(build(), PLAIN, trials=21, batch_size=2)
    long = simulate(build(), PLAIN, trials=24, batch_size=2, stored=short)
    assert len(long) == 24
    assert long[20].proposal.source == "sampler"


def test_propose_is_pure_and_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = simulate(build(n_startup=100), PLAIN, trials=24, batch_size=2, landscape=bowl)
    told: list[Any] = []
    add = optuna.Study.add_trials

    def record(study: Any, trials: Any) -> None:
        told[:] = trials
        add(study, told)

    monkeypatch.setattr(optuna.Study, "add_trials", record)
    view = View(rows[:22], [t.proposal.params for t in rows[22:]], {t.proposal.key for t in rows}, 0)
    sampler = build()
    made = sampler.propose(12, 24, 2, view)
    assert [t.state.name for t in told] == ["COMPLETE"] * 16 + ["RUNNING"] * 2
    assert sampler.propose(12, 24, 2, view) == build().propose(12, 24, 2, view) == made
    assert sampler.propose(12, 24, 1, view) == made[:1]


def test_workers_delays_and_an_extension_do_not_show_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(support.SAMPLERS, "gp", gp)

    def run(name: str, **options: Any) -> str:
        defaults: dict[str, Any] = {"trials": 24, "batch_size": 4, "sampler_options": {"n_startup": 8}}
        support.drive(tmp_path / name, sampler="gp", **defaults | options)
        return support.digest(tmp_path / name)

    plain = run("plain")
    late = {"delay": 0.02}
    assert run("two", workers=2, chunk_size=1, engine=late) == plain
    assert run("four", workers=4, engine=late) == plain
    assert run("parts", trials=14) != plain
    assert run("parts") == plain
