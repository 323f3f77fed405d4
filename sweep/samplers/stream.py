"""Streams of candidates c(0), c(1), …, and the scan that takes the next valid, new ones."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from sweep.space import INACTIVE, Candidate, Permutation, Point, Space
from sweep.space.draws import points_at, unit_points

_LARGEST_CHUNK: Final = 1_024


class Stream(Protocol):
    """Candidates addressed by position; a pure function of (configuration, seed, position)."""

    @property
    def length(self) -> int | None:
        """Number of candidates; None without an end."""
        ...

    @property
    def unique(self) -> bool:
        """Whether it lists every point of a finite space once, so that parameters without a value count at index 0."""
        ...

    def points(self, start: int, count: int) -> Sequence[Point]:
        """Candidates start … start + count − 1, cut at the length."""
        ...

    def after_inactive(self, position: int, point: Point, inactive: frozenset[int]) -> int:
        """The next position that can hold a valid point, given that `point` was refused as inactive."""
        ...


class Taken(NamedTuple):
    """A candidate and where it stood in its stream."""

    position: int
    candidate: Candidate


def take(
    space: Space, stream: Stream, start: int, count: int, used: set[str], known: Set[str], max_rejects: int
) -> list[Taken]:
    """The next `count` candidates from `start` whose keys are in neither `known` nor `used`; adds theirs to `used`.

    Fewer if the stream or a finite space is exhausted, or `max_rejects` candidates in a row are refused.
    """
    taken: list[Taken] = []
    left = None if space.cardinality is None else space.cardinality - len(known) - len(used - known)
    position, rejected, chunk = start, 0, count
    while len(taken) < count and rejected < max_rejects and (left is None or len(taken) < left):
        points = stream.points(position, min(chunk, max_rejects - rejected))
        if not points:
            break
        evaluations = space.evaluate(points, unique=stream.unique)
        for place, (candidate, *_) in enumerate(evaluations, position):
            if candidate is None or (key := candidate.key) in used or key in known:
                rejected += 1
                continue
            used.add(key)
            taken.append(Taken(place, candidate))
            rejected = 0
            if len(taken) == count:
                break
        position += len(points)
        if evaluations[-1].reason == INACTIVE:
            position = max(
                position, stream.after_inactive(position - 1, points[-1], evaluations[-1].inactive)
            )
        chunk = min(2 * chunk, _LARGEST_CHUNK)
    return taken


@dataclass(frozen=True)
class DrawnStream:
    """Independent draws u = seed(S, label, q, name)/2⁶⁴ per parameter."""

    space: Space
    seed: int
    label: str
    length: None = None
    unique: bool = False

    def points(self, start: int, count: int) -> Sequence[Point]:
        """See `Stream`."""
        return unit_points(self.space.dimensions, self.seed, self.label, start, count)

    def after_inactive(self, position: int, point: Point, inactive: frozenset[int]) -> int:
        """See `Stream`."""
        return position + 1


class PermutedStream:
    """Every point of a finite space once, in the order of the keyed permutation."""

    def __init__(self, sizes: Sequence[int], seed: int, label: str = "perm") -> None:
        self.sizes = tuple(sizes)
        self.length = math.prod(self.sizes)
        self.unique = True
        self._order = Permutation(self.length, seed, label)

    def points(self, start: int, count: int) -> Sequence[Point]:
        """See `Stream`."""
        return points_at(self._order.span(start, count), self.sizes)

    def after_inactive(self, position: int, point: Point, inactive: frozenset[int]) -> int:
        """See `Stream`."""
        return position + 1


def random_stream(space: Space, seed: int, label: str = "random") -> DrawnStream | PermutedStream:
    """The stream `random`: without replacement on finite spaces without log dimensions, else independent draws."""
    if space.cardinality is None or any(dimension.log for dimension in space.dimensions):
        return DrawnStream(space, seed, label)
    return PermutedStream(space.sizes, seed, "perm" if label == "random" else label)
