"""`--retry-failed`: environment failures get results, and nothing else of the study moves."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.errors import SweepError
from sweep.executors.results import RawResult, Result
from sweep.executors.worker import Worker
from sweep.ledger import Ledger
from sweep.ledger import returns as daily_returns
from sweep.pipeline import Halving
from sweep.pipeline.batch import to_spool
from sweep.study import Interrupted, Study
from sweep.types import ENVIRONMENT_FAILURES, Kind, Runtime, Status, StudyStatus, Trial
from tests.runtime.support import SAMPLERS, create, digest, drive
from tests.runtime.test_study import config

LACKING = {"at": {"noise": 2.0}, "out_of_memory": True}
"""An engine that has no memory for about a ninth of the trials."""


def trials(folder: Path) -> list[Trial]:
    with Ledger.open(folder) as ledger:
        return ledger.trials()


def lost(folder: Path) -> list[int]:
    return [t.number for t in trials(folder) if t.outcome.kind in ENVIRONMENT_FAILURES]


def test_without_failures_the_ledger_is_that_of_a_healthy_run(tmp_path: Path) -> None:
    """A sampler that reads no results proposes the same, so the whole ledger must come out."""
    healthy, ill = tmp_path / "healthy", tmp_path / "ill"
    drive(healthy, engine={"returns": True}, keep_returns="all")
    drive(ill, engine={**LACKING, "returns": True}, keep_returns="all")
    before = lost(ill)
    assert len(before) >= 3
    assert digest(ill) != digest(healthy)
    assert all(daily_returns.read(ill)["returns"][number].as_py() is None for number in before)
    drive(ill, retry=True, engine={"returns": True}, keep_returns="all")
    assert lost(ill) == []
    assert digest(ill) == digest(healthy)
    assert daily_returns.read(ill).equals(daily_returns.read(healthy))
    with Ledger.open(ill) as ledger:
        facts = ledger.study
        assert ledger.trial(before[0]).runtime is not None
    assert facts["environment_dependent"] is True
    logged = [event for event in facts["events"] if event["event"] in ("retry", "replaced")]
    assert logged[0]["trials"] == before
    assert sorted(number for event in logged[1:] for number in event["trials"]) == before


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_was_proposed_stays_and_a_partial_batch_can_be_extended(sampler: str, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(folder, sampler=sampler, trials=44, engine=LACKING)  # the last batch is partial
    before, failed = trials(folder), lost(folder)
    assert any(number < 24 for number in failed), "known to the last batch"
    drive(folder, sampler=sampler, trials=44, retry=True)
    after = trials(folder)
    assert lost(folder) == []
    assert [t.proposal for t in after] == [t.proposal for t in before]
    assert [t for t in after if t.number not in failed] == [t for t in before if t.number not in failed]
    with Ledger.open(folder) as ledger:
        seen = ledger.batches()[5][0].view_digest
    assert drive(folder, sampler=sampler, trials=70, lag=2).status is StudyStatus.FINISHED
    digest(folder)
    with Ledger.open(folder) as ledger:
        assert ledger.batches()[5][0].view_digest == seen
        assert ledger.count() == 70


def test_each_batch_is_proposed_again_from_what_it_saw(tmp_path: Path) -> None:
    """Two retries with an extension between them: the second partial batch saw the results of the first retry."""
    folder = tmp_path / "study"
    drive(folder, sampler="tpe", trials=44, engine=LACKING)
    drive(folder, sampler="tpe", trials=44, retry=True)
    drive(folder, sampler="tpe", trials=68, engine={**LACKING, "at": {"ma": "sma"}})
    assert lost(folder)
    drive(folder, sampler="tpe", trials=68, retry=True)
    with Ledger.open(folder) as ledger:
        assert set(ledger.seen_by(5)) > set(ledger.seen_by(8)) != set()
        assert ledger.seen_by(9) == {}
    assert drive(folder, sampler="tpe", trials=80).status is StudyStatus.FINISHED


@pytest.mark.parametrize("levels", [(0, 1), (1, None)])
def test_a_failure_at_a_pruning_level_gets_a_result_of_the_whole_window(levels: Any, tmp_path: Path) -> None:
    """Nobody else's place at the level changes; what the levels before it said stays, and the study can go on."""
    folder, alone = tmp_path / "study", tmp_path / "alone"
    plain: dict[str, Any] = {"trials": 64, "batch_size": 16, "keep_returns": "all", "max_failure_share": 1.0}
    study = {**plain, "pruner": Halving(3, True, 30)}
    healthy = {"returns": True, "ruin": True}
    drive(folder, **study, engine={**LACKING, **healthy, "levels": levels, "at": {"ma": "sma"}})
    before = trials(folder)
    failed = [before[number] for number in lost(folder)]
    assert {len(t.intermediate) for t in failed} == {levels[0]}
    drive(folder, **study, engine=healthy, retry=True)
    after = trials(folder)
    assert lost(folder) == []
    assert [t for t in after if t not in before] == [after[t.number] for t in failed]
    drive(alone, **plain, engine=healthy)
    whole, kept = trials(alone), [daily_returns.read(f)["returns"].to_pylist() for f in (folder, alone)]
    for trial in failed:
        again, wanted = after[trial.number], whole[trial.number]
        assert again.intermediate == trial.intermediate
        assert (again.identity, again.digests, again.outcome) == (
            wanted.identity,
            wanted.digests,
            wanted.outcome,
        )
        assert kept[0][trial.number] == kept[1][trial.number]
    digest(folder)
    drive(folder, **{**study, "trials": 80}, engine=healthy)
    assert len(trials(folder)) == 80


def test_what_fails_again_keeps_its_row(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(folder, engine=LACKING)
    before = digest(folder)
    drive(folder, engine=LACKING, retry=True)
    assert digest(folder) == before
    drive(folder)
    assert digest(folder) == before, "only on request"


def test_only_an_environment_failure_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(folder, engine=LACKING)
    before = digest(folder)
    sound = next(t for t in trials(folder) if t.outcome.kind is None)
    with Ledger.open(folder, write=True) as ledger, pytest.raises(SweepError, match="4004"):
        ledger.replace([sound])
    assert digest(folder) == before


@contextmanager
def scarce(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls with some parameter sets have no memory."""
    run = Worker.run

    def lacking(self: Worker, table: pa.Table, level: int | None = None) -> Any:
        if any(value % 5 == 0 for value in table.column("fast_period").to_pylist()):
            raise MemoryError
        return run(self, table, level)

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "run", lacking)
        yield


def test_an_interrupt_stops_the_study_and_leaves_the_rest_for_later(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Worker.run
    with scarce(monkeypatch):
        study = Study.run(config(search={"max_failure_share": 1.0}))
    failed = study.status().counts["FAILED/OUT_OF_MEMORY"]
    before = study.digest

    pressed = list[int]()

    def stopping(self: Worker, table: pa.Table, level: int | None = None) -> Any:
        if not pressed:  # a second time would end this process
            pressed.append(1)
            signal.raise_signal(signal.SIGINT)
            time.sleep(1)
        return run(self, table, level)

    with monkeypatch.context() as stopped:
        stopped.setattr(Worker, "run", stopping)
        with pytest.raises(Interrupted):
            Study.resume("plain", retry_failed=True)
    state = Study.open("plain").status()
    assert (state.status, state.reason) == ("STOPPED", "interrupted")
    assert state.counts.get("FAILED/OUT_OF_MEMORY", 0) > 0
    with study.ledger as ledger:
        ledger.digest(verify=True)
    assert failed > 1
    again = Study.resume("plain", retry_failed=True)
    assert "FAILED/OUT_OF_MEMORY" not in again.status().counts
    assert again.digest != before


def test_failures_that_are_in_the_spool_run_again_too(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    create(folder, trials=60)
    runtime = Runtime("w", "h", 1, 0.1, None, "2026-01-01")
    with Ledger.open(folder, write=True) as ledger:
        ledger.spool(
            [
                to_spool(kind.value, RawResult(0, Result(Status.FAILED, kind, "gone"), runtime))
                for kind in (Kind.OUT_OF_MEMORY, Kind.ENGINE_ERROR)
            ]
        )
    drive(folder, retry=True, interrupted=lambda: True)
    with Ledger.open(folder) as ledger:
        kept = set(ledger.spooled())
    assert Kind.ENGINE_ERROR.value in kept
    assert Kind.OUT_OF_MEMORY.value not in kept


def test_the_command_runs_them_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Study.run(config(study="whole"))
    with scarce(monkeypatch), pytest.raises(SweepError, match=r"\[6000\] .*OUT_OF_MEMORY"):
        Study.run(config(search={"max_failure_share": 0.0}))
    stopped = Study.open("plain").status()
    assert stopped.status == "FAILED"
    assert stopped.counts["FAILED/OUT_OF_MEMORY"]
    done = CliRunner().invoke(app, ["resume", "plain", "--retry-failed"])
    assert done.exit_code == 0, done.output
    study = Study.open("plain")
    assert not [t for t in study.failed if t.outcome.kind is Kind.OUT_OF_MEMORY]
    assert study.digest == whole.digest
    assert study.status().environment_dependent
