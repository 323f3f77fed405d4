"""The main job from end to end: Ray, MLflow, replay and equal ledgers, on real and on synthetic data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sweep import Study
from sweep.recorded import of_run
from sweep.replay import replay
from sweep.trackers.mlflow import MlflowStore, StoredRun

pytestmark = [pytest.mark.ray, pytest.mark.slow]

CONFIGS = Path(__file__).parents[1] / "configs"
TRIALS = 160
TOP = 50
REPLAYED = (0, 31, 64, 100, TRIALS - 1)


class Job:
    """A study run by the command line in a home of its own, and what it takes to run it again."""

    def __init__(self, home: Path, config: str, overrides: list[str]) -> None:
        self.home, self._config, self._overrides = home, config, overrides

    def sweep(self, *arguments: str, expect: int = 0) -> str:
        """Standard output of a command."""
        environment = {**os.environ, "SWEEP_HOME": str(self.home)}
        command = [sys.executable, "-m", "sweep", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=self.home, check=False
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def run(self, name: str, *overrides: str) -> Study:
        """One more study of the same configuration."""
        common = [f"search.trials={TRIALS}", f"study={name}", *self._overrides]
        self.sweep("run", str(CONFIGS / self._config), *common, *overrides)
        return Study.open(name, home=self.home)


@pytest.fixture(scope="module", params=["synthetic", "real"])
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The shipped configuration on its data."""
    home = tmp_path_factory.mktemp(f"main_job_{request.param}")
    if request.param == "synthetic":
        return Job(home, "quickstart.yaml", ["market.synthetic.bars=4000", "min_trades=10"])
    data: Path = request.getfixturevalue("shared_data")
    sides = [f"market.{side}={data / f'GBPUSD_M5_{side}.parquet'}" for side in ("bid", "ask")]
    return Job(home, "gbpusd.yaml", sides)


@pytest.fixture(scope="module")
def study(job: Job) -> Study:
    """Two Ray workers, MLflow on."""
    return job.run("main", "compute.backend=ray", "compute.workers=2", f"tracking.runs.top={TOP}")


def _runs(study: Study, job: Job, role: str) -> list[StoredRun]:
    store = MlflowStore(f"sqlite:///{job.home}/mlflow.db")
    return store.search(store.experiment(study.name), {"role": role})


def test_it_ends_with_all_trials_and_no_failure_of_the_environment(study: Study) -> None:
    report = study.status()
    assert (report.status, report.done) == ("FINISHED", TRIALS)
    assert sum(report.counts.values()) == TRIALS
    kinds = {key.partition("/")[2] for key in report.counts}
    assert kinds <= {"", "CONSTRAINT", "TOO_FEW_TRADES", "NO_TRADES"}
    assert study.trials().num_rows == TRIALS


@pytest.mark.parametrize("changes", [["compute.backend=local"], ["compute.backend=ray", "compute.workers=1"]])
def test_backend_and_workers_do_not_show_in_the_ledger(study: Study, job: Job, changes: list[str]) -> None:
    other = job.run("-".join(c.partition("=")[2] for c in changes), *changes, "tracking.mlflow=null")
    assert other.digest == study.digest
    columns = [name for name in study.trials().column_names if name != "window"]
    assert other.trials().select(columns).equals(study.trials().select(columns))


def test_five_trials_replay_from_the_study(study: Study, job: Job) -> None:
    for number in REPLAYED:
        assert study.trial(number).digests is not None
        done = study.replay(number)
        assert done.same, done.lines()
    answer: dict[str, Any] = json.loads(job.sweep("replay", f"{study.name}:{REPLAYED[1]}", "--json"))
    assert answer["same"] is True


def test_five_trials_replay_from_mlflow_alone(study: Study, job: Job) -> None:
    children = _runs(study, job, "trial")
    assert sorted(int(run.tags["rank"]) for run in children) == list(range(1, min(TOP, len(children)) + 1))
    assert len(children) >= min(TOP, study.status().counts["COMPLETE"])
    hidden = study.folder.with_name("hidden")
    study.folder.rename(hidden)
    try:
        for run in children[:5]:
            done = replay(of_run(run.id, uri=f"sqlite:///{job.home}/mlflow.db"))
            assert done.same, done.lines()
    finally:
        hidden.rename(study.folder)


def test_the_parent_run_says_what_was_searched(study: Study, job: Job) -> None:
    (parent,) = _runs(study, job, "study")
    assert parent.tags["ledger_digest"] == study.digest
