"""Builds a space: sources of every parameter, pins, conditions, checks."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.errors import SweepError
from sweep.expressions import Expression
from sweep.space.conditions import check_cycles, levels, parse_condition
from sweep.space.declaration import Declaration, Parameter
from sweep.space.dimension import Dimension
from sweep.space.evaluate import Evaluator
from sweep.space.knowledge import Knowledge, fixed_value, observe, settled
from sweep.space.native import Canonical, Canonicalise, Native, default_canonicalise
from sweep.space.parse import EntryParser, Pin
from sweep.space.problems import Locate, Problems, suggestion
from sweep.space.space import Space
from sweep.types import ParamValue

_HARD = frozenset({1001, 1003, 1004, 1005, 1008, 1009, 1010})
"""Codes of a wrong value, whatever the other parameters are; [1006] may come from a default that is searched over."""


def build(
    *,
    declaration: Declaration,
    timeframe: str,
    pinned: Mapping[str, Any],
    space: Mapping[str, Any],
    where: Sequence[str],
    others: str,
    seed: int,
    canonicalise: Canonicalise | None,
    locate: Locate | None,
) -> Space:
    """See `Space.build`."""
    problems = Problems(locate or (lambda path: path))
    native = Native(declaration.strategy, timeframe, canonicalise or default_canonicalise)
    declaration = declaration.with_members(_mentioned(pinned, space, where), timeframe)
    if others not in ("search", "default"):
        remedy = "use search or default"
        problems.add(1001, "others", f"others is {others!r}", path="search.others", remedy=remedy)
    pins, given, twice = _entries(declaration, pinned, space, problems)
    base = native.canonical([pins])[0]
    _check_pins(base, declaration, pins, frozenset(space) - set(twice), problems)
    _check_twice(twice, problems)
    declared = _declared(declaration, native, pins, given, problems) if others == "search" else {}
    dimensions = given | declared
    conditions = _conditions(declaration, where, problems)
    for dimension in given.values():
        if dimension.when is not None:
            parse_condition(
                dimension.when, declaration, f"search.space.{dimension.name}.when", dimension.name, problems
            )
    problems.raise_if_any()
    check_cycles(declaration, dimensions, problems)
    _check_choices(native, pins, base, [d for d in dimensions.values() if d.name in given], problems)
    problems.raise_if_any()
    ordered = [dimensions[name] for name in declaration.parameters if name in dimensions]
    fixed, searched = _single_values(pins, ordered)
    knowledge = observe(native, fixed, searched, seed)
    live, notes = _live(declaration, fixed, searched, knowledge, frozenset(given))
    names = frozenset(dimension.name for dimension in live)
    _check_fixed_conditions(conditions, declaration, fixed, names, knowledge, problems)
    problems.raise_if_any()
    evaluator = Evaluator(native, declaration, fixed, live, conditions, levels(live))
    notes += _ratio_notes(declaration, names)
    return Space(evaluator, knowledge, others, seed, (*notes, *_warnings(knowledge)))


def _mentioned(pinned: Mapping[str, Any], space: Mapping[str, Any], where: Sequence[str]) -> set[str]:
    """Names of parameters that the configuration uses."""
    texts = [*where, *(entry.get("when") for entry in space.values() if isinstance(entry, Mapping))]
    return {*pinned, *space, *(name for text in texts for name in re.findall(r"\w+", str(text)))}


def _refuse(declaration: Declaration, name: str, path: str, problems: Problems) -> None:
    """Notes a parameter that the strategy does not have."""
    remedy = suggestion(name, [*declaration.parameters, *declaration.family_names])
    problems.add(1001, name, f"unknown parameter {name}", path=path, remedy=remedy)


def _entries(
    declaration: Declaration, pinned: Mapping[str, Any], space: Mapping[str, Any], problems: Problems
) -> tuple[dict[str, Any], dict[str, Dimension], list[str]]:
    """Pins of `strategy.params` and of `search.space`, the dimensions that the latter lists, and what both name."""
    pins = {}
    twice = []
    for name, value in pinned.items():
        if name in declaration.parameters:
            pins[name] = value
        else:
            _refuse(declaration, name, f"strategy.params.{name}", problems)
    dimensions: dict[str, Dimension] = {}
    for name, entry in space.items():
        path = f"search.space.{name}"
        parameter = declaration.parameters.get(name)
        if parameter is None:
            _refuse(declaration, name, path, problems)
            continue
        made = EntryParser(parameter, path, problems).parse(entry)
        if made is not None and name in pins and not (isinstance(made, Pin) and made.value == pins[name]):
            twice.append(name)
        elif isinstance(made, Pin):
            pins[name] = made.value
        elif made is not None:
            dimensions[name] = made
    return pins, dimensions, twice


def _check_twice(names: Sequence[str], problems: Problems) -> None:
    """Notes what is both pinned and listed, unless the pin itself is wrong."""
    wrong = {problem.parameter for problem in problems.found}
    for name in names:
        if name not in wrong:
            what = f"{name} is pinned by strategy.params and listed in search.space"
            remedy = f"remove one of the two; an override that pins it is search.space.{name}=VALUE"
            problems.add(1006, name, what, path=f"strategy.params.{name}", remedy=remedy)


def _check_pins(
    base: Canonical,
    declaration: Declaration,
    pins: Mapping[str, Any],
    listed: frozenset[str],
    problems: Problems,
) -> None:
    """Wrong values of the pins, as the strategy sees them, and pins that contradict one another.

    Violated constraints are left to `_check_fixed_conditions`: a default that is searched over may be what violates.
    """
    for problem in base.problems:
        place = str(problem.get("place") or "")
        names = [name for name in re.findall(r"\w+", place) if name in declaration.parameters]
        fixed = bool(names) and all(name in pins for name in names) and not place.startswith("constraint")
        if problem.get("code") in _HARD or fixed:
            section = "search.space" if names and names[0] in listed else "strategy.params"
            path = f"{section}.{names[0]}" if names else section
            remedy = str(problem.get("remedy") or "change the pinned value")
            problems.add(
                int(problem["code"]), ", ".join(names), str(problem["what"]), path=path, remedy=remedy
            )


def _declared(
    declaration: Declaration,
    native: Native,
    pins: Mapping[str, Any],
    given: Mapping[str, Dimension],
    problems: Problems,
) -> dict[str, Dimension]:
    """Declared ranges of the parameters that are neither pinned nor listed."""
    fixed, _ = _single_values(pins, list(given.values()))
    base = native.canonical([fixed])[0]
    found = {}
    for parameter in declaration.parameters.values():
        if parameter.name in pins or parameter.name in given:
            continue
        entry = _first_range(parameter, declaration, fixed, base)
        if entry is not None:
            path = f"strategies.{declaration.strategy}.{parameter.name}"
            made = EntryParser(parameter, path, problems).parse(entry)
            if isinstance(made, Dimension):
                found[parameter.name] = made
    return found


def _first_range(
    parameter: Parameter, declaration: Declaration, fixed: Mapping[str, Any], base: Canonical
) -> dict[str, Any] | None:
    """The first declared range whose condition holds; one on a parameter that is not pinned does not."""
    for entry in parameter.ranges:
        when = entry.get("when")
        if when is not None:
            expression = Expression.parse(when)
            if any(name in declaration.parameters and name not in fixed for name in expression.names):
                continue
            env: dict[str, ParamValue] = {
                name: base.derived.get(name)
                if name in declaration.derived
                else fixed_value(name, declaration, fixed, base)
                for name in expression.names
            }
            if not expression.holds(env):
                continue
        kept = {key: value for key, value in entry.items() if key != "when" and value is not None}
        if "choices" in kept:
            return {"type": "categorical", **{k: v for k, v in kept.items() if k in ("choices", "ordered")}}
        if parameter.type == "bool":
            return {"type": "bool"}
        return {k: v for k, v in kept.items() if k != "ordered" and not (k == "log" and not v)}
    return None


def _conditions(declaration: Declaration, where: Sequence[str], problems: Problems) -> tuple[Expression, ...]:
    found = []
    for i, text in enumerate(where):
        path = f"search.where[{i}]"
        expression = parse_condition(text, declaration, path, "where", problems)
        if expression is None:
            continue
        if not expression.names:
            problems.add(1001, "where", f"`{text}` names no parameter", path=path, remedy="remove it")
        found.append(expression)
    return tuple(found)


def _check_choices(
    native: Native, pins: Mapping[str, Any], base: Canonical, given: Sequence[Dimension], problems: Problems
) -> None:
    """Asks the strategy about every listed choice and both ends of every listed range."""
    tried: list[tuple[Dimension, ParamValue]] = []
    for dimension in given:
        if dimension.kind == "categorical":
            tried += [(dimension, dimension.value(i)) for i in range(dimension.size or 0)]
        else:
            tried += [(dimension, dimension.value(dimension.from_unit(0.0)))]
    known = {str(problem.get("what")) for problem in base.problems}
    results = native.canonical([{**pins, dimension.name: value} for dimension, value in tried])
    for (dimension, value), result in zip(tried, results, strict=True):
        for problem in result.problems:
            if problem.get("code") in _HARD and str(problem.get("what")) not in known:
                what = f"{dimension.name}: {value!r}: {problem['what']}"
                remedy = str(problem.get("remedy") or "remove that value")
                problems.add(
                    int(problem["code"]),
                    dimension.name,
                    what,
                    path=f"search.space.{dimension.name}",
                    remedy=remedy,
                )


def _single_values(
    pins: Mapping[str, Any], dimensions: Sequence[Dimension]
) -> tuple[dict[str, Any], list[Dimension]]:
    """A searched parameter with a single value counts as pinned, unless its own condition can switch it off."""
    fixed = dict(pins)
    kept = []
    for dimension in dimensions:
        single = dimension.size == 1 or (dimension.size is None and dimension.low == dimension.high)
        if single and dimension.when is None:
            fixed[dimension.name] = dimension.value(dimension.from_unit(0.0))
        else:
            kept.append(dimension)
    return fixed, kept


def _live(
    declaration: Declaration,
    pins: Mapping[str, Any],
    dimensions: Sequence[Dimension],
    knowledge: Knowledge,
    given: frozenset[str],
) -> tuple[tuple[Dimension, ...], list[str]]:
    """Dimensions that some point can read: conditions that the pins decide are settled once, here."""
    live = {dimension.name: dimension for dimension in dimensions}
    dead: set[str] = set()
    changed = True
    while changed:
        changed = False
        for name, dimension in list(live.items()):
            decided: dict[str, str | None] = {}
            for field, when in (("when", dimension.when), ("declared_when", dimension.declared_when)):
                if when is None:
                    continue
                inactive = bool(Expression.parse(when).names & dead)
                truth = False if inactive else settled(when, declaration, pins, knowledge, frozenset(live))
                if truth is False:
                    dead.add(name)
                elif truth and not (dimension.inside and field == "declared_when"):
                    decided[field] = None  # whether a member of a family is read shows in each set
            if dimension.inside and name not in knowledge.active:
                dead.add(name)
            if name in dead:
                del live[name]
                changed = True
            elif decided:
                live[name] = dataclasses.replace(dimension, **decided)  # type: ignore[arg-type]  # both fields are texts
                changed = True
    notes = _dead_notes([d.name for d in dimensions if d.name in dead], given)
    return tuple(live.values()), notes


def _dead_notes(inactive: Sequence[str], given: frozenset[str]) -> list[str]:
    notes = []
    if any(name not in given for name in inactive):
        notes.append(
            f"not searched, inactive under the pins: {', '.join(n for n in inactive if n not in given)}"
        )
    if any(name in given for name in inactive):
        notes.append(
            f"listed in search.space but never active: {', '.join(n for n in inactive if n in given)}"
        )
    return notes


def _check_fixed_conditions(
    conditions: Sequence[Expression],
    declaration: Declaration,
    pins: Mapping[str, Any],
    searched: frozenset[str],
    knowledge: Knowledge,
    problems: Problems,
) -> None:
    """Conditions that no searched parameter can change and that are violated."""
    texts = [(condition.text, f"search.where[{i}]") for i, condition in enumerate(conditions)]
    texts += [
        (constraint.expr, f"strategies.{declaration.strategy}")
        for constraint in declaration.constraints
        if constraint.severity == "error"
    ]
    for text, path in texts:
        try:
            expression = Expression.parse(text)
        except SweepError:
            continue
        parameters = [name for name in expression.names if name in declaration.parameters]
        if any(name in searched or name not in pins for name in parameters):
            continue
        valueless = any(fixed_value(name, declaration, pins, knowledge.base) is None for name in parameters)
        if not valueless and settled(text, declaration, pins, knowledge, searched) is False:
            what = f"the pinned parameters alone violate `{text}`"
            problems.add(
                1006, ", ".join(parameters), what, path=path, remedy="change a pin, or search one of them"
            )


def _ratio_notes(declaration: Declaration, searched: frozenset[str]) -> list[str]:
    """Pairs that are both searched though only their ratio matters, the strategy's own or an overlay's."""
    return [
        f"warning: {name} and {other} are both searched, and only their ratio matters: pin one of them"
        for numerator, denominator in declaration.ratios
        for name in sorted(searched)
        if name.endswith(numerator) and (other := name.removesuffix(numerator) + denominator) in searched
    ]


def _warnings(knowledge: Knowledge) -> list[str]:
    return [
        f"warning of the strategy in {number:,} of {knowledge.observed:,} sets: {text}"
        for text, number in sorted(knowledge.warnings.items())
    ]
