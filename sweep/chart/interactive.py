"""The chart as a Plotly figure."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sweep.chart.data import CANDLES, Picture, Prices, Trades, opened, segments

BLUE, GREEN, RED, GREY = "rgb(30, 60, 140)", "rgb(20, 140, 80)", "rgb(200, 50, 50)", "rgb(120, 120, 120)"
SHADE: Final = "rgba(80, 120, 200, 0.25)"
_FAST: Final = 2000
"""From so many trades on they are drawn by the graphics card."""
_NEVER: Final = np.datetime64("NaT")


def figure(picture: Picture) -> Any:
    """Prices with trades per symbol, equity, drawdown: one below the other, on one time axis.

    Traces of a symbol: price; long and short entries, exits, trades, stops, moved stops, targets, still open: those
    that hold something. An exit's point carries reason, result, fees and R.
    """
    from plotly import graph_objects as go
    from plotly.subplots import make_subplots

    panels = len(picture.prices)
    heights = [0.62 / panels] * panels + [0.22, 0.16]
    drawn = make_subplots(
        rows=panels + 2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.03,
        row_heights=heights,
    )
    for row, (prices, trades, left) in enumerate(
        zip(picture.prices, picture.trades, picture.open, strict=True), start=1
    ):
        traces = [*_prices(go, prices), *_trades(go, trades), *_open(go, left)]
        for trace in traces:
            drawn.add_trace(trace, row=row, col=1)
        drawn.update_yaxes(title_text=prices.symbol, row=row, col=1)
    _curve(drawn, go, picture.equity, "equity", panels + 1, color=BLUE)
    _curve(drawn, go, picture.drawdown, "drawdown", panels + 2, color=RED, fill="tozeroy")
    drawn.update_layout(
        title=picture.title,
        template="plotly_white",
        height=520 + 320 * panels,
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    drawn.update_xaxes(rangeslider_visible=False)
    return drawn


def _prices(go: Any, prices: Prices) -> list[Any]:
    name = f"{prices.symbol} bid"
    if prices.exact and prices.bars <= CANDLES:
        return [
            go.Candlestick(
                x=prices.time,
                open=prices.open,
                high=prices.high,
                low=prices.low,
                close=prices.close,
                name=name,
            )
        ]
    edge = {"mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
    shade = {"fill": "tonexty", "fillcolor": SHADE}
    return [
        go.Scatter(x=prices.time, y=prices.high, name="high", **edge),
        go.Scatter(x=prices.time, y=prices.low, name="low", **edge, **shade),
        go.Scatter(x=prices.time, y=prices.close, name=name, mode="lines", line={"color": BLUE, "width": 1}),
    ]


def _trades(go: Any, trades: Trades) -> list[Any]:
    if trades.count == 0:
        return []
    scatter = go.Scattergl if trades.count > _FAST else go.Scatter
    begin, end = trades.time("entry_time"), trades.time("exit_time")
    entry, leave = trades.number("entry_price"), trades.number("exit_price")
    long, moved, won = trades.long, trades.moved, trades.net > 0
    target = trades.number("take_profit")
    aimed = np.isfinite(target)
    ids = np.array([f"#{number:.0f}" for number in trades.number("position_id")])
    sizes = np.array([f"{i} {size:g} lots" for i, size in zip(ids, trades.number("size"), strict=True)])

    def points(name: str, rows: Any, x: Any, y: Any, text: Any, **marker: Any) -> Any:
        found = {"x": x[rows], "y": y[rows], "text": text[rows]}
        return scatter(**found, name=name, mode="markers", marker={"size": 10, **marker})

    def levels(name: str, rows: Any, level: Any, color: str, dash: str, last: Any = None) -> Any:
        return scatter(
            x=segments(begin[rows], end[rows], _NEVER),
            y=segments(level[rows], (level if last is None else last)[rows], np.nan),
            name=name,
            mode="lines",
            line={"color": color, "width": 1, "dash": dash},
            hoverinfo="skip",
        )

    every = np.ones(trades.count, dtype=bool)
    stop = trades.number("initial_stop_loss")
    colors = np.where(won, GREEN, RED)
    parts = [
        (every, levels("trades", every, entry, GREY, "solid", leave)),
        (every, levels("stops", every, stop, RED, "dot")),
        (aimed, levels("targets", aimed, target, GREEN, "dot")),
        (moved, points("moved stops", moved, end, trades.number("stop_loss"), ids, symbol="line-ew-open", color=RED)),
        (long, points("long entries", long, begin, entry, sizes, symbol="triangle-up", color=GREEN)),
        (~long, points("short entries", ~long, begin, entry, sizes, symbol="triangle-down", color=RED)),
        (every, points("exits", every, end, leave, _exits(trades, ids), symbol="x", color=colors)),
    ]  # fmt: skip
    return [trace for rows, trace in parts if rows.any()]


def _exits(trades: Trades, ids: Any) -> Any:
    columns = (ids, trades.text("reason"), *(trades.number(n) for n in ("result", "total_fee", "r_multiple")))
    return np.array(
        [
            f"{i} {reason}: {result:,.2f}, fees {fee:,.2f}, {r:.2f} R"
            for i, reason, result, fee, r in zip(*columns, strict=True)
        ]
    )


def _open(go: Any, positions: list[dict[str, Any]]) -> list[Any]:
    """Positions without an exit."""
    if not positions:
        return []
    x, y = opened(positions)
    text = [f"#{p['position_id']} {p['direction']} {p['size']:g} lots" for p in positions]
    marker = {"size": 10, "symbol": "circle-open", "color": BLUE}
    return [go.Scatter(x=x, y=y, text=text, name="still open", mode="markers", marker=marker)]


def _curve(
    drawn: Any, go: Any, curve: Any, name: str, row: int, *, color: str, fill: str | None = None
) -> None:
    line = {"color": color, "width": 1}
    trace = go.Scatter(x=curve.time, y=curve.value, name=name, mode="lines", line=line, fill=fill)
    drawn.add_trace(trace, row=row, col=1)
    drawn.update_yaxes(title_text=name, row=row, col=1)
