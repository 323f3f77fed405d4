"""Whole runs of `sweep run` with Ray, ledger and MLflow, beside two bare actors that run the same trials.

The bare actors get the parameter sets of the finished study in calls of 64 and then, new ones, in calls of 256, and drop the
results: what they cannot do is sample, grade, commit or show anything. The better of their two rates is the ceiling of the
machine at that moment.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.command import Ran, config, python, sweep_run

TRIALS: Final = 5000
CALLS: Final = (64, 256)
"""Trials per call of a bare actor."""
WORKERS: Final = 2


@dataclass(frozen=True)
class Case:
    """One study."""

    sampler: str
    batch: int
    bars: int = 85_000
    """Of the market, so that a trial takes a millisecond."""
    wanted: float = 0.90
    """Rate over that of the bare actors."""


CASES: Final = (
    Case("random", 1_024),
    Case("random", 256),
    Case("random", 64),
    Case("qmc", 1_024),
    Case("tpe", 128, bars=250_000, wanted=0.85),
)


def run() -> Iterator[str]:
    """Enumerated samplers, then tpe on trials that take twice as long."""
    for case in CASES:
        with tempfile.TemporaryDirectory() as home:
            asked = config(
                bars=case.bars,
                sampler=case.sampler,
                trials=TRIALS,
                batch=case.batch,
                compute={"backend": "ray", "workers": WORKERS},
                tracking={"mlflow": f"sqlite:///{home}/mlflow.db", "runs": {"top": 50}},
            )
            ran = sweep_run(asked, Path(home))
            bares = [
                json.loads(python("-m", "benchmarks.sweep", str(ran.study), str(call))) for call in CALLS
            ]
        yield from _lines(case, ran, max(bares, key=lambda bare: float(bare["rate"])))


def _lines(case: Case, ran: Ran, bare: Mapping[str, float]) -> Iterator[str]:
    yield (
        f"{case.sampler:7s} in batches of {case.batch:4d}: {ran.rate:6.0f} trials/s, bare actors {bare['rate']:6.0f} with "
        f"{1e3 * bare['seconds']:.2f} ms per trial: {ran.rate / bare['rate']:.2f} (bar: {case.wanted})"
    )
    spent = {**ran.spent["worker"], **ran.spent["driver"]}
    shares = ", ".join(f"{name} {share:.0%}" for name, share in spent.items())
    yield (
        f"        start {ran.first - ran.begun:.1f} s (bar: 12), end {ran.ended - ran.last:.1f} s (bar: 5); "
        f"{ran.memory / 2**20:.0f} MiB resident per worker; {shares}"
    )


def _bare(study: Path, size: int) -> dict[str, float]:
    """Rate of two actors that own an engine each, and the seconds that a trial takes there."""
    import ray

    from sweep.arrow import from_ipc, to_ipc
    from sweep.config import load
    from sweep.executors.worker import Worker, table_of
    from sweep.study.plan import prepare

    with sqlite3.connect(f"file:{study}/study.db?mode=ro", uri=True) as db:
        found = db.execute("SELECT params FROM trials ORDER BY number").fetchall()
    table = table_of([json.loads(params) for (params,) in found])
    calls = [to_ipc(table.slice(first, size)) for first in range(0, table.num_rows, size)]
    spec = prepare(load(study / "config.yaml")).engine_spec(returns=True)

    class Bare:
        def __init__(self, data: Any) -> None:
            self.worker = Worker(spec.with_data(data))

        def run(self, packed: Any) -> float:
            return self.worker.run(from_ipc(packed))[1].seconds

    ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
    data = ray.put(spec.data)
    remote = ray.remote(num_cpus=1)(Bare)
    spec = spec.without_data()
    actors = [remote.remote(data) for _ in range(WORKERS)]
    ray.get([actor.run.remote(calls[0]) for actor in actors])  # type: ignore[attr-defined]
    waiting, inside = list(reversed(calls)), 0.0
    begun = time.perf_counter()
    running = {actor.run.remote(waiting.pop()): actor for actor in (2 * actors)[: len(calls)]}  # type: ignore[attr-defined]
    while running:
        done, _ = ray.wait(list(running), num_returns=1)
        for call in done:
            actor = running.pop(call)
            inside += ray.get(call)
            if waiting:
                running[actor.run.remote(waiting.pop())] = actor  # type: ignore[attr-defined]
    seconds = time.perf_counter() - begun
    ray.shutdown()
    return {"rate": table.num_rows / seconds, "seconds": inside / table.num_rows}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_bare(Path(sys.argv[1]), int(sys.argv[2]))))
