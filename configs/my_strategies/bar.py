"""Moving-average crossover bar by bar: the same rules as `cross.py`, for prototypes and comparisons."""

from __future__ import annotations

import math

import sweep


class MaCross(sweep.PythonStrategy):
    """Buys when the fast EMA crosses above the slow one, sells when it crosses below; the opposite cross closes."""

    version = "1.0.0"
    parameters = (
        sweep.Param("fast", int, 20, low=5, high=60, least=1, unit="bars", doc="period of the fast EMA"),
        sweep.Param("slow", int, 50, low=20, high=250, step=5, least=1, unit="bars", doc="period of the slow EMA"),
        sweep.Param("atr_period", int, 14, least=1, unit="bars", group="risk", doc="period of the ATR of the stop"),
        sweep.Param("sl_atr", float, 2.0, low=1.0, high=5.0, step=0.25, least=0, unit="ATR", group="risk",
                    doc="distance of the stop; larger stops are hit less often"),
        sweep.Param("tp_r", float, 3.0, low=1.0, high=8.0, step=0.5, least=0, unit="R", group="exit",
                    doc="distance of the target in multiples of the risk"),
    )  # fmt: skip
    constraints = ("fast < slow",)
    same_bar_reentry = False

    def warmup(self, params):
        return max(params["slow"], params["atr_period"])

    def prepare(self, market, ind, params):
        self.fast = ind("ema", period=params["fast"])
        self.slow = ind("ema", period=params["slow"])
        self.atr = ind("atr", period=params["atr_period"])

    def evaluate(self, ctx):
        side, atr = self._cross(ctx), ctx.value(self.atr)
        if side == 0 or math.isnan(atr):
            return []
        price = ctx.ask().close if side > 0 else ctx.bid().close
        stop = ctx.round(price - side * (ctx.params["sl_atr"] * atr))
        target = ctx.round(price + side * (ctx.params["tp_r"] * (side * (price - stop))))
        return [sweep.Signal(side, stop_loss=stop, take_profit=target)]

    def manage(self, position, ctx):
        against = -1 if position.direction == "long" else 1
        return [sweep.Close()] if self._cross(ctx) == against else []

    def _cross(self, ctx):
        """1 on a bar where the fast average crosses above the slow one, -1 below, else 0."""
        if ctx.i == 0:
            return 0
        now, before = (ctx.value(self.fast, m) - ctx.value(self.slow, m) for m in (0, 1))
        return 1 if now > 0 >= before else -1 if now < 0 <= before else 0
