"""Write docs/indicators.md from the declarations in Rust: `indicator_pages.py [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.indicators import catalogue

TARGET = Path(__file__).parents[1] / "docs" / "indicators.md"
HEAD = """# Indicators

This page is made from the declarations in Rust by `make docs`; `sweep indicators` prints the same.

`sweep.indicator(market, id, side="bid", timeframe=None, **parameters)` gives a NumPy array with one value per bar of the
market, or a dict of arrays where there are several outputs. A value is what is known when its bar has closed; NaN means
warm-up, no bar yet, or an undefined result, and no output is infinite. "First" is the first index that can be defined.
Indicators read the closes of one side unless their formula says otherwise.

Operators: EWM(x; a) is the exponential average m + a·(x − m) that starts at the first x, WILD(x; p) Wilder's average that
starts with the mean of p values, MEAN, SUM, MAX, MIN, STD run over a window, TR is the true range, EMA(x; p) = EWM(x;
2/(p + 1)). A division that has no finite result is NaN. Averages of prices on the symbol's tick grid are exact, so a
crossing never depends on rounding.
"""


def page(rows: list[dict[str, Any]]) -> str:
    """The document."""
    return "\n".join([HEAD, *(_section(row) for row in rows)])


def _section(row: Mapping[str, Any]) -> str:
    lines = [f"## {row['id']}", "", f"{row['title'][0].upper()}{row['title'][1:]}.", ""]
    if row["parameters"]:
        lines += ["| parameter | default | values | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{p['name']}` | {_default(p)} | {_values(p)} | {_cell(p['doc'])} |" for p in row["parameters"]
        ]
        lines.append("")
    lines += [
        f"- Outputs: {', '.join(f'`{name}`' for name in row['outputs'])}. First: {row['first']}.",
        f"- Formula: `{row['formula']}`",
        f"- Source: {row['source']}",
    ]
    if row["on"] == "bars":
        lines.append(
            '- Runs over the bars of its timeframe (`on="bars"`), each value repeated until the next.'
        )
    return "\n".join([*lines, ""])


def _default(parameter: Mapping[str, Any]) -> str:
    if parameter["required"]:
        return "required"
    value = parameter["default"]
    return "none" if value is None else f"{value}".lower() if isinstance(value, bool) else f"{value}"


def _values(parameter: Mapping[str, Any]) -> str:
    if parameter["choices"]:
        return ", ".join(parameter["choices"])
    if parameter["type"] == "bool":
        return "true, false"
    low, high = parameter["low"], parameter["high"]
    text = f"{parameter['type']} {'>' if parameter['low_open'] else '≥'} {low:g}"
    return text if high is None else f"{parameter['type']} {low} to {high}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(page(catalogue()), encoding="utf-8")
