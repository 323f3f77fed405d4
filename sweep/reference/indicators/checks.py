"""Checks of indicator parameters, made before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Final

from sweep.errors import error

LONGEST: Final = 1_000_000


def whole(name: str, value: object, *, low: int = 1, high: int | None = LONGEST) -> int:
    """An integer in [low, high], without `high` from low on; [1004] if it is none, [1003] outside."""
    allowed = f"at least {low}" if high is None else f"{low} to {high}"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise error(1004, f"{name} is {value!r}", remedy=f"give an integer, {allowed}")
    if int(value) < low or (high is not None and int(value) > high):
        raise error(1003, f"{name} is {value}", remedy=f"give {allowed}")
    return int(value)


def number(name: str, value: object, *, low: float, open_below: bool = False) -> float:
    """A finite number from `low` on; [1004] if it is none, [1003] outside."""
    remedy = f"give a finite number {'above' if open_below else 'from'} {low}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise error(1004, f"{name} is {value!r}", remedy=remedy)
    x = _float(value)
    if not math.isfinite(x) or x < low or (open_below and x == low):
        raise error(1003, f"{name} is {value}", remedy=remedy)
    return x


def _float(value: Real) -> float:
    """The nearest float; infinite beyond every float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


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
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise error(1004, f"{name} is {value!r}", remedy="give the index of a bar")
    if not 0 <= int(value) < bars:
        allowed = f"give 0 to {bars - 1}" if bars else "there is no bar"
        raise error(1003, f"{name} is {value}", remedy=allowed)
    return int(value)
