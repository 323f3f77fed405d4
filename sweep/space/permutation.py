"""Keyed permutation of 0 … C − 1: a four-round Feistel network with cycle walking."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

_ROUNDS = 4
_WIDEST = 31
"""Bits of a half that the native module takes."""
_REMEMBERED = 1 << 16


class Permutation:
    """Position → point, a pure function of (seed, label, size); nothing is ever shuffled in memory."""

    def __init__(self, size: int, seed: int, label: str = "perm") -> None:
        bits = max(2, (size - 1).bit_length())
        self.size = size
        self._width = (bits + 1) // 2
        self._mask = (1 << self._width) - 1
        self._prefix = f"{seed}|{label}"
        self._prefixes = [f"{self._prefix}|{j}|" for j in range(_ROUNDS)]
        self._rounds: list[dict[int, int]] = [{} for _ in range(_ROUNDS)]

    def span(self, start: int, count: int) -> Sequence[int]:
        """The points of positions start … start + count − 1, cut at the size."""
        stop = min(start + count, self.size)
        if self._width > _WIDEST or start >= stop:
            return [self[position] for position in range(start, stop)]
        from sweep import _core

        return _core.permuted(self._prefix, self.size, self._width, start, stop - start)

    def __getitem__(self, position: int) -> int:
        if not 0 <= position < self.size:
            raise IndexError(position)
        number = position
        while True:
            left, right = number >> self._width, number & self._mask
            for j in range(_ROUNDS):
                left, right = right, left ^ self._scramble(j, right)
            number = left << self._width | right
            if number < self.size:
                return number

    def _scramble(self, j: int, right: int) -> int:
        """seed(S, label, j, right) mod 2^w, remembered while the table stays small."""
        known = self._rounds[j]
        value = known.get(right)
        if value is None:
            digest = sha256(f"{self._prefixes[j]}{right}".encode()).digest()
            value = int.from_bytes(digest[:8]) & self._mask
            if len(known) < _REMEMBERED:
                known[right] = value
        return value
