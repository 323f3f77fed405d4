"""Workers in this process, one thread each; the interpreter lock is released while an engine runs."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sweep.errors import SweepError, error
from sweep.executors.base import Chunk, ChunkResult, EngineSpec
from sweep.executors.worker import Worker
from sweep.types import Kind

_SHARED: Final = "local"
"""Name of the engine that all workers share."""


class LocalExecutor:
    """`workers` threads. An engine of native rules is shared by all, with a cache as large as theirs together: each
    series is computed once. What runs Python, or several threads itself, is made for each.

    A call cannot be interrupted from outside: deadlines and lost workers exist only where workers are processes.
    """

    def __init__(
        self, spec: EngineSpec, *, workers: int = 1, make: Callable[[EngineSpec], Worker] = Worker
    ) -> None:
        if workers < 1:
            raise error(1003, f"{workers} workers", where="compute.workers", remedy="use at least 1")
        self._tasks: queue.SimpleQueue[Chunk | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[ChunkResult] = queue.SimpleQueue()
        self._host = socket.gethostname()
        self._shared = make(_together(spec, workers)) if _can_share(spec) else None
        engines = [self._shared or make(spec) for _ in range(workers)]
        self._threads = [
            threading.Thread(
                target=self._serve, args=(f"local-{i}", engine), name=f"sweep-worker-{i}", daemon=True
            )
            for i, engine in enumerate(engines)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def workers(self) -> int:
        """Worker threads."""
        return len(self._threads)

    @property
    def slots(self) -> int:
        """Two chunks per worker, so that the next one is there when a call ends."""
        return 2 * self.workers

    def submit(self, chunk: Chunk) -> None:
        """Queue a chunk."""
        self._tasks.put(chunk)

    def wait(self, timeout: float | None) -> list[ChunkResult]:
        """Results that are there, waiting up to `timeout` seconds for the first."""
        try:
            results = [self._done.get(timeout=timeout)]
        except queue.Empty:
            return []
        while not self._done.empty():
            results.append(self._done.get_nowait())
        if self._shared is None:
            return results
        # Counted here, in one thread: counters that went back would be those of a new engine.
        counts = self._shared.cache()
        return [replace(result, cache=counts, engine=_SHARED) for result in results]

    def close(self) -> None:
        """Drop what is queued and let the threads end with the call they are in."""
        while True:
            try:
                self._tasks.get_nowait()
            except queue.Empty:
                break
        for _ in self._threads:
            self._tasks.put(None)

    def _serve(self, name: str, engine: Worker) -> None:
        while (chunk := self._tasks.get()) is not None:
            self._done.put(self._call(name, engine, chunk))

    def _call(self, name: str, engine: Worker, chunk: Chunk) -> ChunkResult:
        begun = time.perf_counter()
        try:
            table, cost = engine.run(chunk.table, chunk.level)
        except MemoryError as problem:
            fault = error(6001, f"a worker ran out of memory: {problem}", stage="infrastructure")
            return self._failed(chunk, name, fault, Kind.OUT_OF_MEMORY, begun)
        except SweepError as problem:
            kind = Kind.DATA_MISMATCH if problem.code == 3008 else None
            return self._failed(chunk, name, problem, kind, begun)
        except BaseException as problem:  # noqa: BLE001  a panic that crosses the boundary is no Exception
            fault = error(5005, f"the engine failed outside a trial: {problem!r}", stage="engine")
            fault.__cause__ = problem
            return self._failed(chunk, name, fault, None, begun)
        return ChunkResult(
            chunk,
            table,
            None,
            None,
            name,
            cost.host,
            cost.seconds,
            cost.rss_bytes,
            cost.started_at,
            cache=cost.cache,
        )

    def _failed(
        self, chunk: Chunk, name: str, fault: SweepError, kind: Kind | None, begun: float
    ) -> ChunkResult:
        return ChunkResult(chunk, None, fault, kind, name, self._host, time.perf_counter() - begun)


def _can_share(spec: EngineSpec) -> bool:
    return spec.factory is None and isinstance(spec.strategy, str) and spec.threads == 1


def _together(spec: EngineSpec, workers: int) -> EngineSpec:
    """The specification of an engine for so many workers."""
    options = dict(spec.options)
    if "cache_bytes" in options:
        options["cache_bytes"] *= workers
    return replace(spec, options=options)
