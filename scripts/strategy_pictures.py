"""Draw one trade of every strategy into docs/images: `strategy_pictures.py [FOLDER]`.

Each runs on a generated market; drawn is its first winning trade of middling length, with the lines that it reads.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import sweep
from sweep.chart.data import Prices, Trades, times
from sweep.chart.image import panel

TARGET = Path(__file__).parents[1] / "docs" / "images"
BEFORE, AFTER = 45, 20
"""Bars around the trade that are drawn."""
BARS = range(12, 60)
"""How many bars the trade lasts."""

Lines = Mapping[str, Any]
PARAMS: dict[str, dict[str, Any]] = {
    "ma_cross": {},
    "donchian_breakout": {},
    "rsi_reversal_limit": {},
    "mtf_trend_pullback": {"htf": "H1", "htf_ema": 20},
    "mean_reversion_z_score": {
        "scenario": 2, "z_score_long": -1.5, "z_score_short": 1.5, "kalman_r": 0.5, "kalman_q": 0.1,
        "max_holding_minutes": 0,
    },
}  # fmt: skip


def lines(market: sweep.Market, strategy: str, long: bool) -> Lines:
    """What the strategy compares prices with, by name; `long` chooses the side on which a channel ends a trade."""

    def ind(id: str, side: str = "bid", timeframe: str | None = None, **params: Any) -> Any:
        return sweep.indicator(market, id, side, timeframe, **params)

    if strategy == "ma_cross":
        return {"fast EMA, 20": ind("ema", period=20), "slow EMA, 50": ind("ema", period=50)}
    if strategy == "donchian_breakout":
        bars = market.to_table()
        high, low = (bars[name].to_numpy() for name in ("ask_high", "bid_low"))
        return {
            "highest ask, 20": _rolling(high, 20, np.max),
            "lowest bid, 20": _rolling(low, 20, np.min),
            "exit channel, 10": _rolling(low, 10, np.min) if long else _rolling(high, 10, np.max),
        }
    if strategy == "rsi_reversal_limit":
        return {"SMA, 20": ind("sma", period=20)}
    if strategy == "mtf_trend_pullback":
        return {
            "EMA, 20": ind("ema", period=20),
            "EMA of H1, 20": ind("ema_stepwise", timeframe="H1", period=20),
        }
    return {f"band, {name}": values for name, values in ind("bollinger", period=20, std_factor=2.0).items()}


def _rolling(values: Any, window: int, of: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    return np.r_[np.full(window - 1, np.nan), of(windows, axis=1)]


def draw(strategy: str, target: Path) -> None:
    """Runs the strategy and draws the trade."""
    market = sweep.Market.synthetic(bars=6000, seed=11, symbol="EURUSD", timeframe="M15")
    trades = sweep.Engine(market, strategy).run(PARAMS[strategy]).trades
    label = market.to_table()["timestamp"].to_numpy().astype(np.int64)
    known = Trades(trades)
    begin, end = (
        np.searchsorted(label, known.time(name).astype(np.int64)) for name in ("entry_time", "exit_time")
    )
    chosen = next(
        k for k in range(known.count) if known.net[k] > 0 and end[k] - begin[k] in BARS and begin[k] > 300
    )
    first, last = int(begin[chosen]) - BEFORE, int(end[chosen]) + AFTER
    drawn = Figure(figsize=(9, 4), dpi=100, layout="constrained")
    canvas: Any = FigureCanvasAgg(drawn)
    axis = drawn.subplots()
    row = trades.slice(chosen, 1)
    window = market.window(int(label[first]), int(label[last]), warmup_bars=0)
    panel(axis, Prices.of(window, int(label[first])), Trades(row))
    long = row["direction"][0].as_py() == "long"
    for name, values in lines(market, strategy, long).items():
        axis.plot(times(label[first:last]), values[first:last], linewidth=1, label=name)
    ended = row["reason"][0].as_py().replace("_", " ")
    axis.set_title(f"{strategy}: {'long' if long else 'short'}, ended by {ended}", fontsize=10)
    axis.legend(fontsize=8, loc="best")
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.3)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    image.quantize(colors=256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        target, optimize=True
    )


def main(folder: str | None = None) -> None:
    """Draws all pictures."""
    for strategy in PARAMS:
        draw(strategy, (Path(folder) if folder else TARGET) / f"{strategy}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
