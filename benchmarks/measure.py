"""How things are timed: interleaved, repeated, against a fixed calibration loop."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

from sweep import _core

CALIBRATION_BYTES = 32 * 2**20


def calibrate() -> None:
    """The fixed work that other work is compared with: SHA-256 over 32 MiB."""
    hashlib.sha256(bytes(CALIBRATION_BYTES)).digest()


def interleaved(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU time per call, one round after the other, so that drift of the machine meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, call in work.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return times


def line(name: str, seconds: list[float], units: float, unit: str, calibration: list[float]) -> str:
    """Median and spread in ns per unit, and the ratio to the calibration loop."""
    median = statistics.median(seconds)
    low, high = min(seconds), max(seconds)
    scale = 1e9 / units
    ratio = median / statistics.median(calibration)
    return (
        f"{name:44s} {median * scale:8.2f} ns per {unit} (min {low * scale:.2f}, max {high * scale:.2f}), "
        f"{ratio:.3f} of the calibration loop"
    )


def spread(values: Sequence[float], form: str) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def machine() -> str:
    """Machine and versions."""
    sweep = json.loads(_core.build_info())["version"]
    versions = ", ".join(
        [f"sweep {sweep}", *(f"{name} {version(name)}" for name in ("ray", "optuna", "numpy"))]
    )
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
