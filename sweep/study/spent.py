"""Where the time of a run went: that of the workers from the first call to the end, and that of the driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from sweep.executors.dispatch import Tally


@dataclass(frozen=True, slots=True)
class Spent:
    """Shares between 0 and 1, and rates; of runs in which nothing ran on a worker the workers' part is zero."""

    seconds: float
    """From the first proposal to the last commit."""
    starting: float
    """Of these, until a worker began its first call."""
    workers: int
    threads: int
    """Per worker."""
    trials: int
    """Rows that workers gave back."""
    trials_per_second: float
    """While workers had begun, as the next one."""
    bars_per_second: float
    core_efficiency: float
    """Time inside backtests over that of all threads."""
    worker: Mapping[str, float]
    """Shares of the workers' time: engine (backtests), messaging (the rest of the calls), idle."""
    driver: Mapping[str, float]
    """Shares of the driver's time: sampling, messaging, grading, ledger, waiting for workers, other."""

    @classmethod
    def of(
        cls,
        seconds: float,
        steps: Mapping[str, float],
        tally: Tally,
        *,
        workers: int,
        threads: int,
        bars: int,
    ) -> Self:
        """Of one run.

        Args:
            seconds: wall clock of the loop.
            steps: `Ending.timing`.
            tally: what the dispatcher counted.
            bars: that the whole window trades, all symbols together.
        """
        starting = seconds if tally.first is None else min(max(tally.first, 0.0), seconds)
        working = max(seconds - starting, 1e-9)
        capacity = working * workers
        inside = min(tally.engine / threads, tally.calls)
        engine, calls = inside / capacity, min(tally.calls / capacity, 1.0)
        taken = {
            "sampling": steps.get("propose", 0.0),
            "messaging": max(steps.get("wait", 0.0) - tally.blocked, 0.0),
            "grading": steps.get("grade", 0.0),
            "ledger": steps.get("commit", 0.0) + steps.get("spool", 0.0),
            "waiting": tally.blocked,
        }
        taken["other"] = max(seconds - sum(taken.values()), 0.0)
        return cls(
            seconds=round(seconds, 3),
            starting=round(starting, 3),
            workers=workers,
            threads=threads,
            trials=tally.trials,
            trials_per_second=round(tally.trials / working, 3),
            bars_per_second=round(tally.windows * bars / working, 1),
            core_efficiency=_share(tally.engine / (capacity * threads)),
            worker={
                "engine": _share(engine),
                "messaging": _share(calls - engine),
                "idle": _share(1.0 - calls),
            }
            if tally.trials
            else {},
            driver={name: _share(value / max(seconds, 1e-9)) for name, value in taken.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Form for the ledger's event log."""
        return asdict(self)


def _share(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 4)
