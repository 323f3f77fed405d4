"""Symbol specifications: the native built-in table with the user's fields over it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.config.document import read


def symbol_spec(symbol: str, specs: Mapping[str, Any] | str | Path | None = None) -> dict[str, Any]:
    """Complete specification of a symbol; `specs` maps symbols to fields, or names a YAML file that does.

    Raises:
        SweepError: [1001] unknown symbol or field, [1008] a missing field, [3001] [1009] the file.
    """
    from sweep import _core

    table = read(Path(specs)).tree if isinstance(specs, str | Path) else dict(specs or {})
    spec: dict[str, Any] = json.loads(_core.symbol_spec(symbol, json.dumps(table.get(symbol) or {})))
    return spec
