"""One Ray worker: the actor on its node, and what the driver knows of it."""

from __future__ import annotations

import os
import socket
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from sweep.arrow import from_ipc, to_ipc
from sweep.errors import SweepError, error
from sweep.executors.base import Chunk, EngineSpec, MarketData
from sweep.executors.worker import Measured, Worker, versions

if TYPE_CHECKING:
    import pyarrow as pa

_ORDER: Final = count()
NOT_STARTED: Final = 1007
"""Code of a call that reached an actor which has no engine (yet, or after a restart)."""


class Actor:
    """The remote side. It is light until `hello` brings the rows, first and after every restart."""

    def __init__(self, spec: EngineSpec) -> None:
        os.environ["RAYON_NUM_THREADS"] = str(spec.threads)
        self._spec = spec
        self._worker: Worker | None = None

    def hello(self, data: MarketData) -> dict[str, Any]:
        """Build the engine over the rows and say who this is: node, host and versions.

        Raises:
            SweepError: what keeps the worker from starting; [6000] with the traceback for anything unforeseen.
        """
        from sweep.executors.ray.nodes import current_node

        if self._worker is None:
            try:
                self._worker = Worker(self._spec.with_data(data))
            except SweepError:
                raise
            except Exception as problem:
                text = traceback.format_exc()
                raise error(
                    6000, repr(problem), stage="infrastructure", context={"traceback": text}
                ) from problem
        return {"node": current_node(), "host": socket.gethostname(), "versions": versions()}

    def run(self, table: pa.Buffer, level: int | None) -> tuple[pa.Buffer, Measured]:
        """Run a chunk, see `Worker.run`. Tables travel as Arrow IPC: Ray's own form of one costs twenty times as much.

        Raises:
            SweepError: [1007] if this process restarted since the last `hello`; what the engine raises.
        """
        if self._worker is None:
            raise error(NOT_STARTED, "the worker has restarted", stage="infrastructure")
        results, measured = self._worker.run(from_ipc(table), level)
        return to_ipc(results), measured


@dataclass(slots=True)
class Call:
    """One chunk on its way."""

    ref: Any
    chunk: Chunk
    begun: float
    """Monotonic time from which it is the call that the worker runs."""
    order: int = field(default_factory=lambda: next(_ORDER))


@dataclass(slots=True)
class RayWorker:
    """The driver's side of one actor."""

    name: str
    node: str
    """Node that it was placed on, or found on."""
    actor: Any
    host: str = ""
    ready: bool = False
    lost: bool = False
    """It died, and has not answered since."""
    killed: bool = False
    """We ended it because a call was overdue."""
    hello: Any = None
    """Greeting that has no answer yet."""
    greet_at: float = 0.0
    calls: deque[Call] = field(default_factory=deque)

    @property
    def label(self) -> str:
        """Name with its node, for people and `trial_runtime`."""
        return f"{self.name}@{self.node[:8]}"

    def greet(self, data: Any) -> None:
        """Ask whether it is there; `data` is the reference of the rows."""
        self.hello = self.actor.hello.remote(data)

    def answered(self, node: str, host: str) -> None:
        """It is there, on that node."""
        self.node, self.host = node, host
        self.ready, self.lost, self.killed = True, False, False

    def lose(self) -> None:
        """It died; Ray brings it back and a greeting will tell."""
        self.ready, self.lost = False, True
        self.greet_at = time.monotonic()

    def send(self, chunk: Chunk) -> Call:
        """Start a call."""
        call = Call(self.actor.run.remote(to_ipc(chunk.table), chunk.level), chunk, time.monotonic())
        self.calls.append(call)
        return call

    def overdue(self, now: float) -> bool:
        """Whether the call that it runs has exceeded its deadline."""
        if not self.ready or self.killed or not self.calls:
            return False
        head = self.calls[0]
        return head.chunk.deadline is not None and now - head.begun > head.chunk.deadline
