"""Seeds of everything random: one hash, one label per use, no global generator."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray


def seed(base: int, *parts: object) -> int:
    """First 8 bytes, big-endian, of the SHA-256 of the UTF-8 text `base|part|part|…`: 0 … 2⁶⁴ − 1.

    Parts are texts without `|` or integers, written in decimal. Raises ValueError on a part with `|`.
    """
    texts = [str(part) for part in parts]
    if any("|" in text for text in texts):
        raise ValueError(f"a part of a seed contains '|': {texts}")
    return int.from_bytes(sha256("|".join([str(base), *texts]).encode()).digest()[:8])


def units(prefixes: Iterable[bytes], suffix: bytes) -> NDArray[np.float64]:
    """Numbers seed/2⁶⁴ in [0, 1), one per prefix, of the texts `prefix` + `suffix` (parts already joined by `|`).

    A seed that would round up to 2⁶⁴ gives the largest double below 1.
    """
    digests = b"".join([sha256(prefix + suffix).digest()[:8] for prefix in prefixes])
    numbers = np.frombuffer(digests, dtype=">u8").astype(np.float64)
    return np.minimum(numbers / 2.0**64, 1.0 - 2.0**-53)
