from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.space.values import Listed, Steps, count_text, points


@pytest.mark.parametrize(
    ("low", "high", "step", "expected"),
    [
        (0.74, 0.82, 0.02, "0.74 0.76 0.78 0.8 0.82"),
        (0.11, 0.15, 0.01, "0.11 0.12 0.13 0.14 0.15"),
        (-0.85, -0.75, 0.01, "-0.85 -0.84 -0.83 -0.82 -0.81 -0.8 -0.79 -0.78 -0.77 -0.76 -0.75"),
        (0.35, 0.38, 0.006, "0.35 0.356 0.362 0.368 0.374 0.38"),
        (0, 1, 0.3, "0.0 0.3 0.6 0.9"),
        (0.1, 0.9, 0.1, "0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9"),
    ],
)
def test_grids_of_the_specification(low: float, high: float, step: float, expected: str) -> None:
    grid = Steps.between(low, high, step, integer=False)
    assert " ".join(repr(grid.value(k)) for k in range(grid.size)) == expected


@pytest.mark.parametrize(
    ("bounds", "given_value", "expected"),
    [
        ((0.74, 0.82, 0.02), 0.75, 0.76),
        ((0.74, 0.82, 0.02), 0.7499999, 0.74),
        ((0.74, 0.82, 0.02), 0.99, 0.82),
        ((0.74, 0.82, 0.02), -3, 0.74),
        ((-0.85, -0.75, 0.01), -0.845, -0.84),
    ],
)
def test_snaps_of_the_specification(
    bounds: tuple[float, float, float], given_value: float, expected: float
) -> None:
    grid = Steps.between(*bounds, integer=False)
    index = grid.nearest(given_value)
    assert index is not None
    assert grid.value(index) == expected


def test_integer_grids_stay_integers() -> None:
    grid = Steps.between(5, 62, 5, integer=True)
    assert [grid.value(k) for k in range(grid.size)] == list(range(5, 61, 5))
    assert type(grid.value(3)) is int
    assert grid.nearest(12.5) == 2


_DECIMALS = st.decimals(-1000, 1000, places=4, allow_nan=False, allow_infinity=False)


@given(_DECIMALS, st.decimals("0.0001", 10, places=4), st.integers(0, 500), st.floats(-1e6, 1e6))
def test_snapping_is_idempotent_and_values_are_exact_decimals(
    low: Decimal, step: Decimal, n: int, x: float
) -> None:
    grid = Steps.between(float(low), float(low + n * step), float(step), integer=False)
    assert grid.size == n + 1
    assert grid.value(n) == float(low + n * step)
    index = grid.nearest(x)
    assert index is not None
    assert grid.nearest(grid.value(index)) == index


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0.01, 100, 5, True, False), (0.01, 0.1, 1.0, 10.0, 100.0)),
        ((0.0, 1.0, 4, False, False), (0.0, 0.3333333333, 0.6666666667, 1.0)),
        ((1, 10, 4, True, True), (1, 2, 5, 10)),
        ((1, 4, 7, False, True), (1, 2, 3, 4)),
        ((1 / 3, 2 / 3, 2, False, False), (1 / 3, 2 / 3)),
    ],
)
def test_points(arguments: tuple[float, float, int, bool, bool], expected: tuple[float, ...]) -> None:
    low, high, count, log, integer = arguments
    assert points(low, high, count, log=log, integer=integer) == expected


@given(st.floats(1e-3, 10), st.floats(1.5, 100), st.integers(2, 40), st.booleans())
def test_points_increase_and_keep_both_ends(low: float, factor: float, count: int, log: bool) -> None:
    made = points(low, low * factor, count, log=log, integer=False)
    assert made[0] == low
    assert made[-1] == low * factor
    assert list(made) == sorted(set(made))


def test_lists_tell_bools_numbers_and_texts_apart() -> None:
    listed = Listed((1, True, "1", None), numeric=False)
    assert [listed.nearest(v) for v in (1.0, True, "1", None, "2", 2)] == [0, 1, 2, 3, None, None]
    assert Listed((1, 2, 4), numeric=True).nearest(3) == 2


@given(st.integers(0, 10**40) | st.integers(0, 5000).map(lambda digits: 10**digits + 1))
def test_counts_are_written_out_or_short_and_right_in_four_digits(count: int) -> None:
    text = count_text(count)
    assert len(text) <= 21
    if count < 10**16:
        assert text == f"{count:,}"
    else:
        assert "e+" in text
        shown = Fraction(Decimal(text))
        assert abs(shown - count) * 2000 <= count


def test_counts() -> None:
    assert [count_text(n) for n in (0, 1234, 2**53, 10**300 + 1, 123456 * 10**20)] == [
        "0", "1,234", "9,007,199,254,740,992", "1e+300", "1.235e+25",
    ]  # fmt: skip
