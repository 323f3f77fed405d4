"""Seeds of everything random: one hash, one label per use, no global generator."""

from __future__ import annotations

from collections.abc import Sequence
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


def units(base: int, label: str, start: int, count: int, names: Sequence[str]) -> list[NDArray[np.float64]]:
    """Of every name the numbers seed(base, label, q, name)/2⁶⁴ in [0, 1) for q = start … start + count − 1.

    A seed that would round up to 2⁶⁴ gives the largest double below 1.
    """
    from sweep import _core

    return [np.frombuffer(column) for column in _core.units(f"{base}|{label}", start, count, list(names))]
