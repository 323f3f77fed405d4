"""What a study would cost, without making it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from sweep.executors.worker import cpus, resident_bytes, table_of
from sweep.pipeline.halving import FRACTIONS
from sweep.samplers.base import SAMPLER, View, position_after
from sweep.study.plan import Plan
from sweep.study.snapshot import identity, snapshot
from sweep.types import Outcome, Proposal, Status, Trial

_MEASURED: Final = 16
"""Trials that are run for the measurement."""
_SETTLE_SECONDS: Final = 0.0002
"""Of the driver per trial: grading, committing, reporting."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Size, time and memory of a study that has not been made."""

    study: str
    identity: str
    """Of the study: what a resume would compare."""
    space: str
    """The print of the space."""
    cardinality: int | None
    """Points of the space; None = continuous."""
    trials: int | None
    full_runs: float | None
    """Cost of all trials in backtests of the whole window: their number, or less with a pruner, of whose batches every
    one is counted whole."""
    seconds_per_trial: float
    """On one core and the whole window, measured over the first proposals."""
    workers: int
    seconds_to_drive: float
    """Per trial, in the driver: proposing, measured over one batch from as many finished trials as the sampler looks at,
    and what is known of the rest."""
    seconds: float | None
    """Estimated wall clock of all trials on these workers; None if their number is open."""
    bytes_per_worker: int
    """Upper bound: this process with market and engine, and a full cache of series."""
    notes: tuple[str, ...]
    findings: tuple[str, ...]
    """What is remarkable about the data."""
    warnings: tuple[str, ...]
    """Where the data contradict what the config says of them."""

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
    trials = plan.most_trials
    drive = _drive_seconds(plan, trials)
    runs = None if trials is None else _full_runs(plan, trials)
    findings, warnings = plan.findings
    return DryRun(
        study=config.study,
        identity=identity(snapshot(plan)["compared"]),
        space=plan.space.describe(),
        cardinality=plan.space.cardinality,
        trials=trials,
        full_runs=runs,
        seconds_per_trial=each,
        workers=count,
        seconds_to_drive=drive,
        seconds=None
        if trials is None or runs is None
        else _together(plan, runs * each / count, trials * drive),
        bytes_per_worker=(resident_bytes() or 0) + config.compute.cache_bytes,
        notes=(*getattr(plan.sampler, "notes", ()), *plan.pruning),
        findings=tuple(findings),
        warnings=tuple(warnings),
    )


def _full_runs(plan: Plan, trials: int) -> float:
    if plan.pruner is None:
        return float(trials)
    size = plan.config.search.batch_size
    batches, cycle = -(-trials // size), len(FRACTIONS)
    return sum(plan.pruner.full_runs(k, size) * len(range(k, batches, cycle)) for k in range(cycle))


def _together(plan: Plan, running: float, driving: float) -> float:
    """Workers run one batch while the driver proposes the next one, if the lag lets it or no result enters it."""
    rules = plan.rules(None, keep_returns="none")
    free = rules.lag > 1 or rules.in_flight(plan.sampler.adaptive) is None
    return max(running, driving) if free else running + driving


def _drive_seconds(plan: Plan, trials: int | None) -> float:
    """Seconds of the driver per trial, with made-up results behind it."""
    search = plan.config.search
    size = search.batch_size
    blank = View(finished=(), pending=(), used=frozenset(), stream_pos=0)
    known: list[Proposal] = []
    if plan.sampler.adaptive:
        wanted = min(search.history, trials or search.history)
        known = plan.sampler.propose(0, 0, max(size, wanted), blank)
    finished = [_made_up(plan, proposal) for proposal in known]
    view = View(
        finished=finished,
        pending=(),
        used=frozenset(proposal.key for proposal in known),
        stream_pos=position_after(known),
    )
    first = -(-len(known) // size) * size
    plan.sampler.propose(first // size, first, size, view)  # the first one imports and builds
    begun = time.perf_counter()
    proposals = plan.sampler.propose(first // size, first, size, view)
    return (time.perf_counter() - begun) / max(1, len(proposals)) + _SETTLE_SECONDS


def _made_up(plan: Plan, proposal: Proposal) -> Trial:
    """A finished trial whose values depend on its number alone."""
    value = float(proposal.number * 7919 % 1009)
    outcome = Outcome(
        status=Status.COMPLETE,
        kind=None,
        feasible=True,
        reason=None,
        objectives=tuple(value for _ in plan.objective.names),
        violations=dict.fromkeys(plan.objective.constraint_names, 0.0),
    )
    return Trial(proposal._replace(source=SAMPLER), outcome, {}, None, None)
