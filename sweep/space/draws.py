"""Counter-based draws: the coordinate of candidate q in a dimension is a pure function of (seed, label, q, name)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from sweep.seeds import units
from sweep.space.dimension import Coordinate, Dimension

Point = tuple[Coordinate, ...]
"""One coordinate per dimension, in declaration order."""
_FITS: Final = 2**62
"""Points whose numbers are whole ones of 64 bits."""


def unit_points(
    dimensions: Sequence[Dimension], seed: int, label: str, start: int, count: int
) -> list[Point]:
    """Candidates start … start + count − 1: u = seed(S, label, q, name)/2⁶⁴ for each dimension."""
    drawn = units(seed, label, start, count, [dimension.name for dimension in dimensions])
    columns = [dimension.from_units(u) for dimension, u in zip(dimensions, drawn, strict=True)]
    return points_of(columns, count)


def mixed_radix(indices: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Digits of every index, the last one fastest: a column per size."""
    if math.prod(sizes) <= _FITS and sizes:
        return [column.tolist() for column in np.unravel_index(np.asarray(indices, np.int64), tuple(sizes))]
    columns = []
    left = list(indices)
    for size in reversed(sizes):
        columns.append([index % size for index in left])
        left = [index // size for index in left]
    return columns[::-1]


def points_at(indices: Sequence[int], sizes: Sequence[int]) -> list[Point]:
    """The points of a grid that have these numbers."""
    return points_of(mixed_radix(indices, sizes), len(indices))


def points_of(columns: Sequence[Sequence[Coordinate]], count: int) -> list[Point]:
    """`count` points of the columns of their coordinates; without dimensions all are the same one."""
    return list(zip(*columns, strict=True)) if columns else [()] * count
