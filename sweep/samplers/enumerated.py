"""Samplers that never read results: trial n takes the next valid, new candidate of a stream."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from itertools import chain

from sweep.samplers.base import SAMPLER, START_POINT, Settings, View
from sweep.samplers.start_points import start_points
from sweep.samplers.stream import Stream, take
from sweep.space import Candidate
from sweep.types import Proposal


class EnumeratedSampler:
    """Start points, then a stream."""

    adaptive = False

    def __init__(
        self, settings: Settings, stream: Stream, *, name: str, version: int, notes: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.version = version
        self.stream = stream
        self._settings = settings
        self._start, skipped = start_points(settings.space, settings.start_points)
        self.notes = (*notes, *skipped)
        """What the user should know before the run."""

    @property
    def length(self) -> int | None:
        """Number of candidates, valid or not; None without an end."""
        return self.stream.length

    def propose(self, k: int, first: int, count: int, view: View) -> list[Proposal]:
        """See `Sampler.propose`."""
        settings = self._settings
        proposals = leading(self._start, k, first, count)
        wanted = count - len(proposals)
        if wanted == 0:
            return proposals
        used = {candidate.key for candidate in self._start}
        taken = take(
            settings.space,
            self.stream,
            view.stream_pos,
            wanted,
            used,
            as_set(view.used),
            settings.max_rejects,
        )
        start = first + len(proposals)
        proposals += [
            Proposal(start + j, k, SAMPLER, position, params, key)
            for j, (position, (params, key)) in enumerate(taken)
        ]
        return proposals


def leading(points: tuple[Candidate, ...], k: int, first: int, count: int) -> list[Proposal]:
    """Proposals of the start points that belong to trials first … first + count − 1: trial n is point n."""
    return [
        Proposal(first + j, k, START_POINT, None, candidate.params, candidate.key)
        for j, candidate in enumerate(points[first : first + count])
    ]


class Both(Set[str]):
    """The union of a large set and a small one, without a copy."""

    def __init__(self, large: Set[str], small: frozenset[str]) -> None:
        self._large = large
        self._small = frozenset(key for key in small if key not in large)

    def __contains__(self, key: object) -> bool:
        return key in self._large or key in self._small

    def __iter__(self) -> Iterator[str]:
        return chain(self._large, self._small)

    def __len__(self) -> int:
        return len(self._large) + len(self._small)


def as_set(keys: Collection[str]) -> Set[str]:
    """The keys ready for fast look-up, without a copy if they already are."""
    return keys if isinstance(keys, Set) else frozenset(keys)
