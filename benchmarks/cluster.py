"""The driver of a large cluster: how many trials per second it can propose, send, grade and commit.

Everything is that of a real study, save the workers: 64 that sleep for the time of their trials and give rows that a
real engine gave before.
"""

from __future__ import annotations

import heapq
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks import study

WORKERS: Final = 64
BATCH: Final = 1024
TRIALS: Final = 50 * BATCH
DEFAULT_BATCH: Final = 64
SECONDS: Final = 0.005
"""Of one trial: the workers could run 12,800 of them per second."""
BARS: Final = {
    ("random", BATCH): 5000,
    ("qmc", BATCH): 5000,
    ("grid", BATCH): 5000,
    ("grid", DEFAULT_BATCH): 5000,
    ("tpe", BATCH): 3000,
}
"""Trials per second that are wanted, by sampler and batch size."""


class Sleepers:
    """Executor of workers that sleep: two calls per worker, one after the other.

    Results are rows of `results` in turn, without identity, as if of other machines: nothing of theirs costs the
    driver's processor.
    """

    def __init__(self, results: Any, workers: int = WORKERS, seconds: float = SECONDS) -> None:
        self.workers, self.slots = workers, 2 * workers
        self._results, self._seconds = results, seconds
        self._free = [0.0] * workers
        self._running: list[tuple[float, int, int, Any]] = []
        self._at = 0

    def submit(self, chunk: Any) -> None:
        """The worker that is free first sleeps for these trials."""
        worker = min(range(self.workers), key=self._free.__getitem__)
        begun = max(time.monotonic(), self._free[worker])
        self._free[worker] = begun + self._seconds * chunk.table.num_rows
        heapq.heappush(self._running, (self._free[worker], chunk.id, worker, chunk))

    def wait(self, timeout: float | None) -> list[Any]:
        """Calls that have ended, after a sleep until the first one has."""
        from sweep.executors.base import ChunkResult

        if not self._running:
            return []
        pause = self._running[0][0] - time.monotonic()
        if pause > 0:
            time.sleep(pause if timeout is None else min(pause, timeout))
        ended, now = [], time.monotonic()
        while self._running and self._running[0][0] <= now:
            _, _, worker, chunk = heapq.heappop(self._running)
            rows = chunk.table.num_rows
            self._at = 0 if self._at + rows > self._results.num_rows else self._at
            table = self._results.slice(self._at, rows)
            self._at += rows
            ended.append(
                ChunkResult(chunk, table, None, None, f"node-{worker}", "here", self._seconds * rows)
            )
        return ended

    def close(self) -> None:
        """Nothing to free."""


def run() -> Iterator[str]:
    """Studies of 8 parameters: enumerated samplers and tpe."""
    results = None
    for (sampler, batch), bar in BARS.items():
        plan = study.plan_of(sampler, batch, TRIALS)
        results = _results(plan) if results is None else results
        rate, timing, seconds = _study(plan, results)
        shares = ", ".join(f"{name} {1e6 * spent / TRIALS:.0f}" for name, spent in timing.items())
        yield (
            f"{sampler:8s} batches of {batch:4d}: {rate:7.0f} trials/s (bar: {bar}) with {WORKERS} workers, "
            f"{WORKERS / SECONDS:.0f} possible; "
            f"driver, us per trial: {shares}; {seconds:.1f} s"
        )


def _results(plan: Any) -> Any:
    """Rows of the real engine for the first batches of the plan."""
    from sweep.executors.worker import table_of

    proposals = plan.sampler.propose(0, 0, 4 * BATCH, nothing())
    table = plan.engine.run_batch(table_of([dict(proposal.params) for proposal in proposals]), returns=True)
    return table.drop_columns(["identity"])


def nothing() -> Any:
    """The view of a first batch."""
    from sweep.ledger.history import Keys
    from sweep.samplers.base import View

    return View(finished=(), pending=[], used=Keys(lambda: iter(())), stream_pos=0)


def _study(plan: Any, results: Any) -> tuple[float, dict[str, float], float]:
    """Trials per second from the first proposal to the last commit."""
    from sweep.ledger import Ledger

    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.create(Path(folder), study.frozen(plan, TRIALS)) as ledger,
    ):
        begun = time.perf_counter()
        ending = study.pipeline(plan, ledger, Sleepers(results), TRIALS).run()
        seconds = time.perf_counter() - begun
    if ending.problem is not None:
        raise ending.problem
    return TRIALS / seconds, dict(ending.timing), seconds
