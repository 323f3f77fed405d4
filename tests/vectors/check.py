"""Whether the result of any engine is what a vector says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.vectors.case import Case

Row = Mapping[str, Any]
ABSOLUTE = 1e-9


@dataclass(frozen=True)
class Outcome:
    """What a vector can speak about; times in microseconds UTC."""

    trades: Sequence[Row]
    open: Sequence[Row]
    pending: Sequence[Row]
    ended: Sequence[Row]
    equity: Sequence[float]
    """With row 0."""
    cash: float
    metrics: Row
    summary: Row
    blocked: Row
    rejections: Row
    counts: Row


def agrees(actual: Any, expected: Any) -> bool:
    """Numbers to 1e-9, the rest exactly."""
    if isinstance(expected, float) and isinstance(actual, (int, float)):
        return math.isclose(actual, expected, rel_tol=0, abs_tol=ABSOLUTE)
    return bool(actual == expected)


def assert_expected(case: Case, outcome: Outcome) -> None:
    """Every expected value of a vector."""
    for name, expected in case.expected.items():
        actual = getattr(outcome, name)
        if name in ("trades", "open", "pending", "ended"):
            assert len(actual) == len(expected), (name, actual)
            for row, wanted in zip(actual, expected, strict=True):
                _assert_values(f"{name}: {dict(row)}", row, wanted)
        elif name == "equity":
            assert len(actual) == len(expected) + 1
            assert all(agrees(a, float(e)) for a, e in zip(actual[1:], expected, strict=True)), actual
        elif name == "rejections":
            assert actual == expected
        elif name == "cash":
            assert agrees(actual, expected), (actual, expected)
        else:
            _assert_values(name, actual, expected)


def _assert_values(where: str, actual: Row, expected: Row) -> None:
    for name, value in expected.items():
        assert agrees(actual[name], value), (where, name, actual[name], value)
