"""What a study costs its driver beside the backtests: ledger, memory per trial, the time until a resume is at work.

Everything is that of a real study, save the engine: an executor whose results are there at once.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks import study

ROOT: Final = Path(__file__).parents[1]
TRIALS: Final = 100_000
WARM: Final = 10_000
"""Trials after which memory is measured the first time."""
BATCH: Final = 64


class Instant:
    """Executor of one worker that needs no time: plausible metrics and digests by parameters."""

    workers = 1
    slots = 2

    def __init__(self, metrics: tuple[str, ...]) -> None:
        self._metrics = metrics
        self._done: list[Any] = []

    def submit(self, chunk: Any) -> None:
        """Runs a chunk."""
        import pyarrow as pa

        from sweep.executors.base import ChunkResult
        from sweep.ledger.canonical import dumps

        rows = chunk.table.to_pylist()
        keys = [dumps({name: value for name, value in row.items() if value is not None}) for row in rows]
        draws = [random.Random(key) for key in keys]
        columns: dict[str, Any] = {
            "status": ["COMPLETE"] * len(rows),
            "kind": pa.nulls(len(rows), pa.string()),
            "reason": pa.nulls(len(rows), pa.string()),
            "identity": pa.nulls(len(rows), pa.string()),
            "seconds": [0.001] * len(rows),
        }
        for name in ("trades", "daily", "metrics", "result"):
            columns[f"{name}_digest"] = [hashlib.sha256(f"{name}{key}".encode()).hexdigest() for key in keys]
        for name in self._metrics:
            columns[f"metrics.{name}"] = [draw.gauss(0, 100) for draw in draws]
        columns["metrics.total_trades"] = [100.0] * len(rows)
        table = pa.table(columns)
        self._done.append(ChunkResult(chunk, table, None, None, "instant", "here", 0.001 * len(rows)))

    def wait(self, timeout: float | None) -> list[Any]:
        """All that was submitted."""
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        """Nothing to free."""


def run() -> Iterator[str]:
    """100,000 trials of `random` with 8 parameters, batches of 64; then a resume in another process."""
    with tempfile.TemporaryDirectory() as folder:
        done = _phase("study", folder, TRIALS)
        per_trial = 1e6 / TRIALS
        steps = ", ".join(f"{name} {seconds * per_trial:.1f}" for name, seconds in done["timing"].items())
        yield f"driver, per trial: {done['seconds'] * per_trial:.1f} us of which {steps} (grade and wait with the stand-in's results)"
        yield f"ledger: {1e3 * done['timing']['commit'] / TRIALS:.4f} ms per trial at batches of {BATCH} (bar: 0.05)"
        inside, behind = (1e3 * seconds / TRIALS for seconds in done["ledger_cpu"])
        yield f"processor: {inside:.4f} ms of it, and {behind:.4f} ms in the thread that waits for the disk: {1e3 * done['behind'] / TRIALS:.4f} ms"
        yield f"cost of a trial at {TRIALS} over that at {TRIALS // 10}: {done['growth']:.2f} (bar: 1.1)"
        yield f"memory: {done['kib_per_trial']:.3f} KiB per trial from {WARM} to {TRIALS} trials (bar: 1)"
        again = _phase("resume", folder, TRIALS + BATCH)
        yield f"resume at {TRIALS} trials: {again['seconds']:.2f} s until it dispatches (bar: 10; processor: {again['cpu']:.2f}), {again['mib']:.0f} MiB"


def _phase(name: str, folder: str, trials: int) -> dict[str, Any]:
    """One phase in a process of its own, whose memory is its own too."""
    command = [sys.executable, "-m", "benchmarks.ledger", name, folder, str(trials)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _resident() -> int:
    from sweep.executors.worker import resident_bytes

    return resident_bytes() or 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _plan() -> Any:
    return study.plan_of("random", BATCH, TRIALS)


def _pipeline(plan: Any, ledger: Any, trials: int, reporter: Any) -> Any:
    executor = Instant(plan.metric_names)
    return study.pipeline(plan, ledger, executor, trials, chunk_size=BATCH, reporter=reporter)


class _Watch:
    """Measures memory on the way, or stops at the first report."""

    def __init__(self) -> None:
        self.memory: dict[int, int] = {}

    def update(self, state: Any) -> None:
        """Remembers the memory at some counts of trials."""
        if not self.memory and state.done >= WARM:
            self.memory[state.done] = _resident()

    def note(self, text: str) -> None:
        """Nothing to say."""


class _Clock:
    """A function whose time is taken, that of its thread."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.cpu = self.wall = 0.0

    def __call__(self, *given: Any, **options: Any) -> Any:
        cpu, wall = time.thread_time(), time.perf_counter()
        try:
            return self._function(*given, **options)
        finally:
            self.cpu += time.thread_time() - cpu
            self.wall += time.perf_counter() - wall


def _study(folder: Path, trials: int) -> Mapping[str, Any]:
    """Runs a study from nothing."""
    from sweep.ledger import Ledger

    plan, watch = _plan(), _Watch()
    with Ledger.create(folder, study.frozen(plan, trials)) as ledger:
        inside, behind = _Clock(ledger.commit), _Clock(ledger._writer._end)
        ledger.commit, ledger._writer._end = inside, behind  # type: ignore[method-assign]
        begun = time.perf_counter()
        ending = _pipeline(plan, ledger, trials, watch).run()
        seconds = time.perf_counter() - begun
        if ending.problem is not None:
            raise ending.problem
        ledger_times = [datetime.fromisoformat(at).timestamp() for _, _, at in ledger.batches()]
    ((first, before),) = watch.memory.items()
    grown = (_resident() - before) / 1024 / (trials - first)
    return {
        "growth": _growth(ledger_times),
        "seconds": seconds,
        "timing": dict(ending.timing),
        "ledger_cpu": (inside.cpu, behind.cpu),
        "behind": behind.wall,
        "kib_per_trial": grown,
    }


def _growth(times: Sequence[float]) -> float:
    """Time of the last tenth of the batches over that of the second one."""
    tenth = len(times) // 10
    return (times[-1] - times[-1 - tenth]) / (times[2 * tenth] - times[tenth])


def _resume(folder: Path, trials: int) -> Mapping[str, Any]:
    """Opens the ledger and goes on for one batch, timed until it is dispatched."""
    from sweep.ledger import Ledger

    plan = _plan()
    begun, cpu = time.perf_counter(), time.process_time()
    with Ledger.open(folder, write=True) as ledger:
        pipeline = _pipeline(plan, ledger, trials, _Watch())
        pipeline._propose_what_may_be(0.0)
        seconds = time.perf_counter() - begun
        return {"seconds": seconds, "cpu": time.process_time() - cpu, "mib": _resident() / 2**20}


if __name__ == "__main__":
    phase = {"study": _study, "resume": _resume}[sys.argv[1]]
    sys.stdout.write(json.dumps(phase(Path(sys.argv[2]), int(sys.argv[3]))))
