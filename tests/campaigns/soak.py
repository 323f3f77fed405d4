"""A worker's memory must not grow with the number of trials that it has run.

`make soak`; the suite has a short form. One study on Ray; every call says how much memory its worker held. Once the cache
of series is full, what a worker holds may rise by 5 %.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sweep.study import Study

TRIALS: Final = 20_000
WARM: Final = 0.1
"""Share of a worker's trials (first calls have few) after which what it holds is compared with the end."""
MOST: Final = 0.05
CACHE: Final = 32 * 2**20


def config(trials: int, workers: int) -> dict[str, Any]:
    """Trials whose continuous parameters make new series all the time, in a cache that is soon full."""
    return {
        "study": "soak",
        "market": {"symbol": "EURUSD", "timeframe": "M5", "synthetic": {"bars": 20_000, "seed": 7}},
        "strategy": {"name": "mean_reversion_z_score", "params": {"enabled_scenarios": [2]}},
        "search": {"sampler": "random", "trials": trials, "batch_size": 256},
        "compute": {"backend": "ray", "workers": workers, "cache_bytes": CACHE},
        "tracking": {"mlflow": None, "runs": {"top": 0}},
    }


@dataclass(frozen=True)
class Held:
    """Resident bytes of one worker, the market that it shares with others included."""

    worker: str
    calls: int
    warm: int
    """The most that it held in the calls of its first trials."""
    end: int
    """The most in those of its last ones."""

    @property
    def growth(self) -> float:
        """Relative to the first ones."""
        return self.end / self.warm - 1.0


def soak(trials: int, workers: int, home: Path) -> list[Held]:
    """Run the study and say what each of its workers held."""
    study = Study.run(config(trials, workers), home=home)
    query = (
        "SELECT worker, COUNT(*), MAX(rss_bytes) FROM trial_runtime WHERE rss_bytes IS NOT NULL "
        "GROUP BY worker, started_at ORDER BY started_at"
    )
    calls: dict[str, list[tuple[int, int]]] = {}
    with sqlite3.connect(f"file:{study.folder}/study.db?mode=ro", uri=True) as db:
        for worker, count, held in db.execute(query):
            calls.setdefault(worker, []).append((count, held))
    return [_held(worker, made) for worker, made in sorted(calls.items())]


def _held(worker: str, calls: list[tuple[int, int]]) -> Held:
    """Of the trials and the bytes held of each call, in order."""
    some = WARM * sum(count for count, _ in calls)
    return Held(worker, len(calls), _most(calls, some), _most(calls[::-1], some))


def _most(calls: Iterable[tuple[int, int]], trials: float) -> int:
    """Bytes held in the calls up to that one with which so many trials have run."""
    most = run = 0
    for count, held in calls:
        most, run = max(most, held), run + count
        if run >= trials:
            break
    return most


def main() -> int:
    """Entry point: 1 if a worker grew by more."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.soak")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        workers = soak(given.trials, given.workers, Path(home))
    for held in workers:
        print(
            f"{held.worker}: {held.calls} calls, {held.warm / 2**20:.1f} MiB after the first ones, "
            f"{held.end / 2**20:.1f} MiB at the end: {held.growth:+.1%}"
        )
    return int(not workers or any(held.growth > MOST for held in workers))


if __name__ == "__main__":
    sys.exit(main())
