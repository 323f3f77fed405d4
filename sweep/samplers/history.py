"""Which finished rows a batch is proposed from: the best ones and the most recent others."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import numpy as np

from sweep.objective import Objective
from sweep.samplers.split import ranks
from sweep.types import Kind, Trial

BEST: Final = 25
"""Best rows of one objective."""
SHARE: Final = 10
"""The best rows of several objectives are one part of so many of the history."""
Item = TypeVar("Item")


def history(finished: Sequence[Trial], objective: Objective, cap: int) -> list[Trial]:
    """At most `cap` rows in trial order: the best ones (feasible first, then objective) and the latest others.

    Rows that are never told (DATA_MISMATCH) do not count.
    """
    rows = [trial for trial in finished if trial.outcome.kind is not Kind.DATA_MISMATCH]
    if len(rows) <= cap:
        return rows
    kept: History[Trial] = History(objective, cap)
    for trial in rows:
        kept.add(trial, trial)
    return kept.rows()


class History(Generic[Item]):
    """The best and the latest of all rows added, in trial order, at a cost that does not grow with their number."""

    def __init__(self, objective: Objective, cap: int) -> None:
        self._objective, self._cap = objective, cap
        several = len(objective.goals) > 1
        self._best: Best[Item] = Best(-(-cap // SHARE) if several else min(BEST, cap), several)
        self._latest: deque[tuple[int, Item]] = deque(maxlen=cap)

    def add(self, trial: Trial, item: Item) -> None:
        """Adds what stands for `trial`, whose number is larger than those before."""
        order = self._objective.order(trial)
        losses = None if order[0] > 0 else np.array(self._objective.losses(trial))
        self._best.add(trial.number, item, order, losses)
        self._latest.append((trial.number, item))

    def rows(self) -> list[Item]:
        """At most `cap` of them."""
        kept = dict(self._best.rows())
        for number, item in reversed(self._latest):
            if len(kept) >= self._cap:
                break
            kept[number] = item
        return [kept[number] for number in sorted(kept)]


class Best(Generic[Item]):
    """The best `size` of all rows added: feasible first, then the objective, of several the non-domination rank.

    Of several objectives a row can come back once those before it are dominated. It is kept while fewer than `size`
    rows precede it for ever: those that dominate it, and those equal to it that came first.
    """

    def __init__(self, size: int, several: bool) -> None:
        self._size, self._several = size, several
        self._sorted: list[tuple[tuple[float, ...], int, Item]] = []
        self._feasible: list[tuple[int, Item]] = []
        self._losses = np.empty((0, 0))
        self._ahead = np.empty(0, dtype=np.intp)
        """How many rows precede each feasible one for ever."""

    def add(self, number: int, item: Item, order: tuple[float, ...], losses: np.ndarray | None) -> None:
        """Adds a row: its place among those of one objective, and its objectives, lower is better, if it is feasible."""
        if self._several and losses is not None:
            self._add_feasible(number, item, losses)
        elif len(self._sorted) < self._size or order < self._sorted[-1][0]:
            insort(self._sorted, (order, number, item), key=lambda entry: entry[0])
            del self._sorted[self._size :]

    def _add_feasible(self, number: int, item: Item, losses: np.ndarray) -> None:
        known = self._losses.reshape(-1, len(losses))
        ahead = int((known <= losses).all(axis=1).sum())
        if ahead >= self._size:
            return
        self._ahead += (losses <= known).all(axis=1) & (losses < known).any(axis=1)
        kept = self._ahead < self._size
        self._feasible = [row for row, keep in zip(self._feasible, kept.tolist(), strict=True) if keep]
        self._feasible.append((number, item))
        self._losses = np.concatenate([known[kept], losses[np.newaxis]])
        self._ahead = np.append(self._ahead[kept], ahead)

    def rows(self) -> list[tuple[int, Item]]:
        """Numbers and rows of the best, in no particular order."""
        chosen: list[tuple[int, Item]] = []
        if self._feasible:
            rank = ranks(self._losses, self._size)
            leading = np.argsort(rank, kind="stable")[: self._size]
            chosen = [self._feasible[i] for i in leading.tolist()]
        left = self._size - len(chosen)
        return chosen + [(number, item) for _, number, item in self._sorted[:left]]
