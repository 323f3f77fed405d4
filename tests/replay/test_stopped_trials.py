"""Trials that were stopped on purpose replay by the command, from the ledger and from MLflow alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.study import Study
from sweep.trackers.mlflow import MlflowStore
from sweep.trackers.process import sync
from sweep.types import EARLY_STOPS, LEVELS, Kind, Status, Trial
from tests.tracking import stores, studies

SEARCH = {
    "trials": 48,
    "batch_size": 16,
    "pruner": {"type": "hyperband", "resource": "segments"},
    "early_stop": {"max_drawdown_pct": 4.0, "min_trades_by_midpoint": 0.5},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a study under a pruner and early stops, all of whose trials are in MLflow."""
    folder = tmp_path_factory.mktemp("home")
    uri = stores.fresh(folder)
    search = {**studies.CONFIG["search"], **SEARCH}
    config = {**studies.CONFIG, "search": search, "tracking": {"mlflow": None}, "min_trades": 20}
    sync(Study.run(config, home=folder).folder, uri=uri, top="all")
    return folder


@pytest.fixture(scope="module")
def stopped(home: Path) -> dict[Kind, Trial]:
    """The last stopped trial of each kind."""
    with Study.open("small", home=home).ledger as ledger:
        trials = ledger.trials()
    found = {t.outcome.kind: t for t in trials if t.outcome.status is Status.PRUNED}
    return {kind: trial for kind, trial in found.items() if kind is not None}


def replayed(*words: str | Path) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["replay", *map(str, words), "--json"])
    assert done.exit_code in (0, 1), done.output
    return done.exit_code, json.loads(done.stdout)


def check(told: tuple[int, dict[str, Any]], trial: Trial) -> None:
    code, found = told
    assert trial.digests is not None
    assert (code, found["same"], found["differences"]) == (0, True, [])
    assert found["identity"] == trial.identity
    ours = trial.digests
    expected = {"trades": ours.trades, "daily": ours.daily, "metrics": ours.metrics, "result": ours.result}
    assert expected.items() <= found["digests"].items()


def test_every_way_of_stopping_is_there(stopped: dict[Kind, Trial]) -> None:
    assert set(stopped) == {*LEVELS, *EARLY_STOPS} - {Kind.RUIN}


def test_from_the_ledger(home: Path, stopped: dict[Kind, Trial]) -> None:
    for trial in stopped.values():
        check(replayed(f"small:{trial.number}", "--home", home), trial)


def test_from_mlflow_without_the_study(home: Path, stopped: dict[Kind, Trial], tmp_path: Path) -> None:
    store = MlflowStore(stores.uri(home))
    runs = store.search(store.experiment("small"), {"role": "trial"})
    by_number = {int(run.tags["trial"]): run for run in runs}
    assert len(by_number) == SEARCH["trials"]
    for trial in stopped.values():
        run = by_number[trial.number].id
        check(replayed("--run-id", run, "--mlflow", stores.uri(home), "--home", tmp_path), trial)


def test_a_changed_record_is_told(home: Path, stopped: dict[Kind, Trial], tmp_path: Path) -> None:
    shutil.copytree(home / "studies", tmp_path / "studies")
    for trial in stopped.values():
        change(tmp_path / "studies" / "small" / "study.db", trial.number)
        code, found = replayed(f"small:{trial.number}", "--home", tmp_path)
        assert (code, found["same"]) == (1, False)
        assert any("daily" in line for line in found["differences"])


def change(file: Path, number: int) -> None:
    """Another digest of the daily equity in the ledger."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("UPDATE trials SET daily_digest = ? WHERE number = ?", ("0" * 64, number))
