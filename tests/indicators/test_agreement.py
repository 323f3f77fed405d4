"""The native indicators against the plain ones: values, undefined places, prefixes, errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sweep
from sweep.errors import SweepError
from sweep.market import Market
from sweep.reference.indicators import CATALOGUE, indicator
from sweep.reference.indicators.operators import window_max, window_std
from sweep.reference.market import ReferenceMarket
from tests.indicators.support import (
    PRICES,
    Implementation,
    columns,
    implementations,
    lacking_bars,
    prices_of,
    reference,
    rust,
    walk,
)
from tests.vectors.golden_g import A, flat
from tests.vectors.indicator_tables import MISSING

IDS = list(CATALOGUE)
WITHOUT_INDEX = [id for id in IDS if id != "vol_cluster_series"]
Bars = Mapping[str, Any]

# ----------------------------------------------------------------------------------------------------------------------
# How close the two have to be.

DEVIATIONS = ("rolling_std",)
BANDS = ("bollinger", "bollinger_stepwise")
SCORES = ("zscore", "kalman_zscore", "kalman_zscore_stepwise")
SMALLEST = 1e-150
"""Below it the squares in a deviation underflow; scores are not compared there."""


def spread_of(id: str, params: Mapping[str, Any], bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    """The deviation that a score is divided by, and the rounding of the mean that it subtracts."""
    close = np.where(lacking_bars(bars), np.nan, np.asarray(bars["close"], dtype=np.float64))
    window = params.get("window", 100)
    mode = params.get("mode", "rolling").strip().lower()
    rounding = np.zeros(len(close))
    with np.errstate(all="ignore"):
        if id != "zscore":
            level = reference("kalman_mean", **bars, r=params.get("r", 0.01), q=params.get("q", 1.0))
            spread = close - level
        elif mode == "ema_residual":
            spread = close - reference("ema", **bars, period=params["ema_period"])
        else:
            spread = close if mode == "rolling" else close - reference("sma", **bars, period=window)
            reach = window if mode == "rolling" else 2 * window - 1
            rounding = 1e-15 * window_max(np.abs(close), reach)
        spread = np.where(np.isfinite(spread), spread, np.nan)
        deviation = window_std(spread, window, 1)
        return deviation, rounding / deviation


def check(id: str, params: Mapping[str, Any], bars: Bars, expected: Any, actual: Any) -> None:
    """The same shape, the same undefined places, and values within the tolerance of the indicator."""
    assert type(actual) is type(expected)
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        assert [type(x) for x in actual.values()] == [type(x) for x in expected.values()]
    for (name, a), b in zip(columns(expected).items(), columns(actual).values(), strict=True):
        assert a.shape == b.shape
        compared = np.ones(len(a), dtype=bool)
        tolerance: np.ndarray = 1e-12 * np.maximum(1.0, np.abs(a))
        if id in DEVIATIONS:
            tolerance = np.where(a == 0.0, 0.0, 1e-9 * np.abs(a) + 1e-150)
        elif id in BANDS and name != "mid":
            tolerance = 1e-9 * np.maximum(1.0, np.abs(a))
        elif id in SCORES:
            deviation, rounding = spread_of(id, params, bars)
            compared = ~(deviation < SMALLEST)
            tolerance = 1e-9 * np.maximum(1.0, np.abs(a)) + rounding
        np.testing.assert_array_equal(
            np.isnan(b[compared]), np.isnan(a[compared]), err_msg=f"{id} {name}: undefined places"
        )
        assert not np.isinf(b).any()
        known = compared & np.isfinite(a)
        off = np.flatnonzero(known & (np.abs(a - b) > tolerance))
        assert len(off) == 0, (id, name, params, off[0], a[off[0]], b[off[0]])


def outcome(implementation: Implementation, id: str, bars: Bars, params: Mapping[str, Any]) -> Any:
    """The result, or the code of the error."""
    try:
        return implementation(id, **bars, **params)
    except SweepError as problem:
        return problem.code


def agree(id: str, bars: Bars, params: Mapping[str, Any]) -> None:
    """Both give the same values, or the same error."""
    expected, actual = (outcome(f, id, bars, params) for f in (reference, rust))
    if type(expected) is int or type(actual) is int:
        assert expected == actual
    else:
        check(id, {k: v for k, v in params.items() if k != "tick_size"}, bars, expected, actual)


# ----------------------------------------------------------------------------------------------------------------------
# Random parameters and random bars.

PERIODS = st.integers(1, 9)
WEIGHTS = [(0.05, 0.9), (0.1, 0.8), (0.0, 0.5), (0.3, 0.0), (0.0, 0.0), (0.5, 0.4999)]
WINDOWS = st.integers(2, 9)
LOOKBACKS = st.integers(1, 12)
NOISE = {"r": st.sampled_from([0.01, 0.5, 0.546, 1.0]), "q": st.sampled_from([1.0, 0.1, 1.3, 0.0])}
SEEDED = {"period": PERIODS, "seed": st.sampled_from(["wilder", "first", " First"])}
BAND = {"period": PERIODS, "std_factor": st.sampled_from([0.0, 1.0, 2.5]), "ddof": st.integers(0, 1)}
SHOCKS = {
    "weights": st.sampled_from(WEIGHTS),
    "use_log_returns": st.booleans(),
    "scale": st.sampled_from([100.0, 1.0, 1e4]),
    "min_periods": st.integers(0, 6),
    "sigma_floor": st.sampled_from([1e-6, 0.0, 0.5]),
}
GARCH = {**SHOCKS, "omega": st.sampled_from([None, 0.0, 1e-4, 0.02])}
FEATURE = {
    "feature": st.sampled_from(["atr_points", "garch_forecast"]),
    "atr_length": PERIODS,
    "garch_lookback": LOOKBACKS,
}
PARAMETERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    **{id: {"period": PERIODS} for id in IDS},
    "macd": {"fast": PERIODS, "slow": PERIODS, "signal": PERIODS},
    "rsi": SEEDED,
    "dmi": SEEDED,
    "bollinger": BAND,
    "bollinger_stepwise": BAND,
    "rolling_std": {"period": WINDOWS, "ddof": st.integers(0, 1)},
    "choppiness": {"period": WINDOWS},
    "kalman_mean": NOISE,
    "kalman_zscore": {"window": WINDOWS, **NOISE},
    "kalman_zscore_stepwise": {"window": WINDOWS, **NOISE},
    "zscore": {
        "window": WINDOWS,
        "mode": st.sampled_from(["rolling", "ROLLING_residual", "ema_residual"]),
        "ema_period": PERIODS,
    },
    "garch_volatility": GARCH,
    "garch_vt": {**SHOCKS, "min_periods": st.integers(1, 6)},
    "garch_volatility_local": {**GARCH, "lookback": LOOKBACKS},
    "kalman_garch_zscore": {**GARCH, **NOISE},
    "kalman_garch_zscore_local": {**GARCH, **NOISE, "lookback": LOOKBACKS},
    "vol_cluster_series": {**GARCH, **FEATURE},
}


@st.composite
def parameters(draw: st.DrawFn, id: str, n: int) -> dict[str, Any]:
    """Valid parameters of an indicator on n bars."""
    params = draw(st.fixed_dictionaries(PARAMETERS[id]))
    if "weights" in params:
        params["alpha"], params["beta"] = params.pop("weights")
    if id == "vol_cluster_series" or (id.endswith("_local") and n and draw(st.booleans())):
        params["idx"] = draw(st.integers(0, max(n - 1, 0)))
    return params


ORDINARY = st.floats(0.5, 2.0)
KINDS: dict[str, st.SearchStrategy[float]] = {
    "ordinary": ORDINARY,
    "ticks": st.integers(109_900, 110_100).map(lambda t: t / 100_000),
    "one tick": st.integers(110_000, 110_001).map(lambda t: t / 100_000),
    "steps": st.sampled_from([1.0, 1.0, 1.0, 1.5, 3.0]),
    "tiny": st.sampled_from([1e-300, 2e-300, 3e-300]),
    "huge": st.sampled_from([1e300, 1e300, -1e300]),
    "mixed": st.sampled_from([1e300, 1.0, 1.25, 1e-300]),
    "squares overflow": st.sampled_from([0.0, 1e150, 1.3e153, 1e154, 1.5e154, 1e155]),
    "squares underflow": st.floats(1e-165, 1e-155),
    "signed": st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]),
    "far apart": st.sampled_from([1e-6, 1.0, 1e6]),
    "holes": st.one_of(ORDINARY, ORDINARY, st.just(math.nan)),
    "infinite": st.one_of(ORDINARY, ORDINARY, st.sampled_from([math.inf, -math.inf])),
}
LENGTHS = st.one_of(st.integers(0, 12), st.integers(12, 45))


@st.composite
def bars_of(draw: st.DrawFn, kind: str, n: int) -> dict[str, list[float]]:
    """Bars of one kind, in runs of equal closes or not, with the four prices in order, equal, or unrelated."""
    prices = KINDS[kind]
    if draw(st.booleans()):
        close = draw(st.lists(prices, min_size=n, max_size=n))
    else:
        runs = draw(st.lists(st.tuples(prices, st.integers(1, 8)), min_size=1, max_size=n + 1))
        close = [x for x, length in runs for _ in range(length)]
        close = (close * (n // len(close) + 1))[:n]
    shape = draw(st.sampled_from(["flat", "ordered", "ordered", "unrelated"]))
    if shape == "flat":
        return flat(close)
    if shape == "unrelated":
        return {
            **{name: draw(st.lists(prices, min_size=n, max_size=n)) for name in PRICES[:3]},
            "close": close,
        }
    opened = [close[max(i - 1, 0)] for i in range(n)]
    reach = draw(st.lists(st.sampled_from([0.0, 1e-4, 0.01, 0.3]), min_size=n, max_size=n))
    bodies = list(zip(opened, close, reach, strict=True))
    high = [max(o, c) + abs(c) * x if math.isfinite(o + c) else c for o, c, x in bodies]
    low = [min(o, c) - abs(c) * x if math.isfinite(o + c) else c for o, c, x in bodies]
    return {"open": opened, "high": high, "low": low, "close": close}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id", IDS)
@settings(max_examples=8)
@given(data=st.data())
def test_random_bars(id: str, kind: str, data: st.DataObject) -> None:
    n = data.draw(LENGTHS)
    bars = data.draw(bars_of(kind, n))
    params = data.draw(parameters(id, n))
    tick = data.draw(st.sampled_from([None, 1e-5, 0.25])) if kind in ("ticks", "one tick", "steps") else None
    agree(id, bars, {**params, "tick_size": tick})


@pytest.mark.parametrize("id", IDS)
@settings(max_examples=40)
@given(data=st.data())
def test_lengths_around_the_period(id: str, data: st.DataObject) -> None:
    params = data.draw(parameters(id, 1))
    sizes = {"period", "window", "lookback", "min_periods", "slow", "atr_length"}
    period = max(int(value) for name, value in params.items() if name in sizes) if sizes & set(params) else 3
    n = data.draw(st.sampled_from([0, 1, period - 1, period, period + 1]))
    agree(id, data.draw(bars_of("ordinary", max(n, 0))), params)


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("id", IDS)
@settings(max_examples=8)
@given(data=st.data())
def test_missing_bars(id: str, name: str, data: st.DataObject) -> None:
    agree(id, MISSING[name], data.draw(parameters(id, 12)))


@implementations
@pytest.mark.parametrize("field", PRICES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("id", IDS)
def test_a_bar_with_one_bad_price_is_missing(
    implementation: Implementation, id: str, value: float, field: str
) -> None:
    params = EVERYDAY[id]
    whole = {name: [math.nan if i == 9 else x for i, x in enumerate(A[name] * 2)] for name in PRICES}
    part = {name: list(A[name] * 2) for name in PRICES}
    part[field][9] = value
    expected = columns(implementation(id, **whole, **params))
    for key, series in columns(implementation(id, **part, **params)).items():
        np.testing.assert_array_equal(series, expected[key])
        bits = series[np.isnan(series)].view(np.uint64)
        assert (bits == 0x7FF8000000000000).all()


@implementations
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.5), (0.3, 0.0), (0.3, 0.5)])
@pytest.mark.parametrize("id", ["garch_volatility", "garch_vt", "kalman_garch_zscore"])
def test_a_variance_that_overflowed_stays_undefined(
    implementation: Implementation, id: str, alpha: float, beta: float
) -> None:
    """A return whose square is infinite: 0 times it is undefined, never the floor."""
    bars = flat([1.0, 1.1, 1e300, 1.0, 1.1, 1.0])
    params = {"alpha": alpha, "beta": beta, "use_log_returns": False, "min_periods": 1}
    series = implementation(id, **bars, **params)
    assert np.isfinite(series[2])
    assert np.isnan(series[3:]).all()


def test_a_deviation_whose_squares_overflow() -> None:
    close = np.full(300, 1.3e153)
    close[::100] = 0.0
    for params in ({"period": 100}, {"period": 7}):
        agree("rolling_std", flat(close), params)
        agree("bollinger", flat(close), params)
        agree("zscore", flat(close), {"window": params["period"]})
    assert rust("rolling_std", *[close] * 4, period=100)[250] == pytest.approx(1.3e152)
    steps = flat([0.0, 1.5e154] * 4)
    agree("rolling_std", steps, {"period": 2})
    assert np.isfinite(rust("rolling_std", **steps, period=2)[1:]).all()


def test_a_deviation_whose_squares_underflow() -> None:
    agree("rolling_std", flat([0.0, 3e-162] * 4), {"period": 2})


@pytest.mark.parametrize("period", [1, 3])
@pytest.mark.parametrize("seed", ["wilder", "first"])
def test_an_infinite_movement(period: int, seed: str) -> None:
    close = np.array([-1.7e308, 1.7e308] * 4)
    opened = np.r_[close[:1], close[:-1]]
    high, low = np.maximum(opened, close) + 1e304, np.minimum(opened, close) - 1e304
    bars = {"open": opened, "high": high, "low": low, "close": close}
    agree("dmi", bars, {"period": period, "seed": seed})


# ----------------------------------------------------------------------------------------------------------------------
# Everyday parameters: a value per bar from real data, and no look ahead.

SMALL_GARCH = {"min_periods": 3, "alpha": 0.1, "beta": 0.8}
EVERYDAY: dict[str, dict[str, Any]] = {
    "ema": {"period": 5},
    "ema_stepwise": {"period": 5},
    "sma": {"period": 5},
    "rsi": {"period": 5},
    "macd": {"fast": 3, "slow": 6, "signal": 4},
    "roc": {"period": 5},
    "dmi": {"period": 4},
    "bollinger": {"period": 5},
    "bollinger_stepwise": {"period": 5},
    "atr": {"period": 5},
    "choppiness": {"period": 5},
    "kalman_mean": {"r": 0.5, "q": 0.1},
    "kalman_zscore": {"window": 5, "r": 0.5, "q": 0.1},
    "kalman_zscore_stepwise": {"window": 5, "r": 0.5, "q": 0.1},
    "zscore": {"window": 5, "mode": "rolling_residual"},
    "garch_volatility": SMALL_GARCH,
    "garch_vt": SMALL_GARCH,
    "garch_volatility_local": {"lookback": 9, **SMALL_GARCH},
    "kalman_garch_zscore": SMALL_GARCH,
    "kalman_garch_zscore_local": {"lookback": 9, **SMALL_GARCH},
    "vol_cluster_series": {"idx": 11, "feature": "garch_forecast", "garch_lookback": 9, **SMALL_GARCH},
    "dema": {"period": 5},
    "tema": {"period": 5},
    "momentum": {"period": 5},
    "rolling_std": {"period": 5},
}


@implementations
@pytest.mark.parametrize("id", WITHOUT_INDEX)
@pytest.mark.parametrize("gaps", [0.0, 0.1], ids=["dense", "gaps"])
def test_a_part_of_the_bars_gives_a_part_of_the_series(
    implementation: Implementation, id: str, gaps: float
) -> None:
    bars = walk(90, gaps=gaps)
    whole = columns(implementation(id, **bars, **EVERYDAY[id], tick_size=1e-5))
    for m in (0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 30, 53, 89):
        part = {name: x[:m] for name, x in bars.items()}
        for name, series in columns(implementation(id, **part, **EVERYDAY[id], tick_size=1e-5)).items():
            assert series.tobytes() == whole[name][:m].tobytes(), (name, m)


@implementations
@pytest.mark.parametrize("id", WITHOUT_INDEX)
@settings(max_examples=15)
@given(data=st.data())
def test_the_future_changes_nothing(implementation: Implementation, id: str, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(KINDS)))
    n = data.draw(st.integers(1, 30))
    bars = data.draw(bars_of(kind, n))
    params = data.draw(parameters(id, 0))
    m = data.draw(st.integers(0, n))
    whole = columns(implementation(id, **bars, **params))
    part = {name: x[:m] for name, x in bars.items()}
    for name, series in columns(implementation(id, **part, **params)).items():
        assert series.tobytes() == whole[name][:m].tobytes()


@implementations
@pytest.mark.parametrize("id", ["garch_volatility_local", "kalman_garch_zscore_local", "vol_cluster_series"])
def test_later_bars_do_not_reach_a_local_form(implementation: Implementation, id: str) -> None:
    bars = walk(60)
    part = {name: x[:31] for name, x in bars.items()}
    params = {**EVERYDAY[id], "idx": 30}
    whole, cut = (columns(implementation(id, **x, **params)) for x in (bars, part))
    for name, series in cut.items():
        assert series.tobytes() == whole[name].tobytes()


REAL = ["GBPUSD_M15_bid", "GBPUSD_H1_ask", "EURUSD_H1", "GOOG_D1", "BTCPERP_M1"]


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("id", IDS)
def test_real_bars(id: str, name: str, shared_data: Any) -> None:
    table = pq.read_table(shared_data / f"{name}.parquet", columns=list(PRICES))
    bars = {field: table[field].to_numpy()[:5000] for field in PRICES}
    required = {k: v for k, v in EVERYDAY[id].items() if k in ("period", "idx", "feature")}
    agree(id, bars, required)
    agree(id, bars, {**EVERYDAY[id], "tick_size": 0.01 if name.startswith(("GOOG", "BTC")) else 1e-5})


@pytest.mark.shared
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_real_market(side: str, shared_data: Any) -> None:
    sides = {x: str(shared_data / f"GBPUSD_M15_{x}.parquet") for x in ("bid", "ask")}
    market = Market.read(symbol="GBPUSD", timeframe="M15", **sides)
    plain = ReferenceMarket.from_table(market.to_table(), market.meta)
    quotes = getattr(plain, side)
    bars = {name: getattr(quotes, name) for name in PRICES}
    for id, params in EVERYDAY.items():
        expected = indicator(plain, id, side, **params)
        check(id, params, bars, expected, sweep.indicator(market, id, side, **params))


# ----------------------------------------------------------------------------------------------------------------------
# Mistakes.

MISTAKES: list[tuple[str, dict[str, Any], int]] = [
    ("emma", {}, 1001),
    ("EMA", {"period": 3}, 1001),
    ("ema", {"length": 3}, 1001),
    ("ema", {"period": 3, "omega": 1.0}, 1001),
    ("garch_vt", {"omega": 0.1}, 1001),
    ("rsi", {"seed": "last"}, 1001),
    ("dmi", {"seed": ""}, 1001),
    ("zscore", {"mode": "other"}, 1001),
    ("vol_cluster_series", {"idx": 1, "feature": "atr"}, 1001),
    *((id, {}, 1008) for id in ("ema", "ema_stepwise", "sma", "dema", "tema", "momentum", "rolling_std")),
    ("vol_cluster_series", {"idx": 1}, 1008),
    ("vol_cluster_series", {"feature": "atr_points"}, 1008),
    ("zscore", {"mode": "ema_residual"}, 1008),
    ("zscore", {"mode": "ema_residual", "ema_period": None}, 1008),
    *((id, {"period": 0}, 1003) for id in IDS if "period" in EVERYDAY[id]),
    *((id, {"period": -3}, 1003) for id in IDS if "period" in EVERYDAY[id]),
    *((id, {"period": 1_000_001}, 1003) for id in IDS if "period" in EVERYDAY[id]),
    *((id, {"period": 3.0}, 1004) for id in IDS if "period" in EVERYDAY[id]),
    *((id, {"period": True}, 1004) for id in IDS if "period" in EVERYDAY[id]),
    *((id, {"period": "3"}, 1004) for id in IDS if "period" in EVERYDAY[id]),
    ("ema", {"period": 10**30}, 1003),
    ("ema", {"period": math.nan}, 1004),
    ("macd", {"fast": 0}, 1003),
    ("macd", {"slow": 2.5}, 1004),
    ("macd", {"signal": -1}, 1003),
    ("choppiness", {"period": 1}, 1003),
    ("rolling_std", {"period": 1}, 1003),
    ("rolling_std", {"period": 1, "ddof": 1}, 1003),
    ("rolling_std", {"period": 3, "ddof": 2}, 1003),
    ("rolling_std", {"period": 3, "ddof": -1}, 1003),
    ("rolling_std", {"period": 3, "ddof": 1.0}, 1004),
    ("bollinger", {"ddof": 2}, 1003),
    ("bollinger", {"ddof": False}, 1004),
    ("bollinger", {"std_factor": -0.1}, 1003),
    ("bollinger", {"std_factor": math.inf}, 1003),
    ("bollinger", {"std_factor": math.nan}, 1003),
    ("bollinger", {"std_factor": "2"}, 1004),
    ("bollinger", {"std_factor": True}, 1004),
    ("bollinger_stepwise", {"std_factor": -1}, 1003),
    ("rsi", {"seed": 1}, 1004),
    ("zscore", {"mode": 0}, 1004),
    ("zscore", {"window": 1}, 1003),
    ("zscore", {"window": 0}, 1003),
    ("zscore", {"window": "100"}, 1004),
    ("zscore", {"mode": "ema_residual", "ema_period": 0}, 1003),
    ("zscore", {"ema_period": 0}, 1003),
    ("zscore", {"ema_period": 2.0}, 1004),
    *((id, {"window": 1}, 1003) for id in ("kalman_zscore", "kalman_zscore_stepwise")),
    *(
        (id, params, code)
        for id in ("kalman_mean", "kalman_zscore", "kalman_garch_zscore", "kalman_garch_zscore_local")
        for params, code in (
            ({"r": 0.0}, 1003),
            ({"r": -1.0}, 1003),
            ({"r": math.nan}, 1003),
            ({"q": -1e-9}, 1003),
            ({"q": math.inf}, 1003),
            ({"q": "1"}, 1004),
            ({"r": False}, 1004),
        )
    ),
    *(
        (id, {**({"idx": 3, "feature": "atr_points"} if id == "vol_cluster_series" else {}), **params}, code)
        for id in IDS
        if "garch" in id or id == "vol_cluster_series"
        for params, code in (
            ({"alpha": -0.1}, 1003),
            ({"beta": -0.1}, 1003),
            ({"alpha": 0.5, "beta": 0.5}, 1003),
            ({"alpha": 1.0, "beta": 0.0}, 1003),
            ({"alpha": math.nan}, 1003),
            ({"beta": "0.9"}, 1004),
            ({"scale": 0.0}, 1003),
            ({"scale": -1.0}, 1003),
            ({"scale": math.inf}, 1003),
            ({"min_periods": -1}, 1003),
            ({"min_periods": 2.0}, 1004),
            ({"sigma_floor": -1e-9}, 1003),
            ({"sigma_floor": math.nan}, 1003),
            ({"use_log_returns": 1}, 1004),
            ({"use_log_returns": "true"}, 1004),
        )
    ),
    *((id, {"omega": -1e-9}, 1003) for id in ("garch_volatility", "kalman_garch_zscore")),
    *((id, {"omega": math.inf}, 1003) for id in ("garch_volatility", "kalman_garch_zscore")),
    ("garch_volatility", {"omega": "none"}, 1004),
    ("garch_vt", {"min_periods": 0}, 1003),
    *(
        (id, params, code)
        for id in ("garch_volatility_local", "kalman_garch_zscore_local")
        for params, code in (
            ({"lookback": 0}, 1003),
            ({"lookback": 1_000_001}, 1003),
            ({"lookback": 4.0}, 1004),
            ({"idx": -1}, 1003),
            ({"idx": 12}, 1003),
            ({"idx": 3.0}, 1004),
            ({"idx": True}, 1004),
        )
    ),
    *(
        ("vol_cluster_series", {"idx": 3, "feature": "garch_forecast", **params}, code)
        for params, code in (
            ({"idx": 12}, 1003),
            ({"idx": -1}, 1003),
            ({"idx": "3"}, 1004),
            ({"feature": 1}, 1004),
            ({"atr_length": 0}, 1003),
            ({"garch_lookback": 0}, 1003),
        )
    ),
    ("vol_cluster_series", {"idx": 12, "feature": "atr_points"}, 1003),
    ("ema", {"period": None}, 1008),
    ("ema", {"period": np.array(3.7)}, 1004),
    ("ema", {"period": np.array(3)}, 1004),
    ("ema", {"period": np.array([1, 2])}, 1004),
    ("ema", {"period": [3]}, 1004),
    ("ema", {"period": np.float32(3)}, 1004),
    ("rsi", {"seed": Path("wilder")}, 1004),
    ("rsi", {"seed": ["wilder"]}, 1004),
    ("rsi", {"seed": b"wilder"}, 1004),
    ("bollinger", {"std_factor": Decimal(2)}, 1004),
    ("bollinger", {"std_factor": 10**400}, 1003),
    ("garch_vt", {"use_log_returns": np.bool_(True)}, 1004),
    ("garch_volatility_local", {"idx": 10**30}, 1003),
    ("garch_volatility", {"min_periods": -(10**400)}, 1003),
    *(
        (id, {"r": r, "q": q}, 1003)
        for id in ("kalman_mean", "kalman_zscore", "kalman_garch_zscore", "kalman_garch_zscore_local")
        for r, q in ((1e-300, 1e300), (10**400, 1.0), (1.0, 10**400), (-(10**400), 1.0))
    ),
]


@implementations
@pytest.mark.parametrize(("id", "params", "code"), MISTAKES, ids=str)
def test_a_mistake_has_its_code(
    implementation: Implementation, id: str, params: dict[str, Any], code: int
) -> None:
    with pytest.raises(SweepError) as caught:
        implementation(id, **A, **params)
    assert caught.value.code == code, caught.value
    assert isinstance(caught.value, ValueError)


NAMED: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("ema", {"period": 0}, ("period", "0", "1000000")),
    ("rsi", {"seed": "last"}, ("seed", "last", "wilder", "first")),
    ("zscore", {"mode": "other"}, ("mode", "other", "rolling_residual")),
    ("kalman_mean", {"r": -2.5}, ("r", "-2.5")),
    ("garch_volatility", {"alpha": 0.5, "beta": 0.75}, ("alpha + beta", "1")),
    ("garch_vt", {"min_periods": 0}, ("min_periods", "0", "1")),
    ("garch_volatility_local", {"idx": 12}, ("idx", "12", "11")),
    ("vol_cluster_series", {"idx": 1, "feature": "atr"}, ("feature", "atr", "atr_points", "garch_forecast")),
    ("bollinger", {"ddof": 2}, ("ddof", "2", "0", "1")),
    ("atr", {"length": 3}, ("length", "period")),
    ("ema", {}, ("period",)),
    ("emma", {}, ("emma", "ema")),
]


@implementations
@pytest.mark.parametrize(("id", "params", "words"), NAMED, ids=str)
def test_a_message_names_the_parameter_the_value_and_what_is_allowed(
    implementation: Implementation, id: str, params: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(SweepError) as caught:
        implementation(id, **A, **params)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@implementations
def test_numbers_of_numpy_are_numbers(implementation: Implementation) -> None:
    plain = implementation("bollinger", **A, period=3, std_factor=2.0)
    for factor in (np.float64(2.0), np.float32(2), np.int64(2), 2, Fraction(2)):
        result = implementation("bollinger", **A, period=np.int32(3), std_factor=factor)
        np.testing.assert_array_equal(result["upper"], plain["upper"])
    single = implementation("garch_volatility_local", **A, idx=np.int64(11), lookback=np.int64(4))
    assert (single["start"], type(single["start"])) == (8, int)


@implementations
@pytest.mark.parametrize("min_periods", [2_000_000, 2**63 - 1, 2**63, 10**30])
@pytest.mark.parametrize("id", ["garch_vt", "garch_volatility", "kalman_garch_zscore"])
def test_a_start_has_no_limit(implementation: Implementation, id: str, min_periods: int) -> None:
    assert np.isnan(implementation(id, **A, min_periods=min_periods)).all()


@implementations
def test_large_whole_numbers_are_floats_where_floats_are_asked_for(implementation: Implementation) -> None:
    for large in (2**62 + 1, 2**64, 10**30):
        whole, float_ = (implementation("kalman_mean", **A, r=r, q=1e29) for r in (large, float(large)))
        assert whole.tobytes() == float_.tobytes()
    assert (implementation("kalman_mean", **A, r=10**30, q=1e29)[1:] > 10).all()


@implementations
def test_none_is_as_good_as_not_given(implementation: Implementation) -> None:
    given = implementation("bollinger", **A, period=3, std_factor=None, ddof=None)
    for name, series in implementation("bollinger", **A, period=3).items():
        assert series.tobytes() == given[name].tobytes()


@implementations
def test_arrays_of_different_length_are_refused(implementation: Implementation) -> None:
    with pytest.raises(SweepError, match="1011"):
        implementation("ema", [1.0], [1.0, 2.0], [1.0], [1.0], period=3)


@implementations
@pytest.mark.parametrize("id", WITHOUT_INDEX)
def test_no_bars_give_no_values(implementation: Implementation, id: str) -> None:
    for series in columns(implementation(id, [], [], [], [], **EVERYDAY[id])).values():
        assert len(series) == 0


@implementations
@pytest.mark.parametrize("id", ["garch_volatility_local", "kalman_garch_zscore_local", "vol_cluster_series"])
def test_no_bars_have_no_index(implementation: Implementation, id: str) -> None:
    with pytest.raises(SweepError, match="1003"):
        implementation(id, [], [], [], [], **{**EVERYDAY[id], "idx": 0})


@implementations
@pytest.mark.parametrize("id", [id for id in WITHOUT_INDEX if "period" in EVERYDAY[id]])
def test_a_period_beyond_the_data_gives_no_value(implementation: Implementation, id: str) -> None:
    averages = ("ema", "ema_stepwise", "dema", "tema")
    for series in columns(implementation(id, **A, period=1_000_000)).values():
        assert len(series) == 12
        assert np.isnan(series).all() != (id in averages)


@implementations
@pytest.mark.parametrize("id", WITHOUT_INDEX)
def test_the_bars_are_left_as_they_were(implementation: Implementation, id: str) -> None:
    bars = walk(40, gaps=0.1)
    before = {name: x.copy() for name, x in bars.items()}
    bars["open"][7] = before["open"][7] = math.inf
    implementation(id, **prices_of(bars), **EVERYDAY[id])
    for name, x in bars.items():
        assert x.tobytes() == before[name].tobytes()
