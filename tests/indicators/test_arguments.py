"""What `sweep.indicator` takes for a market, and what it says of anything else."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import sweep
from sweep import Market
from sweep.errors import SweepError
from tests.indicators.support import columns, walk

BARS = walk(30)
CLOSE = BARS["close"]


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.synthetic(bars=60, seed=1)


def code_of(*arguments: Any, **keys: Any) -> int:
    with pytest.raises(SweepError) as caught:
        sweep.indicator(*arguments, **keys)
    assert str(caught.value).startswith(f"[{caught.value.code}]")
    assert "\n" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
def test_a_table_is_as_good_as_its_arrays(make: Any) -> None:
    table = make({**BARS, "note": ["x"] * len(CLOSE)})
    expected = columns(sweep.indicator(BARS, "dmi", period=3))
    for name, series in columns(sweep.indicator(table, "dmi", period=3)).items():
        assert series.tobytes() == expected[name].tobytes()


def test_none_and_null_are_missing_and_left_out_prices_are_the_close() -> None:
    expected = sweep.indicator({"close": [1.0, math.nan, 3.0]}, "atr", period=1)
    for close in ([1.0, None, 3.0], pa.array([1.0, None, 3.0]), pd.Series([1.0, None, 3.0])):
        np.testing.assert_array_equal(sweep.indicator({"close": close}, "atr", period=1), expected)
    whole = sweep.indicator({"close": [1, 2, 4]}, "atr", period=1)
    np.testing.assert_array_equal(whole, [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("bars", "code"),
    [
        (None, 1004),
        (CLOSE, 1004),
        ("bars.parquet", 1004),
        (Path("bars.parquet"), 1004),
        (3, 1004),
        ({"close": CLOSE.reshape(5, 6)}, 1004),
        ({"close": 1.0}, 1004),
        ({"close": None}, 1004),
        ({"close": ["1.0"]}, 1004),
        ({"close": ["a"]}, 1004),
        ({"close": [1.0, "a", None]}, 1004),
        ({"close": [[1.0], [1.0, 2.0]]}, 1004),
        ({"close": np.array([1 + 2j])}, 1004),
        ({"close": np.array(["2024-01-01"], dtype="datetime64[us]")}, 1004),
        ({"open": CLOSE}, 1008),
        (pd.DataFrame({"open": CLOSE}), 1008),
        (pd.DataFrame({"close": ["a"]}), 1004),
        ({"close": CLOSE, "volume": CLOSE}, 1001),
        ({"close": CLOSE, 5: CLOSE}, 1001),
        ({"close": CLOSE, "high": CLOSE[1:]}, 1011),
    ],
    ids=str,
)
def test_what_is_no_market(bars: Any, code: int) -> None:
    assert code_of(bars, "ema", period=3) == code


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"side": None}, 1004),
        ({"side": 1}, 1004),
        ({"side": "mid"}, 1001),
        ({"timeframe": 5}, 1004),
        ({"timeframe": "soon"}, 1009),
        ({"timeframe": ""}, 1009),
        ({"on": 1}, 1004),
        ({"on": "ticks"}, 1001),
        ({"id": None}, 1004),
        ({"id": 5}, 1004),
        ({"id": "emma"}, 1001),
        ({"period": [3]}, 1004),
        ({"period": np.eye(20)}, 1004),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["market", "arrays"])
def test_arguments_are_checked_on_markets_and_on_arrays(
    kind: str, keys: dict[str, Any], code: int, market: Market
) -> None:
    bars = market if kind == "market" else {"close": CLOSE}
    assert code_of(bars, **{"id": "ema", "period": 3, **keys}) == code


@pytest.mark.parametrize("timeframe", ["M5", "h1", " D1 "])
def test_arrays_have_no_timeframe(timeframe: str) -> None:
    assert code_of({"close": CLOSE}, "ema", timeframe=timeframe, period=3) == 1006


def test_arrays_have_one_side_and_one_kind_of_bars() -> None:
    plain = sweep.indicator({"close": CLOSE}, "ema", period=3)
    for keys in ({"side": " ASK"}, {"on": "bars"}, {"on": "Raster"}):
        np.testing.assert_array_equal(sweep.indicator({"close": CLOSE}, "ema", period=3, **keys), plain)


@pytest.mark.parametrize(
    ("tick", "code"),
    [
        (0, 1003),
        (-0.1, 1003),
        (math.nan, 1003),
        (math.inf, 1003),
        (5e-324, 1003),
        (10**400, 1003),
        ("0.1", 1004),
        (True, 1004),
        (Decimal("0.1"), 1004),
    ],
    ids=str,
)
def test_a_tick_size_is_a_number_above_0(tick: Any, code: int) -> None:
    assert code_of({"close": CLOSE}, "sma", tick_size=tick, period=3) == code


def test_a_market_has_its_own_tick_size(market: Market) -> None:
    assert code_of(market, "sma", tick_size=0.5, period=3) == 1006
