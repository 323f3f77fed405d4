"""The print before the run: nobody should have to guess what is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.space.values import count_text

if TYPE_CHECKING:
    from sweep.space.space import Space


def describe(space: Space) -> str:
    """One line per searched parameter, the pins, the conditions, the size, and notes."""
    lines = [f"searched: {len(space.dimensions)} parameters, pinned: {len(space.pinned)}"]
    width = max((len(dimension.name) for dimension in space.dimensions), default=0)
    for dimension in space.dimensions:
        conditions = " and ".join(
            f"({w})" for w in (dimension.when, dimension.declared_when) if w is not None
        )
        size = "continuous" if dimension.size is None else f"{count_text(dimension.size)} values"
        suffix = f", when {conditions}" if conditions else ""
        lines.append(f"  {dimension.name:<{width}}  {dimension.describe()}  ({size}{suffix})")
    if space.pinned:
        pins = ", ".join(f"{name} = {_text(value)}" for name, value in sorted(space.pinned.items()))
        lines.append(f"pinned: {pins}")
    declared = [
        constraint.expr for constraint in space.declaration.constraints if constraint.severity == "error"
    ]
    if declared:
        lines.append(f"constraints of the strategy: {'; '.join(declared)}")
    if space.where:
        lines.append(f"where: {'; '.join(condition.text for condition in space.where)}")
    lines.append(f"size: {space.measured}")
    lines += space.notes
    return "\n".join(lines)


def brief(space: Space) -> list[str]:
    """What is searched, what is pinned, the size."""
    searched = ", ".join(f"{dimension.name} {dimension.describe()}" for dimension in space.dimensions)
    pinned = ", ".join(f"{name} = {_text(value)}" for name, value in sorted(space.pinned.items()))
    lines = [f"searched: {searched or 'nothing'}", f"size: {space.measured}"]
    return [lines[0], *([f"pinned: {pinned}"] if pinned else []), lines[1], *space.notes]


def _text(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
