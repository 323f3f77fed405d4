"""What the volatility forecasts share: checked parameters and the recursion with fixed weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sweep.errors import error
from sweep.reference.indicators.checks import flag, number, whole
from sweep.reference.indicators.operators import larger, scaled_returns
from sweep.reference.market import Floats


@dataclass(frozen=True, slots=True)
class Garch:
    """Checked parameters of a GARCH(1,1) forecast."""

    alpha: float
    beta: float
    omega: float | None
    use_log_returns: bool
    scale: float
    min_periods: int
    sigma_floor: float

    @classmethod
    def of(
        cls,
        *,
        alpha: object,
        beta: object,
        use_log_returns: object,
        scale: object,
        min_periods: object,
        sigma_floor: object,
        omega: object = None,
        fewest: int = 0,
    ) -> Garch:
        """The parameters, min_periods from `fewest` on.

        Raises [1003] for a number out of range and for alpha + beta from 1 on, [1004] for a wrong type.
        """
        checked = cls(
            alpha=number("alpha", alpha, low=0.0),
            beta=number("beta", beta, low=0.0),
            omega=None if omega is None else number("omega", omega, low=0.0),
            use_log_returns=flag("use_log_returns", use_log_returns),
            scale=number("scale", scale, low=0.0, open_below=True),
            min_periods=whole("min_periods", min_periods, low=fewest, high=None),
            sigma_floor=number("sigma_floor", sigma_floor, low=0.0),
        )
        total = checked.alpha + checked.beta
        if total >= 1.0:
            raise error(1003, f"alpha + beta is {total}", remedy="give weights whose sum is below 1")
        return checked

    def returns(self, close: Floats) -> Floats:
        """Scaled returns; NaN at index 0, at missing bars and right after them."""
        return scaled_returns(close, self.use_log_returns, self.scale)

    def sigma(self, returns: Sequence[float]) -> list[float]:
        """Forecast for each bar from the returns before it, in units of a return; as many as returns.

        The first present return starts the recursion and centres every shock.
        """
        floor = self.sigma_floor * self.sigma_floor
        level = 1e-6 * max(1e-6, 1.0 - self.alpha - self.beta) if self.omega is None else self.omega
        out: list[float] = []
        first: int | None = None
        centre = shock = variance = 0.0
        for i, x in enumerate(returns):
            if not math.isnan(x):
                if first is None:
                    first, centre, variance = i, x, max(1e-6, floor)
                else:
                    variance = larger(level + self.alpha * shock + self.beta * variance, floor)
                    shock = (x - centre) * (x - centre)
            known = first is not None and i >= first + self.min_periods
            out.append(math.sqrt(variance) / self.scale if known else math.nan)
        return out
