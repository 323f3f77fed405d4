"""Pictures of a market: lines of block characters for a terminal, and a page that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sweep.market.contract import timeframe_us
from sweep.market.describe import HOUR, Description, column, iso, labels

if TYPE_CHECKING:
    from sweep.market.describe import Floats, Ints
    from sweep.market.market import Market

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII: Final = "_.-~=+*#"
_POINTS: Final = 3000


def sparkline(values: Sequence[float] | Floats, width: int, *, plain: bool = False) -> str:
    """The values as a line of at most `width` characters; longer series show the last value of each stretch.

    Args:
        values: any numbers; NaN is a blank.
        width: characters, at least 1.
        plain: ASCII instead of block characters.
    """
    shown = np.asarray(values, dtype=np.float64)
    if len(shown) > width:
        shown = shown[np.arange(1, width + 1) * len(shown) // width - 1]
    known = shown[np.isfinite(shown)]
    if not len(known):
        return " " * len(shown)
    low, reach = known.min(), known.max() - known.min()
    marks = _ASCII if plain else _BLOCKS
    steps = len(marks) - 1
    return "".join(
        " "
        if not np.isfinite(value)
        else marks[round((value - low) / reach * steps) if reach else steps // 2]
        for value in shown
    )


def page(market: Market, about: Description) -> str:
    """A self-contained HTML page: price, gaps, bars per day and spread by hour.

    The script of the charts is in it (some 5 MB), so that it opens without a network and years later.
    """
    from plotly import graph_objects as go
    from plotly.subplots import make_subplots

    titles = (
        "Bid: close, and high to low",
        "Gaps in hours, weekends among them",
        "Bars per UTC day",
        "Spread in pips by UTC hour: median and 95th percentile",
    )
    figure = make_subplots(rows=4, cols=1, subplot_titles=titles, row_heights=[0.4, 0.2, 0.2, 0.2])
    table = market.to_table()
    label = labels(table)
    _price(figure, go, label, table)
    _gaps(figure, go, label, timeframe_us(market.timeframe))
    days = about.days
    figure.add_trace(go.Bar(x=_times(days.start), y=days.bars, name="bars"), row=3, col=1)
    by_hour = {item.hour: item.spread for item in about.by_hour if item.spread is not None}
    for name, values in (
        ("median", [spread.median for spread in by_hour.values()]),
        ("95 %", [spread.p95 for spread in by_hour.values()]),
    ):
        figure.add_trace(go.Bar(x=list(by_hour), y=values, name=name), row=4, col=1)
    figure.update_layout(
        title=f"{about.symbol} {about.timeframe}, {about.bars:,} bars, {iso(about.first)} to {iso(about.last)}",
        height=1200,
        showlegend=False,
        template="plotly_white",
        hovermode="x unified",
    )
    for row in (2, 3):
        figure.update_xaxes(matches="x", row=row, col=1)
    text: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return text


def _price(figure: Any, go: Any, label: Ints, table: Any) -> None:
    """Close, high and low of stretches of equally many bars, so that the page stays small."""
    count = len(label)
    starts = np.unique(np.arange(min(_POINTS, count)) * count // min(_POINTS, count))
    ends = np.concatenate((starts[1:], [count])) - 1
    at = _times(label[starts])
    high = np.maximum.reduceat(column(table, "bid_high"), starts)
    low = np.minimum.reduceat(column(table, "bid_low"), starts)
    band = {"mode": "lines", "line": {"width": 0}}
    figure.add_trace(go.Scatter(x=at, y=high, name="high", **band), row=1, col=1)
    shade = {"fill": "tonexty", "fillcolor": "rgba(80, 120, 200, 0.25)"}
    figure.add_trace(go.Scatter(x=at, y=low, name="low", **band, **shade), row=1, col=1)
    close = column(table, "bid_close")[ends]
    line = {"color": "rgb(30, 60, 140)", "width": 1}
    figure.add_trace(go.Scatter(x=at, y=close, name="close", mode="lines", line=line), row=1, col=1)


def _gaps(figure: Any, go: Any, label: Ints, bar: int) -> None:
    steps = np.diff(label)
    after = np.flatnonzero(steps > bar)
    longest = np.sort(after[np.argsort(steps[after], kind="stable")[-_POINTS:]])
    hours = (steps[longest] - bar) / HOUR
    figure.add_trace(
        go.Scatter(x=_times(label[longest] + bar), y=hours, name="hours without bars", mode="markers"),
        row=2,
        col=1,
    )


def _times(at: Ints) -> Any:
    return at.astype("datetime64[us]")
