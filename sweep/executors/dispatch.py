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
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

from sweep.errors import error
from sweep.executors.base import CacheCounts, Chunk, ChunkResult, Executor
from sweep.executors.results import RawResult, Result, results_of
from sweep.executors.worker import table_of
from sweep.types import ENVIRONMENT_FAILURES, Kind, Runtime, Status

if TYPE_CHECKING:
    import pyarrow as pa

CALL_SECONDS: Final = 0.15
"""Length of a call that bounds both overhead and what a crash loses."""
SHORTEST_DEADLINE: Final = 30.0
FIRST_DEADLINE: Final = 600.0
"""Deadline of a call per trial before any trial was measured."""
FIRST_CALL: Final = 8
"""Trials of a call before any trial was measured."""
AHEAD: Final = 2
"""Calls per slot that wait for it where trials may be asked for ahead."""
MOST_OPEN: Final = 4
"""Calls per slot whose trials are open at most, however long the oldest of them takes."""
LARGEST_CALL: Final = 256
"""Trials of a call: the next ones may take a thousand times as long."""
_MEDIANS: Final = 256
_RECENT: Final = 16
"""Calls that say how long a trial takes now: the first ones compute the series of all that follow."""


@dataclass(frozen=True, slots=True)
class Task:
    """One trial to run."""

    number: int
    params: Mapping[str, Any]
    level: int | None = None
    """Pruning level; None = the whole window."""
    share: float = 1.0
    """Of the bars of the whole window."""


@dataclass(slots=True)
class Tally:
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
class _Work:
    """Rows that travel together: all of one pruning level."""

    tasks: Sequence[Task]
    table: pa.Table
    """Their parameters."""
    losses: int = 0
    """Workers that these rows, together or as parts of a larger chunk, have lost."""
    alone: int = 0
    """Workers that a single trial has lost by itself."""
    avoid: str | None = None

    def cut(self, begin: int, end: int) -> _Work:
        """Some of its rows, as if they had been sent apart."""
        tasks = self.tasks[begin:end]
        return replace(self, tasks=tasks, table=self.table.slice(begin, len(tasks)))


class Dispatcher:
    """Keeps an executor busy with trials, in the order they are given.

    A chunk that loses its worker runs again whole elsewhere and is halved from the second loss on; a trial that
    loses its worker by itself more than `max_retries` times is FAILED with the kind of the last loss.

    Args:
        in_flight: trials that can be open at once (lag x batch size): bounds the size of a chunk; None = whatever
            `wants` asks for, and a chunk may hold trials that were added apart.
        max_retries: further attempts of a single trial that lost its worker.
        trial_timeout: seconds per trial; None = 20 times the median, at least 30 s per call.
        chunk_size: fixed size of a chunk; None = by measured time.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        in_flight: int | None,
        max_retries: int = 1,
        trial_timeout: float | None = None,
        chunk_size: int | None = None,
    ) -> None:
        self._executor = executor
        self._in_flight = in_flight
        self._max_retries = max_retries
        self._trial_timeout = trial_timeout
        self._chunk_size = chunk_size
        self._queue: deque[Sequence[Task]] = deque()
        """What no worker had yet, in the order in which it was given; each of one pruning level."""
        self._waiting = 0
        """Trials in it."""
        self._again: deque[_Work] = deque()
        self._running: dict[int, _Work] = {}
        self._seconds: deque[float] = deque(maxlen=_MEDIANS)
        self._caches: dict[str, list[CacheCounts]] = {}
        self._next_id = 0
        self._closed = False
        self._begun = time.monotonic()
        self.tally = Tally()

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
        for _, group in groupby(tasks, key=lambda task: (task.level, task.share)):
            self._queue.append(list(group))
        self._waiting += len(tasks)

    def wants(self, open_trials: int) -> bool:
        """Whether more trials would keep workers busy, when so many are open: none before one has been measured."""
        if not self._seconds:
            return False
        at_once = self._executor.slots * self._by_time(self._queue[0][0].share if self._queue else 1.0)
        return self._waiting < AHEAD * at_once and open_trials < MOST_OPEN * at_once

    def drop_queue(self) -> None:
        """Forget what no worker has yet, and send nothing more."""
        self._closed = True
        self._queue.clear()
        self._again.clear()
        self._waiting = 0

    def wait(self, timeout: float | None) -> list[RawResult]:
        """Submit what fits, then give the trials that ended; empty when time is up.

        Raises:
            SweepError: a fault that ends the study: of a call, of the data on a worker, of all workers.
        """
        self._submit()
        ended: list[RawResult] = []
        begun = time.perf_counter()
        results = self._executor.wait(timeout)
        self.tally.blocked += time.perf_counter() - begun
        for result in results:
            work = self._running.pop(result.chunk.id, None)
            if work is None:
                continue
            if result.table is not None:
                ended += self._finished(work, result)
            elif result.blameless:
                self._again.append(replace(work, avoid=result.worker))
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
            work = self._again.popleft() if self._again else self._next()
            self._next_id += 1
            self._running[self._next_id] = work
            chunk = Chunk(
                id=self._next_id,
                table=work.table,
                attempt=work.losses + 1,
                deadline=self._deadline(work.tasks),
                level=work.tasks[0].level,
                avoid=work.avoid,
            )
            self._executor.submit(chunk)

    def _next(self) -> _Work:
        """The first trials, as many as fit a call; of others than those that were added together only where more of them
        can be asked for at any time.
        """
        first = self._queue[0][0]
        together = self._in_flight is None
        size = (
            self._merged_size(first.share) if together else self._equal_size(len(self._queue[0]), first.share)
        )
        tasks: list[Task] = []
        while len(tasks) < size and self._queue and (together or not tasks):
            given = self._queue[0]
            if (given[0].level, given[0].share) != (first.level, first.share):
                break
            self._queue.popleft()
            left = size - len(tasks)
            tasks += given[:left]
            if len(given) > left:
                self._queue.appendleft(given[left:])
        self._waiting -= len(tasks)
        return _Work(tasks, table_of([task.params for task in tasks]))

    def _merged_size(self, share: float) -> int:
        """Trials of a call that takes about CALL_SECONDS; fewer at the end, so that all slots get some of the rest."""
        if self._chunk_size is not None:
            return self._chunk_size
        return min(self._by_time(share), math.ceil(self._waiting / self._executor.slots))

    def _equal_size(self, count: int, share: float) -> int:
        """Trials of each call if `count` are cut into equal parts: each takes about CALL_SECONDS, and no slot stays empty
        for want of one.
        """
        if self._chunk_size is not None:
            parts = math.ceil(count / self._chunk_size)
        else:
            assert self._in_flight is not None
            for_all = math.ceil(count / math.ceil(self._in_flight / self._executor.slots))
            parts = max(for_all, round(count / self._by_time(share)))
        return math.ceil(count / parts)

    def _by_time(self, share: float) -> int:
        """Trials that take about CALL_SECONDS, as long as most calls or the last ones say, whichever is longer."""
        if not self._seconds:
            return FIRST_CALL
        recent = list(self._seconds)[-_RECENT:]
        each = share * max(statistics.median(recent), statistics.mean(recent[-2:]))
        return max(1, min(LARGEST_CALL, round(CALL_SECONDS / max(1e-9, each))))

    def _deadline(self, tasks: Sequence[Task]) -> float:
        trials = len(tasks)
        if self._trial_timeout is not None:
            return trials * self._trial_timeout
        if not self._seconds:
            return trials * FIRST_DEADLINE
        return max(SHORTEST_DEADLINE, 20.0 * trials * statistics.median(self._seconds))

    def _finished(self, work: _Work, result: ChunkResult) -> list[RawResult]:
        assert result.table is not None
        each = result.seconds / max(1, len(work.tasks))
        self._seconds.append(each / work.tasks[0].share)
        if result.cache is not None:
            _keep(self._caches.setdefault(result.engine or result.worker, []), result.cache)
        ended = []
        inside = 0.0
        for task, (row, measured) in zip(work.tasks, results_of(result.table), strict=True):
            seconds = each if measured is None else measured
            inside += seconds
            ended.append(RawResult(task.number, row, _runtime(work, result, seconds), task.level))
        self._count(work, result, inside)
        return ended

    def _count(self, work: _Work, result: ChunkResult, engine: float) -> None:
        done = self.tally
        done.trials += len(work.tasks)
        done.windows += sum(task.share for task in work.tasks)
        done.engine += engine
        done.calls += result.seconds
        if done.first is None:
            done.first = time.monotonic() - self._begun - result.seconds

    def _lost(self, work: _Work, result: ChunkResult) -> list[RawResult]:
        losses, count = work.losses + 1, len(work.tasks)
        if count > 1:
            whole = replace(work, losses=losses, avoid=result.worker)
            cuts = [0, count] if losses < 2 else [0, count // 2, count]
            self._again.extend(whole.cut(*ends) for ends in pairwise(cuts))
            return []
        alone = work.alone + 1
        if alone <= self._max_retries:
            self._again.append(replace(work, losses=losses, alone=alone, avoid=result.worker))
            return []
        assert result.kind is not None
        lost = Result(Status.FAILED, result.kind, _reason(result.kind, alone))
        task = work.tasks[0]
        return [RawResult(task.number, lost, _runtime(work, result, result.seconds), task.level)]


def _keep(engines: list[CacheCounts], counts: CacheCounts) -> None:
    """Put the newest counters in the place of the same engine's; smaller ones are those of a new engine."""
    if engines and counts.hits + counts.misses >= engines[-1].hits + engines[-1].misses:
        engines[-1] = counts
    else:
        if engines:
            engines[-1] = replace(engines[-1], bytes=0)
        engines.append(counts)


def _runtime(work: _Work, result: ChunkResult, seconds: float) -> Runtime:
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
