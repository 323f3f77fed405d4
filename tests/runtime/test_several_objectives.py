"""A study of two objectives from its config to its trackers: ledger, report, CLI, candidate, resume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.errors import SweepError
from sweep.study import Study
from sweep.trackers import content
from sweep.trackers.view import StudyView
from sweep.types import Trial
from tests.runtime.test_study import StopAt, config

GOALS = [
    {"metric": "win_rate_pct", "direction": "maximize"},
    {"metric": "max_drawdown_pct", "direction": "minimize", "name": "drawdown"},
]
RANK_BY = {"metric": "total_trades", "direction": "maximize"}


def several(name: str, **search: Any) -> dict[str, Any]:
    options = {"sampler": "tpe", "trials": 40, "n_startup": 8, "lag": 1, **search}
    return config(study=name, objective=GOALS, search=options)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ranked(home: Path) -> Study:
    """A study whose front has an order."""
    return Study.run(several("ranked", rank_by=RANK_BY), home=home)


def by_definition(study: Study) -> list[int]:
    """Numbers of the front, from the trials table."""
    rows = [row for row in study.trials().to_pylist() if row["feasible"]]
    losses = [(-row["obj0"], row["obj1"]) for row in rows]
    beaten = [any(o != p and o[0] <= p[0] and o[1] <= p[1] for o in losses) for p in losses]
    return [row["number"] for row, worse in zip(rows, beaten, strict=True) if not worse]


def test_the_front_is_in_the_ledger_the_api_and_the_report(ranked: Study) -> None:
    table = ranked.trials()
    rows = [row for row in table.to_pylist() if row["status"] == "COMPLETE"]
    assert [column for column in table.column_names if column.startswith("obj")] == ["obj0", "obj1"]
    assert all(row["obj0"] == row["metrics.win_rate_pct"] for row in rows)
    assert all(row["obj1"] == row["metrics.max_drawdown_pct"] for row in rows)
    front = by_definition(ranked)
    assert 1 < len(front) < len(rows)
    assert [trial.number for trial in ranked.front] == front
    trades = {trial.number: trial.metrics["total_trades"] or 0.0 for trial in ranked.front}
    candidate = max(front, key=lambda number: (trades[number], -number))
    assert ranked.best is not None
    assert ranked.best.number == candidate
    state = ranked.status(top=100)
    assert (state.objectives, state.directions) == (("win_rate_pct", "drawdown"), ("maximize", "minimize"))
    assert (state.objective, state.direction, state.front) == ("total_trades", "maximize", len(front))
    assert [best.number for best in state.best] == sorted(front, key=lambda number: (-trades[number], number))
    assert state.best[0].value == trades[candidate]
    assert len(ranked.status(top=1).best) == 1
    assert ranked.replay(candidate).same


def test_the_command_line_shows_the_front(ranked: Study, home: Path) -> None:
    run = CliRunner().invoke(app, ["show", "ranked", "--home", str(home)])
    assert run.exit_code == 0, run.output
    front = by_definition(ranked)
    assert f"not dominated in win_rate_pct (maximize), drawdown (minimize): {len(front)}" in run.output
    assert "best total_trades (maximize) first" in run.output
    (heading,) = [line for line in run.output.splitlines() if line.strip().startswith("trial ")]
    assert heading.split()[:4] == ["trial", "total_trades", "win_rate_pct", "drawdown"]
    told = json.loads(CliRunner().invoke(app, ["status", "ranked", "--home", str(home), "--json"]).output)
    assert told["objectives"] == ["win_rate_pct", "drawdown"]
    assert len(told["best"][0]["values"]) == 2


def test_trackers_show_the_front_and_the_candidate(ranked: Study) -> None:
    with ranked.ledger as ledger:
        view = StudyView.of(ledger)
    front = by_definition(ranked)
    assert [trial.number for trial in view.front] == front
    assert view.best is not None
    assert view.best.number == view.ranked[0].number
    note = content.study_note(view)
    assert f"Not dominated in win_rate_pct (maximize), drawdown (minimize): {len(front)} trials" in note
    assert all(f"| {number} |" in note for number in front)
    assert {key.split(".")[0] for key in content.best_metrics(view)} == {"candidate"}
    marked = {
        trial.number
        for trial in view.trials
        if content.trial_tags(view, trial, None).get("non_dominated") == "true"
    }
    assert marked == set(front)
    best = view.progress[-1].best
    feasible = [trial for trial in view.trials if trial.outcome.feasible]
    assert best["win_rate_pct"] == max(trial.outcome.objectives[0] or 0.0 for trial in feasible)
    assert best["drawdown"] == min(trial.outcome.objectives[1] or 0.0 for trial in feasible)


def test_without_rank_by_there_is_a_front_but_no_best(home: Path, ranked: Study) -> None:
    plain = Study.run(several("plain-front"), home=home)
    assert plain.digest == ranked.digest
    assert plain.best is None
    assert [trial.number for trial in plain.front] == by_definition(plain)
    state = plain.status()
    assert (state.objective, state.direction) == ("", "")
    assert [best.number for best in state.best] == by_definition(plain)[:5]
    assert all(best.value is None for best in state.best)
    with plain.ledger as ledger:
        view = StudyView.of(ledger)
    assert view.best is None
    assert content.best_metrics(view) == {}
    assert "best_trial" not in content.study_tags(view)
    listed = CliRunner().invoke(app, ["status", "--home", str(home)])
    assert f"{state.front} not dominated" in listed.output


@pytest.mark.parametrize("sampler", ["random", "qmc", "grid", "optuna_tpe", "nsga2"])
def test_every_sampler_runs_and_resumes(sampler: str, home: Path) -> None:
    grid = {"grid": {"thin": 40}} if sampler == "grid" else {}  # at the interrupt some are not yet under way
    search = {"sampler": sampler, "trials": 40, "stagnation": {"batches": 50}, **grid}
    whole = Study.run(several(f"{sampler}-whole", **search), home=home)
    with pytest.raises(KeyboardInterrupt):
        Study.run(several(f"{sampler}-cut", **search), home=home, reporter=StopAt(10))
    cut = Study.resume(f"{sampler}-cut", home=home)
    assert cut.digest == whole.digest
    assert [trial.number for trial in cut.front] == by_definition(whole)


def test_cmaes_is_refused_before_the_run(home: Path) -> None:
    with pytest.raises(SweepError, match=r"\[1006\] cmaes searches for one objective"):
        Study.run(several("cmaes", sampler="cmaes"), home=home)
    assert not (home / "studies" / "cmaes").exists()


def test_the_front_in_an_optuna_storage_is_that_of_the_study(ranked: Study, tmp_path: Path) -> None:
    ranked.to_optuna(f"sqlite:///{tmp_path}/o.db")
    shown = optuna.load_study(study_name="ranked", storage=f"sqlite:///{tmp_path}/o.db")
    assert [d.name for d in shown.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert shown.metric_names == ["win_rate_pct", "drawdown"]
    assert sorted(t.number for t in shown.best_trials) == by_definition(ranked)


def test_another_objective_is_another_study(home: Path, ranked: Study) -> None:
    assert ranked.best is not None
    with pytest.raises(SweepError) as problem:
        Study.resume(
            "ranked",
            ["objective=[{metric: win_rate_pct, direction: maximize}]", "search.rank_by=null"],
            home=home,
        )
    assert problem.value.code == 1012
    again = Study.resume("ranked", ["search.rank_by=null"], home=home)
    assert again.digest == ranked.digest


def test_stagnation_counts_batches_without_a_new_point_of_the_front(home: Path) -> None:
    search = {"sampler": "random", "trials": 400, "stagnation": {"batches": 3}}
    study = Study.run(several("stands", **search), home=home)
    batches = [study_batch(study, k) for k in range(len(study.trials()) // 8)]
    assert study.status().reason == "stagnation"
    fronts = [values(study, [t for batch in batches[: k + 1] for t in batch]) for k in range(len(batches))]
    last = len(batches) - 1
    assert fronts[last] == fronts[last - 3]
    assert all(fronts[k] != fronts[k - 3] for k in range(3, last))


def study_batch(study: Study, k: int) -> list[Trial]:
    return [study.trial(number) for number in range(8 * k, 8 * k + 8)]


def values(study: Study, trials: list[Trial]) -> set[tuple[float | None, ...]]:
    return {trial.outcome.objectives for trial in study.objective.front(trials)}
