"""Indicators against worked tables, dataset G, pandas, and degenerate inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.reference.indicators import CATALOGUE, indicator
from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.operators import scaled_returns, true_range
from sweep.reference.market import Quotes, ReferenceMarket
from sweep.reference.tick_grid import TickGrid
from tests.indicators.support import (
    check_degenerate,
    check_golden,
    check_higher,
    check_local,
    check_row,
    columns,
    label,
    prices_of,
    reference,
)
from tests.reference.support import market_of, market_of_golden
from tests.vectors.golden_g import CHECKSUMS, DATASETS, SPEC, TIES, A, P, flat, golden_g, joined
from tests.vectors.indicator_tables import (
    DEGENERATE,
    GOLDEN,
    HIGHER,
    LOG_RETURNS,
    TRUE_RANGE,
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
    check_row(reference, row)


@pytest.mark.parametrize("row", WORKED_LOCAL, ids=label)
def test_a_worked_window(row: LocalRow) -> None:
    check_local(reference, row)


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_true_range(name: str) -> None:
    c = Candles.of(**DATASETS[name])
    np.testing.assert_allclose(true_range(c.high, c.low, c.close), TRUE_RANGE[name], rtol=1e-12)


def test_the_returns() -> None:
    close = np.array(P["close"], dtype=np.float64)
    np.testing.assert_allclose(scaled_returns(close, True, 100.0), LOG_RETURNS, rtol=5e-9)
    np.testing.assert_allclose(
        scaled_returns(close, False, 1.0)[1:], [b / a - 1 for a, b in pairwise(P["close"])], rtol=1e-12
    )


@pytest.mark.parametrize("row", GOLDEN, ids=label)
def test_a_series_of_the_golden_dataset(row: GoldenRow) -> None:
    check_golden(reference, row)
    params = dict(row.params)
    bars = prices_of(getattr(golden_g(), params.pop("side", "bid")))
    on_arrays = columns(reference(row.id, **bars, tick_size=SPEC["tick_size"], **params))
    for name, series in columns(indicator(market_of_golden(), row.id, **row.params)).items():
        np.testing.assert_array_equal(series, on_arrays[name])


@pytest.mark.parametrize("row", HIGHER, ids=label)
def test_a_series_of_longer_bars(row: HigherRow) -> None:
    check_higher(reference, row)


@pytest.mark.parametrize("row", DEGENERATE, ids=label)
def test_degenerate_bars(row: Degenerate) -> None:
    check_degenerate(reference, row)


@pytest.mark.parametrize(("group", "side"), CHECKSUMS)
def test_the_golden_dataset_has_its_checksums(group: int, side: str) -> None:
    bars = joined(getattr(golden_g(), side), group)
    sums = [math.fsum(bars[name]) for name in ("open", "high", "low", "close")]
    assert sums == pytest.approx(CHECKSUMS[group, side], abs=1e-9)


@pytest.mark.parametrize(("tick", "fast", "slow", "ties"), TIES)
def test_averages_on_the_grid_of_a_market_compare_exactly(
    tick: float, fast: int, slow: int, ties: dict[int, float]
) -> None:
    grid = TickGrid.of(tick)
    side = flat([grid.round(x) for x in golden_g().bid["close"].tolist()])
    market = market_of(
        golden_g().label.tolist(), side, side, spec={**SPEC, "tick_size": tick}, timeframe="M15"
    )
    a, b = (indicator(market, "sma", period=p) for p in (fast, slow))
    assert {int(i): float(a[i]) for i in np.flatnonzero(a == b)} == ties


def market_with(
    close: list[float], high: list[float] | None = None, low: list[float] | None = None
) -> ReferenceMarket:
    side = {"open": close, "high": high or close, "low": low or close, "close": close}
    return market_of([60_000_000 * k for k in range(len(close))], side, side)


PLAIN: list[tuple[str, dict[str, Any]]] = [
    ("ema", {"period": 4}),
    ("sma", {"period": 4}),
    ("atr", {"period": 4}),
    ("rolling_std", {"period": 4}),
    ("bollinger", {"period": 4}),
    ("dmi", {"period": 4}),
    ("dmi", {"period": 4, "seed": "first"}),
    ("kalman_mean", {}),
    ("kalman_zscore", {"window": 4}),
    ("zscore", {"window": 4}),
    ("zscore", {"window": 4, "mode": "rolling_residual"}),
    ("zscore", {"window": 4, "mode": "ema_residual", "ema_period": 3}),
    ("rsi", {"period": 4}),
    ("rsi", {"period": 4, "seed": "first"}),
    ("macd", {"fast": 2, "slow": 4, "signal": 3}),
    ("roc", {"period": 4}),
    ("momentum", {"period": 4}),
    ("choppiness", {"period": 4}),
    ("dema", {"period": 4}),
    ("tema", {"period": 4}),
    ("garch_volatility", {"min_periods": 3}),
    ("garch_vt", {"min_periods": 3}),
    ("garch_volatility_local", {"min_periods": 2, "lookback": 5}),
    ("kalman_garch_zscore", {"min_periods": 3}),
    ("kalman_garch_zscore_local", {"min_periods": 2, "lookback": 5}),
]


def series_of(id: str, candles: Candles, params: Any) -> list[np.ndarray]:
    return list(columns(CATALOGUE[id](candles, **params)).values())


@pytest.mark.parametrize(("id", "params"), PLAIN, ids=str)
@pytest.mark.parametrize("n", [0, 1, 3, 4, 5])
def test_short_data_give_arrays_of_their_length(id: str, params: Any, n: int) -> None:
    candles = Candles.of(*(A[k][:n] for k in ("open", "high", "low", "close")))
    for series, whole in zip(
        series_of(id, candles, params), series_of(id, Candles.of(**A), params), strict=True
    ):
        np.testing.assert_array_equal(series, whole[:n])


bar = st.one_of(
    st.floats(0.5, 2.0),
    st.just(math.nan),
    st.just(math.inf),
    st.just(-math.inf),
    st.sampled_from([1e300, 1.0, 0.0, -1.0]),
)


@settings(max_examples=60, deadline=None)
@given(prices=st.lists(bar, max_size=25), cut=st.integers(0, 25))
@pytest.mark.parametrize(("id", "params"), PLAIN, ids=str)
def test_a_series_is_never_infinite_and_never_looks_ahead(
    id: str, params: Any, prices: list[float], cut: int
) -> None:
    def candles(close: list[float]) -> Candles:
        high, low = ([x + s * abs(x) * 0.01 if math.isfinite(x) else x for x in close] for s in (1, -1))
        return Candles.of(close, high, low, close, grid=TickGrid(1, 100_000))

    whole = series_of(id, candles(prices), params)
    for series, part in zip(whole, series_of(id, candles(prices[:cut]), params), strict=True):
        assert not np.isinf(series).any()
        np.testing.assert_array_equal(series[:cut], part)


def test_period_one_is_the_price_itself() -> None:
    candles = Candles.of(**A)
    for id in ("ema", "sma"):
        np.testing.assert_array_equal(CATALOGUE[id](candles, period=1), A["close"])
    np.testing.assert_array_equal(
        CATALOGUE["atr"](candles, period=1), true_range(candles.high, candles.low, candles.close)
    )
    bands = CATALOGUE["bollinger"](candles, period=1)
    assert isinstance(bands, dict)
    np.testing.assert_array_equal(bands["mid"], A["close"])
    assert np.isnan(bands["upper"]).all()


def walk(n: int = 400, gaps: bool = False) -> list[float]:
    rng = np.random.default_rng(5)
    close = 1.3 + np.cumsum(rng.normal(0, 2e-4, n))
    if gaps:
        close[rng.random(n) < 0.1] = np.nan
    return close.tolist()


@pytest.mark.parametrize("gaps", [False, True])
def test_ema_and_kindred_agree_with_pandas(gaps: bool) -> None:
    close = walk(gaps=gaps)
    candles = Candles.of(close, close, close, close)
    series = pd.Series(close)
    np.testing.assert_allclose(
        CATALOGUE["ema"](candles, period=20), series.ewm(span=20, adjust=False).mean(), rtol=1e-12
    )
    np.testing.assert_allclose(CATALOGUE["sma"](candles, period=20), series.rolling(20).mean(), rtol=1e-12)
    np.testing.assert_allclose(
        CATALOGUE["rolling_std"](candles, period=20), series.rolling(20).std(), rtol=1e-7
    )
    residual = series - series.ewm(span=9, adjust=False).mean()
    np.testing.assert_allclose(
        CATALOGUE["zscore"](candles, window=20, mode="ema_residual", ema_period=9),
        residual / residual.rolling(20).std(),
        rtol=1e-6,
    )


def test_dmi_seeded_first_agrees_with_pandas() -> None:
    close = np.array(walk())
    high, low = close + 0.0004, close - 0.0003
    result = CATALOGUE["dmi"](Candles.of(close, high, low, close), period=14, seed="first")
    assert isinstance(result, dict)
    frame = pd.DataFrame({"h": high, "l": low, "c": close})
    up, down = frame.h.diff(), -frame.l.diff()
    tr = pd.concat(
        [frame.h - frame.l, (frame.h - frame.c.shift()).abs(), (frame.l - frame.c.shift()).abs()], axis=1
    ).max(axis=1)
    smooth = {"alpha": 1 / 14, "adjust": False}
    plus, minus = (
        100 * x.fillna(0).ewm(**smooth).mean() / tr.ewm(**smooth).mean()
        for x in (up.where((up > down) & (up > 0), 0), down.where((down > up) & (down > 0), 0))
    )
    adx = (100 * (minus - plus).abs() / (minus + plus)).ewm(**smooth).mean()
    for name, series in (("plus_di", plus), ("minus_di", minus), ("adx", adx)):
        np.testing.assert_allclose(result[name], series, rtol=1e-10, atol=1e-10)


def test_the_kalman_mean_without_process_noise_is_the_running_mean() -> None:
    close = walk(50)
    mean = CATALOGUE["kalman_mean"](Candles.of(close, close, close, close), r=1.0, q=0.0)
    np.testing.assert_allclose(mean, pd.Series(close).expanding().mean(), rtol=1e-12)


def test_only_the_noise_ratio_matters() -> None:
    candles = Candles.of(**A)
    np.testing.assert_array_equal(
        CATALOGUE["kalman_mean"](candles, r=0.5, q=0.1), CATALOGUE["kalman_mean"](candles, r=1.0, q=0.2)
    )


@pytest.mark.parametrize(
    ("id", "params", "code"),
    [
        ("emma", {}, 1001),
        ("ema", {"length": 3}, 1001),
        ("ema", {}, 1008),
        ("ema", {"period": 0}, 1003),
        ("ema", {"period": 1_000_001}, 1003),
        ("ema", {"period": True}, 1004),
        ("ema", {"period": 3.0}, 1004),
        ("ema", {"period": 3, "side": "mid"}, 1001),
        ("ema", {"period": 3, "timeframe": "M7"}, 1001),
        ("zscore", {"window": 1}, 1003),
        ("zscore", {"mode": "ema_residual"}, 1008),
        ("zscore", {"mode": "other"}, 1001),
        ("kalman_mean", {"r": 0.0}, 1003),
        ("kalman_mean", {"q": math.nan}, 1003),
        ("bollinger", {"std_factor": -1.0}, 1003),
        ("bollinger", {"ddof": 2}, 1003),
        ("rolling_std", {"period": 1}, 1003),
        ("dmi", {"seed": "last"}, 1001),
        ("atr", {"period": "14"}, 1004),
        ("atr", {"timeframe": "soon"}, 1009),
    ],
)
def test_a_bad_parameter_is_refused(id: str, params: dict[str, Any], code: int) -> None:
    with pytest.raises(SweepError) as caught:
        indicator(market_with([1.0, 1.1]), id, **params)
    assert caught.value.code == code


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(SweepError, match="1011"):
        Candles.of([1.0], [1.0, 2.0], [1.0], [1.0])
    with pytest.raises(SweepError, match="1011"):
        Quotes.of([1.0], [1.0, 2.0], [1.0], [1.0])


def test_names_are_matched_without_case() -> None:
    first: Callable[..., Any] = lambda **p: indicator(market_with(walk(40)), "dmi", **p)["adx"]  # noqa: E731
    np.testing.assert_array_equal(
        first(seed=" First ", side="BID", period=3), first(seed="first", period=3, timeframe="m1")
    )
