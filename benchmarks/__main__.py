"""Benchmarks: `python -m benchmarks [--record] [engine] [indicators] …`. Figures of one run are compared within that run only."""

from __future__ import annotations

import argparse
import inspect
import os
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from benchmarks import (
    cluster,
    data,
    engine,
    indicators,
    large,
    ledger,
    page,
    portfolio,
    rival,
    samplers,
    strategies,
    sweep,
    workers,
)
from benchmarks.measure import machine

PARTS: Final[dict[str, ModuleType]] = {
    "engine": engine,
    "indicators": indicators,
    "data": data,
    "portfolio": portfolio,
    "strategies": strategies,
    "samplers": samplers,
    "ledger": ledger,
    "cluster": cluster,
    "sweep": sweep,
    "rival": rival,
    "workers": workers,
    "large": large,
}
LONG: Final = ("large",)
"""Parts that run only when they are named."""


def main() -> None:
    """Runs the parts that are named, by default all but the long ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[*PARTS], help=f"by default all but {', '.join(LONG)}")
    parser.add_argument(
        "--record", action="store_true", help="writes a section of RESULTS.md for each of the parts"
    )
    chosen = parser.parse_args()
    about = f"{machine()}; load average {os.getloadavg()[0]:.1f} when it began"
    print(about)
    for name in chosen.parts or [name for name in PARTS if name not in LONG]:
        print(f"\n## {name}")
        lines = []
        for line in PARTS[name].run():
            print(line, flush=True)
            lines.append(line)
        if chosen.record:
            page.write(section(name, about, lines))


def section(name: str, about: str, lines: Sequence[str]) -> str:
    """What RESULTS.md says of a part: what it does, where it was run, and its lines."""
    items = [f"{line[: len(line) - len(line.lstrip())]}- {line.lstrip()}" for line in lines]
    told = inspect.getdoc(PARTS[name]) or ""
    return "\n".join([f"## python -m benchmarks {name}", "", told, "", f"Made on {about}.", "", *items, ""])


if __name__ == "__main__":
    main()
