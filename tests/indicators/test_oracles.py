"""Both implementations against independent libraries and closed forms.

TA-Lib and pandas start some series later or otherwise; each test says what it does about that.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib

from tests.indicators.support import Implementation, columns, implementations, walk

pytestmark = implementations
RTOL = 1e-12
ONLINE = 1e-7
"""pandas' rolling deviation is an on-line algorithm, off by some 1e-9 on prices."""
GAPS = pytest.mark.parametrize("gaps", [0.0, 0.15], ids=["dense", "gaps"])
PERIOD = pytest.mark.parametrize("period", [2, 5, 14, 30])


def series_of(bars: dict[str, np.ndarray], name: str = "close") -> pd.Series[float]:
    return pd.Series(bars[name])


def span(x: pd.Series[float], period: int) -> pd.Series[float]:
    return x.ewm(span=period, adjust=False).mean()


def close_to(actual: Any, expected: Any, rtol: float = RTOL, atol: float = 0.0) -> None:
    np.testing.assert_allclose(actual, np.asarray(expected), rtol=rtol, atol=atol)


# ----------------------------------------------------------------------------------------------------------------------
# Exponential averages: pandas with the same gap rule.


@GAPS
@PERIOD
def test_exponential_averages_agree_with_pandas(
    implementation: Implementation, period: int, gaps: float
) -> None:
    bars = walk(gaps=gaps)
    first = span(series_of(bars), period)
    second = span(first, period)
    third = span(second, period)
    close_to(implementation("ema", **bars, period=period), first)
    close_to(implementation("ema_stepwise", **bars, period=period), first)
    close_to(implementation("dema", **bars, period=period), 2 * first - second)
    close_to(implementation("tema", **bars, period=period), 3 * first - 3 * second + third)


@GAPS
@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (26, 12, 9), (5, 35, 5)])
def test_macd_agrees_with_pandas(
    implementation: Implementation, fast: int, slow: int, signal: int, gaps: float
) -> None:
    bars = walk(gaps=gaps)
    line = span(series_of(bars), fast) - span(series_of(bars), slow)
    average = span(line, signal)
    result = implementation("macd", **bars, fast=fast, slow=slow, signal=signal)
    assert list(result) == ["line", "signal", "hist"]
    for name, expected in (("line", line), ("signal", average), ("hist", line - average)):
        close_to(result[name], expected, atol=RTOL)


@GAPS
@pytest.mark.parametrize("period", [5, 14])
def test_rsi_seeded_first_agrees_with_pandas(
    implementation: Implementation, period: int, gaps: float
) -> None:
    bars = walk(gaps=gaps)
    moves = series_of(bars).diff()
    gain, loss = (
        x.where(moves.notna()).ewm(alpha=1 / period, adjust=False).mean()
        for x in (moves.clip(lower=0), (-moves).clip(lower=0))
    )
    close_to(implementation("rsi", **bars, period=period, seed="first"), 100 * gain / (gain + loss))


@GAPS
@pytest.mark.parametrize("period", [5, 14])
def test_dmi_seeded_first_agrees_with_pandas(
    implementation: Implementation, period: int, gaps: float
) -> None:
    bars = walk(gaps=gaps)
    high, low, close = (series_of(bars, name) for name in ("high", "low", "close"))
    up, down = high.diff(), -low.diff()
    before = close.shift()
    # pandas skips NaN in a maximum: right after a missing bar only high - low counts.
    ranges = pd.concat([high - low, (high - before).abs(), (low - before).abs()], axis=1).max(axis=1)

    def smooth(x: pd.Series[float]) -> pd.Series[float]:
        return x.ewm(alpha=1 / period, adjust=False).mean()

    plus = 100 * smooth(up.where((up > down) & (up > 0), 0.0)) / smooth(ranges)
    minus = 100 * smooth(down.where((down > up) & (down > 0), 0.0)) / smooth(ranges)
    strength = smooth(100 * (minus - plus).abs() / (minus + plus))
    result = implementation("dmi", **bars, period=period, seed="first")
    for name, expected in (("plus_di", plus), ("minus_di", minus), ("adx", strength)):
        close_to(result[name], expected, rtol=1e-11, atol=1e-11)


@PERIOD
def test_exponential_averages_agree_with_talib(implementation: Implementation, period: int) -> None:
    """Its averages start with a mean: behind copies of the first close they start with that close."""
    bars = walk()
    close = bars["close"]
    lead = 4 * period
    padded = np.r_[np.full(lead, close[0]), close]
    for id, function in (("ema", talib.EMA), ("dema", talib.DEMA), ("tema", talib.TEMA)):
        close_to(implementation(id, **bars, period=period), function(padded, period)[lead:])


def test_macd_agrees_with_talib(implementation: Implementation) -> None:
    bars = walk()
    lead = 26 + 9 + 12
    padded = np.r_[np.full(lead, bars["close"][0]), bars["close"]]
    result = implementation("macd", **bars)
    for name, expected in zip(("line", "signal", "hist"), talib.MACD(padded, 12, 26, 9), strict=True):
        close_to(result[name], expected[lead:], atol=1e-12)


# ----------------------------------------------------------------------------------------------------------------------
# Wilder's averages: TA-Lib.


@pytest.mark.parametrize("period", [2, 5, 14])
def test_rsi_agrees_with_talib(implementation: Implementation, period: int) -> None:
    bars = walk()
    close_to(implementation("rsi", **bars, period=period), talib.RSI(bars["close"], period))


@pytest.mark.parametrize("period", [2, 5, 14])
def test_dmi_agrees_with_talib(implementation: Implementation, period: int) -> None:
    bars = walk()
    prices = (bars["high"], bars["low"], bars["close"], period)
    result = implementation("dmi", **bars, period=period)
    assert list(result) == ["plus_di", "minus_di", "adx"]
    for name, function in (
        ("plus_di", talib.PLUS_DI),
        ("minus_di", talib.MINUS_DI),
        ("adx", talib.ADX),
    ):
        close_to(result[name], function(*prices))


@pytest.mark.parametrize("period", [2, 5, 14])
def test_atr_agrees_with_talib(implementation: Implementation, period: int) -> None:
    """Its average starts one bar later, without the first range: one flat bar in front makes up for that."""
    bars = walk()
    middle = (bars["high"][0] + bars["low"][0]) / 2
    high, low, close = (np.r_[middle, bars[name]] for name in ("high", "low", "close"))
    expected = talib.ATR(high, low, close, period)[1:]
    close_to(implementation("atr", **bars, period=period), expected)


def test_the_true_range_agrees_with_talib(implementation: Implementation) -> None:
    bars = walk()
    expected = talib.TRANGE(bars["high"], bars["low"], bars["close"])
    expected[0] = bars["high"][0] - bars["low"][0]
    close_to(implementation("atr", **bars, period=1), expected)


# ----------------------------------------------------------------------------------------------------------------------
# Windows and differences.


@PERIOD
def test_windows_agree_with_talib(implementation: Implementation, period: int) -> None:
    bars = walk()
    close = bars["close"]
    close_to(implementation("sma", **bars, period=period), talib.SMA(close, period))
    close_to(
        implementation("rolling_std", **bars, period=period, ddof=0),
        talib.STDDEV(close, period, 1),
        rtol=1e-9,
    )
    result = implementation("bollinger", **bars, period=period, std_factor=2.5, ddof=0)
    assert list(result) == ["upper", "mid", "lower"]
    bands = talib.BBANDS(close, period, 2.5, 2.5)
    for name, expected in zip(result, bands, strict=True):
        close_to(result[name], expected, rtol=1e-9)


@pytest.mark.parametrize("period", [1, 5, 14])
def test_differences_agree_with_talib(implementation: Implementation, period: int) -> None:
    bars = walk()
    close_to(
        implementation("roc", **bars, period=period), talib.ROC(bars["close"], period), rtol=0, atol=1e-12
    )
    np.testing.assert_array_equal(
        implementation("momentum", **bars, period=period), talib.MOM(bars["close"], period)
    )


@GAPS
@pytest.mark.parametrize("window", [5, 20, 100])
def test_windows_agree_with_pandas(implementation: Implementation, window: int, gaps: float) -> None:
    bars = walk(gaps=gaps / 10)
    close = series_of(bars)
    mean, deviation = close.rolling(window).mean(), close.rolling(window).std()
    close_to(implementation("sma", **bars, period=window), mean)
    close_to(implementation("rolling_std", **bars, period=window), deviation, rtol=ONLINE)
    for id in ("bollinger", "bollinger_stepwise"):
        bands = implementation(id, **bars, period=window, std_factor=1.5)
        close_to(bands["mid"], mean)
        close_to(bands["upper"], mean + 1.5 * deviation, rtol=ONLINE)
        close_to(bands["lower"], mean - 1.5 * deviation, rtol=ONLINE)
    z = implementation("zscore", **bars, window=window)
    close_to(z, (close - mean) / deviation, rtol=ONLINE, atol=ONLINE)


@GAPS
def test_windows_of_two_have_a_closed_form(implementation: Implementation, gaps: float) -> None:
    bars = walk(gaps=gaps)
    step = series_of(bars).diff()
    close_to(implementation("rolling_std", **bars, period=2), step.abs() / math.sqrt(2), rtol=1e-9)
    close_to(implementation("zscore", **bars, window=2), np.sign(step) / math.sqrt(2), rtol=1e-7)


@GAPS
@pytest.mark.parametrize("window", [5, 20, 100])
def test_residual_scores_agree_with_pandas(implementation: Implementation, window: int, gaps: float) -> None:
    bars = walk(gaps=gaps / 10)
    close = series_of(bars)
    for mode, mean in (("rolling_residual", close.rolling(window).mean()), ("ema_residual", span(close, 9))):
        residual = close - mean
        expected = residual / residual.rolling(window).std()
        result = implementation("zscore", **bars, window=window, mode=mode, ema_period=9)
        close_to(result, expected, rtol=ONLINE, atol=ONLINE)


@pytest.mark.parametrize("period", [2, 5, 14])
def test_choppiness_agrees_with_its_definition(implementation: Implementation, period: int) -> None:
    bars = walk()
    ranges = talib.TRANGE(bars["high"], bars["low"], bars["close"])
    ranges[0] = bars["high"][0] - bars["low"][0]

    def windows(x: np.ndarray) -> np.ndarray:
        return np.lib.stride_tricks.sliding_window_view(x, period)

    reach = windows(bars["high"]).max(axis=1) - windows(bars["low"]).min(axis=1)
    expected = 100 * np.log10(windows(ranges).sum(axis=1) / reach) / np.log10(period)
    result = implementation("choppiness", **bars, period=period)
    assert np.isnan(result[: period - 1]).all()
    close_to(result[period - 1 :], expected, rtol=1e-12, atol=1e-11)


# ----------------------------------------------------------------------------------------------------------------------
# Kalman level.


def textbook_level(close: np.ndarray, r: float, q: float) -> np.ndarray:
    """The filter with both variances in place, as textbooks write it."""
    out = np.empty(len(close))
    level, variance = close[0], r
    for i, price in enumerate(close):
        if i:
            variance += q
            gain = variance / (variance + r)
            level += gain * (price - level)
            variance *= 1 - gain
        out[i] = level
    return out


@pytest.mark.parametrize(("r", "q"), [(0.01, 1.0), (0.5, 0.1), (1.0, 0.1), (0.546, 1.3), (3.0, 0.0)])
def test_the_level_agrees_with_the_textbook(implementation: Implementation, r: float, q: float) -> None:
    bars = walk()
    expected = textbook_level(bars["close"], r, q)
    close_to(implementation("kalman_mean", **bars, r=r, q=q), expected)
    residual = pd.Series(bars["close"] - expected)
    score = residual / residual.rolling(50).std()
    for id in ("kalman_zscore", "kalman_zscore_stepwise"):
        close_to(implementation(id, **bars, window=50, r=r, q=q), score, rtol=1e-6, atol=1e-9)


def test_the_level_without_process_noise_is_the_running_mean(implementation: Implementation) -> None:
    bars = walk()
    close_to(implementation("kalman_mean", **bars, r=0.3, q=0.0), series_of(bars).expanding().mean())


def test_the_level_with_much_process_noise_is_the_close(implementation: Implementation) -> None:
    bars = walk()
    close_to(implementation("kalman_mean", **bars, r=1e-9, q=1e9), bars["close"])


@pytest.mark.parametrize(("r", "q"), [(0.01, 1.0), (0.5, 0.1), (0.546, 1.3)])
def test_only_the_ratio_of_the_variances_matters(implementation: Implementation, r: float, q: float) -> None:
    bars = walk()
    for id in ("kalman_mean", "kalman_zscore", "kalman_garch_zscore", "kalman_garch_zscore_local"):
        once, twice = (implementation(id, **bars, r=k * r, q=k * q) for k in (1, 2))
        np.testing.assert_array_equal(once, twice)


@pytest.mark.parametrize(
    ("r", "q", "gain"), [(0.01, 1.0, 0.9902), (0.5, 0.1, 0.3583), (0.546, 1.3, 0.7584), (1.0, 0.1, 0.2702)]
)
def test_the_gain_converges(implementation: Implementation, r: float, q: float, gain: float) -> None:
    """After a long constant stretch a step of one moves the level by the gain."""
    close = np.r_[np.zeros(200), 1.0]
    level = implementation("kalman_mean", close, close, close, close, r=r, q=q)[-1]
    s = q / r
    root = math.sqrt(s * s + 4 * s)
    assert level == pytest.approx((s + root) / (2 + s + root), rel=1e-12)
    assert level == pytest.approx(gain, abs=5e-5)


# ----------------------------------------------------------------------------------------------------------------------
# Volatility.


def log_returns(close: np.ndarray) -> np.ndarray:
    return np.asarray(100 * np.diff(np.log(close)))


@pytest.mark.parametrize(("beta", "omega"), [(0.9, 0.02), (0.5, 1e-4), (0.0, 0.01)])
def test_garch_without_shocks_has_a_closed_form(
    implementation: Implementation, beta: float, omega: float
) -> None:
    bars = walk(200)
    sigma = implementation("garch_volatility", **bars, alpha=0.0, beta=beta, omega=omega, min_periods=0)
    steps = np.arange(199)
    expected = beta**steps * 1e-6 + omega * (1 - beta**steps) / (1 - beta)
    assert np.isnan(sigma[0])
    close_to(sigma[1:], np.sqrt(expected) / 100)


def test_garch_without_memory_follows_the_last_shock(implementation: Implementation) -> None:
    bars = walk(200)
    sigma = implementation("garch_volatility", **bars, alpha=0.3, beta=0.0, omega=0.02, min_periods=1)
    x = log_returns(bars["close"])
    expected = 0.02 + 0.3 * (x[:-1] - x[0]) ** 2
    assert np.isnan(sigma[:2]).all()
    close_to(sigma[2:], np.sqrt(expected) / 100, rtol=1e-10)


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_garch_is_a_weighted_sum_of_shocks(implementation: Implementation, floor: float) -> None:
    """Without a floor that binds, h is omega / (1 - beta) plus shocks weighted by powers of beta."""
    alpha, beta, omega = 0.1, 0.8, 0.01
    bars = walk(120)
    sigma = implementation(
        "garch_volatility", **bars, alpha=alpha, beta=beta, omega=omega, sigma_floor=floor, min_periods=0
    )
    x = log_returns(bars["close"])
    shocks = (x - x[0]) ** 2
    start = max(1e-6, floor**2)
    expected = [
        beta**k * start + sum(beta**j * (omega + alpha * shocks[k - 1 - j]) for j in range(k))
        for k in range(119)
    ]
    assert min(expected[1:]) > floor**2
    close_to(sigma[1:], np.sqrt(expected) / 100, rtol=1e-10)


@pytest.mark.parametrize(("alpha", "beta"), [(0.05, 0.9), (0.2, 0.3), (0.0, 0.0)])
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_variance_targeting_finds_a_constant_size(
    implementation: Implementation, alpha: float, beta: float, scale: float
) -> None:
    signs = np.random.default_rng(3).choice([-1.0, 1.0], 300)
    close = 1.2 * np.exp(np.r_[0.0, np.cumsum(0.004 * signs)])
    params = {"alpha": alpha, "beta": beta, "scale": scale, "min_periods": 10}
    sigma = implementation("garch_vt", close, close, close, close, **params)
    assert np.isnan(sigma[:11]).all()
    close_to(sigma[11:], np.full(290, 0.004), rtol=1e-10)


def test_variance_targeting_without_shocks_is_the_mean_square_so_far(implementation: Implementation) -> None:
    bars = walk()
    sigma = implementation("garch_vt", **bars, alpha=0.0, beta=0.0, min_periods=5)
    squares = pd.Series(log_returns(bars["close"]) ** 2).expanding().mean()
    assert np.isnan(sigma[:6]).all()
    close_to(sigma[6:], np.sqrt(squares[4:-1]) / 100, rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_variance_targeting_is_unbiased_on_independent_returns(
    implementation: Implementation, seed: int
) -> None:
    true = 0.003
    close = np.exp(np.cumsum(np.random.default_rng(seed).normal(0, true, 3000)))
    sigma = implementation("garch_vt", close, close, close, close)
    assert np.nanmean(sigma[500:]) == pytest.approx(true, rel=0.1)


@GAPS
@pytest.mark.parametrize("lookback", [1, 2, 30, 400])
def test_a_local_form_is_the_base_on_its_window(
    implementation: Implementation, lookback: int, gaps: float
) -> None:
    bars = walk(150, gaps=gaps)
    params: dict[str, Any] = {"min_periods": 4, "alpha": 0.1, "beta": 0.8}
    raster = implementation("garch_volatility_local", **bars, lookback=lookback, **params)
    scores = implementation("kalman_garch_zscore_local", **bars, lookback=lookback, **params)
    for idx in (0, 1, 29, 30, 77, 149):
        start = max(0, idx + 1 - lookback)
        window = {name: x[start : idx + 1] for name, x in bars.items()}
        sigma = implementation("garch_volatility", **window, **params)
        local = implementation("garch_volatility_local", **bars, idx=idx, lookback=lookback, **params)
        assert (list(local), local["start"]) == (["start", "sigma"], start)
        np.testing.assert_array_equal(local["sigma"], sigma)
        np.testing.assert_array_equal(raster[idx], sigma[-1])
        routed = implementation(
            "vol_cluster_series", **bars, idx=idx, feature="GARCH_forecast", garch_lookback=lookback, **params
        )
        assert (list(routed), routed["start"]) == (["start", "values"], start)
        np.testing.assert_array_equal(routed["values"], sigma)
        score = implementation("kalman_garch_zscore", **window, **params)[-1]
        np.testing.assert_array_equal(scores[idx], score)
        single = implementation("kalman_garch_zscore_local", **bars, idx=idx, lookback=lookback, **params)
        assert isinstance(single, float)
        np.testing.assert_array_equal(single, score)


@GAPS
def test_the_garch_score_is_made_of_its_parts(implementation: Implementation, gaps: float) -> None:
    bars = walk(200, gaps=gaps)
    level = implementation("kalman_mean", **bars, r=0.5, q=0.1)
    sigma = implementation("garch_volatility", **bars)
    expected = (bars["close"] - level) / (np.abs(bars["close"]) * sigma)
    np.testing.assert_array_equal(implementation("kalman_garch_zscore", **bars, r=0.5, q=0.1), expected)


def test_the_atr_feature_is_the_whole_atr(implementation: Implementation) -> None:
    bars = walk(60)
    result = implementation("vol_cluster_series", **bars, idx=10, feature="atr_points", atr_length=7)
    assert result["start"] == 0
    np.testing.assert_array_equal(result["values"], implementation("atr", **bars, period=7))


@pytest.mark.parametrize(
    ("id", "params"),
    [
        ("ema", {"period": 7}),
        ("bollinger", {"period": 7}),
        ("kalman_zscore", {"window": 7, "r": 0.5, "q": 0.1}),
    ],
    ids=str,
)
def test_a_stepwise_form_on_its_own_bars_is_the_base(
    implementation: Implementation, id: str, params: dict[str, Any]
) -> None:
    bars = walk(80, gaps=0.1)
    base, stepwise = (columns(implementation(x, **bars, **params)) for x in (id, f"{id}_stepwise"))
    assert list(base) == list(stepwise)
    for name, series in base.items():
        np.testing.assert_array_equal(series, stepwise[name])
