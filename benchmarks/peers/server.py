"""One engine in one process: `python -m benchmarks.peers.server ENGINE FOLDER`, requests and answers as lines of JSON.

CPU seconds are those of all threads of the process, between the request's last byte and the answer's first.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.peers.work import Bars, Work

ENGINES: Final = {
    "sweep": "ours",
    "vectorbt": "in_vectorbt",
    "backtesting.py": "in_backtesting",
    "raptorbt": "in_raptorbt",
    "Numba loop, plain": "in_numba_plain",
    "Numba loop, tuned": "in_numba",
    "nautilus_trader": "in_nautilus",
    "Optuna + vectorbt": "in_optuna",
}
"""Modules of this package; each has a class `Engine`."""
STATUS: Final = Path("/proc/self/status")


def main() -> None:
    """Serves until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    module = importlib.import_module(f"benchmarks.peers.{ENGINES[sys.argv[1]]}")
    engine = module.Engine(Bars.load(Path(sys.argv[2])))
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(answer(engine, request)) + "\n")
        answers.flush()


def answer(engine: Any, request: dict[str, Any]) -> dict[str, Any]:
    """What a request asks for; what fails is told, not raised."""
    try:
        return _answer(engine, request)
    except Exception as error:  # noqa: BLE001  (whatever a peer raises is its result)
        return {"error": f"{type(error).__name__}: {error}"}


def _answer(engine: Any, request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "about":
        named = {name: version(name) for name in engine.versions}
        return {"python": platform.python_version(), "versions": named, "note": getattr(engine, "note", "")}
    work = Work(**request["work"])
    pairs = [(fast, slow) for fast, slow in request["pairs"]]
    if request["do"] == "trades":
        return {"trades": [engine.trades(work, pair) for pair in pairs]}
    call = getattr(engine, request["do"])
    gc.collect()
    _forget_peak()
    before = _memory("VmRSS")
    repeat = request.get("repeat", 1)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        figures = call(work, pairs)
    cpu, wall = (time.process_time() - cpu) / repeat, (time.perf_counter() - wall) / repeat
    peak = _memory("VmHWM")
    return {
        "cpu": cpu,
        "wall": wall,
        "peak_bytes": peak,
        "added_bytes": None if peak is None or before is None else max(0, peak - before),
        "figures": [asdict(each) for each in figures],
    }


def _forget_peak() -> None:
    with contextlib.suppress(OSError):  # the peak is then that of the process's life
        Path("/proc/self/clear_refs").write_text("5")


def _memory(key: str) -> int | None:
    if not STATUS.exists():
        return None
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


if __name__ == "__main__":
    main()
