"""Thinned grids: fewer points per dimension, spread evenly, until the product fits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

DEFAULT_POINTS: Final = 5_000


def thinned_counts(lengths: Sequence[int], most: int) -> tuple[int, ...]:
    """Counts c_j <= L_j with Π c_j <= most, shortfalls as even as they can be. Exact fractions."""
    floors = [min(length, 2) for length in lengths]
    if math.prod(floors) > most:
        floors = [1] * len(lengths)

    def counts(share: Fraction) -> list[int]:
        return [max(b, math.ceil(length * (1 - share))) for length, b in zip(lengths, floors, strict=True)]

    def fits(share: Fraction) -> bool:
        return math.prod(counts(share)) <= most

    smallest = min((_smallest_fit(length, fits) for length in lengths), default=Fraction(0))
    kept = counts(smallest)
    while True:
        product = math.prod(kept)
        open_to = [
            j
            for j, (count, length) in enumerate(zip(kept, lengths, strict=True))
            if count < length and product // count * (count + 1) <= most
        ]
        if not open_to:
            return tuple(kept)
        kept[max(open_to, key=lambda j: (Fraction(lengths[j] - kept[j], lengths[j]), -j))] += 1


def _smallest_fit(length: int, fits: Callable[[Fraction], bool]) -> Fraction:
    """The smallest (length − c)/length that fits, c = length … 1; more shortfall always fits better."""
    low, high = 1, length
    if not fits(Fraction(length - 1, length)):
        return Fraction(1)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(Fraction(length - middle, length)):
            low = middle
        else:
            high = middle - 1
    return Fraction(length - low, length)


def kept_indices(length: int, count: int) -> tuple[int, ...]:
    """⌊i(L−1)/(c−1)⌋ for i = 0 … c−1; the middle one for c = 1."""
    if count == 1:
        return ((length - 1) // 2,)
    return tuple(i * (length - 1) // (count - 1) for i in range(count))
