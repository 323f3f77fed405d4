"""What `tpe` remembers of a growing ledger, so that a batch costs the same however long the study is.

It is a cache and nothing else: a memory made anew from the same rows gives the same history.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sweep.objective import Objective
from sweep.samplers.base import Prefix
from sweep.samplers.history import History
from sweep.samplers.parzen import Axis
from sweep.samplers.split import Row, lesson
from sweep.samplers.told import tell
from sweep.space import Space
from sweep.types import ParamValue, Trial


class Memory:
    """Rows as the estimator takes them, read once each.

    Args:
        axes: one per dimension of the space.
        cap: most rows of a history.
    """

    def __init__(self, space: Space, axes: Sequence[Axis], objective: Objective, cap: int) -> None:
        self._space, self._axes, self._objective, self._cap = space, tuple(axes), objective, cap
        self._ledger: Sequence[Trial] | None = None
        self._seen = 0
        self._history = self._empty()

    def history(self, finished: Sequence[Trial]) -> list[Row]:
        """At most `cap` rows in trial order: the best ones and the latest others.

        Only rows that are new since the last call are read if `finished` is a longer prefix of the same ledger, else all.
        """
        ledger = finished.ledger if isinstance(finished, Prefix) else None
        if ledger is None or ledger is not self._ledger or len(finished) < self._seen:
            self._ledger, self._seen, self._history = ledger, 0, self._empty()
        new = [finished[i] for i in range(self._seen, len(finished))]
        self._seen = len(finished)
        for row in self._read(new):
            self._history.add(row)
        return self._history.rows()

    def points(self, params: Sequence[Mapping[str, ParamValue]]) -> list[tuple[float, ...]]:
        """Canonical parameter sets as points; NaN where a parameter is inactive."""
        pairs = [(d.name, axis) for d, axis in zip(self._space.dimensions, self._axes, strict=True)]
        return [
            tuple(axis.encode(found[name]) if name in found else math.nan for name, axis in pairs)
            for found in self._space.decode(params)
        ]

    def _empty(self) -> History:
        return History(self._cap, several=len(self._objective.goals) > 1)

    def _read(self, trials: Sequence[Trial]) -> list[Row]:
        told = [(trial, tell(trial, self._objective)) for trial in trials]
        kept = [(trial, what) for trial, what in told if what is not None]
        points = self.points([trial.proposal.params for trial, _ in kept])
        directions = self._objective.directions
        return [
            Row(trial.number, *lesson(what, directions), point)
            for (trial, what), point in zip(kept, points, strict=True)
        ]
