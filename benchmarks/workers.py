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

from benchmarks.command import ROOT, Ran, config, sweep_run
from benchmarks.measure import spread
from benchmarks.memory import MIB, Held, by_origin

BACKENDS: Final = ("local", "ray")
SILENT: Final = {"mlflow": None, "runs": {"top": 0}}


def run() -> Iterator[str]:
    """The three in turn."""
    yield from _scaling()
    yield from _start()
    yield from _memory()


# ---------------------------------------------------------------------------------------------------- two against one
ROUNDS: Final = 5
TRIALS: Final = 6000
BARS: Final = 50_000
"""Of the market, so that a trial takes about a millisecond."""
BLOCKS: Final = 1500
"""Of a mebibyte each, that a process of the control hashes: about a second."""
WANTED_SCALING: Final = 1.9


def _scaling() -> Iterator[str]:
    """Rates with two workers over those with one, beside two processes that hash against one, all in each round."""
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for workers in (1, 2):
            rates.setdefault(("control", workers), []).append(_control(workers))
        for backend in BACKENDS:
            for workers in (1, 2):
                rates.setdefault((backend, workers), []).append(_searched(backend, workers).rate)
    gains = {
        name: [two / one for one, two in zip(rates[name, 1], rates[name, 2], strict=True)]
        for name in ("control", *BACKENDS)
    }
    yield f"two processes that hash against one: {spread(gains['control'], '.2f')} times the rate"
    for backend in BACKENDS:
        relative = [ours / control for ours, control in zip(gains[backend], gains["control"], strict=True)]
        yield (
            f"{backend}: {median(rates[backend, 1]):.0f} trials/s with one worker, {median(rates[backend, 2]):.0f} with two: "
            f"{spread(gains[backend], '.2f')} times the rate (asked: {WANTED_SCALING} where the control allows it), "
            f"{spread(relative, '.2f')} of the control's gain"
        )


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


def _searched(backend: str, workers: int) -> Ran:
    compute = {"backend": backend, "workers": workers}
    with tempfile.TemporaryDirectory() as home:
        asked = config(
            bars=BARS, sampler="random", trials=TRIALS, batch=256, compute=compute, tracking=SILENT
        )
        return sweep_run(asked, Path(home))


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
                # What shows runs may go on after the command has ended.
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
            f"(asked: {WANTED_START:.0f}), {whole} s after the process was started"
        )


def _started(asked: Mapping[str, Any], home: Path) -> tuple[float, float]:
    """Seconds from the start of the process, and from when it has read the config, to the first trial."""
    path = home / "bench.json"
    path.write_text(json.dumps(asked), encoding="utf-8")
    begun = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.workers", str(path), str(home)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    ran = Ran.of(next(home.glob("studies/*")), begun, time.time())
    return ran.first - begun, ran.first - float(done.stdout)


def _run(path: Path, home: Path) -> None:
    """As `sweep run`; says when the config had been read."""
    from sweep import Study
    from sweep.config import load

    asked = load(path, home=home)
    sys.stdout.write(str(time.time()))
    Study.run(asked, home=home)


# ------------------------------------------------------------------------------------------------------------- memory
CACHE: Final = 32 * MIB
SOAK: Final = 10_000
"""Trials whose continuous parameters make new series all the time."""
WANTED_MEMORY: Final = 150
PAUSE: Final = 0.5
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
            seen = _looked_at(_soak(backend, workers), Path(home), _actors if backend == "ray" else _itself)
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
    path = home / "bench.json"
    path.write_text(json.dumps(asked), encoding="utf-8")
    command = [sys.executable, "-m", "sweep", "run", "--home", str(home), str(path)]
    seen: dict[int, list[Look]] = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None:
            time.sleep(PAUSE)
            for pid in workers(running.pid) if 0 < _committed(home) < SOAK else ():
                with suppress(OSError, KeyError):
                    look = Look(_committed(home), Held.of(pid), by_origin(pid, origins=ORIGINS))
                    seen.setdefault(pid, []).append(look)
    if running.returncode:
        raise RuntimeError(f"sweep run ended with {running.returncode}")
    return list(seen.values())


def _committed(home: Path) -> int:
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{home}/studies/bench/study.db?mode=ro", uri=True)) as db,
    ):
        return int(db.execute("SELECT count(*) FROM trials").fetchone()[0])
    return 0


def _itself(driver: int) -> list[int]:
    """Local workers are threads of their driver."""
    return [driver]


def _actors(driver: int) -> list[int]:
    """Ray's actors below a driver."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(folder.name)
            parents[pid] = int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            if (folder / "cmdline").read_bytes().startswith(b"ray::Actor"):
                found.append(pid)
    return [pid for pid in found if driver in _ancestors(pid, parents)]


def _ancestors(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    while pid := parents.get(pid, 0):
        yield pid


def _told(name: str, looks: Sequence[Look], cache: int) -> Iterator[str]:
    """The most of the first trials and of the last ones, the latter by origin."""
    first = _most([look for look in looks if look.trials <= SHARE * SOAK])
    last = _most([look for look in looks if look.trials >= (1.0 - SHARE) * SOAK])
    beyond = last.held.pss - last.held.shared - cache
    yield (
        f"{name}: {last.held} after {last.trials:,} trials, {first.held.pss / MIB:.0f} MiB after {first.trials:,}; beyond "
        f"the shared market and {cache / MIB:.0f} MiB for series: {beyond / MIB:.0f} MiB (asked: at most {WANTED_MEMORY})"
    )
    parts = ", ".join(f"{origin} {size / MIB:.0f}" for origin, size in last.origins.items() if size >= MIB)
    yield f"    MiB by origin: {parts}"


def _most(looks: Sequence[Look]) -> Look:
    return max(looks, key=lambda look: look.held.pss)


if __name__ == "__main__":
    _run(Path(sys.argv[1]), Path(sys.argv[2]))
