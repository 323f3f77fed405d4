"""The twin of the native strategy: the same rules, written for people first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import ReferenceStrategy, Rules, Signal


class MyStrategy(ReferenceStrategy):
    """Buys when the close crosses above its average, sells when it crosses below."""

    def warmup(self, params: Mapping[str, Any]) -> int:
        """Average and ATR are known, the average on the bar before too."""
        return int(max(params["period"], params["atr_period"]))

    def prepare(self, market: MarketView, ind: Indicators, params: Mapping[str, Any]) -> Rules:
        """Average and ATR on bid."""
        self.average = ind("sma", period=params["period"])
        self.atr = ind("atr", period=params["atr_period"])
        return position_rules(params, self.atr)

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """A cross in a direction that is traded."""
        p = ctx.params
        now, before = (ctx.bid(m).close - ctx.value(self.average, m) for m in (0, 1))
        distance = p["sl_atr"] * ctx.value(self.atr)
        if math.isnan(distance):
            return ()
        if now > 0 >= before and p["direction_filter"] != "short":
            price = ctx.ask().close
            stop = ctx.round(price - distance)
            return (Signal("long", stop, ctx.round(price + p["tp_r"] * (price - stop))),)
        if now < 0 <= before and p["direction_filter"] != "long":
            price = ctx.bid().close
            stop = ctx.round(price + distance)
            return (Signal("short", stop, ctx.round(price - p["tp_r"] * (stop - price))),)
        return ()
