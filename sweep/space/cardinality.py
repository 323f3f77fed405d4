"""How large a space is: the product of its lengths, and how much of it the constraints leave."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sweep.errors import error
from sweep.expressions import Expression
from sweep.space.draws import Point, points_at, unit_points
from sweep.space.permutation import Permutation
from sweep.space.values import count_text

if TYPE_CHECKING:
    from sweep.space.space import Space

EXACT_UP_TO: Final = 1_000_000
SAMPLE: Final = 10_000
_CHUNK: Final = 4_096
_Z95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Cardinality:
    """Points of a space and how many of them are valid."""

    total: int | None
    """Product of the lengths; None if a dimension is continuous."""
    valid: int | None
    """Exact number of distinct valid points, where it was counted."""
    share: float
    """Share of valid points, exact or estimated."""
    interval: tuple[float, float]
    """95 % Wilson interval of an estimated share; the share itself twice if it is exact."""

    def __str__(self) -> str:
        points = "continuous" if self.total is None else f"{count_text(self.total)} points"
        if self.valid is not None:
            return f"{points}, {self.valid:,} satisfy the constraints"
        low, high = self.interval
        return f"{points}, {100 * self.share:.1f} % satisfy the constraints (95 %: {100 * low:.1f} … {100 * high:.1f} %)"


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927)."""
    p, z2 = hits / trials, _Z95**2
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z95 / (1 + z2 / trials) * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2))
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == trials else centre + half)


def measure(space: Space) -> Cardinality:
    """Counts up to EXACT_UP_TO points, else estimates from SAMPLE candidates of the `random` stream.

    Raises [1006] if nothing satisfies the constraints, naming what refused most.
    """
    total = space.cardinality
    refused: Counter[str] = Counter()
    if total is not None and total <= EXACT_UP_TO:
        free, involved = _split(space)
        hits = _count(space, _grid(space, involved), refused) * math.prod(space.sizes[i] for i in free)
        share = hits / total
        result = Cardinality(total, hits, share, (share, share))
    else:
        hits = _count(space, random_points(space, SAMPLE), refused)
        result = Cardinality(total, None, hits / SAMPLE, wilson(hits, SAMPLE))
    if hits == 0:
        common = "; ".join(f"{text} ({number:,} times)" for text, number in refused.most_common(3))
        raise error(
            1006,
            f"no point of the search space satisfies the constraints: {common}",
            where="search.space, search.where, strategy.params",
            remedy="widen a range, change a pinned value, or drop a condition",
        )
    return result


def random_points(space: Space, count: int) -> Iterator[Point]:
    """The first candidates of the `random` stream: without replacement on finite spaces without log dimensions."""
    if space.cardinality is None or any(d.log for d in space.dimensions):
        return iter(unit_points(space.dimensions, space.seed, "random", 0, count))
    order = Permutation(space.cardinality, space.seed)
    return iter(points_at(order.span(0, count), space.sizes))


def _count(space: Space, points: Iterator[Point], refused: Counter[str]) -> int:
    hits = 0
    while chunk := list(itertools.islice(points, _CHUNK)):
        for evaluation in space.evaluate(chunk, unique=space.cardinality is not None):
            if evaluation.candidate is not None:
                hits += 1
            elif evaluation.reason is not None:
                refused[evaluation.reason] += 1
    return hits


def _grid(space: Space, involved: Sequence[int]) -> Iterator[Point]:
    """All combinations of the involved dimensions, the others at index 0."""
    ranges = [range(size) if i in involved else range(1) for i, size in enumerate(space.sizes)]
    return itertools.product(*ranges)


def _split(space: Space) -> tuple[list[int], list[int]]:
    """Positions of the dimensions that no constraint or condition can see, and of the others.

    A derived name that moves at all may depend on every dimension, and any may decide whether a member of a family is read.
    """
    texts = [c.expr for c in space.declaration.constraints if c.severity == "error"]
    texts += [condition.text for condition in space.where]
    seen: set[str] = set()
    for dimension in space.dimensions:
        for when in (dimension.when, dimension.declared_when):
            if when is not None:
                texts.append(when)
                seen.add(dimension.name)
    for text in texts:
        seen |= Expression.parse(text).names
    moving = bool((seen & space.declaration.derived) - space.knowledge.constants.keys())
    moving = moving or any(dimension.inside for dimension in space.dimensions)
    everything = range(len(space.dimensions))
    involved = [i for i in everything if moving or space.dimensions[i].name in seen]
    return [i for i in everything if i not in involved], involved
