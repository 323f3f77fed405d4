"""Whole runs of `sweep run` with Ray, ledger and MLflow, beside two bare actors that run the same trials.

The bare actors get the parameter sets of the finished study in calls of 64 and then, new ones, in calls of 256, and drop the
results: what they cannot do is sample, grade, commit or show anything. The better of their two rates is the ceiling of the
machine at that moment. Since the machine's speed changes from minute to minute, runs and bare actors take turns, and each
run is compared with the mean of those before and after it.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from benchmarks.command import Ran, config, python, sweep_run
from benchmarks.measure import spread

TRIALS: Final = 5000
ROUNDS: Final = 3
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
            runs, bares = [_run(case, Path(home), 0)], []
            for k in range(1, ROUNDS + 1):
                bares.append(_best_bare(runs[0]))
                runs.append(_run(case, Path(home), k))
            bares.append(_best_bare(runs[0]))
        yield from _lines(case, runs[1:], bares)


def _run(case: Case, home: Path, k: int) -> Ran:
    own = home / str(k)
    own.mkdir()
    asked = config(
        bars=case.bars,
        sampler=case.sampler,
        trials=TRIALS,
        batch=case.batch,
        compute={"backend": "ray", "workers": WORKERS},
        tracking={"mlflow": f"sqlite:///{own}/mlflow.db", "runs": {"top": 50}},
    )
    return sweep_run(asked, own)


def _best_bare(ran: Ran) -> Mapping[str, float]:
    bares = [json.loads(python("-m", "benchmarks.sweep", str(ran.study), str(call))) for call in CALLS]
    return max(bares, key=lambda bare: float(bare["rate"]))


def _lines(case: Case, runs: Sequence[Ran], bares: Sequence[Mapping[str, float]]) -> Iterator[str]:
    """`bares` were measured before, between and after the runs."""
    rates = [bare["rate"] for bare in bares]
    ratios = [ran.rate / statistics.mean(around) for ran, around in zip(runs, pairwise(rates), strict=True)]
    yield (
        f"{case.sampler} in batches of {case.batch}: {spread([ran.rate for ran in runs], '.0f')} trials/s, bare actors "
        f"{spread(rates, '.0f')} with {spread([1e3 * bare['seconds'] for bare in bares], '.2f')} ms per trial: "
        f"{spread(ratios, '.2f')} (bar: {case.wanted})"
    )
    yield (
        f"    start {spread([ran.first - ran.begun for ran in runs], '.1f')} s (bar: 12), "
        f"end {spread([ran.ended - ran.last for ran in runs], '.1f')} s (bar: 5); "
        f"{max(ran.memory for ran in runs) / 2**20:.0f} MiB resident per worker"
    )
    shares = [{**ran.spent["worker"], **ran.spent["driver"]} for ran in runs]
    means = ", ".join(f"{name} {statistics.mean(each[name] for each in shares):.0%}" for name in shares[0])
    yield f"    {means}"


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

        def ready(self) -> bool:
            return True

        def run(self, packed: Any) -> float:
            return self.worker.run(from_ipc(packed))[1].seconds

    ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
    data = ray.put(spec.data)
    remote = ray.remote(num_cpus=1)(Bare)
    spec = spec.without_data()
    actors = [remote.remote(data) for _ in range(WORKERS)]
    ray.get([actor.ready.remote() for actor in actors])  # type: ignore[attr-defined]
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
