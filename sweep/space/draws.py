"""Counter-based draws: the coordinate of candidate q in a dimension is a pure function of (seed, label, q, name)."""

from __future__ import annotations

from collections.abc import Sequence

from sweep.seeds import units
from sweep.space.dimension import Coordinate, Dimension

Point = tuple[Coordinate, ...]
"""One coordinate per dimension, in declaration order."""


def unit_points(
    dimensions: Sequence[Dimension], seed: int, label: str, start: int, count: int
) -> list[Point]:
    """Candidates start … start + count − 1: u = seed(S, label, q, name)/2⁶⁴ for each dimension."""
    drawn = units(seed, label, start, count, [dimension.name for dimension in dimensions])
    columns = [dimension.from_units(u) for dimension, u in zip(dimensions, drawn, strict=True)]
    return list(zip(*columns, strict=True)) if columns else [()] * count


def mixed_radix(index: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Digits of `index`, the last one fastest."""
    digits = []
    for size in reversed(sizes):
        index, digit = divmod(index, size)
        digits.append(digit)
    return tuple(reversed(digits))
