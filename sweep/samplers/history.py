"""Which finished rows a batch is proposed from: the best ones and the most recent others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sweep.objective import Objective
from sweep.types import Kind, Trial

BEST: Final = 25


def history(finished: Sequence[Trial], objective: Objective, cap: int) -> list[Trial]:
    """At most `cap` rows in trial order: the best 25 (feasible first, then objective) and the latest others.

    Rows that are never told (DATA_MISMATCH) do not count.
    """
    rows = [trial for trial in finished if trial.outcome.kind is not Kind.DATA_MISMATCH]
    if len(rows) <= cap:
        return rows
    kept = {trial.number for trial in objective.rank(rows)[: min(BEST, cap)]}
    for trial in reversed(rows):
        if len(kept) >= cap:
            break
        kept.add(trial.number)
    return [trial for trial in rows if trial.number in kept]
