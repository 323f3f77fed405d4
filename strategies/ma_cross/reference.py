"""Moving-average crossover with an ATR stop: the twin of the native strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import Action, Close, PositionView, ReferenceStrategy, Rules, Signal

Params = Mapping[str, Any]


class MaCross(ReferenceStrategy):
    """Long when the fast average crosses above the slow one, short when below."""

    def warmup(self, params: Params) -> int:
        """Both averages, the ATR and, where it is used, the ADX are defined."""
        adx = 2 * params["adx_period"] if params["adx_min"] > 0 else 0
        return int(max(params["slow_period"], params["atr_period"], adx) + params["confirm_bars"])

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """The two averages, ATR and ADX on bid."""
        self.fast = ind(params["ma_type"], period=params["fast_period"])
        self.slow = ind(params["ma_type"], period=params["slow_period"])
        self.atr = ind("atr", period=params["atr_period"])
        self.adx = None
        if params["adx_min"] > 0:
            self.adx = ind("dmi", period=params["adx_period"], seed=params["adx_seed"])["adx"]
        return position_rules(params, self.atr, same_bar_reentry=params["reverse"])

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """A trigger, confirmed by the ADX; long and short exclude each other."""
        p = ctx.params
        if self.adx is not None and not ctx.value(self.adx) >= p["adx_min"]:
            return ()
        allowed = p.get("direction_filter", "both")
        distance = p["sl_atr"] * ctx.value(self.atr)
        if math.isnan(distance):
            return ()
        if allowed != "short" and self._triggered(ctx, 1):
            price = ctx.ask().close
            stop = ctx.round(price - distance)
            target = ctx.round(price + p["tp_r"] * (price - stop)) if p["tp_r"] > 0 else None
            return (Signal("long", stop, target),)
        if allowed != "long" and self._triggered(ctx, -1):
            price = ctx.bid().close
            stop = ctx.round(price + distance)
            target = ctx.round(price - p["tp_r"] * (stop - price)) if p["tp_r"] > 0 else None
            return (Signal("short", stop, target),)
        return ()

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """The opposite trigger closes, without the ADX test."""
        if not ctx.params["exit_on_cross"]:
            return ()
        return (Close(),) if self._triggered(ctx, -1 if position.direction == "long" else 1) else ()

    def _triggered(self, ctx: Context, side: int) -> bool:
        """Whether the averages have been on that side for confirm_bars + 1 bars, and not on the bar before."""
        confirmed = ctx.params["confirm_bars"] + 1
        if confirmed > ctx.i or not all(self._delta(ctx, m) * side > 0 for m in range(confirmed)):
            return False
        return self._delta(ctx, confirmed) * side <= 0

    def _delta(self, ctx: Context, m: int) -> float:
        return ctx.value(self.fast, m) - ctx.value(self.slow, m)


TWIN = MaCross
