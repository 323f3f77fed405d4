"""Write docs/indicators.md from the declarations in Rust: `indicator_pages.py [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.indicators import allowed, catalogue, first_of

TARGET = Path(__file__).parents[1] / "docs" / "indicators.md"
HEAD = """# Indicators

This page is made by `make docs` from the declarations in Rust. `sweep indicators` lists them and, with
a name, prints what is said here of one.

`sweep.indicator(market, id, side="bid", timeframe=None, *, on=None, tick_size=None, **parameters)` gives a NumPy
array with one value per bar of the market, or a dict of arrays where there are several outputs. A value is what is
known when its bar has closed; NaN means warm-up, no bar yet, or an undefined result, and no output is infinite.
Bars are counted from 0, and "first" is the first index that can be defined. A parameter that is None is as good as
left out.

`market` is a `Market`; or arrays by name (`close`, and `open`, `high`, `low`, which default to the close), or a
PyArrow, pandas or polars table with these columns. Arrays have one side and no timeframe. A bar with a price that
is not finite is missing as a whole.

`timeframe` names the primary timeframe or a higher one. On a higher one `on` says what the indicator runs over:

- `on="bars"`: its bars, each counted once; a value is repeated on the primary bars until the next bar is complete.
  Periods and "first" are in bars of that timeframe. The ids that end in `_stepwise` do so unless told otherwise.
- `on="raster"`, the default of all other ids: one slot per primary bar, which holds the newest complete bar. On M15
  bars an H1 bar fills four slots and counts four times, so `period=20` spans five hours, not twenty. Rarely what
  one wants; it is warned of once.

Forms with `idx` give values of one bar or window alone: a number, or `start`, the number of the first bar, and an
array of the values from there on. On a higher timeframe `idx`, `start` and the array count what the indicator runs
over, its bars or the slots, and are not repeated.

Operators: O, H, L, C are the prices of a bar, i is its number. Indicators read the closes of one side unless their
formula says otherwise. EWM(x; a) is the exponential average m <- m + a*(x - m) that starts at the first x; EMA(x;
p) is EWM(x; 2/(p + 1)); WILD(x; p) is Wilder's average m <- (m*(p - 1) + x)/p that starts with the mean of p
values. MEAN_w, SUM_w, MAX_w, MIN_w and STD_w run over w values, STD with divisor w - ddof, ddof = 1 unless stated.
TR is the true range, the largest of H - L, |H - the close before| and |L - the close before|. `<-` is the step from
one bar to the next. A division that has no finite result is NaN.

Averages of prices on the tick grid, that of the symbol or `tick_size` of arrays, are exact, so a crossing never
depends on rounding. Deviations are within 1e-9 of their two-pass value for windows up to 50,000 bars; in longer
ones an outlier can cost more digits. A deviation below 1e-150 is 0. An average whose sum cancels is as exact as the
largest value in it allows. On a straight line the residuals of `rolling_residual` are rounding errors alone, and so
are their scores.
"""


def page(rows: list[dict[str, Any]]) -> str:
    """The document."""
    return "\n".join([HEAD, *(_section(row) for row in rows)])


def _section(row: Mapping[str, Any]) -> str:
    lines = [f"## {row['id']}", "", f"{row['title'][0].upper()}{row['title'][1:]}.", ""]
    if row["parameters"]:
        lines += ["| parameter | default | values | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{p['name']}` | {_default(p)} | {allowed(p)} | {_cell(p['doc'])} |" for p in row["parameters"]
        ]
        lines.append("")
    lines += [
        f"- Outputs: {', '.join(f'`{name}`' for name in row['outputs'])}. First: {first_of(row)}.",
        f"- Formula: `{row['formula']}`",
        f"- Source: {row['source']}",
    ]
    return "\n".join([*lines, ""])


def _default(parameter: Mapping[str, Any]) -> str:
    if parameter["required"]:
        return "required"
    value = parameter["default"]
    return "none" if value is None else f"{value}".lower() if isinstance(value, bool) else f"{value}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(page(catalogue()), encoding="utf-8")
