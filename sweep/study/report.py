"""How far a study is and what it found: from its ledger alone, so from any process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sweep.ledger import Ledger, driver
from sweep.objective import Objective
from sweep.study.snapshot import identity
from sweep.types import ParamValue, Status, Trial

_RATE_BATCHES: Final = 20


@dataclass(frozen=True, slots=True)
class Best:
    """One of the best trials, for a table."""

    number: int
    value: float | None
    """The objective; of several what `rank_by` says, None without it."""
    values: tuple[float | None, ...]
    """Every objective."""
    feasible: bool
    identity: str | None
    params: Mapping[str, ParamValue]


@dataclass(frozen=True, slots=True)
class Report:
    """State of a study at one moment."""

    name: str
    folder: str
    identity: str
    """Of the study: SHA-256 of what a resume compares."""
    status: str
    """RUNNING, FINISHED, EXHAUSTED, STOPPED or FAILED, as the driver last recorded it."""
    reason: str
    """Why it ended: trials, exhausted, timeout, stagnation, interrupted, failures, error; empty while it runs."""
    driver: str | None
    """Process that runs it now, `pid on host`; None if there is none."""
    objective: str
    """What trials are ranked by: the objective, or `rank_by`; empty for several objectives without it."""
    direction: str
    objectives: tuple[str, ...]
    directions: tuple[str, ...]
    done: int
    requested: int | None
    """None = the whole space."""
    counts: Mapping[str, int]
    """Trials by STATUS or STATUS/KIND."""
    best: tuple[Best, ...]
    """The best trials; of several objectives the non-dominated ones, the candidate first if `rank_by` names one."""
    front: int
    """Feasible trials that no other dominates; of one objective at most 1."""
    rate: float | None
    """Trials per second over the last batches, while a driver ran."""
    seconds: float
    """Wall clock of all finished runs."""
    spent: Mapping[str, Any] | None
    """Where the time of the last run went (`sweep.study.spent.Spent`); None while one runs."""
    cache: Mapping[str, int] | None
    """Counters of the workers' series caches in the last run, together: hits, misses, evictions, bytes; the largest
    peak_bytes of one worker."""
    environment_dependent: bool
    digest: str
    """Ledger digest."""
    warnings: tuple[str, ...] = ()

    @property
    def crashed(self) -> bool:
        """Whether it counts as running although nobody runs it: its driver died, and `resume` goes on."""
        return self.status == "RUNNING" and self.driver is None

    def to_dict(self) -> dict[str, Any]:
        """Form for machines."""
        return {**asdict(self), "crashed": self.crashed}


def report(ledger: Ledger, objective: Objective, *, top: int = 5) -> Report:
    """The report of a study as its ledger stands now."""
    with ledger.snapshot():
        facts = ledger.study
        batches = ledger.batches()
        counts, digest = ledger.counts(), ledger.digest()
        best, front = best_of(ledger, objective, top)
    ranked_by = objective.ranked_by
    ended = [event for event in facts["events"] if event["event"] == "ended"]
    last = ended[-1] if ended and facts["status"] != "RUNNING" else {}
    holder = driver(ledger.folder)
    return Report(
        name=str(facts["name"]),
        folder=str(ledger.folder),
        identity=identity(facts["snapshot"]["compared"]),
        status=str(facts["status"]),
        reason=str(last.get("reason", "")),
        driver=f"{holder[0]} on {holder[1]}" if holder else None,
        objective=ranked_by.name if ranked_by else "",
        direction=ranked_by.direction if ranked_by else "",
        objectives=objective.names,
        directions=objective.directions,
        done=sum(counts.values()),
        requested=facts["trials"],
        counts=counts,
        best=tuple(best),
        front=front,
        rate=_rate(
            [(record.count, at) for record, _, at in batches[-_RATE_BATCHES:]],
            [event["at"] for event in facts["events"] if event["event"] == "started"],
        ),
        seconds=sum(float(event["seconds"]) for event in ended),
        spent=last.get("spent"),
        cache=last.get("cache"),
        environment_dependent=bool(facts["environment_dependent"]),
        digest=digest,
        warnings=tuple(last.get("warnings", ())),
    )


def leading(ledger: Ledger, objective: Objective, count: int) -> list[Trial]:
    """The best complete trials in the order of `Objective.rank`, at most `count`."""
    if not objective.several:
        feasible = ledger.best(count, objective.goals[0].direction)
        if len(feasible) == count:
            return feasible
    ranked = objective.rank(ledger.history() if objective.rank_by is None else ledger.trials())
    return [trial for trial in ranked if trial.outcome.status is Status.COMPLETE][:count]


def front_of(ledger: Ledger, objective: Objective) -> list[Trial]:
    """`Objective.front` of all trials, without metrics and runtime."""
    if objective.several:
        return objective.front(ledger.history())
    return ledger.best(1, objective.goals[0].direction)


def best_of(ledger: Ledger, objective: Objective, top: int) -> tuple[list[Best], int]:
    """The best feasible trials, the best first, and how many no other dominates.

    Of several objectives the best are the non-dominated ones; their metrics are read if `rank_by` needs them.
    """
    if not objective.several:
        best = ledger.best(max(1, top), objective.goals[0].direction)
        return [_row(t, t.outcome.objectives[0]) for t in best[:top]], min(1, len(best))
    front = front_of(ledger, objective)
    if objective.rank_by is not None:
        front = objective.rank(ledger.trial(trial.number) for trial in front)
    return [_row(t, objective.preferred(t)) for t in front[:top]], len(front)


def _row(trial: Trial, value: float | None) -> Best:
    outcome = trial.outcome
    return Best(
        trial.number, value, outcome.objectives, outcome.feasible, trial.identity, trial.proposal.params
    )


def _rate(batches: Sequence[tuple[int, str]], started: Sequence[str]) -> float | None:
    """Of the batches after the first: what came before a driver's start does not count for the batch after it."""
    starts = [_seconds(at) for at in started]
    times = [_seconds(at) for _, at in batches]
    seconds = sum(
        end - max([begin, *(start for start in starts if start <= end)]) for begin, end in pairwise(times)
    )
    return sum(count for count, _ in batches[1:]) / seconds if seconds > 0 else None


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
