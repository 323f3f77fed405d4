"""What a worker costs and brings: two against one, the start of a local one, and the memory of each kind."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.command import ROOT, Ran, config, seconds
from benchmarks.measure import spread
from benchmarks.memory import MIB, Held, by_origin
from benchmarks.processes import actors, cpu_of_processes, cpu_of_threads

BACKENDS: Final = ("local", "ray")
SILENT: Final = {"mlflow": None, "runs": {"top": 0}}
PAUSE: Final = 0.3
"""Seconds between two looks."""


def run() -> Iterator[str]:
    """The three in turn, the longest last."""
    yield from _start()
    yield from _memory()
    yield from _scaling()


# ---------------------------------------------------------------------------------------------------- two against one
ROUNDS: Final = 3
LENGTHS: Final = (50_000, 200_000)
"""Bars of the market: trials of less than a millisecond each, and of some."""
TRIALS: Final = 5_000
"""So many that what every worker pays once, the first touch of its memory, is no large part."""
BLOCKS: Final = 1500
"""Of a mebibyte each, that a process of the control hashes: about a second."""
WANTED_SCALING: Final = 1.9


@dataclass(frozen=True)
class Cost:
    """Of a search: trials per second, and milliseconds of CPU per trial."""

    rate: float
    worker: float
    rest: float
    """Of the driver and of Ray's own processes."""


def _scaling() -> Iterator[str]:
    """Rates with two workers over those with one, beside two processes that hash against one, all in each round.

    Where others use the machine, rates tell little, but the CPU time of a trial does: two cores that are free give two
    workers at most `2 * one / (worker + rest)` times the rate of one, `one` being a trial's CPU time with one worker.
    """
    control: list[float] = []
    costs: dict[tuple[int, str, int], list[Cost]] = {}
    for _ in range(ROUNDS):
        one, two = (_control(processes) for processes in (1, 2))
        control.append(two / one)
        for bars in LENGTHS:
            for backend in BACKENDS:
                for workers in (1, 2):
                    costs.setdefault((bars, backend, workers), []).append(_searched(bars, backend, workers))
    yield f"two processes that hash against one: {spread(control, '.2f')} times the rate"
    for bars in LENGTHS:
        for backend in BACKENDS:
            yield from _gain(
                f"{backend}, {bars:,} bars", costs[bars, backend, 1], costs[bars, backend, 2], control
            )


def _gain(name: str, ones: Sequence[Cost], twos: Sequence[Cost], control: Sequence[float]) -> Iterator[str]:
    gains = [two.rate / one.rate for one, two in zip(ones, twos, strict=True)]
    relative = [gain / given for gain, given in zip(gains, control, strict=True)]
    most = [2.0 * one.worker / (two.worker + two.rest) for one, two in zip(ones, twos, strict=True)]
    rates = [median(cost.rate for cost in costs) for costs in (ones, twos)]
    yield (
        f"{name}: {rates[0]:.0f} trials/s with one worker, {rates[1]:.0f} with two: {spread(gains, '.2f')} times the rate "
        f"(bar: {WANTED_SCALING} where the control allows it), {spread(relative, '.2f')} of the control's gain"
    )
    one, two = (
        f"worker {median(c.worker for c in costs):.2f}, rest {median(c.rest for c in costs):.2f}"
        for costs in (ones, twos)
    )
    yield f"    ms of CPU per trial: {one} with one; {two} with two; two free cores give at most {spread(most, '.2f')} times the rate"


def _control(processes: int) -> float:
    """Mebibytes per second that so many processes hash."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(_hash, [1] * processes, chunksize=1)
        begun = time.perf_counter()
        pool.map(_hash, [BLOCKS] * processes, chunksize=1)
        return processes * BLOCKS / (time.perf_counter() - begun)


def _hash(blocks: int) -> None:
    block = bytes(MIB)
    for _ in range(blocks):
        hashlib.sha256(block).digest()


def _searched(bars: int, backend: str, workers: int) -> Cost:
    asked = config(
        bars=bars,
        sampler="random",
        trials=TRIALS,
        batch=256,
        compute={"backend": backend, "workers": workers},
        tracking=SILENT,
    )
    looks: list[tuple[int, Mapping[int, float], Sequence[int]]] = []

    def look(driver: int, trials: int) -> None:
        with suppress(OSError):
            spent = cpu_of_threads(driver) if backend == "local" else cpu_of_processes(driver)
            looks.append((trials, spent, actors(driver) if backend == "ray" else ()))

    with tempfile.TemporaryDirectory() as home:
        ran = _watched(asked, Path(home), look)
    (begun, before, _), (trials, after, known) = looks[0], looks[-1]
    spent = {each: now - before.get(each, 0.0) for each, now in after.items()}
    # Local workers are the threads that are busiest.
    busy = known or sorted(spent, key=spent.__getitem__)[-workers:]
    per_trial = 1e3 / (trials - begun)
    inside = sum(spent.get(each, 0.0) for each in busy)
    return Cost(ran.rate, inside * per_trial, (sum(spent.values()) - inside) * per_trial)


def _watched(asked: Mapping[str, Any], home: Path, look: Callable[[int, int], None]) -> Ran:
    """Runs a search; while it has some of its trials, `look` is told the driver's process and how many."""
    path = home / "bench.json"
    path.write_text(json.dumps(asked), encoding="utf-8")
    command, begun = [sys.executable, "-m", "sweep", "run", "--home", str(home), str(path)], time.time()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None:
            time.sleep(PAUSE)
            trials = _committed(home)
            if 0 < trials < asked["search"]["trials"]:
                look(running.pid, trials)
    if running.returncode:
        raise RuntimeError(f"sweep run ended with {running.returncode}")
    return Ran.of(home / "studies" / "bench", begun, time.time())


def _committed(home: Path) -> int:
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{home}/studies/bench/study.db?mode=ro", uri=True)) as db,
    ):
        return int(db.execute("SELECT count(*) FROM trials").fetchone()[0])
    return 0


# ---------------------------------------------------------------------------------------------- start of a local worker
STARTS: Final = 5
WANTED_START: Final = 1.0
TRACKED: Final = {"tracking off": None, "tracking on": "sqlite:///{home}/mlflow.db"}
SAMPLERS: Final = ("random", "tpe")


def _start() -> Iterator[str]:
    """Seconds to the first trial of a local worker, with and without a tracker."""
    found: dict[tuple[str, str], list[Sequence[float]]] = {}
    for _ in range(STARTS):
        for sampler in SAMPLERS:
            for tracking, url in TRACKED.items():
                # What shows runs goes on for a moment.
                with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
                    store = None if url is None else url.format(home=home)
                    asked = config(
                        bars=25_000,
                        sampler=sampler,
                        trials=256,
                        batch=64,
                        compute={"backend": "local", "workers": 1},
                        tracking={"mlflow": store, "runs": {"top": 0}},
                    )
                    found.setdefault((sampler, tracking), []).append(_started(asked, Path(home)))
    for (sampler, tracking), times in found.items():
        whole, reading = (spread(list(column), ".2f") for column in zip(*times, strict=True))
        yield (
            f"start of backend local, {sampler}, {tracking}: first trial {reading} s after the config was read "
            f"(bar: {WANTED_START:.0f}), {whole} s after the process was started"
        )


def _started(asked: Mapping[str, Any], home: Path) -> tuple[float, float]:
    """Seconds from the start of the process, and from when it has read the config, to the first trial."""
    path, read = home / "bench.json", home / "read"
    path.write_text(json.dumps(asked), encoding="utf-8")
    command, begun = [sys.executable, "-m", "benchmarks.workers", str(path), str(read)], time.time()
    with subprocess.Popen(command, cwd=ROOT) as running:
        while running.poll() is None and not _committed(home):
            time.sleep(PAUSE)
        # The rest of the study, and what shows it, are of no interest here.
        running.kill()
    with closing(sqlite3.connect(f"file:{home}/studies/bench/study.db?mode=ro", uri=True)) as db:
        (stamp,) = db.execute("SELECT min(started_at) FROM trial_runtime").fetchone()
    return seconds(stamp) - begun, seconds(stamp) - float(read.read_text(encoding="utf-8"))


def _run(path: Path, read: Path) -> None:
    """As `sweep run`; writes down when the config had been read."""
    from sweep import Study
    from sweep.config import load

    asked = load(path, home=path.parent)
    read.write_text(str(time.time()), encoding="utf-8")
    Study.run(asked, home=path.parent)


# ------------------------------------------------------------------------------------------------------------- memory
CACHE: Final = 32 * MIB
SOAK: Final = 20_000
"""Trials whose continuous parameters make new series all the time."""
WANTED_MEMORY: Final = 150
SHARE: Final = 0.1
"""Of a search, at its beginning and at its end, whose looks are compared."""
ORIGINS: Final = {
    "/dev/shm": "object store",
    "_core.abi3.so": "sweep",
    "/pyarrow/": "pyarrow",
    "/ray/": "ray",
    "/numpy": "numpy and scipy",
    "/scipy": "numpy and scipy",
    "libpython": "python",
    "/bin/python": "python",
}


@dataclass(frozen=True)
class Look:
    """At one worker."""

    trials: int
    """That the ledger holds."""
    held: Held
    origins: Mapping[str, int]


def _memory() -> Iterator[str]:
    """Proportional memory of workers, looked at from outside while trials run."""
    for backend, workers in (("ray", 2), ("local", 1), ("local", 2)):
        name, cache = f"{backend}, {workers} worker{'s' if workers > 1 else ''}", CACHE
        if backend == "local":
            name, cache = f"{name} in the driver's process", CACHE * workers
        with tempfile.TemporaryDirectory() as home:
            seen = _looked_at(_soak(backend, workers), Path(home), actors if backend == "ray" else _itself)
        for looks in seen:
            yield from _told(name, looks, cache)


def _soak(backend: str, workers: int) -> dict[str, Any]:
    return {
        "study": "bench",
        "market": {"symbol": "EURUSD", "timeframe": "M5", "synthetic": {"bars": 20_000, "seed": 7}},
        "strategy": {"name": "mean_reversion_z_score", "params": {"enabled_scenarios": [2]}},
        "search": {"sampler": "random", "trials": SOAK, "batch_size": 256},
        "compute": {"backend": backend, "workers": workers, "cache_bytes": CACHE},
        "tracking": SILENT,
    }


def _looked_at(asked: Mapping[str, Any], home: Path, workers: Callable[[int], list[int]]) -> list[list[Look]]:
    """Looks at each worker from the first committed batch until the last one."""
    seen: dict[int, list[Look]] = {}

    def look(driver: int, trials: int) -> None:
        for pid in workers(driver):
            with suppress(OSError, KeyError):
                seen.setdefault(pid, []).append(Look(trials, Held.of(pid), by_origin(pid, origins=ORIGINS)))

    _watched(asked, home, look)
    return list(seen.values())


def _itself(driver: int) -> list[int]:
    """Local workers are threads of their driver."""
    return [driver]


def _told(name: str, looks: Sequence[Look], cache: int) -> Iterator[str]:
    """The most of the first trials and of the last ones, the latter by origin."""
    # A quick worker may have passed its first share when it is looked at for the first time.
    first = _most([look for look in looks if look.trials <= SHARE * SOAK] or looks[:1])
    last = _most([look for look in looks if look.trials >= (1.0 - SHARE) * SOAK])
    beyond = last.held.pss - last.held.shared - cache
    yield (
        f"{name}: {last.held} after {last.trials:,} trials, {first.held.pss / MIB:.0f} MiB after {first.trials:,}; beyond "
        f"the shared market and {cache / MIB:.0f} MiB for series: {beyond / MIB:.0f} MiB (bar: {WANTED_MEMORY})"
    )
    parts = ", ".join(f"{origin} {size / MIB:.0f}" for origin, size in last.origins.items() if size >= MIB)
    yield f"    MiB by origin: {parts}"


def _most(looks: Sequence[Look]) -> Look:
    return max(looks, key=lambda look: look.held.pss)


if __name__ == "__main__":
    _run(Path(sys.argv[1]), Path(sys.argv[2]))
