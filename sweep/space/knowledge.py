"""What a few thousand parameter sets, canonicalised once before the run, tell about a space.

Declarations do not say which parameters a derived name depends on, and canonical forms may move a value to another name
(`scenario` becomes `enabled_scenarios`). Both are observed: every dimension is varied alone, and jointly at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sweep.expressions import Expression
from sweep.space.declaration import Declaration
from sweep.space.dimension import Coordinate, Dimension
from sweep.space.draws import unit_points
from sweep.space.native import MISSING, Canonical, Native, canonical_value
from sweep.types import ParamValue

JOINT: Final = 1_000
ALONE: Final = 256


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where the canonical form shows a categorical dimension's value, and which coordinate each text means."""

    name: str
    coordinates: Mapping[ParamValue, Coordinate]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Observations on one space."""

    base: Canonical
    """The pins with everything else at its default, or the first set that the strategy accepts."""
    constants: Mapping[str, ParamValue]
    """Derived names that no searched parameter moves."""
    carriers: Mapping[str, Carrier]
    """By dimension: those whose canonical value is not simply the value under the same name."""
    active: frozenset[str]
    """Dimensions that the strategy read in at least one observed set."""
    warnings: Mapping[str, int]
    """Warnings of the declaration among the joint observations."""
    observed: int
    """Joint observations that the strategy accepted."""


def observe(
    native: Native, pinned: Mapping[str, Any], dimensions: Sequence[Dimension], seed: int
) -> Knowledge:
    """Canonicalises the pins, each dimension varied alone, and JOINT random points."""
    rows: list[dict[str, Any]] = [dict(pinned)]
    coordinates: list[dict[str, Coordinate]] = [{}]
    for dimension in dimensions:
        for coordinate in _spread(dimension):
            rows.append({**pinned, dimension.name: dimension.value(coordinate)})
            coordinates.append({dimension.name: coordinate})
    alone = len(rows)
    if dimensions:
        for point in unit_points(dimensions, seed, "observe", 0, JOINT):
            pairs = list(zip(dimensions, point, strict=True))
            rows.append({**pinned, **{d.name: d.value(c) for d, c in pairs}})
            coordinates.append({d.name: c for d, c in pairs})
    results = native.canonical(rows)
    joint = [result for result in results[alone:] if result.params is not None] or results[:1]
    return Knowledge(
        base=next((result for result in results if result.params is not None), results[0]),
        constants=_constants(results),
        carriers=_carriers(dimensions, coordinates, results),
        active=frozenset(
            d.name
            for d in dimensions
            if any(r.params is not None and d.shown(r.params) is not MISSING for r in results)
        ),
        warnings=Counter(warning for result in joint for warning in result.warnings),
        observed=len(joint),
    )


def _spread(dimension: Dimension) -> list[Coordinate]:
    """All coordinates of a short list, else some, both ends included."""
    size = dimension.size
    if size is None:
        return [dimension.from_unit(i / 8) if i < 8 else float(dimension.high or 0) for i in range(9)]
    if size <= ALONE:
        return list(range(size))
    return sorted({i * (size - 1) // (ALONE - 1) for i in range(ALONE)})


def _constants(results: Sequence[Canonical]) -> dict[str, ParamValue]:
    known = [result.derived for result in results if result.derived]
    if not known:
        return {}
    return {
        name: value for name, value in known[0].items() if all(name in d and d[name] == value for d in known)
    }


def _carriers(
    dimensions: Sequence[Dimension],
    coordinates: Sequence[Mapping[str, Coordinate]],
    results: Sequence[Canonical],
) -> dict[str, Carrier]:
    found: dict[str, Carrier] = {}
    for dimension in dimensions:
        if dimension.kind != "categorical":
            continue
        seen = [
            (point[dimension.name], result.params)
            for point, result in zip(coordinates, results, strict=True)
            if dimension.name in point and result.params is not None
        ]
        reach = len({coordinate for coordinate, _ in seen})
        names = [dimension.name] if any(dimension.name in params for _, params in seen) else []
        if not names and dimension.declared_when is None:
            names = sorted(name for name in _common(seen) if name not in {d.name for d in dimensions})
        for name in names:
            mapping = _bijection([(c, params[name]) for c, params in seen if name in params])
            if mapping is not None and (name == dimension.name or len(mapping) == reach):
                found[dimension.name] = Carrier(name, mapping)
                break
    return found


def _common(seen: Sequence[tuple[Coordinate, Mapping[str, ParamValue]]]) -> set[str]:
    """Names that every one of these canonical sets holds."""
    return set.intersection(*(set(params) for _, params in seen)) if seen else set()


def _bijection(pairs: Sequence[tuple[Coordinate, ParamValue]]) -> dict[ParamValue, Coordinate] | None:
    """Value → coordinate, if each coordinate shows one value and no two share one."""
    forward: dict[Coordinate, ParamValue] = {}
    backward: dict[ParamValue, Coordinate] = {}
    for coordinate, value in pairs:
        if (
            forward.setdefault(coordinate, value) != value
            or backward.setdefault(value, coordinate) != coordinate
        ):
            return None
    return backward or None


def settled(
    when: str | None,
    declaration: Declaration,
    pinned: Mapping[str, Any],
    knowledge: Knowledge,
    searched: frozenset[str],
) -> bool | None:
    """Truth of a condition that no searched parameter can change; None if one may."""
    if when is None:
        return True
    expression = Expression.parse(when)
    env: dict[str, ParamValue] = {}
    for name in expression.names:
        if name in declaration.derived:
            if name not in knowledge.constants:
                return None
            env[name] = knowledge.constants[name]
        elif name in searched:
            return None
        else:
            env[name] = fixed_value(name, declaration, pinned, knowledge.base)
    return expression.holds(env)


def fixed_value(
    name: str, declaration: Declaration, pinned: Mapping[str, Any], base: Canonical
) -> ParamValue:
    """Value of a parameter that is not searched: canonical if active, else the pin, else the default; None if inactive."""
    parameter = declaration.parameters[name]
    held = MISSING if base.params is None else canonical_value(base.params, name, parameter.inside)
    if held is not MISSING:
        return cast(ParamValue, held)
    if base.params is not None and parameter.when is not None:
        return None
    value = pinned.get(name, parameter.default)
    return value if value is None or isinstance(value, bool | int | float | str) else None
