"""Trials to chunks and back: sizes, retries and bisection, the same for every executor.

What is cut how, and runs where and how often, never reaches a result: a trial is a pure function of its parameters.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sweep.errors import error
from sweep.executors.base import CacheCounts, Chunk, ChunkResult, Executor
from sweep.executors.worker import table_of
from sweep.types import ENVIRONMENT_FAILURES, Kind, Runtime

CALL_SECONDS: Final = 0.15
"""Length of a call that bounds both overhead and what a crash loses."""
SHORTEST_DEADLINE: Final = 30.0
FIRST_DEADLINE: Final = 600.0
"""Deadline of a call per trial before any trial was measured."""
_MEDIANS: Final = 256


@dataclass(frozen=True, slots=True)
class Task:
    """One trial to run."""

    number: int
    params: Mapping[str, Any]
    level: int | None = None
    """Pruning level; None = the whole window."""
    share: float = 1.0
    """Of the bars of the whole window."""


@dataclass(frozen=True, slots=True)
class RawResult:
    """One trial as it came back: a row of the engine, or the kind of environment failure that ended it."""

    number: int
    row: Mapping[str, Any]
    """Columns of `Engine.run_batch`; only status, kind and reason when the trial never came back."""
    runtime: Runtime
    level: int | None = None
    """Pruning level that it ran."""


@dataclass(slots=True)
class Work:
    """What was done so far, for accounts of time; nothing of it enters a result."""

    trials: int = 0
    """Rows that came back."""
    windows: float = 0.0
    """The same in whole windows: less where pruning levels ran parts."""
    engine: float = 0.0
    """Seconds inside backtests, of all threads."""
    calls: float = 0.0
    """Seconds that calls took on their workers."""
    blocked: float = 0.0
    """Seconds that the driver waited for the executor."""
    first: float | None = None
    """Seconds from the beginning to the first call that ended well; None before it has."""


@dataclass(slots=True)
class _Rows:
    """Rows that travel together: all of one pruning level."""

    tasks: Sequence[Task]
    losses: int = 0
    """Workers that these rows, together or as parts of a larger chunk, have lost."""
    alone: int = 0
    """Workers that a single trial has lost by itself."""
    avoid: str | None = None


class Dispatcher:
    """Keeps an executor busy with trials, in the order they are given.

    A chunk that loses its worker runs again whole elsewhere and is halved from the second loss on; a trial that
    loses its worker by itself more than `max_retries` times is FAILED with the kind of the last loss.

    Args:
        in_flight: trials that can be open at once (lag x batch size): bounds the size of a chunk.
        max_retries: further attempts of a single trial that lost its worker.
        trial_timeout: seconds per trial; None = 20 times the median, at least 30 s per call.
        chunk_size: fixed size of a chunk; None = by measured time.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        in_flight: int,
        max_retries: int = 1,
        trial_timeout: float | None = None,
        chunk_size: int | None = None,
    ) -> None:
        self._executor = executor
        self._in_flight = in_flight
        self._max_retries = max_retries
        self._trial_timeout = trial_timeout
        self._chunk_size = chunk_size
        self._queue: deque[Task] = deque()
        self._again: deque[_Rows] = deque()
        self._running: dict[int, _Rows] = {}
        self._seconds: deque[float] = deque(maxlen=_MEDIANS)
        self._caches: dict[str, list[CacheCounts]] = {}
        self._next_id = 0
        self._closed = False
        self._begun = time.monotonic()
        self.work = Work()

    @property
    def outstanding(self) -> int:
        """Chunks that workers have."""
        return len(self._running)

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or running."""
        return not (self._queue or self._again or self._running)

    @property
    def cache(self) -> CacheCounts | None:
        """The series caches of all workers together; None if no worker told of one."""
        counts = [counts for engines in self._caches.values() for counts in engines]
        return sum(counts, CacheCounts()) if counts else None

    def add(self, tasks: Sequence[Task]) -> None:
        """Queue trials."""
        self._queue.extend(tasks)

    def drop_queue(self) -> None:
        """Forget what no worker has yet, and send nothing more."""
        self._closed = True
        self._queue.clear()
        self._again.clear()

    def wait(self, timeout: float | None) -> list[RawResult]:
        """Submit what fits, then give the trials that ended; empty when time is up.

        Raises:
            SweepError: a fault that ends the study: of a call, of the data on a worker, of all workers.
        """
        self._submit()
        ended: list[RawResult] = []
        begun = time.perf_counter()
        results = self._executor.wait(timeout)
        self.work.blocked += time.perf_counter() - begun
        for result in results:
            work = self._running.pop(result.chunk.id, None)
            if work is None:
                continue
            if result.table is not None:
                ended += self._finished(work, result)
            elif result.blameless:
                self._again.append(_Rows(work.tasks, work.losses, work.alone, result.worker))
            elif result.kind in ENVIRONMENT_FAILURES:
                ended += self._lost(work, result)
            else:
                raise result.error or error(
                    4000, "a call ended without table or error", stage="infrastructure"
                )
        self._submit()
        return ended

    def _submit(self) -> None:
        while not self._closed and len(self._running) < self._executor.slots and (self._again or self._queue):
            work = self._again.popleft() if self._again else _Rows(self._next())
            self._next_id += 1
            self._running[self._next_id] = work
            chunk = Chunk(
                id=self._next_id,
                table=table_of([dict(task.params) for task in work.tasks]),
                attempt=work.losses + 1,
                deadline=self._deadline(work.tasks),
                level=work.tasks[0].level,
                avoid=work.avoid,
            )
            self._executor.submit(chunk)

    def _next(self) -> list[Task]:
        """The first tasks of the queue that are of one pruning level, as many as fit a call."""
        level, size = self._queue[0].level, self._size(self._queue[0].share)
        tasks: list[Task] = []
        while self._queue and len(tasks) < size and self._queue[0].level == level:
            tasks.append(self._queue.popleft())
        return tasks

    def _size(self, part: float) -> int:
        """Trials per call: as many as take CALL_SECONDS, never so many that a slot stays empty."""
        if self._chunk_size is not None:
            return self._chunk_size
        share = max(1, math.ceil(self._in_flight / self._executor.slots))
        if not self._seconds:
            return min(share, 8)
        return max(1, min(share, round(CALL_SECONDS / max(part * self._median(), 1e-6))))

    def _median(self) -> float:
        """Seconds of a whole window."""
        return statistics.median(self._seconds)

    def _deadline(self, tasks: Sequence[Task]) -> float:
        trials = len(tasks)
        if self._trial_timeout is not None:
            return trials * self._trial_timeout
        if not self._seconds:
            return trials * FIRST_DEADLINE
        return max(SHORTEST_DEADLINE, 20.0 * trials * self._median())

    def _finished(self, work: _Rows, result: ChunkResult) -> list[RawResult]:
        assert result.table is not None
        columns = {name: result.table.column(name).to_pylist() for name in result.table.column_names}
        each = result.seconds / max(1, len(work.tasks))
        self._seconds.append(each / work.tasks[0].share)
        if result.cache is not None:
            _keep(self._caches.setdefault(result.worker, []), result.cache)
        ended = []
        for i, task in enumerate(work.tasks):
            row = {name: values[i] for name, values in columns.items()}
            seconds = row.get("seconds")
            ended.append(
                RawResult(
                    task.number,
                    row,
                    _runtime(work, result, each if seconds is None else seconds),
                    task.level,
                )
            )
        self._count(work, result, sum(raw.runtime.seconds for raw in ended))
        return ended

    def _count(self, work: _Rows, result: ChunkResult, engine: float) -> None:
        done = self.work
        done.trials += len(work.tasks)
        done.windows += sum(task.share for task in work.tasks)
        done.engine += engine
        done.calls += result.seconds
        if done.first is None:
            done.first = time.monotonic() - self._begun - result.seconds

    def _lost(self, work: _Rows, result: ChunkResult) -> list[RawResult]:
        losses = work.losses + 1
        if len(work.tasks) > 1:
            parts = [work.tasks]
            if losses >= 2:
                half = len(work.tasks) // 2
                parts = [work.tasks[:half], work.tasks[half:]]
            self._again.extend(_Rows(part, losses, 0, result.worker) for part in parts)
            return []
        alone = work.alone + 1
        if alone <= self._max_retries:
            self._again.append(_Rows(work.tasks, losses, alone, result.worker))
            return []
        assert result.kind is not None
        row = {"status": "FAILED", "kind": result.kind.value, "reason": _reason(result.kind, alone)}
        lost = _Rows(work.tasks, work.losses, work.alone)
        task = work.tasks[0]
        return [RawResult(task.number, row, _runtime(lost, result, result.seconds), task.level)]


def _keep(engines: list[CacheCounts], counts: CacheCounts) -> None:
    """Put the newest counters in the place of the same engine's; smaller ones are those of a new engine."""
    if engines and counts.hits + counts.misses >= engines[-1].hits + engines[-1].misses:
        engines[-1] = counts
    else:
        if engines:
            engines[-1] = replace(engines[-1], bytes=0)
        engines.append(counts)


def _runtime(work: _Rows, result: ChunkResult, seconds: float) -> Runtime:
    return Runtime(
        worker=result.worker,
        host=result.host,
        attempts=work.losses + 1,
        seconds=seconds,
        rss_bytes=result.rss_bytes,
        started_at=result.started_at,
    )


def _reason(kind: Kind, times: int) -> str:
    """A reason without worker, host or time: it enters the ledger digest."""
    what = {
        Kind.WORKER_LOST: "[6000] the worker died while it ran this trial alone",
        Kind.OUT_OF_MEMORY: "[6001] the worker ran out of memory while it ran this trial alone",
        Kind.TIMEOUT: "[3006] the trial exceeded its deadline",
    }[kind]
    return f"{what}; {times} times"
