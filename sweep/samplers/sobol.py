"""Scrambled Sobol points addressed by index.

They are those of `scipy.stats.qmc.Sobol(scramble=True)`, bit for bit, without its module, which would take longer to import
than anything else at the start of a study.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy

from sweep.errors import error
from sweep.seeds import seed as derive
from sweep.space import Point, Space

BITS: Final = 30
MOST_DIMENSIONS: Final = 21201
"""That have direction numbers."""
_NUMBERS: Final = Path(scipy.__file__).parent / "stats" / "_sobol_direction_numbers.npz"
"""Direction numbers by Joe and Kuo, `new-joe-kuo-6.21201`: polynomials, and the first numbers of each."""


class SobolStream:
    """Candidate q is point q of one sequence over the searched parameters in declaration order."""

    length = 1 << BITS
    unique = False

    def __init__(self, space: Space, seed: int) -> None:
        self._dimensions = space.dimensions
        if len(self._dimensions) > MOST_DIMENSIONS:
            raise error(
                1001, f"qmc takes at most {MOST_DIMENSIONS} searched parameters", where="search.sampler"
            )
        self._seed = derive(seed, "qmc") % 2**32

    def points(self, start: int, count: int) -> Sequence[Point]:
        """See `Stream`."""
        count = min(count, self.length - start)
        if count <= 0:
            return []
        if not self._dimensions:
            return [()] * count
        drawn = self._sequence.units(start, count)
        columns = [dimension.from_units(drawn[:, j]) for j, dimension in enumerate(self._dimensions)]
        return list(zip(*columns, strict=True))

    def after_inactive(self, position: int, point: Point, inactive: frozenset[int]) -> int:
        """See `Stream`."""
        return position + 1

    @cached_property
    def _sequence(self) -> Sobol:
        return Sobol(len(self._dimensions), self._seed)


class Sobol:
    """A scrambled sequence in a unit cube: a random lower triangular matrix of bits per dimension, then a random shift."""

    def __init__(self, dimensions: int, seed: int) -> None:
        (rng,) = np.random.default_rng(seed).spawn(
            1
        )  # SciPy draws from a child of the generator that it is given
        powers = np.uint32(1) << np.arange(BITS, dtype=np.uint32)
        self._shift = rng.integers(2, size=(dimensions, BITS), dtype=np.uint32) @ powers
        matrices = np.tril(rng.integers(2, size=(dimensions, BITS, BITS), dtype=np.uint32))
        matrices |= np.eye(BITS, dtype=np.uint32)
        # Bits of a number from the highest to the lowest, as the rows and columns of the matrices count them.
        bits = _directions(dimensions)[:, :, None] >> np.arange(BITS, dtype=np.uint32)[::-1] & 1
        self._numbers = (bits @ matrices.transpose(0, 2, 1) & 1) @ powers[::-1]

    def units(self, start: int, count: int) -> Any:
        """Points `start` to `start + count - 1` as float64 in [0, 1), shape (count, dimensions)."""
        index = np.arange(start, start + count, dtype=np.uint32)
        gray = index ^ index >> np.uint32(1)
        points = np.repeat(self._shift[None, :], count, axis=0)
        for bit in range((start + count - 1).bit_length()):
            points ^= (gray >> np.uint32(bit) & 1)[:, None] * self._numbers[:, bit]
        return points * (1.0 / (1 << BITS))


def _directions(dimensions: int) -> Any:
    """Direction numbers before scrambling, uint32 of shape (dimensions, BITS)."""
    with np.load(_NUMBERS) as known:
        polynomials, firsts = (known[name][:dimensions].tolist() for name in ("poly", "vinit"))
    made = [[1] * BITS]
    for polynomial, first in zip(polynomials[1:], firsts[1:], strict=True):
        degree = polynomial.bit_length() - 1
        row = first[:degree]
        for j in range(degree, BITS):
            new = row[j - degree]
            for k in range(degree):
                if polynomial >> (degree - 1 - k) & 1:
                    new ^= row[j - k - 1] << (k + 1)
            row.append(new)
        made.append(row)
    return np.array(made, dtype=np.uint32) << np.arange(BITS, dtype=np.uint32)[::-1]
