"""Checks of indicator parameters, made before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sweep.errors import error

LONGEST: Final = 1_000_000
_INTEGERS: Final = (int, np.integer)
_NUMBERS: Final = (int, float, np.integer)


def whole(name: str, value: object, *, low: int = 1, high: int = LONGEST) -> int:
    """An integer in [low, high]; [1004] if it is none, [1003] outside."""
    if isinstance(value, bool) or not isinstance(value, _INTEGERS):
        raise error(1004, f"{name} is {value!r}", remedy=f"give an integer from {low} to {high}")
    if not low <= value <= high:
        raise error(1003, f"{name} is {value}", remedy=f"give {low} to {high}")
    return int(value)


def number(name: str, value: object, *, low: float, open_below: bool = False) -> float:
    """A finite number from `low` on; [1004] if it is none, [1003] outside."""
    remedy = f"give a finite number {'above' if open_below else 'from'} {low}"
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise error(1004, f"{name} is {value!r}", remedy=remedy)
    if not _finite(value) or value < low or (open_below and value == low):
        raise error(1003, f"{name} is {value}", remedy=remedy)
    return float(value)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """One of the allowed names, matched without case and surrounding blanks; [1001] otherwise, [1004] for no text."""
    if not isinstance(value, str):
        raise error(1004, f"{name} is {value!r}", remedy=f"give one of {', '.join(allowed)}")
    text = value.strip().lower()
    if text not in allowed:
        raise error(1001, f"{name} is {value!r}", remedy=", ".join(allowed))
    return text


def flag(name: str, value: object) -> bool:
    """True or False; [1004] for anything else."""
    if not isinstance(value, bool):
        raise error(1004, f"{name} is {value!r}", remedy="give True or False")
    return value


def bar_index(name: str, value: object, bars: int) -> int:
    """An index of one of the bars; [1004] if it is no integer, [1003] outside."""
    if isinstance(value, bool) or not isinstance(value, _INTEGERS):
        raise error(1004, f"{name} is {value!r}", remedy="give the index of a bar")
    if not 0 <= value < bars:
        allowed = f"give 0 to {bars - 1}" if bars else "there is no bar"
        raise error(1003, f"{name} is {value}", remedy=allowed)
    return int(value)
