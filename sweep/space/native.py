"""The strategy's own view of parameter sets, from its declaration in Rust: canonical form, key, derived names, problems."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sweep.types import ParamValue

MISSING: Final = object()
"""In the place of a value: a canonical set does not hold it."""

Row = tuple[
    Mapping[str, ParamValue] | None,
    str | None,
    Mapping[str, ParamValue],
    Sequence[Mapping[str, Any]],
    Sequence[str],
]
"""The fields of `Canonical`."""
Canonicalise = Callable[[str, str, Sequence[Mapping[str, Any]]], Sequence[Row]]
"""`sweep._core.canonical_rows`: (strategy, timeframe, parameter sets) → what the strategy makes of each."""


class Canonical(NamedTuple):
    """What the strategy makes of one parameter set; `params` and `key` are None if it refuses it."""

    params: Mapping[str, ParamValue] | None
    key: str | None
    derived: Mapping[str, ParamValue]
    problems: Sequence[Mapping[str, Any]]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Native:
    """`canonicalise` bound to a strategy and a primary timeframe."""

    strategy: str
    timeframe: str
    call: Canonicalise

    def canonical(self, rows: Sequence[Mapping[str, Any]]) -> list[Canonical]:
        """Canonical forms of `rows`, in order."""
        return [Canonical._make(row) for row in self.rows(rows)]

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row]:
        """The same as the native module gives it: the fields of `Canonical`."""
        return self.call(self.strategy, self.timeframe, rows) if rows else []


def canonical_value(params: Mapping[str, ParamValue], name: str, inside: Sequence[str] = ()) -> Any:
    """What a canonical set holds for a parameter, for a member of a family inside its map; MISSING if nothing."""
    if not inside:
        return params.get(name, MISSING)
    found: Any = _map(str(params.get(inside[0], "{}")))
    for key in inside[1:]:
        found = found.get(key, MISSING) if isinstance(found, Mapping) else MISSING
    return found


@lru_cache(maxsize=4096)
def _map(text: str) -> Any:
    return json.loads(text)


def default_canonicalise(strategy: str, timeframe: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row]:
    """The native module's, imported on first use."""
    from sweep import _core

    return _core.canonical_rows(strategy, timeframe, rows)
