"""Samplers of Optuna, asked through a study that lives for one batch.

The study is filled with what the batch may see: finished rows with their states, values and violations, pending parameter
sets as RUNNING. Nothing of it is kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.errors import SweepError, error
from sweep.samplers.adaptive import RETRIES, AdaptiveSampler
from sweep.samplers.base import Settings, View
from sweep.samplers.history import history
from sweep.samplers.told import State, tell
from sweep.space import Candidate, Coordinate, Dimension, Point, Space

VERSION: Final = 1
"""Of all that is put around samplers of Optuna."""
_STATES: Final = {
    State.COMPLETE: TrialState.COMPLETE,
    State.PRUNED: TrialState.PRUNED,
    State.FAIL: TrialState.FAIL,
}

optuna.logging.set_verbosity(optuna.logging.WARNING)


def build(settings: Settings) -> AdaptiveSampler:
    """The sampler `optuna_tpe` of these settings."""

    def make(seed: int) -> BaseSampler:
        return optuna.samplers.TPESampler(
            multivariate=True,
            group=settings.space.conditional,
            constant_liar=True,
            n_startup_trials=0,
            seed=seed,
        )

    return AdaptiveSampler(settings, OptunaModel(settings, make), name="optuna_tpe", version=VERSION)


def distribution(dimension: Dimension) -> BaseDistribution:
    """How Optuna sees a dimension: grid indices, categories of indices, or the continuous range itself."""
    if dimension.values is None:
        assert dimension.low is not None
        assert dimension.high is not None
        return FloatDistribution(float(dimension.low), float(dimension.high), log=dimension.log)
    size = dimension.values.size
    if dimension.log:
        low = int(dimension.low or 0)
        return IntDistribution(low, low + size - 1, log=True)
    if dimension.kind == "categorical" and not dimension.ordered:
        return CategoricalDistribution(tuple(range(size)))
    return IntDistribution(0, size - 1)


def to_optuna(dimension: Dimension, coordinate: Coordinate) -> int | float:
    """A coordinate in the units of `distribution`: log ints are values there, everything else is a coordinate."""
    if dimension.values is not None and dimension.log:
        return int(dimension.low or 0) + int(coordinate)
    return coordinate


def from_optuna(dimension: Dimension, suggested: Any) -> Coordinate:
    """The way back."""
    if dimension.values is None:
        return float(suggested)
    return int(suggested) - (int(dimension.low or 0) if dimension.log else 0)


class OptunaModel:
    """A sampler of Optuna's, made anew for every batch.

    Args:
        make: gives the sampler of a seed below 2³².
        capped: whether only `settings.history` rows are told.
        attributes: system attributes of every told row.
    """

    def __init__(
        self,
        settings: Settings,
        make: Callable[[int], BaseSampler],
        *,
        capped: bool = True,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._make = make
        self._capped = capped
        self._attributes = dict(attributes or {})
        self._space: Space = settings.space
        self._distributions = {d.name: distribution(d) for d in self._space.dimensions}

    def ask(
        self, batch_seed: int, count: int, view: View, pending: Sequence[Candidate], known: Set[str]
    ) -> list[Candidate | None]:
        """See `Model.ask`. Raises [2000] with whatever else the sampler raises."""
        taken = {candidate.key for candidate in pending}
        running = [*view.pending, *(candidate.params for candidate in pending)]
        told = [*self._finished(view), *self._running(running)]
        try:
            study = self._study(batch_seed)
            study.add_trials(told)
            return self._ask_all(study, count, known, taken)
        except SweepError:
            raise
        except Exception as problem:  # a sampler of anybody's may raise anything
            raise error(
                2000,
                f"the sampler failed: {type(problem).__name__}: {problem}",
                where="search.sampler",
                remedy="change its options or the space, or use another",
                stage="engine",
            ) from problem

    def _ask_all(
        self, study: optuna.Study, count: int, known: Set[str], taken: set[str]
    ) -> list[Candidate | None]:
        found: list[Candidate | None] = []
        for _ in range(count):
            candidate = self._ask_one(study, known, taken)
            if candidate is not None:
                taken.add(candidate.key)
            found.append(candidate)
        return found

    def _study(self, batch_seed: int) -> optuna.Study:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = self._make(batch_seed % 2**32)
        return optuna.create_study(sampler=sampler, directions=list(self._settings.objective.directions))

    def _finished(self, view: View) -> list[FrozenTrial]:
        objective = self._settings.objective
        cap = self._settings.history if self._capped else len(view.finished)
        rows = history(view.finished, objective, cap)
        made = []
        for trial, coordinates in zip(rows, self._decode([t.proposal.params for t in rows]), strict=True):
            told = tell(trial, objective)
            if told is not None:
                made.append(
                    create_trial(
                        state=_STATES[told.state],
                        values=None if told.values is None else list(told.values),
                        params=coordinates,
                        distributions={name: self._distributions[name] for name in coordinates},
                        intermediate_values=dict(told.intermediate),
                        constraints=dict(told.violations),
                        system_attrs=dict(self._attributes),
                    )
                )
        return made

    def _running(self, params_list: Sequence[Mapping[str, Any]]) -> list[FrozenTrial]:
        return [
            create_trial(
                state=TrialState.RUNNING,
                params=coordinates,
                distributions={name: self._distributions[name] for name in coordinates},
            )
            for coordinates in self._decode(params_list)
        ]

    def _decode(self, params_list: Sequence[Mapping[str, Any]]) -> list[dict[str, int | float]]:
        dimensions = {dimension.name: dimension for dimension in self._space.dimensions}
        return [
            {name: to_optuna(dimensions[name], coordinate) for name, coordinate in coordinates.items()}
            for coordinates in self._space.decode(params_list)
        ]

    def _ask_one(self, study: optuna.Study, known: Set[str], taken: set[str]) -> Candidate | None:
        """One valid, new candidate; a bad one is told FAIL and asked again, RETRIES times."""
        for _ in range(RETRIES + 1):
            trial = study.ask()
            candidate = self._space.evaluate([self._suggest(trial)])[0].candidate
            if candidate is not None and candidate.key not in known and candidate.key not in taken:
                return candidate
            study.tell(trial, state=TrialState.FAIL)
        return None

    def _suggest(self, trial: optuna.Trial) -> Point:
        """Suggestions for the active parameters, in rounds: a condition is known once what it reads is suggested."""
        dimensions = self._space.dimensions
        point: list[Coordinate | None] = [None] * len(dimensions)
        wanted = [i for i, dimension in enumerate(dimensions) if not dimension.conditional]
        while True:
            for i in wanted:
                point[i] = from_optuna(dimensions[i], self._suggest_one(trial, dimensions[i]))
            if not self._space.conditional or all(coordinate is not None for coordinate in point):
                break
            evaluation = self._space.evaluate([self._complete(point)])[0]
            open_ones = [i for i, coordinate in enumerate(point) if coordinate is None]
            reached = [i for i in open_ones if i not in evaluation.inactive]
            if not reached:
                break
            wanted = reached[:1] if evaluation.decided else open_ones
        return self._complete(point)

    def _suggest_one(self, trial: optuna.Trial, dimension: Dimension) -> Any:
        name, known = dimension.name, self._distributions[dimension.name]
        if isinstance(known, FloatDistribution):
            return trial.suggest_float(name, known.low, known.high, log=known.log)
        if isinstance(known, IntDistribution):
            return trial.suggest_int(name, known.low, known.high, log=known.log)
        assert isinstance(known, CategoricalDistribution)
        return trial.suggest_categorical(name, known.choices)

    def _complete(self, point: Sequence[Coordinate | None]) -> Point:
        pairs = zip(self._space.dimensions, point, strict=True)
        return tuple(d.from_unit(0.0) if coordinate is None else coordinate for d, coordinate in pairs)
