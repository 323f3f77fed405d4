"""The stop rules that read results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sweep.errors import SweepError, error
from sweep.types import ENVIRONMENT_FAILURES, INFEASIBLE_RESULTS, Kind, Status, Trial

JUDGED_BATCHES: Final = 2
"""Batches on which `max_failure_share` is judged."""


def stagnant(best: Sequence[int | None], known: int, patience: int | None) -> bool:
    """Whether the best feasible trial did not change over the last `patience` of `known` batches.

    Args:
        best: number of the best trial after each committed batch.
    """
    return patience is not None and known > patience and best[known - 1] == best[known - 1 - patience]


def too_many_failures(trials: Sequence[Trial], share: float, study: str) -> SweepError | None:
    """The error that ends a study in which one kind of failure has more than its share of `trials`.

    Infeasible results are no failures. Stage engine, or infrastructure for environment failures.
    """
    kinds: Counter[Kind] = Counter()
    for trial in trials:
        outcome = trial.outcome
        if (
            outcome.status is Status.FAILED
            and outcome.kind is not None
            and outcome.kind not in INFEASIBLE_RESULTS
        ):
            kinds[outcome.kind] += 1
    for kind, count in kinds.most_common(1):
        if count > share * len(trials):
            reason = next(t.outcome.reason or "" for t in trials if t.outcome.kind is kind)
            first = reason.partition("\n")[0]  # a traceback may follow
            environment = kind in ENVIRONMENT_FAILURES
            return error(
                6000 if environment else 2000,
                f"{count} of the first {len(trials)} trials ended in {kind.value}: {first}",
                where="search.max_failure_share",
                remedy=f"`sweep show {study} --failed` lists them",
                stage="infrastructure" if environment else "engine",
            )
    return None
