"""Which finished rows a batch is proposed from: the best ones and the most recent others."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from sweep.objective import Objective
from sweep.objective.pareto import ranks
from sweep.samplers.split import Row, Tier, lesson
from sweep.samplers.told import tell
from sweep.types import Kind, Trial

BEST: Final = 25
"""Best rows of one objective."""
SHARE: Final = 10
"""The best rows of several objectives are one part of so many of the history."""
_PLACES: Final = {Tier.FEASIBLE: 0.0, Tier.INFEASIBLE: 1.0, Tier.PRUNED: 2.0, Tier.NOTHING: 3.0}


def history(finished: Sequence[Trial], objective: Objective, cap: int) -> list[Trial]:
    """At most `cap` rows in trial order: the best ones (feasible first, then objective) and the latest others.

    Rows that are never told (DATA_MISMATCH) do not count.
    """
    trials = {trial.number: trial for trial in finished if trial.outcome.kind is not Kind.DATA_MISMATCH}
    if len(trials) <= cap:
        return list(trials.values())
    kept = History(cap, several=len(objective.goals) > 1)
    for number, trial in trials.items():
        told = tell(trial, objective)
        if told is not None:
            kept.add(Row(number, *lesson(told, objective.directions), ()))
    return [trials[row.number] for row in kept.rows()]


class History:
    """The best and the latest of all rows added, in trial order, at a cost that does not grow with their number."""

    def __init__(self, cap: int, *, several: bool) -> None:
        self._cap = cap
        self._best = Best(-(-cap // SHARE) if several else min(BEST, cap), several=several)
        self._latest: deque[Row] = deque(maxlen=cap)

    def add(self, row: Row) -> None:
        """Adds a row, whose number is larger than those before."""
        self._best.add(row)
        self._latest.append(row)

    def rows(self) -> list[Row]:
        """At most `cap` of them."""
        kept = {row.number: row for row in self._best.rows()}
        for row in reversed(self._latest):
            if len(kept) >= self._cap:
                break
            kept[row.number] = row
        return [kept[number] for number in sorted(kept)]


class Best:
    """The best `size` of all rows added: feasible first, then the objective, of several the non-domination rank.

    Of several objectives a row can come back once those before it are dominated. It is kept while fewer than `size`
    rows precede it for ever: those that dominate it, and those equal to it that came first.
    """

    def __init__(self, size: int, *, several: bool) -> None:
        self._size, self._several = size, several
        self._sorted: list[Row] = []
        self._feasible: list[Row] = []
        self._losses = np.empty((0, 0))
        self._ahead = np.empty(0, dtype=np.intp)
        """How many rows precede each feasible one for ever."""

    def add(self, row: Row) -> None:
        """Adds a row, whose number is larger than those before."""
        if self._several and row.tier is Tier.FEASIBLE:
            self._add_feasible(row)
        elif len(self._sorted) < self._size or _standing(row) < _standing(self._sorted[-1]):
            insort(self._sorted, row, key=_standing)
            del self._sorted[self._size :]

    def _add_feasible(self, row: Row) -> None:
        losses = np.array(row.order)
        known = self._losses.reshape(-1, len(losses))
        ahead = int((known <= losses).all(axis=1).sum())
        if ahead >= self._size:
            return
        self._ahead += (losses <= known).all(axis=1) & (losses < known).any(axis=1)
        kept = self._ahead < self._size
        self._feasible = [each for each, keep in zip(self._feasible, kept.tolist(), strict=True) if keep]
        self._feasible.append(row)
        self._losses = np.concatenate([known[kept], losses[np.newaxis]])
        self._ahead = np.append(self._ahead[kept], ahead)

    def rows(self) -> list[Row]:
        """The best, in no particular order."""
        chosen: list[Row] = []
        if self._feasible:
            leading = np.argsort(ranks(self._losses), kind="stable")[: self._size]
            chosen = [self._feasible[i] for i in leading.tolist()]
        return chosen + self._sorted[: self._size - len(chosen)]


def _standing(row: Row) -> tuple[float, ...]:
    """Place in ranked lists: feasible, infeasible, pruned, failed."""
    return _PLACES[row.tier], *row.order
