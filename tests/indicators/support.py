"""Both implementations of the indicators behind one call, and what the tests of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import sweep
from sweep.reference.indicators import indicator_on
from sweep.reference.indicators.candles import Candles
from sweep.reference.tick_grid import TickGrid
from tests.vectors.golden_g import DATASETS, golden_g, joined, visible
from tests.vectors.indicator_tables import (
    GOLDEN_BARS,
    HIGHER_BARS,
    Degenerate,
    GoldenRow,
    HigherRow,
    LocalRow,
    Row,
)

PRICES = ("open", "high", "low", "close")


Implementation = Callable[..., Any]
"""(id, open, high, low, close, *, tick_size=None, **params): an array, a number, or a dict of them."""


def reference(
    id: str, open: Any, high: Any, low: Any, close: Any, *, tick_size: float | None = None, **params: Any
) -> Any:
    """The plain Python indicators."""
    grid = None if tick_size is None else TickGrid.of(tick_size)
    return indicator_on(Candles.of(open, high, low, close, grid=grid), id, **params)


def rust(
    id: str, open: Any, high: Any, low: Any, close: Any, *, tick_size: float | None = None, **params: Any
) -> Any:
    """The native indicators."""
    arrays = {"open": open, "high": high, "low": low, "close": close}
    return sweep.indicator(arrays, id, tick_size=tick_size, **params)


IMPLEMENTATIONS: dict[str, Implementation] = {"reference": reference, "rust": rust}
implementations = pytest.mark.parametrize(
    "implementation", list(IMPLEMENTATIONS.values()), ids=list(IMPLEMENTATIONS)
)


def columns(result: Any) -> dict[str, np.ndarray]:
    """Every output by name, numbers as arrays of one."""
    outputs = result if isinstance(result, dict) else {"value": result}
    return {name: np.atleast_1d(np.asarray(x, dtype=np.float64)) for name, x in outputs.items()}


def prices_of(bars: Mapping[str, Any]) -> dict[str, Any]:
    """The four prices of bars."""
    return {name: bars[name] for name in PRICES}


def walk(
    n: int = 400, *, seed: int = 5, start: float = 1.3, step: float = 2e-4, gaps: float = 0.0
) -> dict[str, np.ndarray]:
    """Bars of a random walk with that share of missing ones."""
    rng = np.random.default_rng(seed)
    close = start + np.cumsum(rng.normal(0, step, n))
    opened = np.r_[start, close[:-1]]
    high = np.maximum(opened, close) + rng.exponential(step, n)
    low = np.minimum(opened, close) - rng.exponential(step, n)
    bars = {"open": opened, "high": high, "low": low, "close": close}
    if gaps:
        missing = rng.random(n) < gaps
        for column in bars.values():
            column[missing] = np.nan
    return bars


# ----------------------------------------------------------------------------------------------------------------------
# Worked values. Each takes an implementation and a row of `tests.vectors.indicator_tables`.


def output_of(result: Any, name: str | None) -> np.ndarray:
    """One output as an array."""
    return np.asarray(result if name is None else result[name], dtype=np.float64)


def label(row: Any) -> str:
    """Name of a row in a test report."""
    words = [getattr(row, x, None) for x in ("name", "dataset", "group", "id", "output")]
    return " ".join(str(x) for x in [*words, *row.params.values()] if x is not None)


def check_row(implementation: Implementation, row: Row) -> None:
    """Twelve values of a small dataset."""
    series = output_of(implementation(row.id, **DATASETS[row.dataset], **row.params), row.output)
    np.testing.assert_allclose(series, row.values, rtol=5e-9, atol=1e-15)


def check_local(implementation: Implementation, row: LocalRow) -> None:
    """One bar of a small dataset."""
    result = implementation(row.id, **DATASETS[row.dataset], **row.params)
    if isinstance(row.expected, float):
        assert isinstance(result, float)
        assert result == pytest.approx(row.expected, rel=1e-12)
        return
    assert list(result) == list(row.expected)
    assert isinstance(result["start"], int)
    for name, expected in row.expected.items():
        np.testing.assert_allclose(result[name], expected, rtol=5e-9)


def check_golden(implementation: Implementation, row: GoldenRow) -> None:
    """Four values of G and the first defined index."""
    params = dict(row.params)
    g = golden_g()
    bars = prices_of(getattr(g, params.pop("side", "bid")))
    series = output_of(implementation(row.id, **bars, tick_size=g.spec["tick_size"], **params), row.output)
    np.testing.assert_allclose(series[list(GOLDEN_BARS)], row.values, rtol=1e-9, atol=1e-12)
    assert np.flatnonzero(np.isfinite(series))[0] == row.first


def check_higher(implementation: Implementation, row: HigherRow) -> None:
    """Five values of a series on longer bars, joined and aligned here in the plain way of gapless bars."""
    g = golden_g()
    side = getattr(g, row.side)
    bars = joined(side, row.group)
    n = len(g.label)

    def aligned(native: Sequence[float]) -> list[float]:
        return visible(native, row.group, n)

    if row.id in bars:
        series = np.array(aligned(bars[row.id]))
    elif row.on == "raster":
        raster = {name: aligned(bars[name]) for name in PRICES}
        series = output_of(implementation(row.id, **raster, **row.params), row.output)
    else:
        native = output_of(implementation(row.id, **prices_of(bars), **row.params), row.output)
        series = np.array(aligned(native.tolist()))
    np.testing.assert_allclose(series[list(HIGHER_BARS)], row.values, rtol=1e-9, atol=1e-12)
    assert np.flatnonzero(np.isfinite(series))[0] == row.first


def check_degenerate(implementation: Implementation, row: Degenerate) -> None:
    """Undefined before the first index, the stated values from there on."""
    series = output_of(implementation(row.id, **row.bars, **row.params), row.output)
    first = len(series) if row.first is None else row.first
    assert np.isnan(series[:first]).all()
    assert np.isfinite(series[first:]).all()
    if row.constant is not None:
        np.testing.assert_allclose(series[first:], row.constant, rtol=row.rtol)
    for i, value in row.at.items():
        np.testing.assert_allclose(series[i], value, rtol=5e-9)


def lacking_bars(bars: Mapping[str, Sequence[float]]) -> np.ndarray:
    """Which bars are missing: those with any price that is not finite."""
    prices = np.array([bars[name] for name in PRICES], dtype=np.float64)
    return np.asarray(~np.isfinite(prices).all(axis=0))
