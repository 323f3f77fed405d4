"""Channel breakout with a pair of stop orders: the twin of the native strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import Action, ModifyStop, PositionView, ReferenceStrategy, Rules, Signal

Params = Mapping[str, Any]


class DonchianBreakout(ReferenceStrategy):
    """A buy stop above the channel and a sell stop below it, one cancelling the other."""

    def warmup(self, params: Params) -> int:
        """The channel and the ATR are defined."""
        return int(max(params["entry_lookback"], params["atr_period"]))

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """ATR and trend on bid."""
        self.atr = ind("atr", period=params["atr_period"])
        self.trend = ind("ema", period=params["trend_ema"]) if params["trend_ema"] > 0 else None
        return position_rules(params, self.atr)

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """Both orders, as far as their levels lie beyond the market."""
        p, atr = ctx.params, ctx.value(self.atr)
        if math.isnan(atr):
            return ()
        highest, lowest = _channel(ctx, p["entry_lookback"])
        buffer, distance, allowed = p["buffer_atr"] * atr, p["sl_atr"] * atr, p["direction_filter"]
        orders = []
        level = ctx.round(highest + buffer)
        if allowed != "short" and ctx.ask().close < level and self._trend(ctx, 1):
            stop = ctx.round(level - distance)
            target = ctx.round(level + p["tp_r"] * (level - stop)) if p["tp_r"] > 0 else None
            orders.append(Signal("long", stop, target, "stop", level, p["order_valid_bars"]))
        level = ctx.round(lowest - buffer)
        if allowed != "long" and ctx.bid().close > level and self._trend(ctx, -1):
            stop = ctx.round(level + distance)
            target = ctx.round(level - p["tp_r"] * (stop - level)) if p["tp_r"] > 0 else None
            orders.append(Signal("short", stop, target, "stop", level, p["order_valid_bars"]))
        return [replace(order, oco_group="pair") for order in orders] if len(orders) == 2 else orders

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """The stop follows the opposite side of the exit channel."""
        bars = ctx.params["exit_lookback"]
        if position.status == "pending" or bars == 0:
            return ()
        highest, lowest = _channel(ctx, bars)
        if position.direction == "long":
            level = ctx.round(lowest)
            moves = position.stop_loss < level < ctx.bid().close
        else:
            level = ctx.round(highest)
            moves = position.stop_loss > level > ctx.ask().close
        return (ModifyStop(level, "trailing"),) if moves else ()

    def _trend(self, ctx: Context, side: int) -> bool:
        return self.trend is None or (ctx.bid().close - ctx.value(self.trend)) * side > 0


def _channel(ctx: Context, bars: int) -> tuple[float, float]:
    """Highest ask high and lowest bid low of the last bars; NaN where there are not so many."""
    if ctx.i + 1 < bars:
        return math.nan, math.nan
    return max(ctx.ask(m).high for m in range(bars)), min(ctx.bid(m).low for m in range(bars))


TWIN = DonchianBreakout
