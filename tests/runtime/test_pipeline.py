"""The ledger is a function of configuration and seed: not of workers, chunks, delays, restarts."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partialmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweep.errors import error
from sweep.executors.results import RawResult
from sweep.ledger import Ledger, Spooled, transaction
from sweep.ledger import returns as daily_returns
from sweep.pipeline import Pipeline
from sweep.pipeline.batch import OpenBatch, graded
from sweep.types import Kind, Proposal, Status, StudyStatus, Trial
from tests.runtime.support import SAMPLERS, create, die_at, digest, drive, threads


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For every sampler the uninterrupted study on one worker."""
    folders = {name: tmp_path_factory.mktemp("plain") / name for name in SAMPLERS}
    for name, folder in folders.items():
        assert drive(folder, sampler=name).status is StudyStatus.FINISHED
    return folders


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("workers", "chunk"), [(1, 7), (2, 1), (4, 64), (4, None)])
def test_workers_chunks_and_delays_do_not_show_in_the_ledger(
    sampler: str, workers: int, chunk: int | None, plain: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    drive(
        folder, sampler=sampler, workers=workers, chunk_size=chunk, engine={"delay": 0.02}, spool_interval=0.0
    )
    assert digest(folder) == digest(plain[sampler])


def test_different_seeds_or_lags_give_different_ledgers(plain: dict[str, Path], tmp_path: Path) -> None:
    drive(tmp_path / "lag", sampler="tpe", lag=1)
    drive(tmp_path / "seed", sampler="tpe", sampler_options={"seed": 43})
    assert len({digest(plain["tpe"]), digest(tmp_path / "lag"), digest(tmp_path / "seed")}) == 3


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_extending_equals_having_asked_for_more(sampler: str, plain: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(folder, sampler=sampler, trials=21)  # the last batch is partial
    with Ledger.open(folder) as ledger:
        assert ledger.count() == 21
    drive(folder, sampler=sampler, trials=60)
    assert digest(folder) == digest(plain[sampler])


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_300_trials_and_300_more_are_600(sampler: str, tmp_path: Path) -> None:
    """Batches of 64: the fifth is cut at 300 and completed."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    drive(whole, sampler=sampler, trials=600, batch_size=64)
    drive(parts, sampler=sampler, trials=300, batch_size=64)
    with Ledger.open(parts) as ledger:
        assert [record.count for record, _, _ in ledger.batches()] == [64] * 4 + [44]
    drive(parts, sampler=sampler, trials=600, batch_size=64)
    with Ledger.open(parts) as ledger, Ledger.open(whole) as other:
        assert [record for record, _, _ in ledger.batches()] == [record for record, _, _ in other.batches()]
        assert ledger.count() == 600
    assert digest(parts) == digest(whole)


@pytest.mark.parametrize("sampler", ["random", "tpe", "cmaes"])
@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("INSERT OR REPLACE INTO batches", 1),  # inside a commit
        ("INSERT OR REPLACE INTO batches", 4),
        ("DELETE FROM spool", 5),
        ("INSERT OR IGNORE INTO spool", 2),  # inside a write to the spool
        ("BEGIN", 6),
        ("COMMIT", 7),
    ],
)
def test_a_killed_driver_resumes_to_the_same_ledger(
    sampler: str, statement: str, count: int, plain: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    victim = multiprocessing.get_context("fork").Process(
        target=die_at, args=(folder, sampler, statement, count)
    )
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    with Ledger.open(folder) as ledger:
        assert ledger.count() < 60
        ledger.digest(verify=True)
    assert drive(folder, sampler=sampler, workers=2).status is StudyStatus.FINISHED
    assert digest(folder) == digest(plain[sampler])


def test_results_in_the_spool_are_not_run_again(plain: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    calls = itertools.count()
    # By then at most two chunks are back and two are out: four trials, never the eight of a batch.
    ending = drive(folder, chunk_size=1, interrupted=lambda: next(calls) == 1)
    assert ending.interrupted
    with Ledger.open(folder) as ledger:
        kept = ledger.spooled()
        done = ledger.count()
    assert kept
    drive(folder, engine={"all_fail": True}, max_failure_share=1.0)
    with Ledger.open(folder) as ledger:
        again = {t.identity for t in ledger.trials(first=done) if t.outcome.reason == "boom"}
        assert not ledger.spooled()
    # Every spooled row came from the first, healthy run.
    reference = {t.identity for t in Ledger.open(plain["random"]).trials() if t.outcome.reason == "boom"}
    assert again & set(kept) <= reference


def spooled_rows(folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> int:
    """Results that went to the spool, by a clock on which every trial takes so many seconds."""
    rows = done = 0

    def watch(ledger: Ledger) -> None:
        def spool(results: Any, keep: Callable[[Any], None] = ledger.spool) -> None:
            nonlocal rows
            rows += len(results)
            keep(results)

        monkeypatch.setattr(ledger, "spool", spool)

    def count(*given: Any) -> Any:
        nonlocal done
        done += 1
        return graded(*given)

    clock = SimpleNamespace(monotonic=lambda: done * seconds, perf_counter=time.perf_counter)
    monkeypatch.setattr("sweep.pipeline.loop.time", clock)
    monkeypatch.setattr("sweep.pipeline.loop.graded", count)
    engine = {"delay": 0.005}
    ending = drive(folder, chunk_size=1, watch=watch, spool_interval=5.0, engine=engine)
    assert ending.status is StudyStatus.FINISHED
    return rows


def test_only_batches_that_take_long_are_spooled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The first study takes twelve seconds, and its batches of eight at most three and some.
    assert spooled_rows(tmp_path / "short", monkeypatch, 0.2) == 0
    assert spooled_rows(tmp_path / "long", monkeypatch, 1.0) > 0


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "cmaes", "optuna_tpe"])
def test_a_disk_that_refuses_every_commit_once_does_not_show(
    sampler: str, plain: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    refused = []

    def refuse(writer: transaction.Writer, first: Callable[[], None]) -> None:
        first()
        transaction.roll_back(writer._connection)
        refused.append(1)
        problem = sqlite3.OperationalError("database or disk is full")
        problem.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise problem

    monkeypatch.setattr(transaction.Writer, "_end", refuse)
    folder = tmp_path / "study"
    assert drive(folder, sampler=sampler).status is StudyStatus.FINISHED
    assert 4 <= len(refused) <= 8  # a batch or two in a transaction
    assert digest(folder) == digest(plain[sampler])


def test_daily_returns_that_the_disk_refuses_are_tried_again(
    plain: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    folder, kept, refused = tmp_path / "study", daily_returns.write, []

    def refuse(at: Path, k: int, *given: Any, **options: Any) -> None:
        if k == 3 and len(refused) < 4:
            refused.append(k)
            raise error(3007, "the disk is full", stage="infrastructure")
        kept(at, k, *given, **options)

    monkeypatch.setattr("sweep.pipeline.loop.daily_returns.write", refuse)
    assert drive(folder, sampler="tpe", workers=2, chunk_size=3).status is StudyStatus.FINISHED
    assert len(refused) == 4
    assert digest(folder) == digest(plain["tpe"])


def watched(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Identities of all trials that have ended from now on."""
    ended: set[str] = set()

    def note(proposal: Proposal, raw: RawResult, objective: Any, identity: str, metrics: Any) -> Trial:
        ended.add(identity)
        return graded(proposal, raw, objective, identity, metrics)

    monkeypatch.setattr("sweep.pipeline.loop.graded", note)
    return ended


def stored(folder: Path) -> set[str | None]:
    """Identities that are committed or in the spool."""
    with Ledger.open(folder) as ledger:
        return {*(trial.identity for trial in ledger.history()), *ledger.spooled()}


def test_what_the_spool_could_not_take_is_kept_at_the_end(
    plain: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, kept, refused = tmp_path / "study", Ledger.spool, []

    def refuse(ledger: Ledger, items: Sequence[Spooled]) -> None:
        if not refused and ledger.count() >= 16:
            refused.extend(items)
            raise error(3007, "the disk is full", stage="infrastructure")
        kept(ledger, items)

    ended = watched(monkeypatch)
    monkeypatch.setattr(Ledger, "spool", refuse)
    # Each call is long enough to be seen by itself, so that there is something to spool.
    options: dict[str, Any] = {"workers": 2, "chunk_size": 3, "spool_interval": 0.0}
    ending = drive(folder, sampler="tpe", engine={"delay": 0.01}, **options)
    assert (ending.status, bool(refused)) == (StudyStatus.FAILED, True)
    assert ended == stored(folder)
    assert drive(folder, sampler="tpe").status is StudyStatus.FINISHED
    assert digest(folder) == digest(plain["tpe"])


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_too_many_failures_end_a_study_at_one_ledger_and_nothing_is_lost(
    lag: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, ledgers = watched(monkeypatch), set()
    for workers, chunk in ((1, None), (2, 1), (4, 3)):
        folder = tmp_path / f"{workers}"
        for _ in range(2):  # the second time resumed
            ended.clear()
            options: dict[str, Any] = {"lag": lag, "workers": workers, "chunk_size": chunk}
            ending = drive(folder, engine={"delay": 0.01}, max_failure_share=0.0, **options)
            assert (ending.status, ending.reason) == (StudyStatus.FAILED, "failures")
            assert ended <= stored(folder)
            with Ledger.open(folder) as ledger:
                ledgers.add((ledger.count(), ledger.digest()))
    assert len(ledgers) == 1


@pytest.mark.parametrize(
    ("sampler", "statement"),
    [("random", "INSERT INTO trials"), ("random", "COMMIT"), ("nsga2", 'SELECT "window", "number"')],
)
def test_a_database_that_turns_out_to_be_damaged_ends_the_study_with_its_error(
    sampler: str, statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Damaged:
        def __init__(self, real: sqlite3.Connection) -> None:
            self.real, self.broken = real, False

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def _look(self, query: str) -> None:
            if self.broken and query.startswith(statement):
                problem = sqlite3.DatabaseError("database disk image is malformed")
                problem.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise problem

        def execute(self, query: str, *given: Any) -> Any:
            self._look(query)
            return self.real.execute(query, *given)

        def executemany(self, query: str, *given: Any) -> Any:
            self._look(query)
            return self.real.executemany(query, *given)

    def damage(ledger: Ledger) -> None:
        broken = Damaged(ledger._connection)
        ledger._connection = ledger._writer._connection = broken  # type: ignore[assignment]
        monkeypatch.setattr(Pipeline, "_commit", partialmethod(_breaking, Pipeline._commit, broken))

    ending = drive(tmp_path / "study", sampler=sampler, watch=damage)
    assert ending.status is StudyStatus.FAILED
    assert ending.problem is not None
    assert ending.problem.code == 3004


def _breaking(pipeline: Pipeline, commit: Any, broken: Any, batch: OpenBatch, **options: Any) -> None:
    broken.broken = batch.k >= 2
    commit(pipeline, batch, **options)


def test_a_batch_that_the_disk_refuses_is_open_again(
    plain: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    folder, kept = tmp_path / "study", daily_returns.write

    def refuse(at: Path, k: int, *given: Any, **options: Any) -> None:
        if k == 3:
            raise error(3007, "the disk is full", stage="infrastructure")
        kept(at, k, *given, **options)

    with monkeypatch.context() as full:
        full.setattr("sweep.pipeline.loop.daily_returns.write", refuse)
        ending = drive(folder, sampler="tpe", workers=2, chunk_size=3)
    assert ending.status is StudyStatus.FAILED
    assert ending.problem is not None
    assert ending.problem.code == 3007
    with Ledger.open(folder) as ledger:
        assert [record.k for record, _, _ in ledger.batches()] == [0, 1, 2]
        assert ledger.spooled()
    assert drive(folder, sampler="tpe").status is StudyStatus.FINISHED
    assert digest(folder) == digest(plain["tpe"])


def test_an_interrupt_keeps_what_ended_and_resumes(plain: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    calls = itertools.count()
    ending = drive(folder, sampler="tpe", engine={"delay": 0.01}, interrupted=lambda: next(calls) == 3)
    assert (ending.status, ending.reason) == (StudyStatus.STOPPED, "interrupted")
    assert drive(folder, sampler="tpe").status is StudyStatus.FINISHED
    assert digest(folder) == digest(plain["tpe"])


def test_batches_are_committed_in_order_and_the_rows_are_a_prefix(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(folder, workers=4, chunk_size=1, engine={"delay": 0.01})
    with Ledger.open(folder) as ledger:
        records = [record for record, _, _ in ledger.batches()]
        assert [(r.k, r.first) for r in records] == [(k, 8 * k) for k in range(8)]
        assert [t.number for t in ledger.trials()] == list(range(60))
        assert records[-1].count == 4
        assert all(t.proposal.batch == t.number // 8 for t in ledger.trials())


def test_every_kind_of_outcome_has_a_row_and_none_a_sentinel(plain: dict[str, Path]) -> None:
    with Ledger.open(plain["random"]) as ledger:
        trials = ledger.trials()
    kinds = {t.outcome.kind for t in trials}
    assert {None, Kind.ENGINE_ERROR, Kind.NO_TRADES, Kind.TOO_FEW_TRADES, Kind.NAN_METRIC} <= kinds
    for trial in trials:
        assert (trial.outcome.objectives[0] is None) == (trial.outcome.status is Status.FAILED)
        assert trial.outcome.status is Status.COMPLETE or trial.outcome.reason
        assert trial.identity is not None
        assert (trial.digests is None) == (trial.outcome.kind in (Kind.ENGINE_ERROR, Kind.INVALID_PARAMS))


def test_a_small_space_is_exhausted(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    ending = drive(folder, trials=100_000, batch_size=512)
    assert (ending.status, ending.reason) == (StudyStatus.EXHAUSTED, "exhausted")
    with Ledger.open(folder) as ledger:
        keys = [t.proposal.key for t in ledger.history()]
    assert len(keys) == len(set(keys)) < 100_000
    assert drive(folder, trials=100_000, batch_size=512).status is StudyStatus.EXHAUSTED
    assert len(keys) == Ledger.open(folder).count()


def test_a_grid_without_a_budget_runs_its_whole_space(tmp_path: Path) -> None:
    ending = drive(tmp_path / "study", sampler="grid", trials=None, batch_size=1024)
    assert (ending.status, ending.reason) == (StudyStatus.FINISHED, "exhausted")


def test_stagnation_stops_at_the_same_trial_whatever_the_workers(tmp_path: Path) -> None:
    counts = set()
    for workers in (1, 4):
        folder = tmp_path / str(workers)
        ending = drive(folder, trials=600, workers=workers, stagnation=3, engine={"delay": 0.005})
        assert (ending.status, ending.reason) == (StudyStatus.STOPPED, "stagnation")
        counts.add(Ledger.open(folder).count())
    assert len(counts) == 1
    assert counts.pop() < 600


@pytest.mark.parametrize(("sampler", "trials"), [("random", 600), ("tpe", 60)])
def test_a_timeout_leaves_a_prefix_of_the_longer_run(
    sampler: str, trials: int, plain: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    ending = drive(folder, sampler=sampler, trials=trials, timeout=0.05, engine={"delay": 0.1})
    assert (ending.status, ending.reason) == (StudyStatus.STOPPED, "timeout")
    with Ledger.open(folder) as short, Ledger.open(plain[sampler]) as long:
        assert 0 < short.count() < trials
        whole = min(short.count() // 8, 60 // 8)
        assert [r for r, _, _ in short.batches()][:whole] == [r for r, _, _ in long.batches()][:whole]


def test_a_study_in_which_most_trials_fail_stops_with_the_reason(tmp_path: Path) -> None:
    ending = drive(tmp_path / "study", trials=200, engine={"all_fail": True})
    assert ending.status is StudyStatus.FAILED
    assert ending.problem is not None
    assert (ending.problem.code, ending.problem.stage) == (2000, "engine")
    assert "16 of the first 16 trials ended in ENGINE_ERROR: boom" in ending.problem.message
    assert Ledger.open(tmp_path / "study").count() < 200


def test_returns_are_kept_beside_the_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(folder, trials=21, engine={"returns": True}, keep_returns="all")
    drive(folder, trials=60, engine={"returns": True}, keep_returns="all")
    table = daily_returns.read(folder)
    assert table.column("number").to_pylist() == list(range(60))
    with Ledger.open(folder) as ledger:
        for trial, values in zip(ledger.trials(), table.column("returns").to_pylist(), strict=True):
            assert (values is None) == (trial.digests is None)


def test_worker_threads_end_with_their_executor(tmp_path: Path) -> None:
    drive(tmp_path / "study", workers=3, trials=16)
    for _ in range(200):
        if not threads():
            break
        time.sleep(0.01)
    assert not threads()


def test_a_proposal_that_cannot_be_reproduced_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    create(folder, trials=20)
    drive(folder, trials=20)
    ending = drive(folder, trials=40, sampler="qmc")
    assert ending.problem is not None
    assert ending.problem.code == 4004
    assert Ledger.open(folder).count() == 20
