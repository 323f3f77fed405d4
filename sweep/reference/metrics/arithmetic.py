"""Sums, means and deviations, left to right and in two passes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

ZERO_DEVIATION: Final = 1e-15


def total(values: Iterable[float]) -> float:
    """Sum from the first value to the last."""
    result = 0.0
    for value in values:
        result += value
    return result


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of one or more values."""
    return total(values) / len(values)


def deviation(values: Sequence[float], ddof: int) -> float | None:
    """Standard deviation with divisor n - ddof; None where that or the deviation counts as zero."""
    if len(values) <= ddof:
        return None
    centre = mean(values)
    result = math.sqrt(total((x - centre) * (x - centre) for x in values) / (len(values) - ddof))
    return None if result <= ZERO_DEVIATION else result


def downside(values: Sequence[float], floor: float) -> float | None:
    """Root mean square of what lies below `floor`, over all values; None where it counts as zero."""
    shortfalls = [min(x - floor, 0.0) for x in values]
    result = math.sqrt(mean([x * x for x in shortfalls]))
    return None if result <= ZERO_DEVIATION else result


def moment(values: Sequence[float], order: int) -> float:
    """Population moment about the mean: powers by repeated multiplication."""
    centre = mean(values)

    def power(x: float) -> float:
        result = x
        for _ in range(order - 1):
            result = result * x
        return result

    return mean([power(x - centre) for x in values])
