"""The process that a campaign kills: a real study, whose workers write down what they have run.

It is forked from a process that has imported everything (`PRELOAD`) and has no threads.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    import pyarrow as pa

    from sweep.executors.base import BatchEngine, EngineSpec

PRELOAD = (
    "tests.campaigns.driver",
    "sweep.study",
    "sweep.artifacts",
    "sweep.executors.local",
    "sweep.samplers.random",
    "sweep.samplers.tpe",
    "sweep.strategies.lookahead",
    "sweep.trackers.parquet",
    "pandas",
)
COMMIT = (
    "INSERT INTO trials",
    "INSERT INTO trial_metrics",
    "DELETE FROM spool",
    "INSERT OR REPLACE INTO batches",
)
"""Statements of a transaction that commits a batch."""


@dataclass(frozen=True)
class Orders:
    """What the process does."""

    home: str
    log: str
    """File that gets a line per worker started and per trial run."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Of a new study; empty = resume."""
    study: str = ""
    ray: bool = False
    """Whether the workers are Ray's."""
    pause: float = 0.0
    """Longest extra time of a trial, seconds."""
    seed: int = 0
    """Of these times."""
    die_at: tuple[str, int] | None = None
    """Statement on the ledger (its beginning) and how many of them: the process kills itself before this one."""
    die_in_commit: tuple[int, float] | None = None
    """Commit of a batch, from 1, and seconds after its COMMIT began: the process kills itself then."""


class Telling:
    """The native engine, slower, with a diary."""

    def __init__(self, spec: EngineSpec, *, log: str, pause: float, seed: int) -> None:
        from sweep.executors.worker import native_engine

        self._engine: BatchEngine = native_engine(spec)
        self._file, self._pause, self._random = Path(log), pause, random.Random(seed)
        self._tell([{"pid": os.getpid()}])

    def run_batch(
        self, params: pa.Table, *, returns: bool = False, threads: int = 1, level: int | None = None
    ) -> pa.Table:
        """Runs the batch; the identity of every trial is in the diary when this returns."""
        time.sleep(sum(self._random.uniform(0, self._pause) for _ in range(params.num_rows)))
        results = self._engine.run_batch(params, returns=returns, threads=threads, level=level)
        self._tell([{"ran": identity} for identity in results.column("identity").to_pylist()])
        return results

    def _tell(self, lines: list[dict[str, Any]]) -> None:
        """One write, which the system appends whole."""
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with self._file.open("ab", buffering=0) as file:
            file.write(text.encode())


def die() -> None:
    """As `kill -9` does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def watch(connection: sqlite3.Connection, orders: Orders) -> None:
    """Let the process die at the statement that it was told."""
    seen = {"statements": 0, "commits": 0, "batch": 0}

    def trace(text: str) -> None:
        if orders.die_at is not None and text.startswith(orders.die_at[0]):
            seen["statements"] += 1
            if seen["statements"] == orders.die_at[1]:
                die()
        seen["batch"] |= text.startswith("INSERT OR REPLACE INTO batches")
        if text.startswith("COMMIT"):
            seen["commits"] += seen["batch"]
            if seen["batch"] and orders.die_in_commit and seen["commits"] == orders.die_in_commit[0]:
                threading.Timer(orders.die_in_commit[1], die).start()
            seen["batch"] = 0

    connection.set_trace_callback(trace)


def instrument(orders: Orders, told: Callable[[], None]) -> None:
    """Put the diary into the workers and the trap into the ledger; `told` is called at every dispatch."""
    from sweep.executors.dispatch import Dispatcher
    from sweep.ledger import store
    from sweep.study.plan import Plan

    spec_of, connect, add = Plan.engine_spec, store._connect, Dispatcher.add

    def engine_spec(self: Plan, *, returns: bool) -> EngineSpec:
        factory = partial(Telling, log=orders.log, pause=orders.pause, seed=orders.seed)
        return dataclasses.replace(spec_of(self, returns=returns), factory=factory)

    def watched(file: Path, *, write: bool) -> sqlite3.Connection:
        connection = connect(file, write=write)
        if write and (orders.die_at or orders.die_in_commit):
            watch(connection, orders)
        return connection

    def dispatched(self: Dispatcher, tasks: Any) -> None:
        add(self, tasks)
        told()

    Plan.engine_spec = engine_spec  # type: ignore[method-assign]
    store._connect = watched
    Dispatcher.add = dispatched  # type: ignore[method-assign]


def main(orders: Orders, told: Connection) -> None:
    """Run or resume the study; `told` gets a word at every dispatch. What it prints goes to a file beside the log."""
    errors = os.open(Path(orders.log).with_suffix(".err"), os.O_WRONLY | os.O_CREAT)
    for number in (1, 2):
        os.dup2(errors, number)
    if orders.ray:
        os.environ["RAY_AUTH_MODE"] = "disabled"
        from sweep.executors.environment import prepare

        prepare(None)
        import ray.cloudpickle

        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    from sweep.study import Study

    instrument(orders, lambda: told.send("dispatched"))
    if orders.config:
        Study.run(orders.config, home=Path(orders.home))
    else:
        Study.resume(orders.study, home=Path(orders.home))
