"""What a study looks for: grades results, compares and ranks trials. A failure is never a score."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from sweep.errors import error, not_built
from sweep.expressions import Expression
from sweep.objective.constraint import Metrics, ResultConstraint, number
from sweep.types import INFEASIBLE_RESULTS, Kind, Outcome, Status, Trial

Direction = Literal["maximize", "minimize"]
TRADES: Final = "total_trades"
PARAMETERS: Final = "parameters"
"""Key of the violation of a set that strategy or engine refused although all constraints hold."""
_DEFAULT: Final[Mapping[str, Any]] = {"metric": "t_stat_r", "direction": "maximize"}
_KEYS: Final = frozenset({"metric", "expr", "direction", "name"})


@dataclass(frozen=True, slots=True)
class Goal:
    """One objective: a metric or an expression over metrics, with its direction."""

    name: str
    expression: Expression
    direction: Direction


@dataclass(frozen=True)
class Objective:
    """Objective, result constraints and the least number of trades of a study."""

    goals: tuple[Goal, ...]
    constraints: tuple[ResultConstraint, ...]
    min_trades: int

    @staticmethod
    def build(
        objectives: Sequence[Mapping[str, Any]] | Mapping[str, Any] = (),
        constraints: Sequence[str | Mapping[str, Any]] = (),
        min_trades: int = 30,
        *,
        metrics: Collection[str] | None = None,
    ) -> Objective:
        """Builds and checks; names are validated against `metrics`, the engine's catalogue by default.

        A constraint `total_trades >= v` sets min_trades.

        Raises:
            SweepError: [1001] [1003] [1004] [1008] for mistakes, [4001] for more than one objective.
        """
        listed = [objectives] if isinstance(objectives, Mapping) else list(objectives)
        if len(listed) > 1:
            raise not_built("more than one objective", where="objective", remedy="keep one objective")
        goals = tuple(_goal(form) for form in listed or [_DEFAULT])
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
        made = Objective(goals, tuple(c for c in parsed if not _sets_min_trades(c)), min_trades)
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
        if Status(status) is not Status.COMPLETE:
            return self._not_complete(Status(status), None if kind is None else Kind(kind), reason)
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

    def better(self, a: Trial, b: Trial) -> bool:
        """Whether `a` stands strictly before `b` in the ranking."""
        return self._order(a) < self._order(b)

    def rank(self, trials: Iterable[Trial]) -> list[Trial]:
        """Feasible by value, infeasible by total violation, pruned by level and value, failed; ties by number."""
        return sorted(trials, key=self._order)

    def best(self, trials: Iterable[Trial]) -> Trial | None:
        """The feasible complete trial with the best value, tie: lower number; None without one."""
        feasible = [
            trial for trial in trials if trial.outcome.feasible and trial.outcome.status is Status.COMPLETE
        ]
        return min(feasible, key=self._order, default=None)

    def _check_names(self, metrics: Collection[str]) -> None:
        used = [("objective", goal.expression) for goal in self.goals]
        used += [("constraints", constraint.left) for constraint in self.constraints]
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

    def _order(self, trial: Trial) -> tuple[int, float, float, int]:
        outcome = trial.outcome
        sign = -1.0 if self.goals[0].direction == "maximize" else 1.0
        if outcome.feasible and outcome.objectives[0] is not None:
            return 0, sign * outcome.objectives[0], 0.0, trial.number
        if outcome.status is Status.COMPLETE or outcome.kind in INFEASIBLE_RESULTS:
            return 1, outcome.total_violation, 0.0, trial.number
        if outcome.status is Status.PRUNED:
            level = max((int(step) for step in trial.intermediate), default=-1)
            value = trial.intermediate[str(level)] if level >= 0 else math.inf
            return 2, -level, sign * value if level >= 0 else value, trial.number
        return 3, 0.0, 0.0, trial.number


def _goal(form: Mapping[str, Any]) -> Goal:
    keys = {key for key, value in form.items() if value is not None}
    for key in sorted(keys - _KEYS):
        raise error(
            1001, f"unknown key {key}", where="objective", remedy="use metric or expr, direction, name"
        )
    if ("metric" in keys) == ("expr" in keys):
        raise error(
            1008, "an objective needs metric or expr, one of them", where="objective", remedy="give one"
        )
    direction = form.get("direction")
    if direction not in ("maximize", "minimize"):
        code = 1008 if direction is None else 1001
        what = "an objective without direction" if direction is None else f"unknown direction {direction!r}"
        raise error(code, what, where="objective.direction", remedy="write direction: maximize or minimize")
    expression = Expression.parse(str(form.get("metric") or form["expr"]))
    if not expression.names:
        raise error(1001, f"`{expression.text}` names no metric", where="objective", remedy="name a metric")
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
