"""Workers as Ray actors: on this machine or on a running cluster.

Ray restarts a dead actor but never repeats a call: what ran when a worker died is told to the dispatcher, which runs
it elsewhere. `environment.prepare` must have run before this module is imported.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import ray
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
)

from sweep.arrow import from_ipc
from sweep.errors import SweepError, error
from sweep.executors.base import Chunk, ChunkResult, EngineSpec
from sweep.executors.ray.nodes import Placement, connect
from sweep.executors.ray.worker import NOT_STARTED, Actor, Call, RayWorker
from sweep.executors.worker import versions
from sweep.types import Kind

PER_WORKER: Final = 2
"""Calls outstanding per actor, so that the next one is there when a call ends."""
GRACE_SECONDS: Final = 600.0
"""Longest time without any live worker."""
_NOTICE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 5.0
_SLICE_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 0.2


class RayExecutor:
    """One actor per worker, each with its own engine over the rows in Ray's shared memory.

    Args:
        spec: what a worker builds; its rows are put into the object store once.
        workers: number of actors; None = one per CPU (of the cluster, or of this machine), following the nodes
            that join a cluster.
        address: running cluster to join; None = a cluster of this process, on loopback, gone at `close`.
        warn: called with what a user should know: lost nodes, slow starts.

    Raises:
        SweepError: stage infrastructure if the cluster cannot be used or no worker starts ([6000] with the remote
            traceback), [4005] for other versions on a worker; [3008], stage data, for another market on a worker.
    """

    def __init__(
        self,
        spec: EngineSpec,
        *,
        workers: int | None = None,
        address: str | None = None,
        warn: Callable[[str], None] = lambda text: None,
        grace: float = GRACE_SECONDS,
    ) -> None:
        if workers is not None and workers < 1:
            raise error(1003, f"{workers} workers", where="compute.workers", remedy="use at least 1, or auto")
        self._warn, self._grace = warn, grace
        self._workers: list[RayWorker] = []
        self._calls: dict[Any, tuple[RayWorker, Call]] = {}
        self._queue: deque[Chunk] = deque()
        self._made = 0
        self._alive_at = self._noticed_at = time.monotonic()
        self._polled_at = self._alive_at
        self._last_failure: BaseException | None = None
        self._spec = spec.without_data()
        self._session = connect(address, workers=workers, threads=spec.threads, data=spec.data)
        try:
            self._placement = Placement(threads=spec.threads, fixed=workers, elastic=address is not None)
            self._data = ray.put(spec.data)
            self._actor = ray.remote(Actor)
            for node in self._placement.initial():
                self._start(node)
            self._await_first()
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """Actors, those that start or restart among them."""
        return len(self._workers)

    @property
    def slots(self) -> int:
        """Two chunks per actor."""
        return PER_WORKER * max(1, len(self._workers))

    def submit(self, chunk: Chunk) -> None:
        """Queue a chunk."""
        self._queue.append(chunk)
        self._pump()

    def wait(self, timeout: float | None) -> list[ChunkResult]:
        """Results that are there, waiting up to `timeout` seconds for the first."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            self._pump()
            left = (
                _SLICE_SECONDS if until is None else min(_SLICE_SECONDS, max(0.0, until - time.monotonic()))
            )
            results = self._collect(left)
            self._look_after()
            self._pump()
            if results or (until is not None and time.monotonic() >= until):
                return results

    def close(self) -> None:
        """Stop the actors, and the cluster if it is ours."""
        self._queue.clear()
        self._calls.clear()
        if ray.is_initialized():
            for worker in self._workers:
                ray.kill(worker.actor)
        self._workers.clear()
        self._session.close()

    # -------------------------------------------------------------------------------------------------------- workers
    def _start(self, node: str) -> None:
        actor = self._actor.options(
            num_cpus=self._spec.threads,
            max_restarts=-1,
            max_task_retries=0,
            enable_task_events=False,
            scheduling_strategy=self._placement.near(node),
        ).remote(self._spec)
        self._made += 1
        worker = RayWorker(name=f"ray-{self._made - 1}", node=node, actor=actor)
        worker.greet(self._data)
        self._workers.append(worker)

    def _await_first(self) -> None:
        while not any(worker.ready for worker in self._workers):
            self._collect(_SLICE_SECONDS)
            self._look_after()

    def _welcome(self, worker: RayWorker) -> None:
        """Read the answer to a greeting: the worker is ready, still restarting, or cannot start."""
        ref, worker.hello = worker.hello, None
        try:
            hello = ray.get(ref)
        except ActorUnavailableError:
            worker.greet_at = time.monotonic() + _RETRY_SECONDS
            return
        except (RayTaskError, RayActorError, RayError) as problem:
            self._drop(worker, problem)
            return
        if hello["versions"] != versions():
            raise error(
                4005,
                f"a worker has {hello['versions']}, the driver {versions()}",
                where=f"node {hello['host']}",
                remedy="install the same versions on every node",
                stage="infrastructure",
            )
        worker.answered(hello["node"], hello["host"])

    def _drop(self, worker: RayWorker, problem: BaseException) -> None:
        cause = getattr(problem, "cause", None)
        if isinstance(cause, SweepError) and (cause.stage != "infrastructure" or cause.code == 4005):
            raise cause from problem
        self._workers.remove(worker)
        ray.kill(worker.actor)
        self._last_failure = problem
        reason = cause.what if isinstance(cause, SweepError) else _last_line(problem)
        self._warn(f"worker {worker.name} cannot start and is left out: {reason}")
        if not self._workers:
            raise error(
                6000,
                f"no worker could start: {reason}",
                where="compute",
                remedy="the remote traceback is in the cause (--debug shows it)",
                stage="infrastructure",
                context={
                    "traceback": str(problem),
                    **(cause.context if isinstance(cause, SweepError) else {}),
                },
            ) from problem

    def _look_after(self) -> None:
        """Deadlines, greetings that are due, nodes that came, and the grace time without a worker."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.hello is None and not worker.ready and now >= worker.greet_at:
                worker.greet(self._data)
            if worker.overdue(now):
                worker.killed = True
                ray.kill(worker.actor, no_restart=False)
        if now - self._polled_at >= _POLL_SECONDS:
            self._polled_at = now
            for node in self._placement.missing([worker.node for worker in self._workers]):
                self._start(node)
        if any(worker.ready for worker in self._workers):
            self._alive_at = self._noticed_at = now
        elif now - self._alive_at > self._grace:
            raise error(
                6002,
                f"no worker has been alive for {self._grace:.0f} s",
                where="compute",
                remedy="bring nodes back, then resume the study",
                stage="infrastructure",
            ) from self._last_failure
        elif now - self._noticed_at > _NOTICE_SECONDS:
            self._noticed_at = now
            self._warn(f"no worker has been alive for {now - self._alive_at:.0f} s; waiting for one")

    # ---------------------------------------------------------------------------------------------------------- calls
    def _pump(self) -> None:
        """Give queued chunks to workers that have room, the least loaded first."""
        waiting: deque[Chunk] = deque()
        while self._queue:
            chunk = self._queue.popleft()
            ready = [worker for worker in self._workers if worker.ready]
            others = [worker for worker in ready if worker.name != chunk.avoid] or ready
            free = [worker for worker in others if len(worker.calls) < PER_WORKER]
            if not free:
                waiting.append(chunk)
                if len(waiting) > self.slots:
                    break
                continue
            worker = min(free, key=lambda each: len(each.calls))
            call = worker.send(chunk)
            self._calls[call.ref] = (worker, call)
        waiting.extend(self._queue)
        self._queue = waiting

    def _collect(self, timeout: float) -> list[ChunkResult]:
        greetings = {worker.hello: worker for worker in self._workers if worker.hello is not None}
        refs = [*self._calls, *greetings]
        if not refs:
            time.sleep(min(timeout, _RETRY_SECONDS))
            return []
        done, _ = ray.wait(refs, num_returns=1, timeout=timeout)
        if not done:
            return []
        done, _ = ray.wait(refs, num_returns=len(refs), timeout=0)
        ended = [self._calls.pop(ref) for ref in done if ref in self._calls]
        ended.sort(
            key=lambda pair: pair[1].order
        )  # the call that ran comes before those that waited behind it
        results = [self._settle(worker, call) for worker, call in ended]
        for ref in done:
            if ref in greetings and greetings[ref].hello == ref:
                self._welcome(greetings[ref])
        return results

    def _settle(self, worker: RayWorker, call: Call) -> ChunkResult:
        ran = bool(worker.calls) and worker.calls[0] is call
        worker.calls.remove(call)
        seconds = time.monotonic() - call.begun
        if worker.calls and ran:
            worker.calls[0].begun = time.monotonic()
        try:
            packed, cost = ray.get(call.ref)
        except RayTaskError as problem:
            if isinstance(problem.cause, SweepError) and problem.cause.code == NOT_STARTED:
                worker.lose()
                return self._loss(worker, call, problem, False, seconds)
            return _fault(worker, call, problem, seconds)
        except (RayActorError, OutOfMemoryError) as problem:
            return self._loss(worker, call, problem, ran, seconds)
        except RayError as problem:
            wrapped = error(6000, f"Ray failed: {_last_line(problem)}", stage="infrastructure")
            wrapped.__cause__ = problem
            return ChunkResult(call.chunk, None, wrapped, None, worker.label, worker.host, seconds)
        return ChunkResult(
            call.chunk,
            from_ipc(packed),
            None,
            None,
            worker.label,
            cost.host,
            cost.seconds,
            cost.rss_bytes,
            cost.started_at,
            cache=cost.cache,
        )

    def _loss(
        self, worker: RayWorker, call: Call, problem: Exception, ran: bool, seconds: float
    ) -> ChunkResult:
        """A worker died: the call that it ran is to blame, those behind it are not."""
        innocent = not ran or worker.lost
        gone = bool(getattr(problem, "preempted", False)) or not self._placement.is_alive(worker.node)
        kind = Kind.WORKER_LOST
        if worker.killed:
            kind = Kind.TIMEOUT
        elif isinstance(problem, OutOfMemoryError) or "low on memory" in str(problem):
            kind = Kind.OUT_OF_MEMORY
        if not innocent:
            self._last_failure = problem
            worker.lose()
        if isinstance(problem, ActorDiedError) and worker in self._workers:
            self._workers.remove(worker)
            self._start(worker.node)
        lost = error(6000, f"worker {worker.label} died: {_last_line(problem)}", stage="infrastructure")
        return ChunkResult(
            call.chunk, None, lost, kind, worker.name, worker.host, seconds, blameless=innocent or gone
        )


def _fault(worker: RayWorker, call: Call, problem: RayTaskError, seconds: float) -> ChunkResult:
    """An exception out of a call: of the engine's boundary, never of a trial."""
    cause = problem.cause
    kind: Kind | None = None
    if isinstance(cause, SweepError):
        fault = cause
        kind = Kind.DATA_MISMATCH if cause.code == 3008 else None
    elif isinstance(cause, MemoryError):
        fault = error(6001, "a worker ran out of memory", where=worker.label, stage="infrastructure")
        kind = Kind.OUT_OF_MEMORY
    else:
        fault = error(5005, f"the engine failed outside a trial: {_last_line(problem)}", stage="engine")
    if fault is not cause:
        fault.__cause__ = problem
    return ChunkResult(call.chunk, None, fault, kind, worker.name, worker.host, seconds)


def _last_line(problem: BaseException) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[-1] if lines else repr(problem)
