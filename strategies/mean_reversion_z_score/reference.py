"""Fades stretched closes, scenarios 1 to 3: the twin of the native strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import ReferenceStrategy, Rules, Signal

Params = Mapping[str, Any]


def enabled(params: Params) -> list[int]:
    """The enabled scenarios in ascending order, from their joined text."""
    return sorted(int(k) for k in str(params["enabled_scenarios"]).split("+"))


class MeanReversionZScore(ReferenceStrategy):
    """Short above, long below a z-score threshold, with the mean as target; the first hit is the bar's signal."""

    def warmup(self, params: Params) -> int:
        """The smallest warm-up of the enabled scenarios."""
        first = {1: max(params["window_length"], params["atr_length"]) - 1}
        if enabled(params) != [1]:
            later = max(params["window_length"], params["b_b_length"], params["atr_length"]) - 1
            first |= {2: later, 3: later}
        return int(min(first[k] for k in enabled(params)))

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """Only the series that the enabled scenarios read."""
        self.scenarios = enabled(params)
        self.atr_bid = ind("atr", period=params["atr_length"])
        self.atr_ask = ind("atr", side="ask", period=params["atr_length"])
        window = params["window_length"]
        if {1, 3} & set(self.scenarios):
            self.ema = ind("ema", period=params["ema_length"])
        if 1 in self.scenarios:
            self.z_ema = ind("zscore", window=window, mode="ema_residual", ema_period=params["ema_length"])
        if {2, 3} & set(self.scenarios):
            self.z_kalman = ind("kalman_zscore", window=window, r=params["kalman_r"], q=params["kalman_q"])
            bands = ind("bollinger", period=params["b_b_length"], std_factor=params["std_factor"])
            self.upper, self.mid, self.lower = bands["upper"], bands["mid"], bands["lower"]
        if params.get("use_position_manager", True):
            return position_rules(params, self.atr_bid)
        return Rules(cooldown_bars=params.get("cooldown_bars", 0))

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """Per scenario first the short, then the long."""
        allowed = ctx.params.get("direction_filter", "both")
        for scenario in self.scenarios:
            for direction in ("short", "long"):
                if allowed not in ("both", direction):
                    continue
                target = self._target(ctx, scenario, direction)
                if target is None:
                    continue
                stop = self._stop(ctx, scenario, direction)
                if not (math.isnan(stop) or math.isnan(target)):
                    return (
                        Signal(direction, ctx.round(stop), ctx.round(target), tag=f"{direction}_{scenario}"),
                    )
        return ()

    def _stop(self, ctx: Context, scenario: int, direction: str) -> float:
        """Beyond the bid extreme of the signal bar; scenario 1 takes the ask ATR for shorts."""
        mult: float = ctx.params["atr_mult"]
        if direction == "long":
            return ctx.bid().low - mult * ctx.value(self.atr_bid)
        return ctx.bid().high + mult * ctx.value(self.atr_ask if scenario == 1 else self.atr_bid)

    def _target(self, ctx: Context, scenario: int, direction: str) -> float | None:
        """The target if the scenario's conditions hold, else None."""
        if scenario == 1:
            return ctx.value(self.ema) if self._stretched(ctx, ctx.value(self.z_ema), direction) else None
        if not self._stretched(ctx, ctx.value(self.z_kalman), direction) or not self._outside(ctx, direction):
            return None
        if scenario == 2:
            return ctx.value(self.mid)
        ema, distance = ctx.value(self.ema), ctx.params["tp_min_distance"] * ctx.pip_size
        far = ema > ctx.ask().close + distance if direction == "long" else ema < ctx.bid().close - distance
        return ema if far else None

    def _stretched(self, ctx: Context, z: float, direction: str) -> bool:
        return bool(
            z <= ctx.params["z_score_long"] if direction == "long" else z >= ctx.params["z_score_short"]
        )

    def _outside(self, ctx: Context, direction: str) -> bool:
        """Whether the bid close is at or beyond the band."""
        close = ctx.bid().close
        return close <= ctx.value(self.lower) if direction == "long" else close >= ctx.value(self.upper)


TWIN = MeanReversionZScore
