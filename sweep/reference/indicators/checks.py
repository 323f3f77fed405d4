"""Checks of indicator parameters, made before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sweep.errors import error

LONGEST: Final = 1_000_000


def whole(name: str, value: object, *, low: int = 1, high: int = LONGEST) -> int:
    """An integer in [low, high]; [1004] if it is none, [1003] outside."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise error(1004, f"{name} is {value!r}", remedy="give an integer")
    if not low <= value <= high:
        raise error(1003, f"{name} is {value}", remedy=f"give {low} to {high}")
    return value


def number(name: str, value: object, *, low: float, open_below: bool = False) -> float:
    """A finite number from `low` on; [1004] if it is none, [1003] outside."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise error(1004, f"{name} is {value!r}", remedy="give a number")
    if not math.isfinite(value) or value < low or (open_below and value == low):
        raise error(
            1003,
            f"{name} is {value}",
            remedy=f"give a finite number {'above' if open_below else 'from'} {low}",
        )
    return float(value)


def choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """One of the allowed names, matched without case and surrounding blanks; [1001] otherwise."""
    text = value.strip().lower() if isinstance(value, str) else value
    if text not in allowed:
        raise error(1001, f"{name} is {value!r}", remedy=", ".join(allowed))
    return str(text)
