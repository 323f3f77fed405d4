"""Retries and bisection, with an executor that loses workers on command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pyarrow as pa
import pytest

from sweep.errors import SweepError, error
from sweep.executors.base import Chunk, ChunkResult
from sweep.executors.dispatch import LARGEST_CALL, SHORTEST_DEADLINE, Dispatcher, Task
from sweep.executors.results import RawResult, Result
from sweep.types import Kind, Status


class Scripted:
    """Runs chunks at once; parameter x in `poison` kills the worker, in `fragile` only the first time."""

    workers = 1
    slots = 2

    def __init__(
        self, poison: Collection[int] = (), fragile: Collection[int] = (), kind: Kind = Kind.WORKER_LOST
    ) -> None:
        self.poison, self.fragile, self.kind = set(poison), set(fragile), kind
        self.chunks: list[Chunk] = []
        self.pending: list[Chunk] = []
        self.runs: Counter[int] = Counter()
        self.blameless_first = False
        self.each = 0.01

    def submit(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        self.pending.append(chunk)

    def wait(self, timeout: float | None) -> list[ChunkResult]:
        chunk = self.pending.pop(0) if self.pending else None
        if chunk is None:
            return []
        values = chunk.table.column("x").to_pylist()
        if self.blameless_first:
            self.blameless_first = False
            return [self._lost(chunk, blameless=True)]
        if self.poison & set(values):
            return [self._lost(chunk)]
        if hit := self.fragile & set(values):
            self.fragile -= hit
            return [self._lost(chunk)]
        self.runs.update(values)
        rows = len(values)
        table = pa.table({"status": ["COMPLETE"] * rows, "seconds": [0.5] * rows, "x": values})
        return [ChunkResult(chunk, table, None, None, "w", "h", self.each * rows)]

    def _lost(self, chunk: Chunk, *, blameless: bool = False) -> ChunkResult:
        lost = error(6000, "gone", stage="infrastructure")
        return ChunkResult(chunk, None, lost, self.kind, "w", "h", 1.0, blameless=blameless)

    def close(self) -> None:
        """Nothing to free."""


def run(executor: Scripted, trials: int = 16, **options: object) -> dict[int, RawResult]:
    dispatcher = Dispatcher(executor, in_flight=trials, chunk_size=options.pop("chunk_size", 8), **options)  # type: ignore[arg-type]
    dispatcher.add([Task(n, {"x": n}) for n in range(trials)])
    results: dict[int, RawResult] = {}
    while not dispatcher.idle:
        for raw in dispatcher.wait(0):
            assert raw.number not in results, "a trial ended twice"
            results[raw.number] = raw
    return results


@pytest.mark.parametrize("poison", [{5}, {0, 15}, {3, 4, 5}])
def test_poison_trials_end_alone_and_all_others_run_once(poison: set[int]) -> None:
    executor = Scripted(poison)
    results = run(executor)
    failed = {n: raw.result for n, raw in results.items() if raw.result.status is Status.FAILED}
    assert set(failed) == poison
    assert {result.kind for result in failed.values()} == {Kind.WORKER_LOST}
    assert executor.runs == Counter(n for n in range(16) if n not in poison)


def test_a_chunk_runs_again_whole_before_it_is_halved() -> None:
    executor = Scripted({0})
    run(executor, trials=8)
    sizes = [
        (chunk.attempt, chunk.table.num_rows)
        for chunk in executor.chunks
        if 0 in chunk.table["x"].to_pylist()
    ]
    assert sizes == [(1, 8), (2, 8), (3, 4), (4, 2), (5, 1), (6, 1)]
    assert all(chunk.avoid == "w" for chunk in executor.chunks if chunk.attempt > 1)


@pytest.mark.parametrize(("retries", "runs"), [(0, 1), (1, 2), (3, 4)])
def test_a_single_trial_has_its_retries(retries: int, runs: int) -> None:
    executor = Scripted({0}, kind=Kind.TIMEOUT)
    results = run(executor, trials=1, chunk_size=1, max_retries=retries)
    assert len(executor.chunks) == runs
    reason = f"[3006] the trial exceeded its deadline; {runs} times"
    assert results[0].result == Result(Status.FAILED, Kind.TIMEOUT, reason)
    assert results[0].runtime.attempts == runs


def test_a_worker_lost_once_leaves_no_trace_but_the_attempts() -> None:
    results = run(Scripted(fragile={2}))
    assert {raw.result.status for raw in results.values()} == {Status.COMPLETE}
    assert [results[n].runtime.attempts for n in (2, 9)] == [2, 1]


def test_a_blameless_loss_counts_for_nothing() -> None:
    executor = Scripted()
    executor.blameless_first = True
    results = run(executor, trials=8)
    assert {chunk.attempt for chunk in executor.chunks} == {1}
    assert {raw.runtime.attempts for raw in results.values()} == {1}


def test_a_fault_of_the_call_ends_the_study() -> None:
    with pytest.raises(SweepError, match="gone"):
        run(Scripted({0}, kind=Kind.DATA_MISMATCH))


def test_calls_are_sized_by_time_and_never_starve_a_slot() -> None:
    executor = Scripted()
    run(executor, trials=64, chunk_size=None)
    sizes = [chunk.table.num_rows for chunk in executor.chunks]
    assert max(sizes) <= 32  # 64 open trials over two slots
    assert sizes[0] == 8
    # 0.15 s at 0.01 s per trial would be 15: the 48 trials that are left make three equal calls.
    assert sizes[2:] == [16] * 3


def test_slow_first_calls_do_not_keep_later_ones_small() -> None:
    executor = Scripted()
    dispatcher = Dispatcher(executor, in_flight=1200)
    executor.each = 0.15
    dispatcher.add([Task(n, {"x": n}) for n in range(40)])
    while not dispatcher.idle:
        dispatcher.wait(0)
    slow = len(executor.chunks)
    executor.each = 0.001
    dispatcher.add([Task(n, {"x": n}) for n in range(600)])
    while not dispatcher.idle:
        dispatcher.wait(0)
    sizes = [chunk.table.num_rows for chunk in executor.chunks[slow:]]
    assert slow > 20
    assert sizes[0] == 1
    assert sizes[-1] > 100
    assert len(sizes) < 20


def endless(batch: int, most: int, *, each: float, together: bool = True) -> Scripted:
    """An executor that was asked for batches of a search without results in it, as many as it wanted, `most` trials at all."""
    executor = Scripted()
    executor.each = each
    dispatcher = Dispatcher(executor, in_flight=None if together else 2 * batch)
    added = ended = 0
    while added < most or not dispatcher.idle:
        while added < most and (added < ended + 2 * batch or dispatcher.wants(added - ended)):
            count = min(batch, most - added)
            dispatcher.add([Task(n, {"x": n}) for n in range(added, added + count)])
            added += count
            assert added - ended < 16 / each
        ended += len(dispatcher.wait(0))
    assert executor.runs == Counter(range(most))
    return executor


def test_calls_hold_trials_of_several_batches_where_there_are_always_more() -> None:
    sizes = [chunk.table.num_rows for chunk in endless(10, 5000, each=0.001).chunks]
    assert sizes[0] == 8
    assert len(sizes) < 60  # 34 calls of 0.15 s, small ones first and last
    assert max(sizes) == 150
    # At the end what is left is shared by both slots.
    assert sizes[-4:] == sorted(sizes[-4:], reverse=True)
    assert sizes[-1] < 8
    apart = endless(10, 5000, each=0.001, together=False).chunks
    assert max(chunk.table.num_rows for chunk in apart) == 10


def test_slow_trials_are_not_asked_for_ahead() -> None:
    assert {chunk.table.num_rows for chunk in endless(4, 40, each=1.0).chunks[2:]} == {1}
    dispatcher = Dispatcher(Scripted(), in_flight=None)
    assert not dispatcher.wants(0), "nobody knows yet how long a trial takes"
    dispatcher.add([Task(n, {"x": n}) for n in range(8)])
    dispatcher.wait(0)
    assert dispatcher.wants(0)
    assert not dispatcher.wants(10**6), "one trial may keep all the others waiting"


def test_a_call_of_trials_that_take_no_time_has_its_bound() -> None:
    sizes = [chunk.table.num_rows for chunk in endless(64, 6000, each=1e-7).chunks]
    assert max(sizes) == LARGEST_CALL


def test_calls_get_short_as_soon_as_trials_take_longer() -> None:
    executor = Scripted()
    dispatcher = Dispatcher(executor, in_flight=None)
    dispatcher.add([Task(n, {"x": n}) for n in range(6000)])
    executor.each = 0.001
    while len(executor.chunks) < 30:
        dispatcher.wait(0)
    executor.each = 0.05
    for _ in range(4):  # two calls were out
        dispatcher.wait(0)
    assert executor.chunks[-1].table.num_rows == 3


def test_a_call_holds_trials_of_one_pruning_level() -> None:
    executor = Scripted()
    dispatcher = Dispatcher(executor, in_flight=None, chunk_size=100)
    for level, share, numbers in ((0, 0.1, (0, 1)), (1, 0.5, (2,)), (0, 0.1, (3, 4)), (0, 0.1, (5,))):
        dispatcher.add([Task(n, {"x": n}, level, share) for n in numbers])
    while not dispatcher.idle:
        dispatcher.wait(0)
    assert [chunk.table["x"].to_pylist() for chunk in executor.chunks] == [[0, 1], [2], [3, 4, 5]]
    assert [chunk.level for chunk in executor.chunks] == [0, 1, 0]


def test_deadlines_follow_the_median_or_the_configured_time() -> None:
    executor = Scripted()
    run(executor, trials=32, chunk_size=4)
    assert executor.chunks[-1].deadline == SHORTEST_DEADLINE
    assert executor.chunks[0].deadline is not None
    assert executor.chunks[0].deadline > SHORTEST_DEADLINE
    executor = Scripted()
    run(executor, trials=8, chunk_size=4, trial_timeout=1.5)
    assert {chunk.deadline for chunk in executor.chunks} == {6.0}


def test_a_dropped_queue_sends_nothing_more() -> None:
    executor = Scripted()
    dispatcher = Dispatcher(executor, in_flight=16, chunk_size=2)
    dispatcher.add([Task(n, {"x": n}) for n in range(16)])
    dispatcher.wait(0)
    sent = len(executor.chunks)
    dispatcher.drop_queue()
    while dispatcher.outstanding:
        dispatcher.wait(0)
    assert len(executor.chunks) == sent
