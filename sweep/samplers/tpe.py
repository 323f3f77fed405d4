"""The sampler `tpe`: one pair of Parzen estimators per batch, all candidates of a batch drawn and scored at once.

Each trial of a batch has candidates of its own, 24 at a time, drawn from the good rows' estimator and ordered by
log l − log g; it takes the first that is valid and new. Trials of one batch do not see each other's candidates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Settings, View
from sweep.samplers.density import Densities
from sweep.samplers.memory import Memory
from sweep.samplers.parzen import Array, Axis, Parzen, recency, stacked
from sweep.samplers.split import Row, split
from sweep.space import Candidate, Dimension, Space

VERSION: Final = 2
CANDIDATES: Final = 24
ROUNDS: Final = 16
"""How often a trial draws candidates before it takes a fallback."""
_REMEMBERED: Final = 16_384
"""A space of so many points is judged once; in a larger one few points are met twice."""
_DIGITS: Final = 9
"""Scores are compared to so many decimals: what lies below depends on the processor and its libraries."""

Numbers = tuple[float, ...]
"""A point as the estimator sees it."""
Judged = dict[Numbers, Candidate | None]
"""What became of points: None where the space refuses them."""


def build(settings: Settings) -> AdaptiveSampler:
    """The sampler of these settings."""
    return AdaptiveSampler(settings, TpeModel(settings), name="tpe", version=VERSION)


def axis(dimension: Dimension) -> Axis:
    """How the estimator sees a dimension: a continuous range, grid indices, or unordered choices."""
    if dimension.values is None:
        assert dimension.low is not None
        assert dimension.high is not None
        return Axis("real", float(dimension.low), float(dimension.high), log=dimension.log)
    if dimension.kind == "categorical" and not dimension.ordered:
        return Axis("choice", size=dimension.values.size)
    first = int(dimension.low or 0) if dimension.log else 0
    return Axis.grid(dimension.values.size, log=dimension.log, first=first)


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that are active together, with the estimators of the good and the bad rows in which they are."""

    columns: tuple[int, ...]
    good: Parzen
    bad: Parzen
    densities: Densities
    """Of the good rows and the bad ones."""

    @classmethod
    def of(cls, columns: tuple[int, ...], good: Parzen, bad: Parzen) -> Self:
        """The group of these parameters."""
        return cls(columns, good, bad, Densities((good, bad)))


def groups(
    axes: Sequence[Axis], rows: Sequence[Row], pending: Sequence[tuple[float, ...]], objectives: int
) -> list[Group]:
    """The model of one batch: told rows in trial order, and the points of parameter sets whose results are not known."""
    good, bad = split(rows, objectives)
    points = stacked([*(row.point for row in (*good, *bad)), *pending], len(axes))
    liked, disliked = points[: len(good)], points[len(good) :]
    told = points[: len(good) + len(bad)]
    made = []
    for columns in together(~np.isnan(told)):
        chosen = [axes[i] for i in columns]
        below, above = _active(liked, columns), _active(disliked, columns)
        made.append(
            Group.of(
                columns,
                Parzen(chosen, below, np.ones(len(below))),
                Parzen(chosen, above, recency(len(above))),
            )
        )
    return made


def together(active: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Columns that are active in the same rows, in order; a column that never is stands alone."""
    found: dict[object, list[int]] = {}
    for i in range(active.shape[1]):
        column = active[:, i]
        found.setdefault(column.tobytes() if column.any() else i, []).append(i)
    return [tuple(columns) for columns in found.values()]


def _active(points: Array, columns: Sequence[int]) -> Array:
    chosen = points[:, columns]
    return chosen[~np.isnan(chosen).any(axis=1)]


class Candidates:
    """The candidates of all trials of a batch, drawn in rounds; those of one trial do not depend on the others."""

    def __init__(self, axes: Sequence[Axis], model: Sequence[Group], batch_seed: int) -> None:
        self._axes, self._model, self._seed = tuple(axes), model, batch_seed

    def draw(self, number: int, trials: Sequence[int]) -> Array:
        """Round `number` for some of the trials, ascending: trials × CANDIDATES × axes, the most promising first.

        Each group is ordered by itself: the first candidate joins the best of every group.
        """
        width = len(self._axes)
        draws = self._uniform(number, trials).reshape(len(trials) * CANDIDATES, 2 * width)
        points = np.empty((len(trials), CANDIDATES, width))
        for group in self._model:
            drawn = group.good.sample(draws[:, width + group.columns[0]], draws[:, group.columns])
            good, bad = group.densities.at(drawn)
            score = (good - bad).round(_DIGITS).reshape(len(trials), CANDIDATES)
            ranked = np.argsort(-score, axis=1, kind="stable")
            shaped = drawn.reshape(len(trials), CANDIDATES, -1)
            points[:, :, group.columns] = np.take_along_axis(shaped, ranked[:, :, np.newaxis], axis=1)
        return points

    def _uniform(self, number: int, trials: Sequence[int]) -> Array:
        """Of each trial its part of a round's stream: trials × CANDIDATES × two per axis."""
        shape = CANDIDATES, 2 * len(self._axes)
        stream = np.random.PCG64([self._seed, number]).advance(trials[0] * math.prod(shape))
        reached = np.random.Generator(stream).random((trials[-1] - trials[0] + 1, *shape))
        return reached[np.subtract(trials, trials[0])]


class TpeModel:
    """The part of the sampler that learns. What it keeps from batch to batch is a cache and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self._space: Space = settings.space
        self._objectives = len(settings.objective.goals)
        self._axes = [axis(dimension) for dimension in self._space.dimensions]
        self._memory = Memory(self._space, self._axes, settings.objective, settings.history)
        cardinality = self._space.cardinality
        self._few = cardinality is not None and cardinality <= _REMEMBERED
        self._judged: Judged = {}

    def ask(
        self, batch_seed: int, count: int, view: View, pending: Sequence[Candidate], known: Set[str]
    ) -> list[Candidate | None]:
        """See `Model.ask`."""
        rows = self._memory.history(view.finished)
        liars = self._memory.points([*view.pending, *(candidate.params for candidate in pending)])
        model = groups(self._axes, rows, liars, self._objectives)
        candidates = Candidates(self._axes, model, batch_seed)
        taken = {candidate.key for candidate in pending}
        judged = self._judged if self._few else {}
        return Choice(self._space, self._axes, candidates, count, known, judged).all(taken)


class Choice:
    """For every trial of a batch its first candidate that is valid and new, in trial order.

    Args:
        known: keys that earlier batches have used.
        judged: what became of points so far; grows.
    """

    def __init__(
        self,
        space: Space,
        axes: Sequence[Axis],
        candidates: Candidates,
        count: int,
        known: Set[str],
        judged: Judged,
    ) -> None:
        self._space, self._axes, self._candidates = space, tuple(axes), candidates
        self._known, self._judged = known, judged
        self._next = [0] * count
        """Of each trial, the candidate to look at next, counted over all rounds."""
        self._points: list[Array] = [np.empty((0, 0))] * count
        """Of each trial, the candidates of its current round, mostly looked at no further than the first."""
        self._found: list[Candidate | None] = [None] * count

    def all(self, taken: set[str]) -> list[Candidate | None]:
        """One candidate or None per trial, with keys new to `taken`, to which they are added."""
        count = len(self._next)
        self._advance(range(count))
        for trial in range(count):
            found = self._found[trial]
            while found is not None and found.key in taken:
                self._advance([trial])
                found = self._found[trial]
            if found is not None:
                taken.add(found.key)
        return self._found

    def _advance(self, trials: Sequence[int]) -> None:
        """Moves each of these trials to its next valid candidate that no earlier batch has used."""
        waiting = list(trials)
        while waiting:
            waiting = self._refill(waiting)
            self._judge([_numbers(self._points[trial][self._next[trial] % CANDIDATES]) for trial in waiting])
            waiting = [trial for trial in waiting if not self._find(trial)]

    def _refill(self, trials: Sequence[int]) -> list[int]:
        """Draws the next round for those that have looked at all of theirs; without those that have no round left."""
        left = []
        dry: dict[int, list[int]] = {}
        for trial in trials:
            number, place = divmod(self._next[trial], CANDIDATES)
            if number == ROUNDS:
                self._found[trial] = None
                continue
            left.append(trial)
            if place == 0:
                dry.setdefault(number, []).append(trial)
        for number, waiting in dry.items():
            for trial, points in zip(waiting, self._candidates.draw(number, waiting), strict=True):
                self._points[trial] = points
        return left

    def _judge(self, points: Sequence[Numbers]) -> None:
        """What becomes of points that have not been judged: a candidate if they are valid."""
        new = list(dict.fromkeys(point for point in points if point not in self._judged))
        if not new:
            return
        decoded = [
            tuple(axis.decode(number) for axis, number in zip(self._axes, point, strict=True))
            for point in new
        ]
        for point, evaluation in zip(new, self._space.evaluate(decoded), strict=True):
            self._judged[point] = evaluation.candidate

    def _find(self, trial: int) -> bool:
        """Moves a trial on, as far as its round is judged; whether it has come to a candidate that is new."""
        for row in self._points[trial][self._next[trial] % CANDIDATES :]:
            point = _numbers(row)
            if point not in self._judged:
                return False
            self._next[trial] += 1
            found = self._judged[point]
            if found is not None and found.key not in self._known:
                self._found[trial] = found
                return True
        return False


def _numbers(row: Array) -> Numbers:
    return tuple(row.tolist())
