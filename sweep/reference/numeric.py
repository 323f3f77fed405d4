"""Rounding and division as the specification writes them."""

from __future__ import annotations

import math


def round8(x: float) -> float:
    """Round to eight decimals: rint(x * 1e8) / 1e8, ties to even."""
    return round(x * 1e8) / 1e8


def round_dec(x: float, places: int) -> float:
    """Nearest decimal with `places` places to the exact binary value, exact ties to even."""
    return round(x, places)


def divide(a: float, b: float) -> float:
    """IEEE-754 quotient: a division by zero gives an infinity or NaN instead of an exception."""
    if b != 0.0:
        return a / b
    if a == 0.0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def floor(x: float) -> float:
    """Largest whole number not above x, as a float; infinities stay."""
    return float(math.floor(x)) if math.isfinite(x) else x


def positive(x: object) -> bool:
    """Whether x is a finite number above zero (a bool is not a number)."""
    return isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) and x > 0
