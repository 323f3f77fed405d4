"""A small valid config, and a way to write variants of it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import SweepError

MINIMAL = """\
market: {synthetic: {bars: 1000}}
strategy: {name: ma_cross}
search: {sampler: random, trials: 10}
"""


def minimal() -> dict[str, Any]:
    """The smallest config, in memory."""
    return {
        "study": "small",
        "market": {"synthetic": {"bars": 1000}},
        "strategy": {"name": "ma_cross"},
        "search": {"sampler": "random", "trials": 10},
    }


def write(folder: Path, text: str, name: str = "study.yaml") -> Path:
    """A file with this text, dedented."""
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def lines(caught: pytest.ExceptionInfo[SweepError]) -> list[str]:
    """The lines of a message."""
    return str(caught.value).splitlines()
