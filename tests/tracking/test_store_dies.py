"""MLflow goes away in the middle of a study: the study ends as without it, and `sweep sync` catches up."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.executors.worker import Worker
from sweep.ledger import Ledger
from sweep.study import Study
from sweep.trackers.mlflow import MlflowStore
from sweep.trackers.process import Projection, State, lag, sync
from sweep.ui import Server
from tests.tracking import ledgers, stores, studies

pytestmark = pytest.mark.timeout(300)

TRIALS = 64
BATCH = 8
Failing = tuple[str, Callable[[], object], Callable[[], object]]


@contextmanager
def served(home: Path) -> Iterator[Failing]:
    """A server: its URL, its death by SIGKILL, its return on the same port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    first, second = Server(stores.uri(home), port=port), Server(stores.uri(home), port=port)

    def die() -> None:
        assert first._process is not None
        os.killpg(first._process.pid, signal.SIGKILL)
        first._process.wait(10)

    try:
        yield first.start().url, die, second.start
    finally:
        first.stop()
        second.stop()


@contextmanager
def locked(home: Path) -> Iterator[Failing]:
    """A database: its URL, the lock of another program, the end of that."""
    other = sqlite3.connect(home / "mlflow.db", isolation_level=None, check_same_thread=False, timeout=30)
    with closing(other):
        yield stores.uri(home), lambda: other.execute("BEGIN EXCLUSIVE"), lambda: other.execute("ROLLBACK")


def content(uri: str) -> list[tuple[Any, ...]]:
    """All that a person could compare, without ids."""
    store = MlflowStore(uri)
    runs = store.search(store.experiment("small"), {"study": "small"})
    runs.sort(key=lambda run: int(run.tags.get("rank", 0)))
    kept = [{k: v for k, v in run.tags.items() if k != "mlflow.parentRunId"} for run in runs]
    return [(run.status, run.params, run.metrics, tags) for run, tags in zip(runs, kept, strict=True)]


def breaking(folder: Path, die: Callable[[], object]) -> Any:
    """A worker in whose hands MLflow dies, in the middle of the study and once it shows some of it."""
    run, rows = Worker.run, [0]

    def broken(self: Worker, table: Any, level: int | None = None) -> Any:
        if rows[0] < TRIALS // 2 <= rows[0] + table.num_rows:
            until = time.monotonic() + 120
            while not State.load(folder).shown and time.monotonic() < until:
                time.sleep(0.05)
            die()
        rows[0] += table.num_rows
        return run(self, table, level)

    return broken


def hasty(finish: Any) -> Any:
    """The end of a projection that is not waited for, and that the machine's next start does away with."""

    def finished(self: Projection) -> State:
        state: State = finish(self, timeout=2.0)
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        return state

    return finished


@pytest.mark.parametrize("failing", [served, locked])
def test_the_study_goes_on_and_sync_catches_up(
    failing: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = home / "studies" / "small", home / "elsewhere"
    search = {**studies.CONFIG["search"], "trials": TRIALS, "batch_size": BATCH}
    monkeypatch.setattr(Projection, "finish", hasty(Projection.finish))
    with failing(home) as (uri, die, back):
        tracking = {"mlflow": uri, "runs": {"top": 5}}
        YAML().dump({**studies.CONFIG, "search": search, "tracking": tracking}, home / "study.yaml")
        with monkeypatch.context() as during:
            during.setattr(Worker, "run", breaking(folder, die))
            done = CliRunner().invoke(app, ["run", "study.yaml"])
        assert done.exit_code == 0, done.output
        known = State.load(folder).shown
        assert 0 < known < TRIALS
        assert f"MLflow not up to date: {TRIALS - known} trials; sweep sync small" in done.output
        study = Study.open("small")
        assert (study.status().status, study.status().done) == ("FINISHED", TRIALS)
        back()
        synced = CliRunner().invoke(app, ["sync", "small"])
        assert synced.exit_code == 0, synced.output
        assert State.load(folder).done
        caught_up = content(uri)
    elsewhere.mkdir()
    sync(folder, uri=stores.fresh(elsewhere), top=5)
    assert len(caught_up) == 6
    assert caught_up == content(stores.uri(elsewhere)), "what a store that was never away shows"
    without = Study.run({**studies.CONFIG, "search": search, "tracking": {"mlflow": None}}, home=elsewhere)
    assert study.digest == without.digest


def test_a_locked_database_holds_the_end_only_until_it_is_known(home: Path) -> None:
    folder = ledgers.make(home, batches=1)
    with locked(home) as (uri, die, back):
        projection = Projection.warm(uri=uri, top=3).follow(folder)
        until = time.monotonic() + 120
        while State.load(folder).shown < 4 and time.monotonic() < until:
            time.sleep(0.1)
        die()
        with Ledger.open(folder, write=True) as ledger:
            ledgers.commit(ledger, 1)
        while projection.warning is None and time.monotonic() < until:
            time.sleep(0.1)
        assert "locked" in str(projection.warning)
        begun = time.monotonic()
        state = projection.finish(timeout=100, patience=0.5)
        assert time.monotonic() - begun < 10
        assert (state.done, state.shown) == (False, 4)
        assert "locked" in str(state.problem)
        assert lag(state, 8, "demo") == "MLflow not up to date: 4 trials; sweep sync demo"
        back()
        assert projection._process is not None
        projection._process.wait(120)
    assert State.load(folder).shown == 8, "it went on by itself"
