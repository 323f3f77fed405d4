"""Points of a space become canonical parameter sets, or are refused: `when`, declared constraints and `where` are applied here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sweep.expressions import Expression
from sweep.space.declaration import Declaration
from sweep.space.dimension import Dimension
from sweep.space.draws import Point
from sweep.space.native import MISSING, Canonical, Native, Row, canonical_value
from sweep.types import ParamValue

_NOTHING: frozenset[int] = frozenset()


class Candidate(NamedTuple):
    """A valid parameter set."""

    params: Mapping[str, ParamValue]
    """Canonical: active parameters, snapped, defaults filled in."""
    key: str
    """Canonical JSON of `params`."""


class Evaluation(NamedTuple):
    """What became of one point."""

    candidate: Candidate | None
    reason: str | None
    """Why there is no candidate: the constraint that it violates, or `inactive`."""
    inactive: frozenset[int] = _NOTHING
    """Dimensions, by position, that have no value at this point."""
    decided: bool = True
    """Whether `inactive` is known: a set that the strategy refuses tells nothing about it."""


INACTIVE = "inactive"


@dataclass(frozen=True)
class Evaluator:
    """The rules of one space."""

    native: Native
    declaration: Declaration
    pinned: Mapping[str, Any]
    dimensions: tuple[Dimension, ...]
    where: tuple[Expression, ...]
    levels: tuple[tuple[tuple[int, Expression], ...], ...]
    """Conditions of the configuration on dimensions, those they depend on first."""

    def evaluate(self, points: Sequence[Point], *, unique: bool) -> list[Evaluation]:
        """One evaluation per point.

        With `unique`, a point that differs from an earlier one of its list only in parameters without a value is refused
        as `inactive`: such parameters count at index 0 alone.
        """
        held = {i for level in self.levels for i, _ in level}
        free = [i for i in range(len(self.dimensions)) if i not in held]
        rows = self._rows(points, free)
        off: list[set[int]] = [set() for _ in points]
        for level in self.levels:
            self._activate(level, points, rows, off)
        if not (self.levels or self.where or self._declared):
            return [_plainly(row) for row in self.native.rows(rows)]
        results = self.native.canonical(rows)
        return [
            self._judge(point, row, missing, result, unique)
            for point, row, missing, result in zip(points, rows, off, results, strict=True)
        ]

    def _rows(self, points: Sequence[Point], free: Sequence[int]) -> list[dict[str, Any]]:
        """Pins and the values of the `free` dimensions, made column by column."""
        names = [self.dimensions[i].name for i in free]
        columns = [self.dimensions[i].column([point[i] for point in points]) for i in free]
        values = zip(*columns, strict=True) if columns else [()] * len(points)
        if not self.pinned:
            return [dict(zip(names, row, strict=True)) for row in values]
        return [{**self.pinned, **dict(zip(names, row, strict=True))} for row in values]

    def _activate(
        self,
        level: Sequence[tuple[int, Expression]],
        points: Sequence[Point],
        rows: Sequence[dict[str, Any]],
        off: Sequence[set[int]],
    ) -> None:
        """Adds the dimensions of one level whose condition holds given all the levels before."""
        results = self.native.canonical(rows)
        for point, row, missing, result in zip(points, rows, off, results, strict=True):
            added = {}
            for i, when in level:
                dimension = self.dimensions[i]
                if when.holds(self._environment(when, row, missing, result)):
                    added[dimension.name] = dimension.value(point[i])
                else:
                    missing.add(i)
            row.update(added)

    def _judge(
        self, point: Point, row: Mapping[str, Any], missing: set[int], result: Canonical, unique: bool
    ) -> Evaluation:
        if result.params is None:
            return _plainly(result)
        inactive = _NOTHING
        if missing or self._declared:
            off = {i for i, dimension in self._declared if dimension.shown(result.params) is MISSING}
            inactive = frozenset(missing | off)
        if unique and any(point[i] != 0 for i in inactive if self.dimensions[i].values is not None):
            return Evaluation(None, INACTIVE, inactive)
        for condition in self.where:
            env = self._environment(condition, row, inactive, result)
            valueless = any(
                env[name] is None for name in condition.names if name in self.declaration.parameters
            )
            if not valueless and not condition.holds(env):
                return Evaluation(None, condition.text, inactive)
        return _plainly(result)._replace(inactive=inactive) if inactive else _plainly(result)

    @cached_property
    def _declared(self) -> tuple[tuple[int, Dimension], ...]:
        """Dimensions with a condition of the strategy's own, and their positions."""
        return tuple((i, d) for i, d in enumerate(self.dimensions) if d.declared_when is not None)

    def _environment(
        self, expression: Expression, row: Mapping[str, Any], inactive: Collection[int], result: Canonical
    ) -> dict[str, ParamValue]:
        """Values of the names of `expression`: derived, canonical, else as given; None where there is no value."""
        without = {self.dimensions[i].name for i in inactive}
        env: dict[str, ParamValue] = {}
        for name in expression.names:
            if name in self.declaration.derived:
                env[name] = result.derived.get(name)
            elif name in without:
                env[name] = None
            else:
                inside = self.declaration.parameters[name].inside
                held: Any = MISSING if result.params is None else canonical_value(result.params, name, inside)
                given = held is MISSING
                env[name] = self._given(name, row, result.params is not None) if given else held
        return env

    def _given(self, name: str, row: Mapping[str, Any], canonical: bool) -> ParamValue:
        """Value of a name that the canonical form lacks: inactive ones have none, renamed ones that of the row."""
        parameter = self.declaration.parameters[name]
        if canonical and parameter.when is not None:
            return None
        value = row.get(name, parameter.default)
        return value if value is None or isinstance(value, bool | int | float | str) else None


def _plainly(row: Row) -> Evaluation:
    """What the strategy says of a point, where the space has nothing to add."""
    params, key = row[0], row[1]
    if params is None or key is None:
        return Evaluation(None, problem_text(Canonical._make(row)), decided=False)
    return Evaluation(Candidate(params, key), None)


def problem_text(result: Canonical) -> str:
    """The first problem of a refused set, as one line."""
    if not result.problems:
        return "refused by the strategy"
    first = result.problems[0]
    return f"[{first.get('code', 1006)}] {first.get('what', 'refused by the strategy')}"
