"""The vocabulary: frozen values that pass between the modules. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

ParamValue = int | float | bool | str | None
"""Value of one parameter; a set is the text of its members joined by `+`."""


class Status(StrEnum):
    """How a trial ended."""

    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAILED = "FAILED"


class Kind(StrEnum):
    """Why a trial is infeasible, failed or was stopped."""

    CONSTRAINT = "CONSTRAINT"
    TOO_FEW_TRADES = "TOO_FEW_TRADES"
    NO_TRADES = "NO_TRADES"
    INVALID_PARAMS = "INVALID_PARAMS"
    NAN_METRIC = "NAN_METRIC"
    ENGINE_ERROR = "ENGINE_ERROR"
    DATA_MISMATCH = "DATA_MISMATCH"
    TIMEOUT = "TIMEOUT"
    WORKER_LOST = "WORKER_LOST"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    LEVEL_0 = "LEVEL_0"
    LEVEL_1 = "LEVEL_1"
    RUIN = "RUIN"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    TOO_FEW_BY_MIDPOINT = "TOO_FEW_BY_MIDPOINT"


STATUS: Mapping[str, Status] = {status.value: status for status in Status}
KIND: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
"""By their words, which a call of the class finds too, but slowly."""

INFEASIBLE_RESULTS = frozenset({Kind.TOO_FEW_TRADES, Kind.NO_TRADES, Kind.INVALID_PARAMS})
"""FAILED kinds that are results all the same: a sampler learns a violation from them."""

ENVIRONMENT_FAILURES = frozenset({Kind.TIMEOUT, Kind.WORKER_LOST, Kind.OUT_OF_MEMORY})
"""FAILED kinds that say nothing about the parameters."""


LEVELS = (Kind.LEVEL_0, Kind.LEVEL_1)
"""PRUNED kinds of a trial that did not go on from a pruning level, by level."""

EARLY_STOPS = frozenset({Kind.RUIN, Kind.MAX_DRAWDOWN, Kind.TOO_FEW_BY_MIDPOINT})
"""PRUNED kinds of a backtest that a limit of `search.early_stop` gave up."""


class StudyStatus(StrEnum):
    """State of a study as its ledger records it."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    EXHAUSTED = "EXHAUSTED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


class Proposal(NamedTuple):
    """One parameter set that a batch asks for."""

    number: int
    """Trial number, from 0."""
    batch: int
    source: str
    """start_point, startup, sampler or fallback."""
    stream_pos: int | None
    """Position in an enumerated stream; None for adaptive proposals."""
    params: Mapping[str, ParamValue]
    """Canonical parameter set: active ones only, defaults filled in."""
    key: str
    """Canonical JSON of `params`; unique within a study."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the objective makes of one result: status, kind, values and violations."""

    status: Status
    kind: Kind | None
    feasible: bool
    reason: str | None
    objectives: tuple[float | None, ...]
    violations: Mapping[str, float]
    """Signed, by constraint text, in configured order; > 0 is violated."""

    @property
    def total_violation(self) -> float:
        """Sum of the positive violations."""
        return sum(v for v in self.violations.values() if v > 0)


class Digests(NamedTuple):
    """Digests of one result, lower-case hex."""

    trades: str
    daily: str
    metrics: str
    result: str
    signals: str | None = None
    """Of the tables that a strategy in Python returned."""


class Runtime(NamedTuple):
    """All that is not deterministic about one trial."""

    worker: str
    host: str
    attempts: int
    seconds: float
    rss_bytes: int | None = None
    started_at: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One final row of the ledger."""

    proposal: Proposal
    outcome: Outcome
    metrics: Mapping[str, float | None]
    identity: str | None
    digests: Digests | None
    runtime: Runtime | None = None
    intermediate: Mapping[str, float] = field(default_factory=dict)
    """The objective at each pruning level that it ran and at which it is defined, by level."""
    partial: Mapping[str, float] = field(default_factory=dict)
    """The metrics that are defined, of a trial that was stopped on purpose, as of where it stopped."""

    @property
    def number(self) -> int:
        """Trial number."""
        return self.proposal.number
