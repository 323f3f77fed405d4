"""My strategy: the close crosses its moving average. A vectorised function, called once per parameter set."""

from __future__ import annotations

import numpy as np

import sweep


@sweep.signals(
    parameters=[
        sweep.Param("period", int, 50, low=10, high=200, step=5, least=1, unit="bars", doc="period of the average"),
        sweep.Param("atr_period", int, 14, least=1, unit="bars", group="risk", doc="period of the ATR of the stop"),
        sweep.Param("sl_atr", float, 2.0, low=1.0, high=5.0, step=0.25, least=0, unit="ATR", group="risk",
                    doc="distance of the stop; larger stops are hit less often"),
        sweep.Param("tp_r", float, 2.0, low=1.0, high=6.0, step=0.5, least=0, unit="R", group="exit",
                    doc="distance of the target in multiples of the risk"),
    ],
    version="1.0.0",
)  # fmt: skip
def my_strategy(market, ind, params):
    """Buys when the close crosses above its average, sells when it crosses below.

    Row i is decided at the close of bar i and may use bars 0 to i alone; a check before each study looks for more.
    """
    delta = market.bid.close - ind("sma", period=params["period"])
    atr = ind("atr", period=params["atr_period"])
    up = (delta[1:] > 0) & (delta[:-1] <= 0)
    down = (delta[1:] < 0) & (delta[:-1] >= 0)
    bar = np.flatnonzero(up | down) + 1
    bar = bar[np.isfinite(atr[bar])]
    side = np.where(delta[bar] > 0, 1, -1)
    price = np.where(side > 0, market.ask.close[bar], market.bid.close[bar])
    stop = market.round(price - side * (params["sl_atr"] * atr[bar]))
    target = market.round(price + side * (params["tp_r"] * (side * (price - stop))))
    return {"bar_index": bar, "direction": side, "stop_loss": stop, "take_profit": target}
