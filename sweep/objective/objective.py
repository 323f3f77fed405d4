"""What a study looks for: grades results, compares and ranks trials. A failure is never a score."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np

from sweep.errors import error
from sweep.expressions import Expression
from sweep.objective.constraint import Metrics, ResultConstraint, number
from sweep.objective.pareto import ranks
from sweep.types import INFEASIBLE_RESULTS, KIND, LEVELS, STATUS, Kind, Outcome, Status, Trial

Direction = Literal["maximize", "minimize"]
TRADES: Final = "total_trades"
PARAMETERS: Final = "parameters"
"""Key of the violation of a set that strategy or engine refused although all constraints hold."""
MOST: Final = 3
"""Objectives of a study at most."""
_DEFAULT: Final[Mapping[str, Any]] = {"metric": "t_stat_r", "direction": "maximize"}
_RANK_BY: Final = "search.rank_by"
_KEYS: Final = frozenset({"metric", "expr", "direction", "name"})


@dataclass(frozen=True, slots=True)
class Goal:
    """One objective: a metric or an expression over metrics, with its direction."""

    name: str
    expression: Expression
    direction: Direction


@dataclass(frozen=True)
class Objective:
    """Objectives, result constraints and the least number of trades of a study.

    One objective has a best trial; several have a front, and a candidate of it where `rank_by` says which.
    """

    goals: tuple[Goal, ...]
    constraints: tuple[ResultConstraint, ...]
    min_trades: int
    rank_by: Goal | None = None
    """Orders the front of several objectives; enters neither proposals nor identities."""

    @staticmethod
    def build(
        objectives: Sequence[Mapping[str, Any]] | Mapping[str, Any] = (),
        constraints: Sequence[str | Mapping[str, Any]] = (),
        min_trades: int = 30,
        *,
        rank_by: Mapping[str, Any] | None = None,
        metrics: Collection[str] | None = None,
    ) -> Objective:
        """Builds and checks; names are validated against `metrics`, the engine's catalogue by default.

        A constraint `total_trades >= v` sets min_trades.

        Raises:
            SweepError: [1001] [1003] [1004] [1006] [1008] for mistakes.
        """
        listed = [objectives] if isinstance(objectives, Mapping) else list(objectives)
        goals = tuple(_goal(form) for form in listed or [_DEFAULT])
        _check_goals(goals, rank_by)
        parsed = [ResultConstraint.parse(form) for form in constraints]
        for bound in [c for c in parsed if _sets_min_trades(c)]:
            min_trades = math.ceil(bound.value)
        if min_trades < 0:
            raise error(
                1003,
                f"min_trades is {min_trades!r}",
                where="min_trades",
                remedy="give an integer of 0 or more",
            )
        kept = tuple(c for c in parsed if not _sets_min_trades(c))
        made = Objective(goals, kept, min_trades, None if rank_by is None else _goal(rank_by, _RANK_BY))
        made._check_names(_catalogue() if metrics is None else metrics)
        return made

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each objective."""
        return tuple(goal.name for goal in self.goals)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """`maximize` or `minimize`, per objective."""
        return tuple(goal.direction for goal in self.goals)

    @property
    def several(self) -> bool:
        """Whether there is a front rather than one best trial."""
        return len(self.goals) > 1

    @property
    def ranked_by(self) -> Goal | None:
        """What ranks the best trials: the objective, or `rank_by` of several; None of several without it."""
        return self.rank_by if self.several else self.goals[0]

    @cached_property
    def constraint_names(self) -> tuple[str, ...]:
        """Keys of the violations of a complete trial: the least number of trades, then the configured order."""
        return (f"{TRADES} >= {self.min_trades}", *(constraint.text for constraint in self.constraints))

    def to_dict(self) -> dict[str, Any]:
        """JSON form; enters the study's snapshot."""
        return {
            "objectives": [
                {"name": goal.name, "expr": goal.expression.text, "direction": goal.direction}
                for goal in self.goals
            ],
            "constraints": [constraint.text for constraint in self.constraints],
            "min_trades": self.min_trades,
        }

    def grade(
        self, status: Status | str, kind: Kind | str | None, reason: str | None, metrics: Metrics
    ) -> Outcome:
        """The outcome of one engine row: `status`, `kind` and `reason` as the engine gave them, and its metrics.

        Trades are counted first, then the objective must be finite, then the constraints decide feasibility.
        """
        if STATUS[status] is not Status.COMPLETE:
            return self._not_complete(STATUS[status], None if kind is None else KIND[kind], reason)
        trades = number(metrics.get(TRADES))
        if trades is None:
            raise error(4004, f"a complete result without {TRADES}", where="objective", stage="engine")
        trades_key = self.constraint_names[0]
        if trades == 0:
            return self._infeasible(Kind.NO_TRADES, "no trades", {trades_key: 1.0})
        shortage = (self.min_trades - trades) / (self.min_trades or 1)
        if shortage > 0:
            text = f"{trades:.0f} trades, fewer than min_trades {self.min_trades}"
            return self._infeasible(Kind.TOO_FEW_TRADES, text, {trades_key: shortage})
        values = tuple(number(goal.expression.evaluate(metrics)) for goal in self.goals)
        for goal, value in zip(self.goals, values, strict=True):
            if value is None:
                return Outcome(
                    Status.FAILED,
                    Kind.NAN_METRIC,
                    False,
                    f"objective {goal.name} is undefined",
                    self._nothing(),
                    {},
                )
        violations = {trades_key: shortage}
        violations |= {constraint.text: constraint.violation(metrics) for constraint in self.constraints}
        broken = [text for text, violation in violations.items() if violation > 0]
        if broken:
            return Outcome(
                Status.COMPLETE, Kind.CONSTRAINT, False, f"violates {'; '.join(broken)}", values, violations
            )
        return Outcome(Status.COMPLETE, None, True, None, values, violations)

    def value(self, metrics: Metrics) -> float | None:
        """The first objective; None where it is undefined."""
        return number(self.goals[0].expression.evaluate(metrics))

    def rank(self, trials: Iterable[Trial]) -> list[Trial]:
        """Feasible by value, infeasible by total violation, pruned by level and value, failed; ties by number.

        Of several objectives the value is the non-domination rank, then what `rank_by` says of trials with metrics.
        """
        listed = list(trials)
        fronts = self._fronts(listed) if self.several else {}

        def order(trial: Trial) -> tuple[float, ...]:
            if trial.number in fronts:
                return 0, fronts[trial.number], *self._preference(trial), trial.number
            return *self._order(trial), trial.number

        return sorted(listed, key=order)

    def front(self, trials: Iterable[Trial]) -> list[Trial]:
        """The feasible complete trials that no other dominates, by number; of one objective the best one alone."""
        feasible = [trial for trial in trials if _scored(trial)]
        if not self.several:
            best = min(feasible, key=lambda trial: (*self._order(trial), trial.number), default=None)
            return [] if best is None else [best]
        fronts = self._fronts(feasible)
        return sorted((t for t in feasible if fronts[t.number] == 0), key=lambda trial: trial.number)

    def best(self, trials: Iterable[Trial]) -> Trial | None:
        """The feasible complete trial with the best value, tie: lower number; None without one.

        Of several objectives the one of the front that `rank_by` puts first, which its trials need metrics for; None
        without `rank_by`, or where it is undefined for all of them.
        """
        front = self.front(trials)
        if not self.several:
            return front[0] if front else None
        known = [trial for trial in front if self.preferred(trial) is not None]
        return min(known, key=lambda trial: (*self._preference(trial), trial.number), default=None)

    def preferred(self, trial: Trial) -> float | None:
        """What `rank_by` says of a trial with metrics; None without `rank_by`, or where it is undefined."""
        if self.rank_by is None or self.rank_by.expression.names - trial.metrics.keys():
            return None
        return number(self.rank_by.expression.evaluate(trial.metrics))

    def _check_names(self, metrics: Collection[str]) -> None:
        used = [("objective", goal.expression) for goal in self.goals]
        used += [("constraints", constraint.left) for constraint in self.constraints]
        used += [(_RANK_BY, goal.expression) for goal in [self.rank_by] if goal is not None]
        for where, expression in used:
            for name in sorted(expression.names - set(metrics)):
                raise error(1001, f"unknown metric {name}", where=where, remedy=_nearest(name, metrics))

    def _not_complete(self, status: Status, kind: Kind | None, reason: str | None) -> Outcome:
        if kind is Kind.INVALID_PARAMS:
            return self._infeasible(kind, reason or "refused by the strategy", {PARAMETERS: 2.0})
        return Outcome(status, kind, False, reason, self._nothing(), {})

    def _infeasible(self, kind: Kind, reason: str, violations: Mapping[str, float]) -> Outcome:
        return Outcome(Status.FAILED, kind, False, reason, self._nothing(), violations)

    def _nothing(self) -> tuple[float | None, ...]:
        return (None,) * len(self.goals)

    def _fronts(self, trials: Iterable[Trial]) -> dict[int, int]:
        """Non-domination rank by number of the feasible complete trials."""
        feasible = [trial for trial in trials if _scored(trial)]
        losses = np.array([self._losses(trial) for trial in feasible], dtype=np.float64)
        return dict(zip((trial.number for trial in feasible), ranks(losses).tolist(), strict=True))

    def _losses(self, trial: Trial) -> list[float]:
        values = zip(self.directions, trial.outcome.objectives, strict=True)
        return [_loss(direction, value) for direction, value in values]

    def _preference(self, trial: Trial) -> tuple[float, float]:
        """Order by `rank_by`; undefined last."""
        value = self.preferred(trial)
        return (
            (1, 0.0) if value is None or self.rank_by is None else (0, _loss(self.rank_by.direction, value))
        )

    def _order(self, trial: Trial) -> tuple[float, ...]:
        outcome = trial.outcome
        direction = self.goals[0].direction
        if _scored(trial):
            return 0, _loss(direction, outcome.objectives[0]), 0.0
        if outcome.status is Status.COMPLETE or outcome.kind in INFEASIBLE_RESULTS:
            return 1, outcome.total_violation, 0.0
        if outcome.status is Status.PRUNED:
            level = LEVELS.index(outcome.kind) if outcome.kind in LEVELS else -1
            return 2, -level, _loss(direction, trial.intermediate.get(str(level)))
        return 3, 0.0, 0.0


def _scored(trial: Trial) -> bool:
    outcome = trial.outcome
    return outcome.feasible and outcome.status is Status.COMPLETE and outcome.objectives[0] is not None


def _loss(direction: Direction, value: float | None) -> float:
    """The value turned so that lower is better."""
    if value is None:
        return math.inf
    return -value if direction == "maximize" else value


def _check_goals(goals: Sequence[Goal], rank_by: Mapping[str, Any] | None) -> None:
    if len(goals) > MOST:
        remedy = f"keep {MOST}, or make constraints of the others"
        raise error(1003, f"{len(goals)} objectives", where="objective", remedy=remedy)
    names = [goal.name for goal in goals]
    for name in names:
        if names.count(name) > 1:
            remedy = "leave one out, or give each a name"
            raise error(1006, f"two objectives are called {name}", where="objective", remedy=remedy)
    if rank_by is not None and len(goals) == 1:
        remedy = "leave it out: one objective ranks the trials itself"
        raise error(1006, "rank_by beside one objective", where=_RANK_BY, remedy=remedy)


def _goal(form: Mapping[str, Any], where: str = "objective") -> Goal:
    keys = {key for key, value in form.items() if value is not None}
    for key in sorted(keys - _KEYS):
        raise error(1001, f"unknown key {key}", where=where, remedy="use metric or expr, direction, name")
    if ("metric" in keys) == ("expr" in keys):
        raise error(1008, "an objective needs metric or expr, one of them", where=where, remedy="give one")
    direction = form.get("direction")
    if direction not in ("maximize", "minimize"):
        code = 1008 if direction is None else 1001
        what = "an objective without direction" if direction is None else f"unknown direction {direction!r}"
        raise error(code, what, where=f"{where}.direction", remedy="write direction: maximize or minimize")
    expression = Expression.parse(str(form.get("metric") or form["expr"]))
    if not expression.names:
        raise error(1001, f"`{expression.text}` names no metric", where=where, remedy="name a metric")
    return Goal(
        str(form.get("name") or expression.text),
        expression,
        "maximize" if direction == "maximize" else "minimize",
    )


def _nearest(name: str, metrics: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(metrics), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else "use a metric of the catalogue"


def _sets_min_trades(constraint: ResultConstraint) -> bool:
    return constraint.left.text == TRADES and constraint.op == ">="


def _catalogue() -> frozenset[str]:
    """Metric names of the native module, imported on first use."""
    import importlib

    return frozenset(entry["name"] for entry in json.loads(importlib.import_module("sweep._core").metrics()))
