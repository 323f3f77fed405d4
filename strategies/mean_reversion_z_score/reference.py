"""Fades stretched closes, scenarios 1 to 6: the twin of the native strategy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.reference.clusters import current_cluster
from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import (
    Action,
    Close,
    ModifyTarget,
    PositionView,
    ReferenceStrategy,
    Rules,
    Signal,
)

Params = Mapping[str, Any]

LABELS = ("low", "mid", "high", "very_high", "extreme")


def enabled(params: Params) -> list[int]:
    """The enabled scenarios in ascending order, from their joined text."""
    return sorted(int(k) for k in str(params["enabled_scenarios"]).split("+"))


def garch(params: Params) -> dict[str, Any]:
    """The GARCH arguments of an indicator."""
    names = ("alpha", "beta", "omega", "use_log_returns", "scale", "min_periods", "sigma_floor")
    return {name: params[f"garch_{name}"] for name in names}


class MeanReversionZScore(ReferenceStrategy):
    """Short above, long below a z-score threshold, with the mean as target; the first hit is the bar's signal."""

    def warmup(self, params: Params) -> int:
        """The smallest warm-up of the enabled scenarios."""
        scenarios, atr = enabled(params), params["atr_length"]
        first = {}
        if 1 in scenarios:
            first[1] = max(params["window_length"], atr) - 1
        if 4 in scenarios:
            first[4] = max(params["garch_min_periods"] + 1, params["b_b_length"] - 1, atr - 1)
        if {2, 3, 5, 6} & set(scenarios):
            banded = max(params["window_length"], params["b_b_length"], atr) - 1
            first |= {2: banded, 3: banded, 6: banded}
        if 5 in scenarios:
            points = params["intraday_vol_min_points"]
            by_atr = params["intraday_vol_feature"] == "atr_points"
            first[5] = max(banded, atr + points - 2 if by_atr else params["garch_min_periods"] + points)
        return int(min(first[k] for k in scenarios))

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """Only the series that the enabled scenarios read."""
        self.scenarios = enabled(params)
        scenarios = set(self.scenarios)
        self.atr_bid = ind("atr", period=params["atr_length"])
        self.atr_ask = ind("atr", side="ask", period=params["atr_length"])
        if {1, 3} & scenarios:
            self.ema = ind("ema", period=params["ema_length"])
        if 1 in scenarios:
            period, window = params["ema_length"], params["window_length"]
            self.z_ema = ind("zscore", window=window, mode="ema_residual", ema_period=period)
        if {2, 3, 5, 6} & scenarios:
            window = params["window_length"]
            self.z_kalman = ind("kalman_zscore", window=window, r=params["kalman_r"], q=params["kalman_q"])
        if {2, 3, 4, 5, 6} & scenarios:
            bands = ind("bollinger", period=params["b_b_length"], std_factor=params["std_factor"])
            self.upper, self.mid, self.lower = bands["upper"], bands["mid"], bands["lower"]
            self.filters = [self._filter(ind, params, prefix) for prefix in ("htf", "extra_htf")]
        if 4 in scenarios:
            model = {"r": params["kalman_r"], "q": params["kalman_q"], **garch(params)}
            lookback = params["local_z_lookback"]
            self.z_garch = ind("kalman_garch_zscore", **model)
            self.z_local = (
                ind.local("kalman_garch_zscore_local", lookback=lookback, **model) if lookback else None
            )
        if 5 in scenarios:
            self.forecasts = ind.local(
                "vol_cluster_series",
                feature="garch_forecast",
                garch_lookback=params["intraday_vol_garch_lookback"],
                **garch(params),
            )
        if 6 in scenarios:
            self.overlay = self._overlay(ind, params, market.timeframe)
        if params["use_position_manager"]:
            return position_rules(params, self.atr_bid)
        return Rules(cooldown_bars=params["cooldown_bars"])

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """Per scenario first the short, then the long; in scenarios 5 and 6 the other way round."""
        for scenario in self.scenarios:
            for direction in ("long", "short") if scenario in (5, 6) else ("short", "long"):
                if ctx.params["direction_filter"] not in ("both", direction):
                    continue
                if not self._fires(ctx, scenario, direction):
                    continue
                target, stop = self._mean(ctx, scenario), self._stop(ctx, scenario, direction)
                if not (math.isnan(stop) or math.isnan(target)):
                    return (
                        Signal(direction, ctx.round(stop), ctx.round(target), tag=f"{direction}_{scenario}"),
                    )
        return ()

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """Ends a position whose score has come back; lets the target follow the mean."""
        if not ctx.params["use_position_manager"]:
            return ()
        scenario, long = int(str(position.tag)[-1]), position.direction == "long"
        z_exit = ctx.params["z_exit"]
        if z_exit is not None:
            z = self._score(ctx, scenario)
            if z >= z_exit if long else z <= -z_exit:
                return (Close(),)
        if ctx.params["tp_mode"] == "static":
            return ()
        mean = self._mean(ctx, scenario)
        if math.isnan(mean):
            return ()
        level = ctx.round(mean)
        ahead = level > ctx.bid().close if long else level < ctx.ask().close
        return (ModifyTarget(level),) if ahead else (Close(),)

    def _fires(self, ctx: Context, scenario: int, direction: str) -> bool:
        """Whether the conditions of a scenario hold; the dear ones last, and only if the others do."""
        if scenario == 1:
            return self._stretched(ctx, scenario, direction)
        return (
            all(self._trend(ctx, *chosen) for chosen in self.filters if chosen)
            and self._outside(ctx, direction)
            and self._stretched(ctx, scenario, direction)
            and (scenario != 3 or self._far(ctx, direction))
            and (scenario != 5 or self._calm(ctx))
            and (scenario != 6 or self._confirmed(ctx, direction))
        )

    def _score(self, ctx: Context, scenario: int) -> float:
        """zE, zK or zG."""
        if scenario == 1:
            return ctx.value(self.z_ema)
        if scenario == 4:
            return ctx.value(self.z_garch) if self.z_local is None else float(ctx.local(self.z_local))
        return ctx.value(self.z_kalman)

    def _mean(self, ctx: Context, scenario: int) -> float:
        return ctx.value(self.ema if scenario in (1, 3) else self.mid)

    def _stop(self, ctx: Context, scenario: int, direction: str) -> float:
        """Beyond the bid extreme of the signal bar; scenario 1 takes the ask ATR for shorts."""
        mult: float = ctx.params["atr_mult"]
        if direction == "long":
            return ctx.bid().low - mult * ctx.value(self.atr_bid)
        return ctx.bid().high + mult * ctx.value(self.atr_ask if scenario == 1 else self.atr_bid)

    def _stretched(self, ctx: Context, scenario: int, direction: str) -> bool:
        z = self._score(ctx, scenario)
        return z <= ctx.params["z_score_long"] if direction == "long" else z >= ctx.params["z_score_short"]

    def _outside(self, ctx: Context, direction: str) -> bool:
        """Whether the bid close is at or beyond the band."""
        close = ctx.bid().close
        return close <= ctx.value(self.lower) if direction == "long" else close >= ctx.value(self.upper)

    def _far(self, ctx: Context, direction: str) -> bool:
        """Scenario 3: the EMA lies far enough beyond the entry."""
        ema, distance = ctx.value(self.ema), ctx.params["tp_min_distance"] * ctx.pip_size
        return ema > ctx.ask().close + distance if direction == "long" else ema < ctx.bid().close - distance

    def _filter(self, ind: Indicators, params: Params, prefix: str) -> tuple[Any, str, str] | None:
        """EMA, timeframe and side of a trend filter; None where it passes always."""
        mode, timeframe = params[f"{prefix}_filter"], params[f"{prefix}_tf"]
        if mode == "both":
            return None
        return ind.native("ema", timeframe, period=params[f"{prefix}_ema"]), timeframe, mode

    @staticmethod
    def _trend(ctx: Context, ema: Any, timeframe: str, mode: str) -> bool:
        """The last complete close is on the side asked for; equal is not."""
        bar = ctx.higher(timeframe)
        if bar is None:
            return False
        average = ctx.native(ema)
        return bar.close > average if mode == "above" else bar.close < average

    @staticmethod
    def _overlay(ind: Indicators, params: Params, own: str) -> list[dict[str, tuple[str, Any, Any, float]]]:
        """Per timeframe and direction: the timeframe, band edge, z-score and threshold that confirm an entry."""
        overlay = []
        for name, block in json.loads(params["scenario6_params"]).items():
            timeframe = own if name == "PRIMARY" else name
            sides = {}
            for direction, edge in (("long", "lower"), ("short", "upper")):
                p = block[direction]
                band = ind(
                    "bollinger_stepwise",
                    timeframe=timeframe,
                    period=p["b_b_length"],
                    std_factor=float(p["std_factor"]),
                )
                z = ind(
                    "kalman_zscore_stepwise",
                    timeframe=timeframe,
                    window=p["window_length"],
                    r=float(p["kalman_r"]),
                    q=float(p["kalman_q"]),
                )
                sides[direction] = (timeframe, band[edge], z, float(p["z_score"]))
            overlay.append(sides)
        return overlay

    def _confirmed(self, ctx: Context, direction: str) -> bool:
        """Scenario 6: all timeframes are stretched, or any; without timeframes none is."""
        confirming = [self._confirms(ctx, direction, *sides[direction]) for sides in self.overlay]
        enough = all if ctx.params["scenario6_mode"] == "all" else any
        return bool(confirming) and enough(confirming)

    @staticmethod
    def _confirms(
        ctx: Context, direction: str, timeframe: str, edge: Any, score: Any, threshold: float
    ) -> bool:
        """The newest visible bar closed at or beyond its band, and its z-score is far enough."""
        bar, level, z = ctx.higher(timeframe), ctx.value(edge), ctx.value(score)
        if bar is None:
            return False
        if direction == "long":
            return bar.close <= level and z <= threshold
        return bar.close >= level and z >= threshold

    def _calm(self, ctx: Context) -> bool:
        """Scenario 5: volatility is of a permitted kind."""
        p = ctx.params
        by_atr = p["intraday_vol_feature"] == "atr_points"
        values = ctx.history(self.atr_bid) if by_atr else ctx.local(self.forecasts)["values"].tolist()
        rank = current_cluster(
            values,
            window=p["intraday_vol_cluster_window"],
            k=p["intraday_vol_cluster_k"],
            min_points=p["intraday_vol_min_points"],
            log=p["intraday_vol_log_transform"],
            hysteresis=p["cluster_hysteresis_bars"],
        )
        return rank is not None and LABELS[rank] in str(p["intraday_vol_allowed"]).split("+")


TWIN = MeanReversionZScore
