"""The estimator of `tpe` as a sampler of Optuna: for plain `optuna.create_study`, asked one trial at a time."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np
from optuna import Study
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from sweep.samplers.history import History
from sweep.samplers.parzen import Axis
from sweep.samplers.split import Row, lesson
from sweep.samplers.told import State, Told
from sweep.samplers.tpe import ROUNDS, Candidates, groups
from sweep.seeds import seed as derive
from sweep.seeds import units

_STATES = {
    TrialState.COMPLETE: State.COMPLETE,
    TrialState.PRUNED: State.PRUNED,
    TrialState.FAIL: State.FAIL,
}


class TpeSampler(BaseSampler):
    """Multivariate TPE with pending trials as bad ones, grouped where parameters are conditional: batches of one.

    What it suggests is a function of the seed, the trial's number, and what the study holds, so studies with a seed can
    be repeated, and several threads or processes on one study do not suggest the same. Constraints are those of
    `trial.set_constraint`. A set of parameters that
    the study holds already is suggested again only if 16 rounds of 24 candidates have nothing else.

    Args:
        seed: of all draws; None takes a random one.
        n_startup_trials: random suggestions until so many trials are COMPLETE or PRUNED.
        history: most finished trials that the estimators are made of: the best ones and the latest.

    Example:
        study = optuna.create_study(sampler=sweep.samplers.TpeSampler(seed=1))
    """

    def __init__(self, *, seed: int | None = None, n_startup_trials: int = 10, history: int = 300) -> None:
        if history < 1 or n_startup_trials < 0:
            raise ValueError(
                f"history {history} must be at least 1, n_startup_trials {n_startup_trials} at least 0"
            )
        self._seed = secrets.randbits(64) if seed is None else seed
        self._n_startup_trials = n_startup_trials
        self._history = history

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Parameters of finished trials whose range is the same in all of them and has more than one value."""
        found: dict[str, BaseDistribution] = {}
        moved: set[str] = set()
        for each in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
            for name, distribution in each.distributions.items():
                if found.setdefault(name, distribution) != distribution:
                    moved.add(name)
        return {
            name: distribution
            for name, distribution in found.items()
            if name not in moved and not distribution.single()
        }

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The best new candidate of all parameters at once; nothing during the start-up."""
        if not search_space or self._starting(study):
            return {}
        parameters = [_parameter(name, distribution) for name, distribution in search_space.items()]
        names = list(search_space)
        known = {tuple(each.params.get(name) for name in names) for each in study.get_trials(deepcopy=False)}
        best: tuple[Any, ...] | None = None
        for values in self._candidates(study, trial, parameters, derive(self._seed, "sampler", trial.number)):
            best = best or values
            if values not in known:
                best = values
                break
        return dict(zip(names, best or (), strict=True))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The best candidate of one parameter; a random value during the start-up."""
        parameter = _parameter(param_name, param_distribution)
        if param_distribution.single() or self._starting(study):
            (u,) = units(self._seed, "random", trial.number, 1, [param_name])
            return parameter.external(parameter.from_unit(float(u[0])))
        batch_seed = derive(self._seed, "sampler", trial.number, param_name.replace("|", "/"))
        return next(self._candidates(study, trial, [parameter], batch_seed))[0]

    def reseed_rng(self) -> None:
        """Nothing to do: draws differ by the trial's number, not by the sampler's past."""

    def _starting(self, study: Study) -> bool:
        usable = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        return len(usable) < self._n_startup_trials

    def _candidates(
        self, study: Study, trial: FrozenTrial, parameters: Sequence[_Parameter], batch_seed: int
    ) -> Iterator[tuple[Any, ...]]:
        """Values of candidates, the most promising of each round first."""
        axes = [parameter.axis for parameter in parameters]
        directions = [direction.name.lower() for direction in study.directions]
        kept = History(self._history, several=len(directions) > 1)
        trials = study.get_trials(deepcopy=False)
        for each in trials:
            if each.state in _STATES:
                kept.add(Row(each.number, *lesson(_told(each), directions), ()))
        rows = [replace(row, point=_point(parameters, trials[row.number].params)) for row in kept.rows()]
        pending = [
            _point(parameters, each.params)
            for each in trials
            if each.state is TrialState.RUNNING and each.number != trial.number
        ]
        drawn = Candidates(axes, groups(axes, rows, pending, len(directions)), batch_seed)
        for number in range(ROUNDS):
            for point in drawn.draw(number, [0])[0].tolist():
                yield tuple(p.external(number) for p, number in zip(parameters, point, strict=True))


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of a study: its distribution, and the axis that the estimator sees."""

    name: str
    distribution: BaseDistribution
    axis: Axis

    def number(self, value: Any) -> float:
        """The number of a value in points; NaN for one that the distribution does not contain."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return float(distribution.to_internal_repr(value))
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        if not distribution.low <= value <= distribution.high:
            return math.nan
        if _endless(distribution):
            return self.axis.encode(value)
        return self.axis.encode(round((value - distribution.low) / (distribution.step or 1)))

    def external(self, number: float) -> Any:
        """The value of a number."""
        coordinate = self.axis.decode(number)
        if isinstance(self.distribution, CategoricalDistribution):
            return self.distribution.choices[int(coordinate)]
        if _endless(self.distribution):
            return coordinate
        assert isinstance(self.distribution, FloatDistribution | IntDistribution)
        value = self.distribution.low + coordinate * (self.distribution.step or 1)
        return min(value, self.distribution.high)

    def from_unit(self, u: float) -> float:
        """The number at u in [0, 1), even over the values or the range, or the logarithm of the range."""
        if self.axis.kind == "choice":
            return float(math.floor(u * self.axis.size))
        low, high = self.axis.ends()
        return float(self.axis.nearest(np.array([low + u * (high - low)]))[0])


def _endless(distribution: BaseDistribution) -> TypeGuard[FloatDistribution]:
    return isinstance(distribution, FloatDistribution) and distribution.step is None


def _parameter(name: str, distribution: BaseDistribution) -> _Parameter:
    if isinstance(distribution, CategoricalDistribution):
        axis = Axis("choice", size=len(distribution.choices))
    elif _endless(distribution):
        axis = Axis("real", distribution.low, distribution.high, log=distribution.log)
    else:
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        size = round((distribution.high - distribution.low) / (distribution.step or 1)) + 1
        first = int(distribution.low) if distribution.log else 0
        axis = Axis.grid(size, log=distribution.log, first=first)
    return _Parameter(name, distribution, axis)


def _point(parameters: Sequence[_Parameter], values: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(p.number(values[p.name]) if p.name in values else math.nan for p in parameters)


def _told(trial: FrozenTrial) -> Told:
    values = None if trial.state is not TrialState.COMPLETE else tuple(trial.values)
    return Told(_STATES[trial.state], values, trial.constraints, trial.intermediate_values)
