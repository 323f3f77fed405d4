"""The picture of a backtest: prices with its trades, equity and drawdown below.

Reading order: `data` (what is drawn, as arrays) → `interactive` (a Plotly figure) and `image` (a PNG).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.chart.data import Picture
from sweep.errors import error

__all__ = ["plot"]


def plot(backtest: Any, path: str | Path | None = None) -> Any:
    """A Plotly figure of a `Backtest`; with a path it is also written there, as a page (.html) or an image (.png).

    Raises:
        SweepError: [1001] another ending, [1004] no path, [1007] the backtest does not know its market; [3000] to [3002], [3007] if
            the file cannot be written.
    """
    from sweep.chart.interactive import figure

    ending = None if path is None else _ending(path)
    if ending not in (None, ".html", ".png"):
        raise error(1001, f"no chart is written as {ending or 'a file without an ending'}", where=f"path {path}",
                    remedy="end the path in .html or .png")  # fmt: skip
    picture = Picture.of(backtest)
    drawn = figure(picture)
    if path is not None:
        _write(Path(path), picture, drawn)
    return drawn


def _ending(path: Any) -> str:
    try:
        return Path(path).suffix.lower()
    except TypeError:
        remedy = "give a text or a pathlib.Path that ends in .html or .png"
        raise error(1004, f"{path!r} is no path", where="path", remedy=remedy) from None


def _write(path: Path, picture: Picture, drawn: Any) -> None:
    from sweep.chart.image import png

    content = png(picture) if path.suffix.lower() == ".png" else drawn.to_html(include_plotlyjs=True).encode()
    try:
        path.write_bytes(content)
    except OSError as problem:
        raise error(3000, f"the chart cannot be written: {problem.strerror}", where=str(path),
                    remedy="name a file in a folder that exists and can be written", stage="infrastructure") from problem  # fmt: skip
