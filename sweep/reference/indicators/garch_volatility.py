"""GARCH(1,1) volatility with fixed weights, over all bars and over a window alone."""

from __future__ import annotations

import math

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import bar_index, whole
from sweep.reference.indicators.garch import Garch
from sweep.reference.indicators.operators import defined
from sweep.reference.market import Floats


def garch_volatility(
    candles: Candles,
    *,
    alpha: float = 0.05,
    beta: float = 0.90,
    omega: float | None = None,
    use_log_returns: bool = True,
    scale: float = 100.0,
    min_periods: int = 50,
    sigma_floor: float = 1e-6,
) -> Floats:
    """Deviation of the next return: h <- max(omega + alpha e^2 + beta h, floor^2), sqrt(h) / scale.

    `omega` is in units of (scale * return)^2; without it the level term is almost zero. NaN until `min_periods` bars after
    the first return. Nothing is estimated. Source: T. Bollerslev, Journal of Econometrics 31 (1986).
    """
    garch = Garch.of(
        alpha=alpha,
        beta=beta,
        omega=omega,
        use_log_returns=use_log_returns,
        scale=scale,
        min_periods=min_periods,
        sigma_floor=sigma_floor,
    )
    return defined(np.array(garch.sigma(garch.returns(candles.close).tolist()), dtype=np.float64))


def garch_volatility_local(
    candles: Candles,
    *,
    idx: int | None = None,
    lookback: int = 400,
    alpha: float = 0.05,
    beta: float = 0.90,
    omega: float | None = None,
    use_log_returns: bool = True,
    scale: float = 100.0,
    min_periods: int = 50,
    sigma_floor: float = 1e-6,
) -> Floats | dict[str, int | Floats]:
    """`garch_volatility` of bars max(0, idx + 1 - lookback) ... idx alone; the first of them has no return.

    With `idx`: start, the index of the first bar, and sigma, one value per bar of the window. Without: an array over all
    bars, at i the last value of the window of i.
    """
    lookback = whole("lookback", lookback)
    garch = Garch.of(
        alpha=alpha,
        beta=beta,
        omega=omega,
        use_log_returns=use_log_returns,
        scale=scale,
        min_periods=min_periods,
        sigma_floor=sigma_floor,
    )
    if idx is not None:
        idx = bar_index("idx", idx, len(candles))
        start, sigma = window_forecast(candles, garch, idx, lookback)
        return {"start": start, "sigma": sigma}
    returns = garch.returns(candles.close).tolist()
    last = [window_sigma(garch, returns, window_start(i, lookback), i)[-1] for i in range(len(returns))]
    return defined(np.array(last, dtype=np.float64))


def window_forecast(candles: Candles, garch: Garch, idx: int, lookback: int) -> tuple[int, Floats]:
    """First bar of the window that ends at `idx`, and the forecasts of its bars."""
    start = window_start(idx, lookback)
    sigma = window_sigma(garch, garch.returns(candles.close).tolist(), start, idx)
    return start, defined(np.array(sigma, dtype=np.float64))


def window_start(idx: int, lookback: int) -> int:
    """First bar of the window of `lookback` bars that ends at `idx`."""
    return max(0, idx + 1 - lookback)


def window_sigma(garch: Garch, returns: list[float], start: int, idx: int) -> list[float]:
    """Forecasts of bars start ... idx from the returns among them."""
    return garch.sigma([math.nan, *returns[start + 1 : idx + 1]])
