"""Golden dataset G: 600 M15 bars built from sines, and the small worked datasets A and B."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NAN = math.nan
START_US = 1_704_067_200_000_000
M15_US = 900_000_000
SPEC: dict[str, Any] = {
    "symbol": "EURUSD",
    "contract_size": 100_000.0,
    "pip_size": 0.0001,
    "tick_size": 0.00001,
    "tick_value": None,
    "volume_min": 0.01,
    "volume_step": 0.01,
    "volume_max": 200.0,
    "base_currency": "EUR",
    "quote_currency": "USD",
}

A = {
    "open": [9.9, 10.1, 10.5, 11.4, 11, 10.2, 11.3, 12.5, 12.1, 13.3, 13.4, 12.8],
    "high": [10.4, 10.8, 11.9, 11.8, 11.1, 11.6, 12.9, 12.8, 13.8, 13.9, 13.5, 14.3],
    "low": [9.6, 9.9, 10.4, 10.7, 9.9, 10.1, 11.1, 11.9, 12, 13, 12.4, 12.6],
    "close": [10, 10.5, 11.5, 11, 10.2, 11.2, 12.6, 12.1, 13.4, 13.4, 12.7, 14],
}
B = {name: [NAN if i in (0, 5) else x for i, x in enumerate(values)] for name, values in A.items()}


@dataclass(frozen=True)
class Golden:
    """Arrays of G by side and field; labels in microseconds."""

    label: np.ndarray
    bid: dict[str, np.ndarray]
    ask: dict[str, np.ndarray]
    timeframe: str = "M15"
    spec: dict[str, Any] = field(default_factory=lambda: dict(SPEC))


def golden_g(n: int = 600) -> Golden:
    """The first n bars of G."""
    close = [
        1.10
        + 0.0040 * math.sin(0.11 * i)
        + 0.0025 * math.sin(0.037 * i + 1)
        + 0.0006 * math.sin(1.7 * i + 0.5)
        for i in range(n)
    ]
    opens = [close[max(i - 1, 0)] for i in range(n)]
    high = [
        max(o, c) + 0.0003 + 0.0002 * abs(math.sin(0.7 * i))
        for i, (o, c) in enumerate(zip(opens, close, strict=True))
    ]
    low = [
        min(o, c) - 0.0003 - 0.0002 * abs(math.cos(0.9 * i))
        for i, (o, c) in enumerate(zip(opens, close, strict=True))
    ]
    spread = [0.00010 + 0.00002 * (1 + math.sin(0.05 * i)) for i in range(n)]
    volume = np.array([1.0 + i % 5 for i in range(n)])
    bid = {"open": opens, "high": high, "low": low, "close": close}
    return Golden(
        label=START_US + M15_US * np.arange(n, dtype=np.int64),
        bid={**{k: np.array(v) for k, v in bid.items()}, "volume": volume},
        ask={
            **{k: np.array([x + s for x, s in zip(v, spread, strict=True)]) for k, v in bid.items()},
            "volume": volume,
        },
    )
