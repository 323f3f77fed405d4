"""Write the parameter tables of strategies/*/README.md from the declarations in Rust: `strategy_pages.py [FOLDER]`.

With a folder the pages are written there, as NAME.md, and those of the strategies stay as they are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sweep import _core
from sweep.cli.catalogue import default_of, ranges_of, type_of

STRATEGIES = Path(__file__).parents[1] / "strategies"
MARK = "## Parameters"


def page(item: Mapping[str, Any], text: str) -> str:
    """The page whose part from MARK on is made anew."""
    return f"{text.partition(MARK)[0]}{MARK}\n\n" + "\n".join([*_section(item), ""])


def _section(item: Mapping[str, Any]) -> Iterator[str]:
    yield f"Made by `make docs` from the declaration; `sweep strategies show {item['id']}` prints it."
    yield ""
    yield "| parameter | type | default | valid | searched | meaning |"
    yield "|---|---|---|---|---|---|"
    for entry in [*item["parameters"], *item["families"]]:
        cells = [
            type_of(entry),
            default_of(entry) or "empty",
            _valid(entry),
            "; ".join(ranges_of(entry)) or "–",
        ]
        unit = "" if entry["unit"] == "none" else f" ({entry['unit']})"
        when = f"; read where `{entry['when']}`" if entry["when"] else ""
        yield f"| `{entry['name']}` | {' | '.join(_cell(text) for text in cells)} | {_cell(entry['doc'])}{unit}{when} |"
    yield ""
    for part, texts in {
        p["name"]: p["texts"] for family in item["families"] for p in family["parts"]
    }.items():
        yield f"`{{{part}}}` stands for {', '.join(texts)}."
    if item["families"]:
        yield ""
    for rule in item["constraints"]:
        yield f"- {'Refused' if rule['severity'] == 'error' else 'Warned of'} unless `{rule['expr']}`: {rule['message']}."
    if item["constraints"]:
        yield ""
    yield f"First bar at which a signal is possible: {item['warmup']}."


def _valid(entry: Mapping[str, Any]) -> str:
    domain = entry["domain"]
    if entry["type"] == "bool":
        return "true, false"
    if domain["choices"]:
        return ", ".join(domain["choices"])
    low = None if domain["low"] is None else f"{'above' if domain['low_open'] else 'from'} {domain['low']:g}"
    high = (
        None if domain["high"] is None else f"{'below' if domain['high_open'] else 'to'} {domain['high']:g}"
    )
    return " ".join(text for text in (low, high) if text) or "any"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(folder: str | None = None) -> None:
    """Writes all pages."""
    for item in json.loads(_core.strategies()):
        readme = STRATEGIES / item["id"] / "README.md"
        if readme.exists():
            target = Path(folder) / f"{item['id']}.md" if folder else readme
            target.write_text(page(item, readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
