"""The sampler `grid`: a lazy mixed-radix index, in order, shuffled, or thinned."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sweep.errors import error
from sweep.expressions import Expression
from sweep.samplers.base import Settings
from sweep.samplers.enumerated import EnumeratedSampler
from sweep.samplers.thin import DEFAULT_POINTS, kept_indices, thinned_counts
from sweep.space import Permutation, Point, Space
from sweep.space.draws import mixed_radix, points_of
from sweep.space.values import count_text

VERSION = 1


class GridStream:
    """Points of a grid by position; digits in declaration order, the last one fastest."""

    unique = True

    def __init__(self, space: Space, counts: Sequence[int], order: Permutation | None) -> None:
        self.counts = tuple(counts)
        self.length = math.prod(self.counts)
        self._order = order
        pairs = zip(space.sizes, self.counts, strict=True)
        self._kept = [None if size == count else kept_indices(size, count) for size, count in pairs]
        self._blind = _unaffected_by_later(space)

    def points(self, start: int, count: int) -> Sequence[Point]:
        """See `Stream`."""
        positions = range(start, min(start + count, self.length))
        indices = positions if self._order is None else self._order.span(start, count)
        digits = mixed_radix(indices, self.counts)
        columns = [
            column if kept is None else [kept[digit] for digit in column]
            for column, kept in zip(digits, self._kept, strict=True)
        ]
        return points_of(columns, len(positions))

    def after_inactive(self, position: int, point: Point, inactive: frozenset[int]) -> int:
        """In order, all further indices of an inactive dimension are skipped at once where later digits cannot revive it."""
        if self._order is not None:
            return position + 1
        for j, coordinate in enumerate(point):
            if j in inactive and coordinate != 0:
                trailing = all(i in inactive for i in range(j, len(point)))
                if not trailing and not self._blind[j]:
                    return position + 1
                block = math.prod(self.counts[j:])
                return position - position % block + block
        return position + 1


def build(settings: Settings) -> EnumeratedSampler:
    """The sampler of these settings.

    Raises:
        SweepError: [1001] on a continuous dimension or wrong options, [1006] on fewer trials than the grid has in
            lexicographic order.
    """
    space = settings.space
    order, thin = _options(settings)
    endless = [dimension.name for dimension in space.dimensions if dimension.size is None]
    if endless:
        raise error(
            1001,
            f"grid needs finite ranges, but {', '.join(endless)} {'is' if len(endless) == 1 else 'are'} continuous",
            where="search.sampler",
            remedy="give step or points, or use qmc",
        )
    counts = space.sizes if thin is None else thinned_counts(space.sizes, thin)
    size = math.prod(counts)
    stream = GridStream(space, counts, Permutation(size, settings.seed) if order == "shuffled" else None)
    _check_trials(settings, order, size, thin)
    notes = []
    if thin is not None:
        notes.append(
            f"thinned grid: {' x '.join(map(str, counts))} = {count_text(size)} of {count_text(math.prod(space.sizes))} points"
        )
        if len(counts) > 4:
            notes.append("a thinned grid of more than 4 dimensions covers little; consider qmc")
    return EnumeratedSampler(settings, stream, name="grid", version=VERSION, notes=tuple(notes))


def _options(settings: Settings) -> tuple[str, int | None]:
    order = settings.grid.get("order") or "lexicographic"
    if order not in ("lexicographic", "shuffled"):
        raise error(
            1001,
            f"unknown order {order!r}",
            where="search.grid.order",
            remedy="use lexicographic or shuffled",
        )
    thin = settings.grid.get("thin")
    if thin is True:
        thin = DEFAULT_POINTS
    if thin is False:
        thin = None
    if thin is not None and (not isinstance(thin, int) or thin < 1):
        raise error(
            1001, f"thin is {thin!r}", where="search.grid.thin", remedy="give the most points to keep"
        )
    return str(order), thin


def _check_trials(settings: Settings, order: str, size: int, thin: int | None) -> None:
    """A part of a grid in order would leave most of the space out, so it is refused."""
    if settings.trials is None or order == "shuffled" or settings.trials >= size:
        return
    valid = settings.space.measured.valid if thin is None else None
    needed = size if valid is None else valid
    if settings.trials >= needed:
        return
    raise error(
        1006,
        f"{settings.trials:,} trials are a corner of a grid of {count_text(needed)} points",
        where="search.trials",
        remedy="use grid: {order: shuffled}, grid: {thin: M}, sampler: qmc, or leave trials out",
    )


def _unaffected_by_later(space: Space) -> list[bool]:
    """Per dimension: whether its conditions read no dimension after it. A moving derived name may read them all."""
    positions = {dimension.name: i for i, dimension in enumerate(space.dimensions)}
    known = []
    for j, dimension in enumerate(space.dimensions):
        texts = [when for when in (dimension.when, dimension.declared_when) if when is not None]
        names = {name for text in texts for name in Expression.parse(text).names}
        moving = (names & space.declaration.derived) - space.knowledge.constants.keys()
        early = all(positions.get(name, -1) < j for name in names)
        plain = all(not space.dimensions[positions[name]].conditional for name in names if name in positions)
        known.append(early and plain and not moving)
    return known
