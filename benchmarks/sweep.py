"""Whole studies through Ray, ledger and sampler: trials per second, and the memory of a worker."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRIALS = 2000


def run() -> Iterator[str]:
    """The quickstart with an enumerated and with the default sampler, tracking off."""
    for sampler in ("random", "qmc", "tpe"):
        with tempfile.TemporaryDirectory() as home:
            overrides = [f"search.sampler={sampler}", f"search.trials={TRIALS}", "tracking.mlflow=null"]
            command = [
                sys.executable,
                "-m",
                "sweep",
                "run",
                "--home",
                home,
                str(ROOT / "configs/quickstart.yaml"),
            ]
            start = time.perf_counter()
            subprocess.run([*command, *overrides], check=True, capture_output=True)
            wall = time.perf_counter() - start
            yield _line(sampler, wall, next(Path(home).glob("studies/*/study.db")))


def _line(sampler: str, wall: float, ledger: Path) -> str:
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as db:
        commits = [row[0] for row in db.execute("select committed_at from batches order by k")]
        memory = [row[0] for row in db.execute("select max(rss_bytes) from trial_runtime group by worker")]
        trials = db.execute("select count(*) from trials").fetchone()[0]
        batch = db.execute("select count from batches order by k").fetchone()[0]
    span = _seconds(commits[-1]) - _seconds(commits[0])
    rate = (trials - batch) / span if span > 0 else float("nan")
    rss = statistics.median([m for m in memory if m] or [0]) / 2**20
    return f"{sampler:8s} {rate:8.0f} trials/s while running, {wall:6.1f} s in all, {rss:.0f} MiB resident per worker"


def _seconds(stamp: object) -> float:
    from datetime import datetime

    return float(stamp) if isinstance(stamp, (int, float)) else datetime.fromisoformat(str(stamp)).timestamp()
