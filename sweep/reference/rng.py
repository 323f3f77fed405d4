"""ChaCha with eight rounds, seeded from one integer as `ChaCha8Rng::seed_from_u64` does."""

from __future__ import annotations

from typing import Final

_MASK32: Final = 0xFFFF_FFFF
_MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF
_CONSTANTS: Final = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
_COLUMNS: Final = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_DIAGONALS: Final = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def _key(seed: int) -> list[int]:
    """Eight key words from the seed, by a permuted congruential generator."""
    state, words = seed, []
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) & _MASK64
        x = (((state >> 18) ^ state) >> 27) & _MASK32
        turn = state >> 59
        words.append(((x >> turn) | (x << (32 - turn))) & _MASK32)
    return words


def _quarter_round(s: list[int], a: int, b: int, c: int, d: int) -> None:
    for left, source, target, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[left] = (s[left] + s[source]) & _MASK32
        mixed = s[target] ^ s[left]
        s[target] = ((mixed << turn) | (mixed >> (32 - turn))) & _MASK32


def block(seed: int, counter: int) -> list[int]:
    """The sixteen u32 words of block `counter` of the stream of `seed` (both u64)."""
    start = [*_CONSTANTS, *_key(seed), counter & _MASK32, counter >> 32, 0, 0]
    words = list(start)
    for _ in range(4):
        for lanes in (*_COLUMNS, *_DIAGONALS):
            _quarter_round(words, *lanes)
    return [(x + y) & _MASK32 for x, y in zip(words, start, strict=True)]


def first_u64(seed: int) -> int:
    """First 64-bit output of the generator."""
    words = block(seed, 0)
    return words[0] | (words[1] << 32)


def first_uniform(seed: int) -> float:
    """First double in [0, 1) of the generator: 53 bits."""
    return (first_u64(seed) >> 11) * 2.0**-53
