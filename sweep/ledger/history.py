"""Committed trials as the batch loop sees them: read from the ledger when they are asked for, so that a study of any
length needs little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final, overload

from sweep.ledger.store import Ledger
from sweep.types import Trial

_BLOCK: Final = 512
"""Trials that are read at a time."""


class History(Sequence[Trial]):
    """The trials of a ledger in order, without metrics and runtime; it grows with the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._length = ledger.count()
        self._first = 0
        self._block: list[Trial] = []
        """The last trials that were read one by one, from number `_first`."""
        self._latest: list[Trial] = []
        """Those that came last: they may not be in the file yet."""

    def grow(self, trials: Sequence[Trial], *, joins: bool = False) -> None:
        """These were committed, with those before them if they join their transaction."""
        self._length += len(trials)
        if not joins:
            self._latest = []
        self._latest.extend(trials)

    def shrink(self) -> None:
        """Those that came last were not committed after all."""
        self._length -= len(self._latest)
        self._latest = []

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Trial: ...

    @overload
    def __getitem__(self, index: slice) -> list[Trial]: ...

    def __getitem__(self, index: int | slice) -> Trial | list[Trial]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            if step == 1:
                return self._ledger.history(first=start, count=stop - start) if start < stop else []
            return [self[i] for i in range(start, stop, step)]
        place = index if index >= 0 else index + self._length
        if not 0 <= place < self._length:
            raise IndexError(index)
        if place >= self._length - len(self._latest):
            return replace(self._latest[place - self._length], metrics={}, runtime=None)
        if not self._first <= place < self._first + len(self._block):
            self._first = place
            self._block = self._ledger.history(first=place, count=min(_BLOCK, self._length - place))
        return self._block[place - self._first]


class Keys(Set[str]):
    """Parameter keys, each kept as a digest of 16 bytes.

    Args:
        texts: reads all of them again.
    """

    def __init__(self, texts: Callable[[], Iterable[str]]) -> None:
        self._texts = texts
        self._digests = {_short(key) for key in texts()}

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> set[Any]:
        """What unions and differences with it are."""
        return set(it)

    def update(self, keys: Collection[str]) -> bool:
        """Add keys, which `texts` gives from now on too; whether all were new, and none there twice."""
        before = len(self._digests)
        self._digests.update(map(_short, keys))
        return len(self._digests) == before + len(keys)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _short(key) in self._digests

    def __len__(self) -> int:
        return len(self._digests)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts())


def _short(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
