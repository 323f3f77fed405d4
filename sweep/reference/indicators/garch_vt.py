"""GARCH(1,1) volatility with variance targeting."""

from __future__ import annotations

import math

import numpy as np

from sweep.reference.indicators.candles import Candles
from sweep.reference.indicators.garch import Garch
from sweep.reference.indicators.operators import defined, larger
from sweep.reference.market import Floats


def garch_vt(
    candles: Candles,
    *,
    alpha: float = 0.05,
    beta: float = 0.90,
    use_log_returns: bool = True,
    scale: float = 100.0,
    min_periods: int = 50,
    sigma_floor: float = 1e-6,
) -> Floats:
    """Deviation of the next return, its level being the mean square v of all returns so far.

    h starts at v, then h <- max((1 - alpha - beta) v + alpha r^2 + beta h, floor^2). NaN until `min_periods` returns are
    known. Source: R. Engle and J. Mezrich, GARCH for groups, Risk 9 (1996).
    """
    garch = Garch.of(
        alpha=alpha,
        beta=beta,
        use_log_returns=use_log_returns,
        scale=scale,
        min_periods=min_periods,
        sigma_floor=sigma_floor,
        fewest=1,
    )
    floor = garch.sigma_floor * garch.sigma_floor
    out: list[float] = []
    variance: float | None = None
    squares, count, shock = 0.0, 0, 0.0
    for x in garch.returns(candles.close).tolist():
        if not math.isnan(x):
            if count >= garch.min_periods:
                level = squares / count
                if variance is None:
                    variance = larger(level, floor)
                else:
                    target = (1.0 - garch.alpha - garch.beta) * level
                    variance = larger(target + garch.alpha * shock + garch.beta * variance, floor)
            shock = x * x
            squares = squares + x * x
            count += 1
        out.append(math.nan if variance is None else math.sqrt(variance) / garch.scale)
    return defined(np.array(out, dtype=np.float64))
