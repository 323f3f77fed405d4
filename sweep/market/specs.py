"""Symbol specifications: the native built-in table with the user's fields over it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.config.document import read
from sweep.config.engine import SymbolSection
from sweep.config.load import section
from sweep.config.problems import shown
from sweep.errors import error


def symbol_spec(symbol: str, specs: Mapping[str, Any] | str | Path | None = None) -> dict[str, Any]:
    """Complete specification of a symbol; `specs` maps symbols to fields, or names a YAML file that does.

    Raises:
        SweepError: [1001] unknown symbol or field, [1004] a value of another type, [1003] out of range, [1008] a
            missing field, [3001] [1009] the file.
    """
    from sweep import _core

    table = read(Path(specs)).tree if isinstance(specs, str | Path) else dict(specs or {})
    fields = table.get(symbol)
    if fields is not None and not isinstance(fields, Mapping):
        what = f"the fields of {symbol} must be a mapping, got {shown(fields)}"
        raise error(1004, what, where="symbol_specs", remedy=f"write {symbol}: {{pip_size: 0.0001}}")
    given = section(SymbolSection, fields or {}, f"symbol_specs.{symbol}").given()
    spec: dict[str, Any] = json.loads(_core.symbol_spec(symbol, json.dumps(given)))
    return spec
