"""Non-domination ranks of up to three objectives.

A point dominates another one if it is no worse in every objective and better in one. Fronts are filled in lexicographic
order, each point going to the first front without a point that dominates it (Zhang et al. 2015, "ENS-BS",
https://doi.org/10.1109/TEVC.2014.2308305); a front keeps no more than the staircase of its second and third objective, so
that a point takes two binary searches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class _Front:
    """The points of one rank so far, by second and third objective: the third falls as the second rises."""

    def __init__(self) -> None:
        self._second: list[float] = []
        self._third: list[float] = []

    def dominates(self, second: float, third: float) -> bool:
        """Whether a point here, whose first objective is no larger, is no larger in these either."""
        place = bisect_right(self._second, second)
        return place > 0 and self._third[place - 1] <= third

    def add(self, second: float, third: float) -> None:
        """Adds a point that none here dominates."""
        begin = end = bisect_left(self._second, second)
        while end < len(self._third) and self._third[end] >= third:
            end += 1
        self._second[begin:end] = [second]
        self._third[begin:end] = [third]


def ranks(losses: NDArray[np.float64]) -> NDArray[np.intp]:
    """Non-domination rank from 0 of each row; lower losses are better, equal rows share a rank.

    Args:
        losses: rows × objectives, one to three of them, finite.
    """
    if not len(losses):
        return np.empty(0, dtype=np.intp)
    unique, inverse = np.unique(losses, axis=0, return_inverse=True)
    fronts: list[_Front] = []
    found = []
    for row in unique.tolist():
        second, third = (*row[1:], 0.0, 0.0)[:2]
        rank = _first_free(fronts, second, third)
        if rank == len(fronts):
            fronts.append(_Front())
        fronts[rank].add(second, third)
        found.append(rank)
    shared: NDArray[np.intp] = np.array(found, dtype=np.intp)[inverse.reshape(-1)]
    return shared


def _first_free(fronts: Sequence[_Front], second: float, third: float) -> int:
    """The first front in which nothing dominates a point: what one front dominates, all before it do."""
    low, high = 0, len(fronts)
    while low < high:
        middle = (low + high) // 2
        if fronts[middle].dominates(second, third):
            low = middle + 1
        else:
            high = middle
    return low
