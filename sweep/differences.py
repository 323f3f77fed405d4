"""Where two results differ: metrics, nested values, trades. Exact, or within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not what was expected; a missing side is `ABSENT`."""

    place: str
    expected: Any
    found: Any

    @property
    def size(self) -> float:
        """|expected − found| of two finite numbers, inf of anything else."""
        if _is_number(self.expected) and _is_number(self.found):
            gap = abs(float(self.expected) - float(self.found))
            return gap if math.isfinite(gap) else math.inf
        return math.inf

    def __str__(self) -> str:
        return f"{self.place}: expected {_shown(self.expected)}, found {_shown(self.found)}"


class _Absent:
    """Stands for a key that one side does not have."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Numbers a, b agree if |a − b| ≤ max(absolute, relative·max(|a|, |b|)); all else must be equal."""

    absolute: float = 0.0
    relative: float = 0.0

    def accepts(self, expected: float, found: float) -> bool:
        """Whether the two numbers agree."""
        if expected == found:
            return True
        return abs(expected - found) <= max(self.absolute, self.relative * max(abs(expected), abs(found)))


EXACT = Tolerance()


def between(
    expected: Any, found: Any, *, place: str = "", tolerance: Tolerance = EXACT
) -> Iterator[Difference]:
    """Differences of two JSON-like values, in the order of the expected one; extra keys come last."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in [*expected, *(key for key in found if key not in expected)]:
            yield from between(
                expected.get(key, ABSENT),
                found.get(key, ABSENT),
                place=f"{place}.{key}" if place else str(key),
                tolerance=tolerance,
            )
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        if len(expected) != len(found):
            yield Difference(f"{place} length", len(expected), len(found))
        for index, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from between(one, other, place=f"{place}[{index}]", tolerance=tolerance)
    elif not _equal(expected, found, tolerance):
        yield Difference(place, expected, found)


def first_trade(expected: pa.Table, found: pa.Table, *, tolerance: Tolerance = EXACT) -> Difference | None:
    """The first difference of two trades tables, by row, then by column; a missing column counts in row 0."""
    names = [name for name in expected.column_names if name in found.column_names]
    missing = [name for name in expected.column_names if name not in found.column_names]
    if missing:
        return Difference(f"trades, column {missing[0]}", "present", ABSENT)
    left = {name: expected.column(name).to_pylist() for name in names}
    right = {name: found.column(name).to_pylist() for name in names}
    for row in range(min(expected.num_rows, found.num_rows)):
        for name in names:
            if not _equal(left[name][row], right[name][row], tolerance):
                return Difference(f"trade {row}, {name}", left[name][row], right[name][row])
    if expected.num_rows != found.num_rows:
        return Difference("number of trades", expected.num_rows, found.num_rows)
    return None


def _equal(expected: Any, found: Any, tolerance: Tolerance) -> bool:
    if _is_number(expected) and _is_number(found):
        return tolerance.accepts(float(expected), float(found))
    return type(expected) is type(found) and bool(expected == found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, float | _Absent) else str(value)
