"""The sampler `cmaes`: one optimiser of the package `cmaes`, folded over the ledger from batch 0.

At batch k the generator is seeded anew and a batch is asked; before that, every population of the batches up to k − lag is
told, in trial order. What is told are ranks: any strictly increasing change of the objective leaves the search alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from cmaes import CMA, CMAwM
from numpy.typing import NDArray

from sweep.errors import error
from sweep.objective import Objective
from sweep.samplers.adaptive import RETRIES, AdaptiveSampler
from sweep.samplers.base import Prefix, Settings, View
from sweep.samplers.start_points import start_points
from sweep.seeds import seed as derive
from sweep.space import Candidate, Coordinate, Dimension, Space
from sweep.types import Trial

VERSION: Final = 1
POPULATION: Final = 32
"""Size of a population where it divides the batch."""
_LEAST: Final = 4
"""Smaller populations have no second-best point to learn a covariance from."""
_SIGMA: Final = 1 / 6
"""Initial standard deviation, as a share of each range."""
_DIGITS: Final = 9
"""Decimals of a point in units of the ranges: what lies below depends on the processor and its libraries."""

Array = NDArray[np.float64]


def build(settings: Settings) -> AdaptiveSampler:
    """The sampler of these settings; [1006] for spaces, objectives and batches that it cannot search."""
    _check(settings)
    return AdaptiveSampler(settings, CmaesModel(settings), name="cmaes", version=VERSION, n_startup=0)


def _check(settings: Settings) -> None:
    if len(settings.objective.goals) > 1:
        raise error(
            1006,
            "cmaes searches for one objective",
            where="search.sampler",
            remedy="keep one objective, or use tpe or nsga2",
        )
    for dimension in settings.space.dimensions:
        if dimension.conditional or not dimension.ordered:
            what = "is conditional" if dimension.conditional else "has no order"
            remedy = "use tpe, or pin it" + ("" if dimension.conditional else ", or write ordered: true")
            raise error(
                1006,
                f"{dimension.name} {what}, and cmaes needs numbers or ordered choices",
                where=f"search.space.{dimension.name}",
                remedy=remedy,
            )
    if not settings.space.dimensions:
        raise error(1006, "nothing is searched", where="search.space", remedy="give a parameter a range")
    if settings.batch_size < _LEAST:
        raise error(
            1006,
            f"cmaes needs batches of at least {_LEAST} trials, not {settings.batch_size}",
            where="search.batch_size",
            remedy="use 32, or a multiple of it",
        )


@dataclass(frozen=True, slots=True)
class Axis:
    """A dimension as the optimiser sees it: its range is 0 … 1."""

    dimension: Dimension

    @property
    def step(self) -> float:
        """Distance of neighbours on a grid; 0 where numbers are continuous, as the logarithm of an integer is."""
        size = self.dimension.size
        return 0.0 if size is None or self.dimension.log else 1.0 / (size - 1)

    def coordinate(self, x: float) -> Coordinate:
        """The coordinate at x in 0 … 1."""
        if self.step:
            return round(x / self.step)
        return self.dimension.from_unit(x)

    def position(self, coordinate: Coordinate) -> float:
        """Where a coordinate lies in 0 … 1."""
        if self.step:
            return coordinate * self.step
        assert self.dimension.low is not None
        assert self.dimension.high is not None
        low, high = float(self.dimension.low), float(self.dimension.high)
        value = float(coordinate)
        if self.dimension.size is not None:
            low, high, value = low - 0.5, high + 0.5, low + value
        if self.dimension.log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)


class Optimiser:
    """`CMAwM`, or `CMA` if no axis is stepped, over the unit cube."""

    def __init__(self, axes: Sequence[Axis], population: int) -> None:
        self.population = population
        steps = np.array([axis.step for axis in axes])
        centre = np.full(len(axes), 0.5)
        bounds = np.tile([0.0, 1.0], (len(axes), 1))
        options: dict[str, Any] = {"sigma": _SIGMA, "bounds": bounds, "population_size": population}
        self._cma: CMA | CMAwM = (
            CMAwM(centre, steps=steps, **options) if (steps > 0).any() else CMA(centre, **options)
        )

    def reseed(self, seed: int) -> None:
        """Makes the points that follow a function of `seed` and what has been told."""
        self._cma.reseed_rng(seed)

    def ask(self) -> tuple[Array, Array]:
        """A point of the space, and the one to tell for it."""
        if isinstance(self._cma, CMAwM):
            seen, raw = self._cma.ask()
        else:
            seen = raw = self._cma.ask()
        return seen.round(_DIGITS), raw.round(_DIGITS)

    def tell(self, points: Sequence[Array]) -> bool:
        """Tells one population, the best point first; False if the optimiser has nothing more to give.

        It has converged or diverged then, by the criteria of the package.
        """
        with np.errstate(all="ignore"):
            try:
                self._cma.tell([(point, float(rank)) for rank, point in enumerate(points)])
                return bool(np.isfinite(self._cma.mean).all()) and not self._cma.should_stop()
            except np.linalg.LinAlgError:
                return False


@dataclass(frozen=True, slots=True)
class Asked:
    """A point that an optimiser gave, and the parameter set that it became."""

    raw: Array
    candidate: Candidate


@dataclass(slots=True)
class Batch:
    """What was asked for one batch: None where nothing new was found."""

    optimiser: Optimiser
    first: int
    """Trials of the batch before these: start points."""
    asked: list[Asked | None]


@dataclass(slots=True)
class Fold:
    """The optimiser after some batches, and the points of those that are still to be told."""

    optimiser: Optimiser
    told: int = 0
    """Batches told, from batch 0."""
    batches: dict[int, Batch] = field(default_factory=dict)

    def reaches(self, batches: int) -> bool:
        """Whether it can be told all batches up to this number."""
        return self.told <= batches and all(k in self.batches for k in range(self.told, batches))


class CmaesModel:
    """The part of the sampler that learns."""

    def __init__(self, settings: Settings) -> None:
        self._space: Space = settings.space
        self._objective: Objective = settings.objective
        self._seed, self._size, self._lag = settings.seed, settings.batch_size, settings.lag
        self._axes = [Axis(dimension) for dimension in self._space.dimensions]
        start, _ = start_points(self._space, settings.start_points)
        self._start = [candidate.key for candidate in start]
        self._kept: tuple[Sequence[Trial], Fold] | None = None
        """The last fold and its ledger: a cache, and nothing else."""

    @property
    def population(self) -> int:
        """Points told at a time."""
        return POPULATION if self._size % POPULATION == 0 else self._size

    def ask(
        self, batch_seed: int, count: int, view: View, pending: Sequence[Candidate], known: Set[str]
    ) -> list[Candidate | None]:
        """See `Model.ask`."""
        fold = self._fold(view.finished)
        k = (len(view.finished) + len(view.pending)) // self._size
        fold.batches[k] = self._batch(fold.optimiser, batch_seed, len(pending), count, known)
        return [None if asked is None else asked.candidate for asked in fold.batches[k].asked]

    def _fold(self, finished: Sequence[Trial]) -> Fold:
        """The optimiser after all finished batches; the one of the last call is carried on if it can be."""
        batches = len(finished) // self._size
        ledger = finished.ledger if isinstance(finished, Prefix) else None
        kept = self._kept
        if kept is not None and kept[0] is ledger and kept[1].reaches(batches):
            fold = kept[1]
        else:
            fold = self._replayed(finished, batches)
        self._tell(fold, finished, batches)
        self._kept = None if ledger is None else (ledger, fold)
        return fold

    def _replayed(self, finished: Sequence[Trial], batches: int) -> Fold:
        """A fold made anew, with the points of all these batches asked again."""
        fold = Fold(self._new())
        known = set(self._start)
        for k in range(batches):
            self._tell(fold, finished, k - self._lag + 1)
            first = min(max(len(self._start) - k * self._size, 0), self._size)
            batch_seed = derive(self._seed, "sampler", k)
            fold.batches[k] = self._batch(fold.optimiser, batch_seed, first, self._size - first, known)
            known.update(trial.proposal.key for trial in finished[k * self._size : (k + 1) * self._size])
        return fold

    def _new(self) -> Optimiser:
        return Optimiser(self._axes, self.population)

    def _batch(self, optimiser: Optimiser, batch_seed: int, first: int, count: int, known: Set[str]) -> Batch:
        """Asks `count` points; the invalid and repeated ones are asked again, all of them once per round."""
        optimiser.reseed(batch_seed % 2**32)
        asked: list[Asked | None] = [None] * count
        waiting = list(range(count))
        taken: set[str] = set()
        for _ in range(RETRIES + 1):
            drawn = [optimiser.ask() for _ in waiting]
            evaluations = self._space.evaluate([self._point(seen) for seen, _ in drawn])
            for place, (_, raw), evaluation in zip(waiting, drawn, evaluations, strict=True):
                found = evaluation.candidate
                if found is not None and found.key not in known and found.key not in taken:
                    taken.add(found.key)
                    asked[place] = Asked(raw, found)
            waiting = [place for place in waiting if asked[place] is None]
            if not waiting:
                break
        return Batch(optimiser, first, asked)

    def _point(self, seen: Array) -> tuple[Coordinate, ...]:
        return tuple(axis.coordinate(x) for axis, x in zip(self._axes, seen.tolist(), strict=True))

    def _tell(self, fold: Fold, finished: Sequence[Trial], batches: int) -> None:
        """Tells every population of the batches before `batches` that has not been told.

        An optimiser that has ended makes way for a new one, which is not told the points of the old.
        """
        for k in range(fold.told, batches):
            batch = fold.batches.pop(k)
            trials = finished[k * self._size : (k + 1) * self._size]
            points = dict(zip((trial.number for trial in trials), self._told(batch, trials), strict=True))
            for start in range(0, self._size, self.population):
                if batch.optimiser is not fold.optimiser:
                    break
                ranked = self._objective.rank(trials[start : start + self.population])
                if not fold.optimiser.tell([points[trial.number] for trial in ranked]):
                    fold.optimiser = self._new()
            fold.told = k + 1

    def _told(self, batch: Batch, trials: Sequence[Trial]) -> Iterator[Array]:
        """Points to tell: as they were asked, or for start points and fallbacks where they lie."""
        own = iter(self._positions(trials))
        for place, trial in enumerate(trials):
            position = next(own)
            asked = batch.asked[place - batch.first] if place >= batch.first else None
            yield position if asked is None or asked.candidate.key != trial.proposal.key else asked.raw

    def _positions(self, trials: Sequence[Trial]) -> list[Array]:
        centre = [axis.coordinate(0.5) for axis in self._axes]
        return [
            np.array(
                [
                    axis.position(found.get(axis.dimension.name, middle))
                    for axis, middle in zip(self._axes, centre, strict=True)
                ]
            )
            for found in self._space.decode([trial.proposal.params for trial in trials])
        ]
