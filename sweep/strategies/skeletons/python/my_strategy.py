"""My strategy: the close crosses its moving average. A class that decides bar by bar, for prototypes."""

from __future__ import annotations

import math

import sweep


class MyStrategy(sweep.PythonStrategy):
    """Buys when the close crosses above its average, sells when it crosses below."""

    version = "1.0.0"
    parameters = (
        sweep.Param("period", int, 50, low=10, high=200, step=5, least=1, unit="bars", doc="period of the average"),
        sweep.Param("atr_period", int, 14, least=1, unit="bars", group="risk", doc="period of the ATR of the stop"),
        sweep.Param("sl_atr", float, 2.0, low=1.0, high=5.0, step=0.25, least=0, unit="ATR", group="risk",
                    doc="distance of the stop; larger stops are hit less often"),
        sweep.Param("tp_r", float, 2.0, low=1.0, high=6.0, step=0.5, least=0, unit="R", group="exit",
                    doc="distance of the target in multiples of the risk"),
    )  # fmt: skip

    def warmup(self, params):
        """Index of the first bar at which `evaluate` is asked: the average is known there and one bar before."""
        return max(params["period"], params["atr_period"])

    def prepare(self, market, ind, params):
        """Once per parameter set: the series that decisions read. Nothing else may be kept."""
        self.average = ind("sma", period=params["period"])
        self.atr = ind("atr", period=params["atr_period"])

    def evaluate(self, ctx):
        """Entry signals at the close of bar ctx.i; `m` bars back is as far as it sees, never ahead."""
        now, before = (ctx.bid(m).close - ctx.value(self.average, m) for m in (0, 1))
        side = 1 if now > 0 >= before else -1 if now < 0 <= before else 0
        atr = ctx.value(self.atr)
        if side == 0 or math.isnan(atr):
            return []
        price = ctx.ask().close if side > 0 else ctx.bid().close
        stop = ctx.round(price - side * (ctx.params["sl_atr"] * atr))
        target = ctx.round(price + side * (ctx.params["tp_r"] * (side * (price - stop))))
        return [sweep.Signal(side, stop_loss=stop, take_profit=target)]

    def manage(self, position, ctx):
        """What to do with an open position at the close of bar ctx.i: nothing, stop and target end it."""
        return []
