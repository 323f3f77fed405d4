"""Moving-average crossover as a vectorised function: `ma_cross` with its defaults, and reverse off."""

from __future__ import annotations

import numpy as np

import sweep


@sweep.signals(
    parameters=[
        sweep.Param("fast", int, 20, low=5, high=60, least=1, unit="bars", doc="period of the fast EMA"),
        sweep.Param("slow", int, 50, low=20, high=250, step=5, least=1, unit="bars", doc="period of the slow EMA"),
        sweep.Param("atr_period", int, 14, least=1, unit="bars", group="risk", doc="period of the ATR of the stop"),
        sweep.Param("sl_atr", float, 2.0, low=1.0, high=5.0, step=0.25, least=0, unit="ATR", group="risk",
                    doc="distance of the stop; larger stops are hit less often"),
        sweep.Param("tp_r", float, 3.0, low=1.0, high=8.0, step=0.5, least=0, unit="R", group="exit",
                    doc="distance of the target in multiples of the risk"),
    ],
    constraints=["fast < slow"],
    version="1.0.0",
    same_bar_reentry=False,
)  # fmt: skip
def ma_cross_signals(market, ind, params):
    """Buys when the fast EMA crosses above the slow one, sells when it crosses below; the opposite cross closes."""
    delta = ind("ema", period=params["fast"]) - ind("ema", period=params["slow"])
    atr = ind("atr", period=params["atr_period"])
    up = (delta[1:] > 0) & (delta[:-1] <= 0)
    down = (delta[1:] < 0) & (delta[:-1] >= 0)
    bar = np.flatnonzero(up | down) + 1
    exits = {
        "bar_index": bar,
        "direction": np.where(delta[bar] > 0, -1, 1),
        "action": np.full(len(bar), "close"),
    }
    bar = bar[(bar >= max(params["slow"], params["atr_period"])) & np.isfinite(atr[bar])]
    side = np.where(delta[bar] > 0, 1, -1)
    price = np.where(side > 0, market.ask.close[bar], market.bid.close[bar])
    stop = market.round(price - side * (params["sl_atr"] * atr[bar]))
    target = market.round(price + side * (params["tp_r"] * (side * (price - stop))))
    entries = {"bar_index": bar, "direction": side, "stop_loss": stop, "take_profit": target}
    return entries, exits
