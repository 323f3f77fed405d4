"""The feature that a volatility guard looks at."""

from __future__ import annotations

from typing import Final

from sweep.reference.indicators.atr import atr
from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.checks import bar_index, choice, whole
from sweep.reference.indicators.garch import Garch
from sweep.reference.indicators.garch_volatility import window_forecast
from sweep.reference.market import Floats

FEATURES: Final = ("atr_points", "garch_forecast")


def vol_cluster_series(
    candles: Candles,
    *,
    idx: int,
    feature: str,
    atr_length: int = 14,
    garch_lookback: int = 500,
    alpha: float = 0.05,
    beta: float = 0.90,
    omega: float | None = None,
    use_log_returns: bool = True,
    scale: float = 100.0,
    min_periods: int = 50,
    sigma_floor: float = 1e-6,
) -> dict[str, int | Floats]:
    """start, the index of the first bar, and values, one per bar from there on.

    `atr_points`: the whole ATR from bar 0. `garch_forecast`: `garch_volatility_local` at `idx` with `garch_lookback` bars.
    """
    idx = bar_index("idx", idx, len(candles))
    chosen = choice("feature", feature, FEATURES)
    atr_length = whole("atr_length", atr_length)
    garch_lookback = whole("garch_lookback", garch_lookback)
    garch = Garch.of(
        alpha=alpha,
        beta=beta,
        omega=omega,
        use_log_returns=use_log_returns,
        scale=scale,
        min_periods=min_periods,
        sigma_floor=sigma_floor,
    )
    if chosen == "atr_points":
        return {"start": 0, "values": atr(candles, period=atr_length)}
    start, sigma = window_forecast(candles, garch, idx, garch_lookback)
    return {"start": start, "values": sigma}
