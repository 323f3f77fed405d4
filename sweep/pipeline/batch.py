"""One open batch: its proposals, what came back, and the forms that a result takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sweep.errors import error
from sweep.executors.dispatch import RawResult
from sweep.ledger import BatchRecord, IdentityTemplate, Spooled
from sweep.ledger import returns as daily_returns
from sweep.types import Digests, Kind, Outcome, Proposal, Runtime, Status, Trial


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

    def front(self, trials: Iterable[Trial]) -> list[Trial]:
        """Feasible trials that no other dominates, by number; of one objective the best one alone."""
        ...


@dataclass(slots=True)
class OpenBatch:
    """A batch between its proposal and its commit."""

    record: BatchRecord
    proposals: Sequence[Proposal]
    """Of the rows that the ledger lacks."""
    stored: int
    """Rows of the batch that an earlier run committed: a partial last batch that is extended."""
    results: dict[int, tuple[Trial, RawResult]] = field(default_factory=dict)
    """By trial number."""
    spooled: set[int] = field(default_factory=set)

    @property
    def k(self) -> int:
        """Number of the batch."""
        return self.record.k

    @property
    def complete(self) -> bool:
        """Whether every row is final."""
        return len(self.results) == len(self.proposals)

    def proposal(self, number: int) -> Proposal:
        """The proposal of a trial of this batch."""
        return self.proposals[number - self.record.first - self.stored]

    def ended(self) -> list[tuple[Trial, RawResult]]:
        """All results in trial order."""
        return [self.results[proposal.number] for proposal in self.proposals]

    def take_unspooled(self) -> list[Spooled]:
        """Spool form of the results that are not in the spool, which count as spooled from now on."""
        fresh = [number for number in self.results if number not in self.spooled]
        self.spooled.update(fresh)
        return [to_spool(*self.results[number]) for number in fresh]


def graded(
    proposal: Proposal,
    raw: RawResult,
    objective: Objectives,
    identities: IdentityTemplate,
    metrics: Sequence[str],
) -> Trial:
    """The final row of one result.

    Raises:
        SweepError: [4004] if the engine gives the trial another identity than the study.
    """
    row = raw.row
    identity = identities.identity(proposal.key)
    if row.get("identity") not in (None, identity):
        raise error(
            4004,
            f"the engine gives trial {proposal.number} the identity {row['identity']}, the study {identity}",
            where=raw.runtime.worker,
            remedy="report it, with the study's config",
            stage="engine",
        )
    values = {name: finite(row.get(f"metrics.{name}")) for name in metrics}
    kind = None if row.get("kind") is None else Kind(row["kind"])
    digests = None
    if row.get("result_digest") is not None:
        digests = Digests(
            row["trades_digest"],
            row["daily_digest"],
            row["metrics_digest"],
            row["result_digest"],
            row.get("signals_digest"),
        )
    return Trial(
        proposal=proposal,
        outcome=objective.grade(Status(row["status"]), kind, row.get("reason"), values),
        metrics=values,
        identity=identity,
        digests=digests,
        runtime=raw.runtime,
    )


def finite(value: Any) -> float | None:
    """A metric as the ledger keeps it: null for null, NaN and inf."""
    return float(value) if value is not None and math.isfinite(value) else None


def to_spool(trial: Trial, raw: RawResult) -> Spooled:
    """Spool form of a finished trial; its grade is computed again when it is read back."""
    row = {
        name: finite(value) if isinstance(value, float) else value
        for name, value in raw.row.items()
        if name != "returns"
    }
    run = raw.runtime
    runtime = [run.worker, run.host, run.attempts, run.seconds, run.rss_bytes, run.started_at]
    returns = raw.row.get("returns")
    assert trial.identity is not None
    packed = None if returns is None else daily_returns.pack(returns)
    return Spooled(trial.identity, {"row": row, "runtime": runtime}, packed)


def from_spool(number: int, kept: Spooled) -> RawResult:
    """The result that an earlier run put into the spool."""
    row = dict(kept.result["row"])
    if kept.arrow is not None:
        row["returns"] = daily_returns.unpack(kept.arrow)
    return RawResult(number, row, Runtime(*kept.result["runtime"]))
