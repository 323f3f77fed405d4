"""k-means in one dimension without chance: which of a few levels the last value of a series belongs to."""

from __future__ import annotations

import math
from collections.abc import Sequence


def current_cluster(
    values: Sequence[float], *, window: int, k: int, min_points: int, log: bool, hysteresis: int
) -> int | None:
    """Rank (0 = lowest centre) of the cluster of the last defined value; None if that cannot be told.

    The last `window` defined values (or their logarithms) are clustered. There must be `min_points` defined values and at
    least k of them in the window; with `hysteresis` > 1 so many last values must carry the same rank.
    """
    defined = [value for value in values if not math.isnan(value)]
    points = defined[-window:]
    if len(defined) < min_points or len(points) < k:
        return None
    if log:
        points = [math.log(max(value, 1e-12)) for value in points]
    ranks = ranked(points, k)
    if hysteresis > 1 and (len(ranks) < hysteresis or len(set(ranks[-hysteresis:])) > 1):
        return None
    return ranks[-1]


def ranked(points: Sequence[float], k: int) -> list[int]:
    """For each point the rank of its centre, by Lloyd's algorithm from the quantiles j/(k + 1); at most 30 rounds."""
    k = min(k, len(set(points)))
    if k == 1:
        return [0] * len(points)
    ascending = sorted(points)
    centres = [_quantile(ascending, j / (k + 1)) for j in range(1, k + 1)]
    labels: list[int] | None = None
    for _ in range(30):
        nearest = _nearest(points, centres)
        old, centres = centres, _means(points, nearest, centres)
        if all(abs(new - was) <= 1e-6 + 1e-4 * abs(was) for new, was in zip(centres, old, strict=True)):
            labels = nearest
            break
    if labels is None:
        labels = _nearest(points, centres)
    order = sorted(range(k), key=lambda j: centres[j])
    return [order.index(label) for label in labels]


def _quantile(ascending: Sequence[float], p: float) -> float:
    """Between the neighbours of position p (N - 1)."""
    position = p * (len(ascending) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (position - below)


def _nearest(points: Sequence[float], centres: Sequence[float]) -> list[int]:
    """The first of the nearest centres."""
    return [min(range(len(centres)), key=lambda j: abs(x - centres[j])) for x in points]


def _means(points: Sequence[float], labels: Sequence[int], centres: Sequence[float]) -> list[float]:
    """Means of the members, added in the order of the points; a centre without members stays."""
    means = []
    for j, centre in enumerate(centres):
        total, count = 0.0, 0
        for x, label in zip(points, labels, strict=True):
            if label == j:
                total, count = total + x, count + 1
        means.append(total / count if count else centre)
    return means
