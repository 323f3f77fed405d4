"""Golden dataset G: 600 M15 bars built from sines, and the small worked datasets A, B, P and P5."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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


def flat(close: Sequence[float]) -> dict[str, list[float]]:
    """Bars whose four prices are the close."""
    return {name: list(close) for name in A}


P = flat([100, 101, 100.5, 102, 101.2, 103, 102.1, 104, 103.3, 105, 104.4, 106])
P5 = flat([NAN if i == 5 else x for i, x in enumerate(P["close"])])
DATASETS: dict[str, dict[str, list[float]]] = {"A": A, "B": B, "P": P, "P5": P5}
"""B is A without bars 0 and 5; P has the prices of the volatility tables, P5 lacks its bar 5."""

CHECKSUMS: dict[tuple[int, str], tuple[float, float, float, float]] = {
    (1, "bid"): (660.139678843760, 660.576766608890, 659.698617540343, 660.135796032228),
    (1, "ask"): (660.212026953014, 660.649114718144, 659.770965649598, 660.208144141482),
    (4, "bid"): (165.036318011243, 165.223513334377, 164.846186839574, 165.032435199711),
    (4, "ask"): (165.054412184310, 165.241606559623, 164.864274070223, 165.050514863476),
    (16, "bid"): (40.708654473764, 40.813463719223, 40.602668474629, 40.707561912353),
    (16, "ask"): (40.713133567030, 40.817951694844, 40.607145207618, 40.712023346758),
    (96, "bid"): (6.597721328948, 6.639907400483, 6.562879013007, 6.595761007931),
    (96, "ask"): (6.598425987007, 6.640623332649, 6.563569081329, 6.596456320242),
}
"""Sums of open, high, low and close of G by number of M15 bars in a bar (1, H1, H4, D1) and side."""

TIES: list[tuple[float, int, int, dict[int, float]]] = [
    (1e-4, 10, 30, {572: 1.09843}),
    (5e-4, 5, 20, {420: 1.1019}),
    (5e-4, 20, 50, {497: 1.0998}),
]
"""Closes of G rounded to a tick: tick, two periods, and where and at what value their averages are equal."""


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


def joined(bars: Mapping[str, Sequence[float]], group: int) -> dict[str, list[float]]:
    """Complete bars of `group` bars each: first open, highest high, lowest low, last close, summed volume."""
    starts = range(0, len(bars["close"]) - group + 1, group)
    out = {
        "open": [float(bars["open"][k]) for k in starts],
        "high": [float(max(bars["high"][k : k + group])) for k in starts],
        "low": [float(min(bars["low"][k : k + group])) for k in starts],
        "close": [float(bars["close"][k + group - 1]) for k in starts],
    }
    if "volume" in bars:
        out["volume"] = [math.fsum(bars["volume"][k : k + group]) for k in starts]
    return out


def visible(native: Sequence[float], group: int, n: int) -> list[float]:
    """Values of joined bars as n bars without gaps see them: the newest that is complete, NaN before the first."""
    return [native[(i + 1) // group - 1] if i + 1 >= group else NAN for i in range(n)]
