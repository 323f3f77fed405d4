"""The chart as a PNG, drawn without a browser and without a display."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import numpy as np

from sweep.chart.data import Picture, Prices, Trades, opened, segments

WIDTH, HEIGHT, PANEL = 1600, 400, 600
"""Pixels: of the image, of equity and drawdown together, of each symbol."""
_DPI: Final = 100


def png(picture: Picture) -> bytes:
    """The bytes of an image of WIDTH times HEIGHT + PANEL per symbol."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = len(picture.prices)
    drawn = Figure(figsize=(WIDTH / _DPI, (HEIGHT + PANEL * panels) / _DPI), dpi=_DPI, layout="constrained")
    canvas: Any = FigureCanvasAgg(drawn)
    grid = drawn.subplots(
        panels + 2,
        1,
        sharex=True,
        squeeze=False,
        height_ratios=[PANEL] * panels + [HEIGHT * 0.6, HEIGHT * 0.4],
    )
    axes = [row[0] for row in grid]
    for axis, prices, trades, left in zip(axes, picture.prices, picture.trades, picture.open, strict=False):
        panel(axis, prices, trades)
        axis.scatter(*opened(left), s=40, facecolors="none", edgecolors="navy", zorder=3)
        axis.set_ylabel(prices.symbol)
    axes[-2].plot(picture.equity.time, picture.equity.value, color="navy", linewidth=0.9)
    axes[-2].set_ylabel("equity")
    axes[-1].fill_between(picture.drawdown.time, picture.drawdown.value, color="firebrick", alpha=0.5)
    axes[-1].set_ylabel("drawdown")
    axes[0].set_title(picture.title)
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.margins(x=0.01)
    written = BytesIO()
    canvas.print_png(written)
    return written.getvalue()


def panel(axis: Any, prices: Prices, trades: Trades) -> None:
    """Draws bars and the trades on them into matplotlib axes."""
    _prices(axis, prices)
    _trades(axis, trades)


def _prices(axis: Any, prices: Prices) -> None:
    axis.fill_between(prices.time, prices.low, prices.high, color="steelblue", alpha=0.3, linewidth=0)
    axis.plot(prices.time, prices.close, color="navy", linewidth=0.7)


def _trades(axis: Any, trades: Trades) -> None:
    if trades.count == 0:
        return
    begin, end = trades.time("entry_time"), trades.time("exit_time")
    entry, leave = trades.number("entry_price"), trades.number("exit_price")
    axis.hlines(
        trades.number("initial_stop_loss"), begin, end, color="firebrick", linestyle=":", linewidth=0.8
    )
    target = trades.number("take_profit")
    aimed = np.isfinite(target)
    axis.hlines(target[aimed], begin[aimed], end[aimed], color="seagreen", linestyle=":", linewidth=0.8)
    lines = segments(begin, end, np.datetime64("NaT")), segments(entry, leave, np.nan)
    axis.plot(*lines, color="grey", linewidth=0.7)
    moved = trades.moved
    axis.scatter(end[moved], trades.number("stop_loss")[moved], marker="_", s=30, color="firebrick", zorder=3)
    for rows, marker, color in ((trades.long, "^", "seagreen"), (~trades.long, "v", "firebrick")):
        axis.scatter(begin[rows], entry[rows], marker=marker, s=28, color=color, zorder=3)
    colors = np.where(trades.net > 0, "seagreen", "firebrick")
    axis.scatter(end, leave, marker="x", s=22, c=colors, linewidths=1, zorder=3)
