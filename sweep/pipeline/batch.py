"""One open batch: its proposals, what came back, and the forms that a result takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sweep.errors import error
from sweep.executors import results
from sweep.executors.results import RawResult
from sweep.ledger import BatchRecord, Spooled
from sweep.ledger import returns as daily_returns
from sweep.pipeline.halving import Measured
from sweep.types import ENVIRONMENT_FAILURES, LEVELS, Kind, Outcome, Proposal, Runtime, Status, Trial


class Objectives(Protocol):
    """The part of `sweep.objective.Objective` that the pipeline needs."""

    @property
    def names(self) -> Sequence[str]:
        """Name of each objective."""
        ...

    def grade(
        self, status: Status, kind: Kind | None, reason: str | None, metrics: Mapping[str, float | None]
    ) -> Outcome:
        """Outcome of one result of the engine."""
        ...

    def value(self, metrics: Mapping[str, float | None]) -> float | None:
        """The one objective; None where it is undefined."""
        ...

    def front(self, trials: Iterable[Trial]) -> list[Trial]:
        """Feasible trials that no other dominates, by number; of one objective the best one alone."""
        ...


@dataclass(slots=True)
class OpenBatch:
    """A batch between its proposal and its commit."""

    k: int
    """Number of the batch."""
    first: int
    """Number of its first trial."""
    proposals: Sequence[Proposal]
    """Of the rows that the ledger lacks."""
    stored: int
    """Rows of the batch that an earlier run committed: a partial last batch that is extended."""
    kept_at: float | None = None
    """Monotonic time at which the first result came, and later at which results were last put into the spool."""
    identities: dict[int, str] = field(default_factory=dict)
    """By trial number, at the pruning level that runs now."""
    record: BatchRecord | None = None
    """Made when its turn comes."""
    results: dict[int, Trial] = field(default_factory=dict)
    """Final rows by trial number."""
    returns: dict[int, Any] = field(default_factory=dict)
    """Daily returns by trial number, of trials that ran the whole window."""
    running: int = 0
    """Trials of the pruning level that runs now."""
    level: dict[int, tuple[Trial, Measured]] = field(default_factory=dict)
    """What came back of that level, by trial number."""
    earlier: dict[int, Trial] = field(default_factory=dict)
    """The row of the last level that a trial has left behind, by trial number."""
    received: dict[str, RawResult] = field(default_factory=dict)
    """By identity, which differs from level to level."""
    spooled: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether every row is final."""
        return len(self.results) == len(self.proposals)

    def proposal(self, number: int) -> Proposal:
        """The proposal of a trial of this batch."""
        return self.proposals[number - self.first - self.stored]

    def ended(self) -> list[Trial]:
        """All rows in trial order."""
        return [self.results[proposal.number] for proposal in self.proposals]

    def unspooled(self) -> list[Spooled]:
        """Spool form of the results that are not in the spool."""
        return [
            to_spool(identity, raw) for identity, raw in self.received.items() if identity not in self.spooled
        ]


def graded(
    proposal: Proposal,
    raw: RawResult,
    objective: Objectives,
    identity: str,
    metrics: tuple[str, ...],
) -> Trial:
    """The final row of one result.

    Raises:
        SweepError: [4004] if the engine gives the trial another identity than the study.
    """
    result = raw.result
    if result.identity not in (None, identity):
        raise error(
            4004,
            f"the engine gives trial {proposal.number} the identity {result.identity}, the study {identity}",
            where=raw.runtime.worker,
            remedy="report it, with the study's config",
            stage="engine",
        )
    values = result.metrics
    if tuple(values) != metrics:
        values = {name: values.get(name) for name in metrics}
    outcome = objective.grade(result.status, result.kind, result.reason, values)
    partial: dict[str, float] = {}
    if outcome.status is Status.PRUNED:
        partial = {name: value for name, value in values.items() if value is not None}
        values = dict.fromkeys(values)
    return Trial(
        proposal=proposal,
        outcome=outcome,
        metrics=values,
        identity=identity,
        digests=result.digests,
        runtime=raw.runtime,
        partial=partial,
    )


def at_level(
    proposal: Proposal,
    raw: RawResult,
    objective: Objectives,
    identity: str,
    metrics: tuple[str, ...],
) -> tuple[Trial, Measured]:
    """What a pruning level below the last says of a trial: the row that it gets if it ends there, and its rank's terms.

    Raises:
        SweepError: as `graded`.
    """
    assert raw.level is not None
    if raw.result.status is not Status.COMPLETE:
        row = graded(proposal, raw, objective, identity, metrics)
        return row, Measured(proposal.number, None, 0.0, over=True)
    kind = LEVELS[raw.level]
    as_pruned = raw._replace(result=raw.result._replace(status=Status.PRUNED, kind=kind))
    row = graded(proposal, as_pruned, objective, identity, metrics)
    value = objective.value({name: row.partial.get(name) for name in metrics})
    if value is not None:
        row = replace(row, intermediate={str(raw.level): value})
    return row, Measured(proposal.number, value, row.partial.get("total_trades", 0.0))


def after(earlier: Trial | None, later: Trial) -> Trial:
    """A row with what the levels before it said, and took."""
    if earlier is None:
        return later
    runtime = later.runtime
    if runtime is not None and earlier.runtime is not None:
        runtime = runtime._replace(seconds=earlier.runtime.seconds + runtime.seconds)
    return replace(later, intermediate={**earlier.intermediate, **later.intermediate}, runtime=runtime)


def left_behind(trial: Trial, level: int, rank: int, count: int, kept: int) -> Trial:
    """The final row of a trial that does not go on; one that failed or was given up has its reason already."""
    if trial.outcome.kind is not LEVELS[level]:
        return trial
    reason = f"place {rank} of {count} at level {level}, of which {kept} went on"
    return replace(trial, outcome=replace(trial.outcome, reason=reason))


def returns_of(trial: Trial, raw: RawResult) -> daily_returns.Returns | None:
    """Daily returns that are kept of a final row; None of a trial that did not run the whole window."""
    return None if trial.outcome.status is Status.PRUNED else raw.result.returns


def to_spool(identity: str, raw: RawResult) -> Spooled:
    """Spool form of a result; its grade is computed again when it is read back."""
    returns = raw.result.returns
    packed = None if returns is None else daily_returns.pack(returns)
    return Spooled(identity, {"row": results.to_dict(raw.result), "runtime": list(raw.runtime)}, packed)


def is_environment_failure(kept: Spooled) -> bool:
    """Whether a spooled result is a failure that another run may mend."""
    return kept.result["row"]["kind"] in ENVIRONMENT_FAILURES


def from_spool(number: int, kept: Spooled, level: int | None = None) -> RawResult:
    """The result that an earlier run put into the spool."""
    returns = None if kept.arrow is None else daily_returns.unpack(kept.arrow)
    result = results.from_dict(kept.result["row"], returns)
    return RawResult(number, result, Runtime(*kept.result["runtime"]), level)
