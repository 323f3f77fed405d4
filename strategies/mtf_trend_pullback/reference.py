"""Trend of a higher timeframe, pullback entry on the primary one: the twin of the native strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import Action, Close, PositionView, ReferenceStrategy, Rules, Signal

Params = Mapping[str, Any]


class MtfTrendPullback(ReferenceStrategy):
    """Enters with the trend of `htf` when the close crosses the EMA again after a pullback to it."""

    def warmup(self, params: Params) -> int:
        """EMA, ATR, pullback and, where it is used, ADX are defined."""
        adx = 2 * params["adx_period"] if params["adx_min"] > 0 else 0
        return int(max(params["ltf_ema"], params["atr_period"], adx, params["pullback_bars"]) + 1)

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """EMA, ATR and ADX on bid, and the bars of the higher timeframe with their own EMA."""
        self.ema = ind("ema", period=params["ltf_ema"])
        self.atr = ind("atr", period=params["atr_period"])
        self.adx = None
        if params["adx_min"] > 0:
            self.adx = ind("dmi", period=params["adx_period"], seed=params["adx_seed"])["adx"]
        self.average = ind.native("ema", params["htf"], period=params["htf_ema"])
        return position_rules(params, self.atr)

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """A crossing after a pullback, with the trend."""
        p = ctx.params
        if self.adx is not None and not ctx.value(self.adx) >= p["adx_min"]:
            return ()
        for side, other in ((1, "short"), (-1, "long")):
            if p["direction_filter"] != other and self._resumes(ctx, side) and self._trend(ctx, side):
                return self._signal(ctx, side)
        return ()

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """A new bar of the higher timeframe that closes against its average ends the position."""
        htf = ctx.params["htf"]
        bar = ctx.higher(htf)
        if bar is None or ctx.i == 0 or ctx.visible(htf) == ctx.visible(htf, 1):
            return ()
        average = ctx.native(self.average)
        against = bar.close < average if position.direction == "long" else bar.close > average
        return (Close(),) if against else ()

    def _trend(self, ctx: Context, side: int) -> bool:
        """Close beyond the average, and the average moving that way."""
        p, bar = ctx.params, ctx.higher(ctx.params["htf"])
        j = ctx.visible(p["htf"])
        if bar is None or j < p["htf_slope_bars"] or j + 1 < p["htf_ema"]:
            return False
        now, before = ctx.native(self.average), ctx.native(self.average, p["htf_slope_bars"])
        return (bar.close - now) * side > 0 and (now - before) * side > 0

    def _resumes(self, ctx: Context, side: int) -> bool:
        """The close crosses the EMA, and one of the last bars touched it."""
        bars = ctx.params["pullback_bars"]
        if ctx.i < 1 or ctx.i + 1 < bars:
            return False
        crosses = (ctx.bid().close - ctx.value(self.ema)) * side > 0
        behind = (ctx.bid(1).close - ctx.value(self.ema, 1)) * side <= 0
        extremes = [ctx.bid(m).low if side > 0 else ctx.bid(m).high for m in range(bars)]
        touched = any((x - ctx.value(self.ema, m)) * side <= 0 for m, x in enumerate(extremes))
        return crosses and behind and touched

    def _signal(self, ctx: Context, side: int) -> Sequence[Signal]:
        p, atr = ctx.params, ctx.value(self.atr)
        if math.isnan(atr):
            return ()
        bars = range(p["pullback_bars"])
        if side > 0:
            price, extreme = ctx.ask().close, min(ctx.bid(m).low for m in bars)
        else:
            price, extreme = ctx.bid().close, max(ctx.bid(m).high for m in bars)
        level = extreme - side * (p["sl_buffer_atr"] * atr)
        distance = (price - level) * side
        if distance > p["max_sl_atr"] * atr:
            return ()
        if distance < p["min_sl_atr"] * atr:
            level = price - side * (p["min_sl_atr"] * atr)
        stop = ctx.round(level)
        target = ctx.round(price + side * (p["tp_r"] * ((price - stop) * side))) if p["tp_r"] > 0 else None
        return (Signal("long" if side > 0 else "short", stop, target),)


TWIN = MtfTrendPullback
