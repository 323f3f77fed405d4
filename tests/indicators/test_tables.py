"""The native indicators against worked tables, dataset G and degenerate bars."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from sweep.indicators import catalogue
from sweep.reference.indicators import CATALOGUE
from sweep.reference.tick_grid import TickGrid
from tests.indicators.support import (
    Implementation,
    check_degenerate,
    check_golden,
    check_higher,
    check_local,
    check_row,
    implementations,
    label,
    rust,
)
from tests.vectors.golden_g import TIES, A, flat, golden_g
from tests.vectors.indicator_tables import (
    DEGENERATE,
    GOLDEN,
    HIGHER,
    RSI_OF_ONE,
    WORKED,
    WORKED_LOCAL,
    Degenerate,
    GoldenRow,
    HigherRow,
    LocalRow,
    Row,
)


@pytest.mark.parametrize("row", WORKED, ids=label)
def test_a_worked_series(row: Row) -> None:
    check_row(rust, row)


@pytest.mark.parametrize("row", WORKED_LOCAL, ids=label)
def test_a_worked_window(row: LocalRow) -> None:
    check_local(rust, row)


@pytest.mark.parametrize("row", GOLDEN, ids=label)
def test_a_series_of_the_golden_dataset(row: GoldenRow) -> None:
    check_golden(rust, row)


@pytest.mark.parametrize("row", HIGHER, ids=label)
def test_a_series_of_longer_bars(row: HigherRow) -> None:
    check_higher(rust, row)


@pytest.mark.parametrize("row", DEGENERATE, ids=label)
def test_degenerate_bars(row: Degenerate) -> None:
    check_degenerate(rust, row)


@implementations
@pytest.mark.parametrize("seed", ["wilder", "first"])
def test_rsi_of_period_one_says_which_way_the_close_went(implementation: Implementation, seed: str) -> None:
    np.testing.assert_array_equal(implementation("rsi", **A, period=1, seed=seed), RSI_OF_ONE)


@implementations
@pytest.mark.parametrize(("tick", "fast", "slow", "ties"), TIES)
def test_averages_on_the_grid_are_equal_where_they_should_be(
    implementation: Implementation, tick: float, fast: int, slow: int, ties: dict[int, float]
) -> None:
    grid = TickGrid.of(tick)
    bars = flat([grid.round(x) for x in golden_g().bid["close"].tolist()])
    a, b = (implementation("sma", **bars, tick_size=tick, period=p) for p in (fast, slow))
    assert {int(i): float(a[i]) for i in np.flatnonzero(a == b)} == ties


def test_both_catalogues_name_the_same_indicators_and_parameters() -> None:
    native = {e["id"]: [p["name"] for p in e["parameters"]] for e in catalogue()}
    plain = {
        id: [p.name for p in inspect.signature(f).parameters.values() if p.kind is p.KEYWORD_ONLY]
        for id, f in CATALOGUE.items()
    }
    assert native == plain


def test_both_catalogues_have_the_same_defaults() -> None:
    for entry in catalogue():
        parameters = inspect.signature(CATALOGUE[entry["id"]]).parameters
        for p in entry["parameters"]:
            default = parameters[p["name"]].default
            assert (default is inspect.Parameter.empty) == p["required"], (entry["id"], p["name"])
            if not p["required"]:
                assert (default, type(default)) == (p["default"], type(p["default"])), (
                    entry["id"],
                    p["name"],
                )
