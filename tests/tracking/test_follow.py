"""The background process: follows a running study, ends after it, and never stands in its way."""

from __future__ import annotations

import http.server
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from mlflow import MlflowClient

from sweep.errors import SweepError
from sweep.ledger import Ledger
from sweep.trackers import process
from sweep.trackers.breaker import Breaker
from sweep.trackers.mlflow import MlflowStore
from sweep.trackers.process import STATE, Projection, State, Top, lag
from sweep.trackers.view import StudyView
from sweep.types import StudyStatus
from tests.tracking import ledgers, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def projections() -> Iterator[list[Projection]]:
    """Projections to end with the test."""
    started: list[Projection] = []
    yield started
    for projection in started:
        projection.abandon()
        projection.finish(timeout=20)


def test_it_follows_the_study_and_ends_after_it(home: Path, projections: list[Projection]) -> None:
    folder = ledgers.make(home, batches=1)
    with Ledger.open(folder, write=True) as ledger:
        ledger.set_status(StudyStatus.RUNNING)
        projection = Projection.warm(uri=stores.uri(home), top=3).follow(folder)
        projections.append(projection)
        _until(lambda: State.load(folder).shown == 4)
        run = State.load(folder).run
        assert run is not None
        assert MlflowClient(stores.uri(home)).get_run(run).info.status == "RUNNING"
        ledgers.commit(ledger, 1)
        _until(lambda: State.load(folder).shown == 8)
        ledgers.commit(ledger, 2)
        ledger.set_status(StudyStatus.FINISHED)
    state = projection.finish(timeout=120)
    assert (state.done, state.shown, state.problem) == (True, 12, None)
    assert lag(state, 12, "demo") is None
    found = MlflowClient(stores.uri(home)).get_run(run)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["trials.done"] == 12


def test_best_trials_are_shown_as_their_artifacts_are_written(
    home: Path, projections: list[Projection]
) -> None:
    folder = ledgers.make(home)
    projection = Projection.warm(uri=stores.fresh(home), top=3).follow(folder)
    projections.append(projection)
    projection.ended()
    with Ledger.open(folder) as ledger:
        best = StudyView.of(ledger).ranked[:3]
    shown: list[tuple[str, list[str]]] = []
    for trial in best[:2]:
        assert _children(home) == shown
        partial = folder / "artifacts" / f".{trial.identity}.partial"
        partial.mkdir(parents=True)
        (partial / "trades.parquet").write_bytes(b"PAR1")
        partial.rename(folder / "artifacts" / str(trial.identity))
        shown.append((str(trial.number), ["config.yaml", "identity.json", "trades.parquet"]))
        _until(lambda: _children(home) == shown)
    assert not State.load(folder).done
    assert projection.finish(timeout=120).done
    assert _children(home) == [*shown, (str(best[2].number), ["config.yaml", "identity.json"])]


def _children(home: Path) -> list[tuple[str, list[str]]]:
    """Trials that are shown whole, the best first, with the names of their artifacts."""
    client = MlflowClient(stores.uri(home))
    experiments = [found.experiment_id for found in client.search_experiments()]
    runs = client.search_runs(experiments, "tags.role = 'trial' and attributes.status = 'FINISHED'")
    runs = sorted(runs, key=lambda run: int(run.data.tags["rank"]))
    return [
        (run.data.tags["trial"], sorted(item.path for item in client.list_artifacts(run.info.run_id)))
        for run in runs
    ]


def test_a_driver_that_dies_leaves_a_killed_parent(home: Path, projections: list[Projection]) -> None:
    folder = ledgers.make(home, batches=1)
    with Ledger.open(folder, write=True) as ledger:
        ledger.set_status(StudyStatus.RUNNING)
    projection = Projection.warm(uri=stores.uri(home)).follow(folder)
    projections.append(projection)
    projection.abandon()
    state = projection.finish(timeout=120)
    assert (state.done, state.shown) == (False, 4)
    assert state.run is not None
    assert MlflowClient(stores.uri(home)).get_run(state.run).info.status == "KILLED"


def test_a_server_that_is_not_there_is_a_warning_in_bounded_time(
    home: Path, projections: list[Projection]
) -> None:
    folder = ledgers.make(home)
    projection = Projection.warm(uri="http://127.0.0.1:9").follow(folder)
    projections.append(projection)
    _until(lambda: projection.warning is not None)
    assert "[3005]" in str(projection.warning)
    begun = time.monotonic()
    state = projection.finish(timeout=120)
    assert time.monotonic() - begun < 20
    assert not state.done
    assert lag(state, 12, "demo") == "MLflow not up to date: 12 trials; sweep sync demo"


def test_a_server_that_answers_403_is_3005() -> None:
    class Refuses(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403, "Invalid Host header")

        do_POST = do_GET  # noqa: N815  name given by the base class

        def log_message(self, format: str, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(SweepError, match=r"\[3005\].*403"):
            MlflowStore(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_a_process_that_cannot_start_is_a_warning(tmp_path: Path) -> None:
    projection = Projection.warm(uri=f"sqlite:///{tmp_path}/x.db").follow(tmp_path / "absent")
    assert projection.warning is not None
    assert not projection.finish(timeout=1).done


@pytest.mark.parametrize(
    ("problems", "timeout", "least"),
    [
        ([None], 5.0, 5.0),  # at work: all of the time
        (["[3005] locked"], 45.0, 2.0),
        ([f"[3005] try {n}" for n in range(40)], 5.0, 5.0),  # another one each time
    ],
)
def test_the_end_waits_less_where_a_problem_stays(
    problems: list[str | None], timeout: float, least: float, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ledgers.make(home, batches=1)
    monkeypatch.setattr(process, "_command", lambda top: ["sleep", "60"])
    projection = Projection.warm(uri=f"sqlite:///{home}/x.db").follow(folder)
    assert projection._process is not None

    ended = threading.Event()

    def reports() -> None:
        for problem in problems:
            State(shown=2, problem=problem).save(folder)
            if ended.wait(0.5):
                return

    reporter = threading.Thread(target=reports)
    reporter.start()
    begun = time.monotonic()
    state = projection.finish(timeout=timeout, patience=2.0)
    assert least <= time.monotonic() - begun < 30
    assert (state.done, state.shown) == (False, 2)
    assert state.problem in problems
    assert projection._process.poll() is None, "it goes on"
    ended.set()
    reporter.join()
    projection._process.kill()
    projection._process.wait(10)


def test_a_process_that_is_told_of_no_study_ends(tmp_path: Path) -> None:
    projection = Projection.warm(uri=f"sqlite:///{tmp_path}/x.db")
    assert projection.warning is None
    state = projection.finish(timeout=240)
    assert not state.done
    assert projection.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(projection.pid, 0)


def test_a_broken_state_file_is_an_empty_state(tmp_path: Path) -> None:
    (tmp_path / STATE).write_text("{")
    assert State.load(tmp_path) == State()


def test_the_line_at_the_end_says_what_is_missing() -> None:
    assert lag(State(shown=12, done=True), 12, "demo") is None
    assert lag(State(shown=8), 12, "demo") == "MLflow not up to date: 4 trials; sweep sync demo"
    assert (
        lag(State(shown=12), 12, "demo") == "MLflow not up to date: runs of the best trials; sweep sync demo"
    )


@pytest.mark.parametrize(
    ("trials", "top", "warned"), [(1001, "all", True), (1000, "all", False), (5000, 50, False)]
)
def test_a_run_for_each_of_many_trials_is_warned_of(
    home: Path, monkeypatch: pytest.MonkeyPatch, trials: int, top: Top, warned: bool
) -> None:
    folder = ledgers.make(home, batches=1)
    with Ledger.open(folder, write=True) as ledger:
        ledger.put({"trials": trials})
    monkeypatch.setattr(process, "_command", lambda top: ["true"])  # the advice is the driver's
    projection = Projection.warm(uri="http://127.0.0.1:9", top=top).follow(folder)
    assert (projection.advice is not None) == warned
    assert ("above 1000" in str(projection.finish(timeout=10).problem)) == warned


def test_the_breaker_doubles_its_pauses_up_to_the_longest() -> None:
    now = [0.0]
    breaker = Breaker(first=1, longest=300, clock=lambda: now[0])
    assert breaker.closed
    assert [breaker.failed() for _ in range(10)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    now[0] = 299.9
    assert not breaker.closed
    now[0] = 300.0
    assert breaker.closed
    breaker.succeeded()
    assert breaker.failed() == 1
