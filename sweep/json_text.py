"""Values of users as the JSON text that the native module takes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from sweep.errors import error


def json_text(value: Any, where: str = "") -> str:
    """JSON of mappings, lists, texts, numbers and truth values.

    Raises:
        SweepError: [1003] NaN or an infinity, which JSON lacks, [1004] anything else; with its place.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_plain(value, where))


def _plain(value: Any, where: str) -> Any:
    """Every part as JSON has it: mappings and sequences of all kinds, the first bad part refused."""
    if isinstance(value, Mapping):
        return {
            str(key): _plain(item, f"{where}.{key}" if where else str(key)) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{k}]") for k, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise error(1003, f"{value} is no finite number", where=where, remedy="give a finite number")
    if value is None or isinstance(value, str | int | float):
        return value
    what = f"{type(value).__name__} is no value of an option"
    raise error(1004, what, where=where, remedy="give a text, a number, true, false or none")
