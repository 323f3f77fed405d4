"""Distance from the Kalman level in units of price times volatility, over all bars and over a window alone."""

from __future__ import annotations

import math

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import bar_index, whole
from sweep.reference.indicators.garch import Garch
from sweep.reference.indicators.garch_volatility import garch_volatility, window_sigma, window_start
from sweep.reference.indicators.kalman_mean import kalman_mean, local_level, noise_ratio
from sweep.reference.indicators.operators import guarded_divide
from sweep.reference.market import Floats
from sweep.reference.numeric import divide


def kalman_garch_zscore(
    candles: Candles,
    *,
    r: float = 0.01,
    q: float = 1.0,
    alpha: float = 0.05,
    beta: float = 0.90,
    omega: float | None = None,
    use_log_returns: bool = True,
    scale: float = 100.0,
    min_periods: int = 50,
    sigma_floor: float = 1e-6,
) -> Floats:
    """(close - kalman_mean) / (|close| garch_volatility), both with the parameters given here."""
    mean = kalman_mean(candles, r=r, q=q)
    sigma = garch_volatility(
        candles,
        alpha=alpha,
        beta=beta,
        omega=omega,
        use_log_returns=use_log_returns,
        scale=scale,
        min_periods=min_periods,
        sigma_floor=sigma_floor,
    )
    with np.errstate(all="ignore"):
        return guarded_divide(candles.close - mean, np.abs(candles.close) * sigma)


def kalman_garch_zscore_local(
    candles: Candles,
    *,
    idx: int | None = None,
    lookback: int = 400,
    r: float = 0.01,
    q: float = 1.0,
    alpha: float = 0.05,
    beta: float = 0.90,
    omega: float | None = None,
    use_log_returns: bool = True,
    scale: float = 100.0,
    min_periods: int = 50,
    sigma_floor: float = 1e-6,
) -> Floats | float:
    """`kalman_garch_zscore` of the last bar of a window, the filter and the volatility started in that window.

    With `idx`: the number of the window max(0, idx + 1 - lookback) ... idx. Without: an array of it over all bars.
    """
    lookback = whole("lookback", lookback)
    ratio = noise_ratio(r, q)
    garch = Garch.of(
        alpha=alpha,
        beta=beta,
        omega=omega,
        use_log_returns=use_log_returns,
        scale=scale,
        min_periods=min_periods,
        sigma_floor=sigma_floor,
    )
    returns = garch.returns(candles.close).tolist()

    def last(i: int) -> float:
        start = window_start(i, lookback)
        sigma = window_sigma(garch, returns, start, i)[-1]
        close = float(candles.close[i])
        if not (math.isfinite(sigma) and sigma > 0.0) or math.isnan(close):
            return math.nan
        level = float(local_level(candles.close[start : i + 1], ratio)[-1])
        z = divide(close - level, abs(close) * sigma)
        return z if math.isfinite(z) else math.nan

    if idx is not None:
        return last(bar_index("idx", idx, len(candles)))
    return np.array([last(i) for i in range(len(returns))], dtype=np.float64)
