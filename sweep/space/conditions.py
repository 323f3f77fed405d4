"""Conditions on parameters: names checked, cycles refused, and the order in which they are decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sweep.errors import SweepError
from sweep.expressions import Expression
from sweep.space.declaration import Declaration
from sweep.space.dimension import Dimension
from sweep.space.problems import Problems, suggestion


def parse_condition(
    text: object, declaration: Declaration, path: str, parameter: str, problems: Problems
) -> Expression | None:
    """The parsed condition; None, with the mistakes noted, if it cannot be used."""
    if not isinstance(text, str):
        problems.add(1004, parameter, f"{text!r} is not an expression", path=path, remedy="write it as text")
        return None
    try:
        expression = Expression.parse(text)
    except SweepError as refused:
        problems.add(
            refused.code, parameter, f"{refused.what}: {refused.where}", path=path, remedy=refused.remedy
        )
        return None
    unknown = sorted(expression.names - declaration.names)
    for name in unknown:
        remedy = suggestion(name, declaration.names)
        problems.add(1001, parameter, f"unknown name {name} in `{text}`", path=path, remedy=remedy)
    if not expression.is_condition:
        remedy = "compare it, as in fast_period < slow_period"
        problems.add(1001, parameter, f"`{text}` is no condition", path=path, remedy=remedy)
        return None
    return None if unknown else expression


def check_cycles(declaration: Declaration, dimensions: Mapping[str, Dimension], problems: Problems) -> None:
    """Notes every parameter whose conditions lead back to itself."""
    reads: dict[str, set[str]] = {}
    for name, parameter in declaration.parameters.items():
        texts = [parameter.when, dimensions[name].when if name in dimensions else None]
        reads[name] = {n for text in texts if text is not None for n in Expression.parse(text).names}
    for name in dimensions:
        reached: set[str] = set()
        frontier = set(reads[name])
        while frontier:
            reached |= frontier
            frontier = {n for seen in frontier for n in reads.get(seen, ())} - reached
        if name in reached:
            what = f"{name}: its condition depends on itself"
            problems.add(1001, name, what, path=f"search.space.{name}.when", remedy="break the cycle of when")


def levels(dimensions: Sequence[Dimension]) -> tuple[tuple[tuple[int, Expression], ...], ...]:
    """Conditions of the configuration in rounds: a dimension is decided after those that its condition reads."""
    waiting = {i: Expression.parse(d.when) for i, d in enumerate(dimensions) if d.when is not None}
    rounds = []
    while waiting:
        names = {dimensions[i].name for i in waiting}
        ready = tuple((i, when) for i, when in waiting.items() if not when.names & names)
        rounds.append(ready)
        for i, _ in ready:
            del waiting[i]
    return tuple(rounds)
