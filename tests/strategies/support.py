"""Small strategies in Python, written by tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sweep
from sweep.strategies import Code

EXAMPLES = Path(__file__).parents[2] / "configs" / "my_strategies"
CROSS = EXAMPLES / "cross.py"
BAR = EXAMPLES / "bar.py"


def code(kind: str, path: Path, name: str) -> Code:
    """A strategy in a file."""
    return Code(kind, str(path), name, path.read_text(encoding="utf-8"))  # type: ignore[arg-type]


def returning(returned: Any, **declared: Any) -> Callable[..., Any]:
    """A strategy whose function always returns the same, or what a function of the market makes."""

    def fixed(market: Any, ind: Any, params: Any) -> Any:
        return returned(market) if callable(returned) else returned

    return sweep.signals(**declared)(fixed)
