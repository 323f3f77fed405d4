"""Ahead of the lag: what no result decides is proposed as early as workers want it, with the ledger of the lag."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import error
from sweep.executors.dispatch import Dispatcher
from sweep.ledger import Ledger, Spooled, transaction
from sweep.ledger import returns as daily_returns
from sweep.pipeline import Pipeline, loop
from sweep.types import StudyStatus
from tests.runtime.support import SAMPLERS, FakeEngine, digest, drive, make_sampler


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study on one worker."""
    folder = tmp_path_factory.mktemp("plain") / "random"
    assert drive(folder).status is StudyStatus.FINISHED
    return folder


def furthest_ahead(folder: Path, sampler: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Most batches that were open at once in a study on two workers, the one that was just proposed included."""
    ahead, propose = 0, Pipeline._propose

    def note(pipeline: Pipeline, k: int) -> None:
        nonlocal ahead
        ahead = max(ahead, k + 1 - len(pipeline._history) // pipeline._rules.batch_size)
        propose(pipeline, k)

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "_propose", note)
        drive(folder, sampler=sampler, workers=2)
    return ahead


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_no_result_decides_runs_ahead_of_the_lag_with_the_ledger_of_the_lag(
    sampler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, behind = tmp_path / "ahead", tmp_path / "behind"
    free = not make_sampler(sampler, batch_size=8, lag=2).adaptive
    assert (furthest_ahead(ahead, sampler, monkeypatch) > 2) == free
    monkeypatch.setattr(Dispatcher, "wants", lambda *_: False)
    assert furthest_ahead(behind, sampler, monkeypatch) == 2
    with Ledger.open(ahead) as one, Ledger.open(behind) as other:
        assert [batch[:2] for batch in one.batches()] == [batch[:2] for batch in other.batches()]
    assert digest(ahead) == digest(behind)


@pytest.mark.parametrize("refused", [None, 0, 5])
def test_batches_that_end_together_share_a_transaction(
    refused: int | None, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    folder, kept, ends = tmp_path / "study", daily_returns.write, []
    commit, end = Pipeline._commit_in_order, transaction.Writer._end

    def late(pipeline: Pipeline, *, at_once: bool = False, **options: Any) -> None:
        if at_once or (len(pipeline._open) == 8 and all(batch.complete for batch in pipeline._open.values())):
            commit(pipeline, at_once=at_once, **options)

    def counted(writer: transaction.Writer, first: Callable[[], None]) -> None:
        ends.append(1)
        end(writer, first)

    def refuse(at: Path, k: int, *given: Any, **options: Any) -> None:
        if k == refused:
            raise error(3007, "the disk is full", stage="infrastructure")
        kept(at, k, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "_commit_in_order", late)
        # The first batches are judged by themselves, which would cut the transaction.
        patch.setattr(Pipeline, "_to_judge", False)
        patch.setattr(transaction.Writer, "_end", counted)
        patch.setattr("sweep.pipeline.loop.daily_returns.write", refuse)
        ending = drive(folder)
    if refused is None:
        assert (ending.status, len(ends)) == (StudyStatus.FINISHED, 1)
    else:
        assert (ending.status, ending.problem and ending.problem.code) == (StudyStatus.FAILED, 3007)
        with Ledger.open(folder) as ledger:
            assert [record.k for record, _, _ in ledger.batches()] == list(range(refused))
            assert len(ledger.spooled()) == 60 - 8 * refused
        assert drive(folder).status is StudyStatus.FINISHED
    with Ledger.open(folder) as one, Ledger.open(plain) as other:
        assert [batch[:2] for batch in one.batches()] == [batch[:2] for batch in other.batches()]
    assert digest(folder) == digest(plain)


def one_call_takes(monkeypatch: pytest.MonkeyPatch, seconds: float, *, number: int = 0) -> None:
    """All others take no time."""
    run, calls = FakeEngine.run_batch, itertools.count()

    def slow(engine: FakeEngine, *given: Any, **options: Any) -> Any:
        time.sleep(seconds if next(calls) == number else 0.0)
        return run(engine, *given, **options)

    monkeypatch.setattr(FakeEngine, "run_batch", slow)


@pytest.mark.parametrize("writes", ["returns", "spool"])
def test_a_refusing_disk_does_not_let_a_study_pass_its_judgement(
    writes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    rules: dict[str, Any] = {"max_failure_share": 0.01, "workers": 2, "chunk_size": 3}
    drive(tmp_path / "judged", **rules)
    kept, spool, left = daily_returns.write, Ledger.spool, [5 if writes == "returns" else 1]

    def refuse() -> None:
        if left[0]:
            left[0] -= 1
            raise error(3007, "the disk is full", stage="infrastructure")

    def write(at: Path, k: int, *given: Any, **options: Any) -> None:
        if writes == "returns" and k == 1:
            refuse()
        kept(at, k, *given, **options)

    def keep(ledger: Ledger, items: Sequence[Spooled]) -> None:
        if writes == "spool" and items:
            refuse()
        spool(ledger, items)

    with monkeypatch.context() as patch:
        one_call_takes(patch, 0.3)  # so that much has ended when the first batches are judged
        patch.setattr("sweep.pipeline.loop.daily_returns.write", write)
        patch.setattr(Ledger, "spool", keep)
        refused = drive(tmp_path / "refused", **rules)
    assert refused.problem is not None
    assert (refused.problem.code, left) == (3007, [0])
    for resumed in (False, True):
        if resumed:
            assert drive(tmp_path / "refused", **rules).reason == "failures"
        with Ledger.open(tmp_path / "refused") as one, Ledger.open(tmp_path / "judged") as other:
            assert (one.count(), one.digest()) == (other.count(), other.digest()) == (16, other.digest())


def test_little_is_kept_and_written_at_once_behind_a_slow_trial(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MOST_BATCHES", 5)
    monkeypatch.setattr(loop, "MOST_ROWS", 10)
    one_call_takes(monkeypatch, 0.3, number=12)  # in batch 4
    most, written = 0, []
    propose, spool, send = Pipeline._propose, Ledger.spool, transaction.Writer.send

    def open_batches(pipeline: Pipeline, k: int) -> None:
        nonlocal most
        propose(pipeline, k)
        most = max(most, len(pipeline._open))

    def keep(ledger: Ledger, items: Sequence[Spooled]) -> None:
        written.append(len(items))
        spool(ledger, items)

    def together(writer: transaction.Writer) -> None:
        if writer.waits_for_more and writer._left is not None:
            written.append(8 * len(writer._left.works))
        send(writer)

    monkeypatch.setattr(Pipeline, "_propose", open_batches)
    monkeypatch.setattr(Ledger, "spool", keep)
    monkeypatch.setattr(transaction.Writer, "send", together)
    drive(tmp_path / "study", workers=2, chunk_size=3, spool_interval=0.1)
    assert most == 5
    assert max(written) == 16  # whole batches of eight
    assert digest(tmp_path / "study") == digest(plain)


def test_proposing_ahead_does_not_keep_a_study_from_its_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose, batches = Pipeline._propose, []

    def slow(pipeline: Pipeline, k: int) -> None:
        propose(pipeline, k)
        batches.append(k)
        time.sleep(0.03)

    monkeypatch.setattr(Pipeline, "_propose", slow)
    ending = drive(tmp_path / "study", trials=600, timeout=0.3)
    assert (ending.status, ending.reason) == (StudyStatus.STOPPED, "timeout")
    assert len(batches) <= 11


def test_proposing_ahead_lets_results_and_interrupts_have_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[list[int]] = []
    propose, fill = Pipeline._propose, Pipeline._propose_what_may_be

    def note(pipeline: Pipeline, k: int) -> None:
        turns[-1].append(k)
        propose(pipeline, k)

    def turn(pipeline: Pipeline, begun: float) -> None:
        turns.append([])
        fill(pipeline, begun)

    monkeypatch.setattr(loop, "AHEAD_SECONDS", 0.0)
    monkeypatch.setattr(Pipeline, "_propose", note)
    monkeypatch.setattr(Pipeline, "_propose_what_may_be", turn)
    drive(tmp_path / "study", trials=600, workers=2)
    assert sum(map(len, turns)) == 75
    assert max(map(len, turns[1:])) <= 2  # what the lag allows, or one ahead of it
