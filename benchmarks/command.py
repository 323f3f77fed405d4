"""`sweep run` as a process of its own, and what the ledger says of the run."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]


def config(
    *, bars: int, sampler: str, trials: int, batch: int, **sections: Mapping[str, Any]
) -> dict[str, Any]:
    """A search of `ma_cross` over 8 parameters on a generated market; `sections` are added, or take the place of these."""
    from benchmarks.samplers import SPACE

    return {
        "study": "bench",
        "market": {"symbol": "EURUSD", "timeframe": "M5", "synthetic": {"bars": bars, "seed": 7}},
        "strategy": {"name": "ma_cross"},
        "search": {
            "sampler": sampler,
            "batch_size": batch,
            "trials": trials,
            "space": SPACE,
            "others": "default",
        },
        "costs": {"slippage": {"fixed_pips": 0.2}, "commission": {"schema": "per_lot", "per_lot": 2.5}},
        "account": {"initial_balance": 1_000_000},
        **sections,
    }


@dataclass(frozen=True)
class Ran:
    """One run. Times are seconds since 1970."""

    study: Path
    begun: float
    """The process was started."""
    first: float
    """The first trial began."""
    last: float
    """The last batch was committed."""
    ended: float
    """The process had ended."""
    memory: int
    """The most resident bytes of a worker."""
    spent: Mapping[str, Any]
    """See `sweep.study.spent.Spent`."""

    @property
    def rate(self) -> float:
        """Trials per second from the first trial on."""
        return float(self.spent["trials_per_second"])

    @classmethod
    def of(cls, study: Path, begun: float, ended: float) -> Ran:
        """Of a study's folder."""
        with sqlite3.connect(f"file:{study}/study.db?mode=ro", uri=True) as db:
            events = json.loads(db.execute("SELECT value FROM study WHERE key = 'events'").fetchone()[0])
            first = db.execute("SELECT min(started_at) FROM trial_runtime").fetchone()[0]
            last = db.execute("SELECT max(committed_at) FROM batches").fetchone()[0]
            memory = db.execute("SELECT max(rss_bytes) FROM trial_runtime").fetchone()[0]
        spent = next(event["spent"] for event in reversed(events) if event["event"] == "ended")
        return cls(study, begun, seconds(first), seconds(last), ended, memory, spent)


def sweep_run(asked: Mapping[str, Any], home: Path) -> Ran:
    """Run a config in a home that has no study yet."""
    path = home / "bench.json"
    path.write_text(json.dumps(asked), encoding="utf-8")
    begun = time.time()
    python("-m", "sweep", "run", "--home", str(home), str(path))
    return Ran.of(next(home.glob("studies/*")), begun, time.time())


def python(*arguments: str) -> str:
    """What this interpreter prints."""
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def seconds(stamp: str) -> float:
    """Since 1970, of a stamp of the ledger."""
    return datetime.fromisoformat(stamp).timestamp()
