"""What the loop is told by the configuration, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from sweep.errors import SweepError
from sweep.ledger.returns import Form
from sweep.types import StudyStatus

Reason = Literal["trials", "exhausted", "timeout", "stagnation", "interrupted", "failures", "error"]

POLL_SECONDS: Final = 0.25
"""How long a loop waits for results before it looks whether it was interrupted."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Size of batches, lag, seed, and when to stop."""

    batch_size: int
    lag: int
    seed: int
    trials: int | None
    """None = until the sampler is exhausted."""
    timeout: float | None = None
    """Seconds of this run after which nothing more is proposed."""
    stagnation: int | None = None
    """Committed batches without a better feasible value after which nothing more is proposed."""
    max_failure_share: float = 0.5
    spool_interval: float = 5.0
    keep_returns: Form = "none"

    def known(self, k: int) -> int:
        """How many batches, from the first on, batch k may read the results of."""
        return max(0, k - self.lag + 1)

    def in_flight(self, adaptive: bool) -> int | None:
        """Trials that may be open at once; None = any number, where no result decides what is proposed, or whether."""
        return self.lag * self.batch_size if adaptive or self.stagnation is not None else None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run of the loop ended, and where the driver's time went."""

    status: StudyStatus
    reason: Reason
    problem: SweepError | None = None
    timing: Mapping[str, float] = field(default_factory=dict)
    """Seconds: propose, wait (for workers), grade, commit, spool."""

    @property
    def interrupted(self) -> bool:
        """Whether the user stopped it."""
        return self.reason == "interrupted"
