"""The metric catalogue, as the native engine declares it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any


def describe() -> list[dict[str, Any]]:
    """Name, unit, definition and when it is null, for every metric in canonical order."""
    from sweep import _core

    return [dict(row) for row in json.loads(_core.metrics())]


@cache
def names() -> tuple[str, ...]:
    """Metric names in canonical order."""
    return tuple(row["name"] for row in describe())
