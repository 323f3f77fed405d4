"""Oscillator reversal entered with a limit order: the twin of the native strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import Action, Cancel, PositionView, ReferenceStrategy, Rules, Signal

Params = Mapping[str, Any]


class RsiReversalLimit(ReferenceStrategy):
    """A limit order at a better price when the RSI comes back from an extreme."""

    def warmup(self, params: Params) -> int:
        """RSI on two bars, ATR and average are defined."""
        average = params.get("mean_period", 20)
        return int(max(params["rsi_period"] + 1, params["atr_period"], average) + 1)

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """RSI, ATR, average and trend on bid."""
        self.rsi = ind("rsi", period=params["rsi_period"], seed=params["rsi_seed"])
        self.atr = ind("atr", period=params["atr_period"])
        self.mean = ind("sma", period=params["mean_period"]) if params["tp_mode"] == "mean" else None
        self.trend = ind("ema", period=params["trend_ema"]) if params["trend_ema"] > 0 else None
        return position_rules(params, self.atr)

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """The order of the side whose trigger this bar is."""
        allowed = ctx.params["direction_filter"]
        if allowed != "short" and self._long_trigger(ctx) and self._trend(ctx, 1):
            return self._order(ctx, 1)
        if allowed != "long" and self._short_trigger(ctx) and self._trend(ctx, -1):
            return self._order(ctx, -1)
        return ()

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """A working order goes when the RSI turns the other way."""
        if position.status != "pending":
            return ()
        rsi = ctx.value(self.rsi)
        if position.direction == "long":
            gone = self._short_trigger(ctx) or rsi > ctx.params["overbought"]
        else:
            gone = self._long_trigger(ctx) or rsi < ctx.params["oversold"]
        return (Cancel(),) if gone else ()

    def _long_trigger(self, ctx: Context) -> bool:
        return ctx.i > 0 and ctx.value(self.rsi, 1) < ctx.params["oversold"] <= ctx.value(self.rsi)

    def _short_trigger(self, ctx: Context) -> bool:
        return ctx.i > 0 and ctx.value(self.rsi, 1) > ctx.params["overbought"] >= ctx.value(self.rsi)

    def _trend(self, ctx: Context, side: int) -> bool:
        return self.trend is None or (ctx.bid().close - ctx.value(self.trend)) * side > 0

    def _order(self, ctx: Context, side: int) -> Sequence[Signal]:
        p, atr = ctx.params, ctx.value(self.atr)
        if math.isnan(atr) or (self.mean is not None and math.isnan(ctx.value(self.mean))):
            return ()
        price = ctx.ask().close if side > 0 else ctx.bid().close
        limit = ctx.round(price - side * (p["entry_offset_atr"] * atr))
        stop = ctx.round(limit - side * (p["sl_atr"] * atr))
        risk = (limit - stop) * side
        if self.mean is not None:
            target = ctx.round(ctx.value(self.mean))
        else:
            target = ctx.round(limit + side * (p["tp_r"] * risk))
        if (target - limit) * side < p["min_rr"] * risk:
            return ()
        direction = "long" if side > 0 else "short"
        return (Signal(direction, stop, target, "limit", limit, p["order_valid_bars"]),)


TWIN = RsiReversalLimit
