"""Whole runs of `sweep run` with Ray, ledger and MLflow, beside two bare actors that run the same trials.

The bare actors get the parameter sets of the finished study in calls of 64 and drop the results: what they cannot do
is sample, grade, commit or show anything. Their rate is the ceiling of the machine at that moment.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.command import Ran, config, python, sweep_run

TRIALS: Final = 5000
CALL: Final = 64
"""Trials per call of a bare actor."""
WORKERS: Final = 2
BARS: Final = {"random": 50_000, "qmc": 50_000, "tpe": 100_000}
"""Of the market, so that a trial takes one or two milliseconds."""
BATCH: Final = {"random": 256, "qmc": 256, "tpe": 128}
WANTED: Final = {"random": 0.90, "qmc": 0.90, "tpe": 0.85}


def run() -> Iterator[str]:
    """Enumerated samplers, then tpe on trials that take twice as long."""
    for sampler, bars in BARS.items():
        with tempfile.TemporaryDirectory() as home:
            asked = config(
                bars=bars,
                sampler=sampler,
                trials=TRIALS,
                batch=BATCH[sampler],
                compute={"backend": "ray", "workers": WORKERS},
                tracking={"mlflow": f"sqlite:///{home}/mlflow.db", "runs": {"top": 50}},
            )
            ran = sweep_run(asked, Path(home))
            bare = json.loads(python("-m", "benchmarks.sweep", str(ran.study)))
        yield from _lines(sampler, ran, bare)


def _lines(sampler: str, ran: Ran, bare: Mapping[str, float]) -> Iterator[str]:
    yield (
        f"{sampler:7s} {ran.rate:6.0f} trials/s, bare actors {bare['rate']:6.0f} with {1e3 * bare['seconds']:.2f} ms per "
        f"trial: {ran.rate / bare['rate']:.2f} (bar: {WANTED[sampler]})"
    )
    spent = {**ran.spent["worker"], **ran.spent["driver"]}
    shares = ", ".join(f"{name} {share:.0%}" for name, share in spent.items())
    yield (
        f"        start {ran.first - ran.begun:.1f} s (bar: 12), end {ran.ended - ran.last:.1f} s (bar: 5); "
        f"{ran.memory / 2**20:.0f} MiB resident per worker; {shares}"
    )


def _bare(study: Path) -> dict[str, float]:
    """Rate of two actors that own an engine each, and the seconds that a trial takes there."""
    import ray

    from sweep.arrow import from_ipc, to_ipc
    from sweep.config import load
    from sweep.executors.worker import Worker, table_of
    from sweep.study.plan import prepare

    with sqlite3.connect(f"file:{study}/study.db?mode=ro", uri=True) as db:
        found = db.execute("SELECT params FROM trials ORDER BY number").fetchall()
    table = table_of([json.loads(params) for (params,) in found])
    calls = [to_ipc(table.slice(first, CALL)) for first in range(0, table.num_rows, CALL)]
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
    running = {actor.run.remote(waiting.pop()): actor for actor in 2 * actors}  # type: ignore[attr-defined]
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
    sys.stdout.write(json.dumps(_bare(Path(sys.argv[1]))))
