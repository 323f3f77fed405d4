"""Ties and small deviations: where the last digit decides, against exact and against 60-digit arithmetic."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest

from tests.indicators.support import Implementation, implementations
from tests.vectors.golden_g import flat

PAIRS = [(fast, slow) for fast in (2, 3, 5, 7, 10, 12, 15, 20, 25, 30) for slow in range(31, 41)]


def tick_walk(tick: Fraction, level: int, n: int = 400) -> tuple[list[int], list[float]]:
    """A slow random walk on the grid, in ticks and as the nearest doubles; it stands still often."""
    rng = np.random.default_rng(11)
    ticks = (level + np.cumsum(rng.integers(-1, 2, n) * rng.integers(0, 2, n))).tolist()
    return ticks, [float(t * tick) for t in ticks]


@implementations
@pytest.mark.parametrize(
    ("tick_size", "level"), [(1e-5, 109_990), (0.001, 150_000), (0.25, 18_000), (2.5, 400)], ids=str
)
def test_a_hundred_crossovers_are_those_of_the_exact_averages(
    implementation: Implementation, tick_size: float, level: int
) -> None:
    ticks, close = tick_walk(Fraction(repr(tick_size)), level)
    sums = [0, *accumulate(ticks)]
    periods = sorted({p for pair in PAIRS for p in pair})
    averages = {p: implementation("sma", **flat(close), tick_size=tick_size, period=p) for p in periods}
    exact = {
        p: [Fraction(sums[i + 1] - sums[i + 1 - p], p) if i + 1 >= p else None for i in range(400)]
        for p in periods
    }
    ties = 0
    assert len(PAIRS) == 100
    for fast, slow in PAIRS:
        signs = np.sign(averages[fast] - averages[slow])
        for i in range(slow - 1, 400):
            a, b = exact[fast][i], exact[slow][i]
            assert a is not None
            assert b is not None
            assert signs[i] == (a > b) - (a < b), (fast, slow, i)
            ties += a == b
    assert ties > 50


@implementations
def test_an_average_on_the_grid_is_the_double_nearest_to_the_exact_one(
    implementation: Implementation,
) -> None:
    tick = Fraction(1, 100_000)
    ticks, close = tick_walk(tick, 110_000)
    bars = flat(close)
    for period in (3, 7, 20):
        exact = [float(sum(ticks[i + 1 - period : i + 1]) * tick / period) for i in range(period - 1, 400)]
        for result in (
            implementation("sma", **bars, tick_size=1e-5, period=period),
            implementation("bollinger", **bars, tick_size=1e-5, period=period)["mid"],
        ):
            np.testing.assert_array_equal(result[period - 1 :], exact)


@implementations
def test_one_price_off_the_grid_leaves_the_other_windows_exact(implementation: Implementation) -> None:
    tick = Fraction(1, 100_000)
    ticks, close = tick_walk(tick, 110_000)
    close[50] += 3e-6
    result = implementation("sma", **flat(close), tick_size=1e-5, period=6)
    exact = [float(sum(ticks[i - 5 : i + 1]) * tick / 6) for i in range(5, 400)]
    untouched = [i for i in range(5, 400) if not 50 <= i < 56]
    np.testing.assert_array_equal(result[untouched], [exact[i - 5] for i in untouched])
    np.testing.assert_allclose(result[50:56], exact[45:51], rtol=1e-5)


def exact_deviation(close: list[float], window: int, ddof: int) -> list[Decimal]:
    """Deviations in 60 digits from the exact values of the doubles."""
    with localcontext() as context:
        context.prec = 60
        values = [Decimal(x) for x in close]
        out = []
        for i in range(window - 1, len(values)):
            part = values[i + 1 - window : i + 1]
            mean = sum(part, Decimal(0)) / window
            squares = sum(((x - mean) ** 2 for x in part), Decimal(0))
            out.append((squares / (window - ddof)).sqrt())
        return out


def relative_error(series: np.ndarray, exact: list[Decimal]) -> float:
    """The largest one."""
    values = series[len(series) - len(exact) :].tolist()
    return max(float(abs(Decimal(x) - e) / e) for x, e in zip(values, exact, strict=True))


@implementations
@pytest.mark.parametrize("window", [2, 5, 20, 100])
@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("sigma", [1e-6, 1e-4])
def test_a_small_deviation_at_a_high_level_keeps_its_digits(
    implementation: Implementation, window: int, ddof: int, sigma: float
) -> None:
    """Prices near 1.1 with a millionth of it in noise: the error is a few units of the last digit, at most 1e-14."""
    close = (1.1 + np.random.default_rng(2).normal(0, sigma, 400)).tolist()
    series = implementation("rolling_std", **flat(close), period=window, ddof=ddof)
    assert relative_error(series, exact_deviation(close, window, ddof)) < 1e-14


@implementations
def test_a_deviation_across_a_jump_keeps_its_digits(implementation: Implementation) -> None:
    noise = np.random.default_rng(2).normal(0, 1e-6, 300)
    close = (np.where(np.arange(300) < 150, 1.0, 100.0) + noise).tolist()
    series = implementation("rolling_std", **flat(close), period=20)
    exact = exact_deviation(close, 20, 1)
    assert relative_error(series, exact) < 1e-13


@implementations
@pytest.mark.parametrize("price", [0.1, 1.1, 1e-300, 1e300, 123_456.789])
def test_a_window_without_movement_has_no_deviation(implementation: Implementation, price: float) -> None:
    close = [1.0, 2.0, *[price] * 6, 3.0, *[price] * 4]
    for period in (2, 3, 4):
        series = implementation("rolling_std", **flat(close), period=period)
        still = [i for i in range(period - 1, 13) if len(set(close[i + 1 - period : i + 1])) == 1]
        assert (series[still] == 0.0).all()
        means = implementation("sma", **flat(close), period=period)
        assert (means[still] == price).all()
