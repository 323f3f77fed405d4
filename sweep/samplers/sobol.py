"""Scrambled Sobol points addressed by index."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from scipy.stats import qmc

from sweep.errors import error
from sweep.seeds import seed as derive
from sweep.space import Point, Space

_BITS = 30


class SobolStream:
    """Candidate q is point q of one engine over the searched parameters in declaration order.

    The engine is kept at the end of the last request and rewound when an earlier point is asked for: memory of where it
    is, not state that changes what it gives.
    """

    length = 1 << _BITS
    unique = False

    def __init__(self, space: Space, seed: int) -> None:
        self._dimensions = space.dimensions
        if len(self._dimensions) > qmc.Sobol.MAXDIM:
            raise error(
                1001, f"qmc takes at most {qmc.Sobol.MAXDIM} searched parameters", where="search.sampler"
            )
        self._seed = derive(seed, "qmc") % 2**32
        self._engine: qmc.Sobol | None = None
        self._position = 0

    def points(self, start: int, count: int) -> Sequence[Point]:
        """See `Stream`."""
        count = min(count, self.length - start)
        if count <= 0:
            return []
        if not self._dimensions:
            return [()] * count
        if self._engine is None or start < self._position:
            self._engine = qmc.Sobol(len(self._dimensions), scramble=True, bits=_BITS, rng=self._seed)
            self._position = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "balance properties need a power of 2"
            if start > self._position:
                self._engine.fast_forward(start - self._position)
            drawn = self._engine.random(count)
        self._position = start + count
        columns = [dimension.from_units(drawn[:, j]) for j, dimension in enumerate(self._dimensions)]
        return list(zip(*columns, strict=True))

    def after_inactive(self, position: int, point: Point, inactive: frozenset[int]) -> int:
        """See `Stream`."""
        return position + 1
