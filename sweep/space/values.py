"""Finite lists of parameter values, addressed by grid index; the only place that makes floats of indices.

Steps are exact decimals taken from the shortest round-trip text of the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context
from fractions import Fraction
from typing import Final, Protocol, TypeGuard

from sweep.types import ParamValue

Number = int | float
_NEARLY = Fraction(1, 10**9)
_LONG: Final = 10**16
"""The first count that is not written out: it would take more than 21 characters."""
_SHORT: Final = Context(prec=4)


class Values(Protocol):
    """A finite list of values, possibly too long to be stored."""

    @property
    def size(self) -> int:
        """Number of values, at least 1."""
        ...

    def value(self, index: int) -> ParamValue:
        """The value at `index`, 0 … size − 1."""
        ...

    def column(self, indices: Sequence[int]) -> Sequence[ParamValue]:
        """The values at many indices."""
        ...

    def nearest(self, value: ParamValue) -> int | None:
        """Index that `value` snaps to; None if it is not of this list's kind."""
        ...


def exact(number: Number) -> Fraction:
    """The decimal that the shortest round-trip text of `number` names."""
    return Fraction(repr(number))


def is_number(value: object) -> TypeGuard[int | float]:
    """A finite int or float; bools are not numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def count_text(count: int) -> str:
    """A count for people: written out, or with four digits and an exponent where that would be long."""
    # The number decides, not its text: Python refuses to write some thousand digits.
    return f"{count:,}" if count < _LONG else f"{_SHORT.create_decimal(count).normalize()}".lower()


def clamp(index: int, size: int) -> int:
    """`index` forced into 0 … size − 1."""
    return min(max(index, 0), size - 1)


def half_up(value: Fraction | float) -> int:
    """Rounds to the nearest integer, a tie upwards."""
    return math.floor(value + Fraction(1, 2)) if isinstance(value, Fraction) else math.floor(value + 0.5)


@dataclass(frozen=True, slots=True)
class Steps:
    """low, low + step, … up to the last value that does not pass high; low and step over one denominator."""

    first: int
    stride: int
    denominator: int
    size: int
    integer: bool

    @staticmethod
    def between(low: Number, high: Number, step: Number, *, integer: bool) -> Steps:
        """Grid of `low` … `high`; an off-grid high is not appended. Needs low ≤ high and step > 0."""
        first, stride = exact(low), exact(step)
        q = (exact(high) - first) / stride
        whole = round(q)
        size = (whole if abs(q - whole) < _NEARLY else math.floor(q)) + 1
        common = math.lcm(first.denominator, stride.denominator)
        return Steps(int(first * common), int(stride * common), common, size, integer)

    @property
    def step(self) -> Number:
        """Distance of neighbours."""
        return self.stride if self.integer else self.stride / self.denominator

    def value(self, index: int) -> ParamValue:
        """The double nearest to the exact decimal low + index·step; an int on an integer grid."""
        numerator = self.first + index * self.stride
        return numerator if self.integer else numerator / self.denominator  # int / int rounds correctly

    def column(self, indices: Sequence[int]) -> Sequence[ParamValue]:
        """The values at many indices."""
        first, stride, denominator = self.first, self.stride, self.denominator
        if self.integer:
            return [first + index * stride for index in indices]
        return [(first + index * stride) / denominator for index in indices]

    def nearest(self, value: ParamValue) -> int | None:
        """Round-half-up of (value − low)/step in decimals, clamped."""
        if isinstance(value, bool | str) or value is None:
            return None
        steps = (exact(value) * self.denominator - self.first) / self.stride
        return clamp(half_up(steps), self.size)


@dataclass(frozen=True, slots=True)
class Listed:
    """Values written out: choices, or the list that `points` makes."""

    items: tuple[ParamValue, ...]
    numeric: bool
    """Whether a number snaps to the nearest item; otherwise a value must be one of the items."""

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.items)

    def value(self, index: int) -> ParamValue:
        """The item at `index`."""
        return self.items[index]

    def column(self, indices: Sequence[int]) -> Sequence[ParamValue]:
        """The items at many indices."""
        return [self.items[index] for index in indices]

    def nearest(self, value: ParamValue) -> int | None:
        """Index of the same item (bools, numbers and texts are different things), else of the nearest number."""
        for index, item in enumerate(self.items):
            if same(item, value):
                return index
        if not self.numeric or not is_number(value):
            return None
        target = exact(value)
        distances = [
            (abs(exact(item) - target), -index) for index, item in enumerate(self.items) if is_number(item)
        ]
        return -min(distances)[1]


def same(a: ParamValue, b: ParamValue) -> bool:
    """Equality of choices: 1 and 1.0 are one choice, 1 and true are two."""
    return isinstance(a, bool) == isinstance(b, bool) and isinstance(a, str) == isinstance(b, str) and a == b


def points(low: Number, high: Number, count: int, *, log: bool, integer: bool) -> tuple[Number, ...]:
    """`count` ≥ 2 values from low to high, evenly or in equal ratios; both ends exact, repeats dropped.

    Inner floats are rounded to 10 significant digits, ints half up.
    """
    first, width = exact(low), exact(high) - exact(low)
    made: list[Number] = []
    for i in range(count):
        value: Fraction | float
        if i in (0, count - 1):
            value = exact(low if i == 0 else high)
        elif log:
            value = low * (high / low) ** (i / (count - 1))
        else:
            value = first + width * Fraction(i, count - 1)
        number: Number = half_up(value) if integer else float(f"{float(value):.9e}")
        if not integer and i in (0, count - 1):
            number = float(value)
        if not made or number != made[-1]:
            made.append(number)
    return tuple(made)
