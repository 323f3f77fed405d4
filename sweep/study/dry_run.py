"""What a study would cost, without making it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from sweep.executors.worker import cpus, resident_bytes, table_of
from sweep.samplers.base import View
from sweep.study.plan import Plan

_MEASURED: Final = 16
"""Trials that are run for the measurement."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Size, time and memory of a study that has not been made."""

    study: str
    space: str
    """The print of the space."""
    cardinality: int | None
    """Points of the space; None = continuous."""
    trials: int | None
    seconds_per_trial: float
    """On one core, measured over the first proposals."""
    workers: int
    seconds: float | None
    """Estimated wall clock of all trials on these workers; None if their number is open."""
    bytes_per_worker: int
    """Upper bound: this process with market and engine, and a full cache of series."""
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Form for machines."""
        return asdict(self)


def measure(plan: Plan) -> DryRun:
    """Run the first proposals of a plan in this process and extrapolate."""
    config = plan.config
    view = View(finished=(), pending=(), used=frozenset(), stream_pos=0)
    proposals = plan.sampler.propose(0, 0, config.search.batch_size, view)[:_MEASURED]
    table = table_of([dict(proposal.params) for proposal in proposals])
    plan.engine.run_batch(table.slice(0, 1))
    begun = time.perf_counter()
    plan.engine.run_batch(table)
    each = (time.perf_counter() - begun) / max(1, len(proposals))
    workers = config.compute.workers
    count = max(1, cpus() // config.compute.threads) if workers == "auto" else int(workers)
    trials = config.search.trials or plan.space.cardinality
    return DryRun(
        study=config.study,
        space=plan.space.describe(),
        cardinality=plan.space.cardinality,
        trials=trials,
        seconds_per_trial=each,
        workers=count,
        seconds=None if trials is None else trials * each / count,
        bytes_per_worker=(resident_bytes() or 0) + config.compute.cache_bytes,
        notes=tuple(getattr(plan.sampler, "notes", ())),
    )
