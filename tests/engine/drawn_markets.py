"""Random markets for random backtests: bars and ticks with spreads of every kind, volume grids, tick values, rates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sweep import Market, _core
from tests.vectors.engine import MINUTE_US, SPECS, START_US

Rng = np.random.Generator
PRICES = {"EURUSD": (1.1, 1e-5), "USDJPY": (150.0, 1e-3)}
"""Price and tick size of the traded symbols."""
RATES = {"EURUSD": 1.25, "USDJPY": 150.0, "GBPUSD": 1.5}
PER_DOLLAR = {"USD": 1.0, "EUR": 0.8, "GBP": 2 / 3, "JPY": 150.0}
"""About what a dollar is in a currency."""
DAY_MINUTES = 1440
GRIDS: Sequence[Mapping[str, float]] = (
    {"volume_min": 0.1, "volume_step": 0.1},
    {"volume_min": 0.05, "volume_step": 0.02, "volume_max": 0.31},
    {"volume_min": 0.001, "volume_step": 0.003},
    {"volume_min": 0.01, "volume_step": 0.25, "volume_max": 0.5},
)
"""Volume grids besides the usual one of 0.01 lots."""


@dataclass(frozen=True)
class Nights:
    """Minutes of the market time after which it closes, and for how many days."""

    after: tuple[int, ...]
    days: tuple[int, ...]

    def labels(self, minutes: np.ndarray) -> np.ndarray:
        """Microseconds UTC of minutes of market time, whole or not."""
        closed = sum((np.asarray(minutes) >= m) * d for m, d in zip(self.after, self.days, strict=True))
        return START_US + np.floor((minutes + closed * DAY_MINUTES) * MINUTE_US).astype(np.int64)


def nights(rng: Rng) -> Nights:
    """Mostly one day; else two or three, with a Saturday or a Sunday among them or between them."""
    count = int(rng.choice([0, 0, 1, 2]))
    after = np.sort(rng.integers(5, 45, count))
    return Nights(tuple(after.tolist()), tuple(rng.choice([1, 2, 5, 6, 8], count).tolist()))


def bars(rng: Rng, symbol: str, spec: Mapping[str, Any], closed: Nights) -> Market:
    """40 to 90 bars of M1, some minutes missing."""
    n = int(rng.integers(40, 90))
    places = np.sort(rng.choice(np.arange(n + 12), n, replace=False))
    labels = pa.array(closed.labels(places)).cast(pa.timestamp("us", tz="UTC"))
    bid = _walk(rng, symbol, n)
    sides = [
        pa.table({"timestamp": labels, **columns, "volume": np.zeros(n)})
        for columns in (bid, _ask(rng, bid, spec["pip_size"]))
    ]
    return Market.from_arrow(*sides, **_named(spec))


def ticks(rng: Rng, symbol: str, spec: Mapping[str, Any], closed: Nights) -> Market:
    """150 to 400 ticks, on average ten a minute, some at the same time."""
    n = int(rng.integers(150, 400))
    walk = _walk(rng, symbol, n)["close"]
    gaps = rng.exponential(0.1, n) * (rng.random(n) < 0.9) + (rng.random(n) < 0.02) * 3.3
    spread = rng.choice([0.0, 1.0, 2.0], n)
    if rng.random() < 0.3:
        spread = np.where(rng.random(n) < 0.2, -rng.exponential(0.5, n), spread)
    times = pa.array(closed.labels(np.cumsum(gaps))).cast(pa.timestamp("us", tz="UTC"))
    table = pa.table({"timestamp": times, "bid": walk, "ask": walk + spread * spec["pip_size"]})
    return _of_ticks(table, spec)


def within(market: Market, first: int, last: int) -> Market | None:
    """The bars, or ticks, of a market from one time to another, both included; None if that leaves less than two."""
    made_of_ticks = market.ticks_table()
    table = market.to_table() if made_of_ticks is None else made_of_ticks
    stamps = table["timestamp"].cast(pa.int64())
    kept = table.filter(pc.and_(pc.greater_equal(stamps, first), pc.less_equal(stamps, last)))
    if kept.num_rows < 2:
        return None
    spec = market.meta["spec"]
    return Market.from_arrow(kept, **_named(spec)) if made_of_ticks is None else _of_ticks(kept, spec)


def spec_of(rng: Rng, symbol: str, currency: str) -> dict[str, Any]:
    """The specification of a symbol on an account: now and then another volume grid, and a value of the tick."""
    spec = dict(SPECS[symbol])
    if rng.random() < 0.35:
        spec |= GRIDS[rng.integers(len(GRIDS))]
    if rng.random() < 0.35:
        dollars = spec["tick_size"] * spec["contract_size"] / PER_DOLLAR[spec["quote_currency"]]
        spec["tick_value"] = dollars * PER_DOLLAR[currency] * float(rng.choice([1.0, 1.0, 0.7, 1.9]))
    return spec


def rates(rng: Rng, markets: Sequence[Market]) -> tuple[dict[str, float], dict[str, Market]]:
    """Every pair as a number or as a series of M5 bars that starts before the markets and moves with them."""
    numbers: dict[str, float] = {}
    series: dict[str, Market] = {}
    for pair, rate in RATES.items():
        if rng.random() < 0.7:
            numbers[pair] = rate
        else:
            series[pair] = _series(rng, pair, rate, markets)
    return numbers, series


def _series(rng: Rng, pair: str, rate: float, markets: Sequence[Market]) -> Market:
    stamps = {t for m in markets for t in m.to_table()["timestamp"].cast(pa.int64()).to_pylist()}
    step = 5 * MINUTE_US
    labels = sorted({stamp // step * step for stamp in stamps} | {START_US - 12 * step})
    close = rate * (1 + np.cumsum(rng.normal(0, 2e-3, len(labels))))
    quotes = dict.fromkeys(("open", "high", "low", "close"), close)
    times = pa.array(labels).cast(pa.timestamp("us", tz="UTC"))
    sides = [
        pa.table(
            {"timestamp": times, **{k: v * add for k, v in quotes.items()}, "volume": np.zeros(len(labels))}
        )
        for add in (1.0, 1.0001)
    ]
    return Market.from_arrow(*sides, symbol=pair, timeframe="M5")


def _named(spec: Mapping[str, Any]) -> dict[str, Any]:
    symbol = spec["symbol"]
    fields = {name: value for name, value in spec.items() if name != "symbol" and value is not None}
    return {"symbol": symbol, "timeframe": "M1", "symbol_specs": {symbol: fields}}


def _of_ticks(table: pa.Table, spec: Mapping[str, Any]) -> Market:
    return Market(_core.Market.from_ticks(table, json.dumps({"spec": dict(spec), "timeframe": "M1"})))


def _walk(rng: Rng, symbol: str, n: int) -> dict[str, np.ndarray]:
    """Open, high, low and close on the tick grid, or off it."""
    price, tick = PRICES[symbol]
    off_grid = rng.random() < 0.3

    def grid(x: np.ndarray) -> np.ndarray:
        return x if off_grid else np.round(x / tick) * tick

    step = price * 7e-4
    close = grid(price + np.cumsum(rng.standard_t(4, n) * step))
    opened = grid(np.r_[price, close[:-1]] + rng.normal(0, step / 2, n) * (rng.random(n) < 0.4))
    high = np.maximum(opened, close) + np.abs(grid(rng.exponential(step / 2, n)))
    low = np.minimum(opened, close) - np.abs(grid(rng.exponential(step / 2, n)))
    return {"open": opened, "high": high, "low": low, "close": close}


def _ask(rng: Rng, bid: Mapping[str, np.ndarray], pip: float) -> dict[str, np.ndarray]:
    """Ask bars: the same spread everywhere, one for each bar, or one for each price, some of them crossed."""
    n = len(bid["open"])
    kind = str(rng.choice(["flat", "by bar", "crossed"], p=(0.5, 0.25, 0.25)))
    if kind != "crossed":
        spread = rng.choice([0.0, 1.0, 3.0]) if kind == "flat" else rng.exponential(1.5, n)
        return {name: prices + spread * pip for name, prices in bid.items()}
    pips = {name: rng.exponential(1.5, n) * rng.choice([1.0, 1.0, 1.0, -1.0], n) for name in bid}
    ask = {name: prices + pips[name] * pip for name, prices in bid.items()}
    ends = (ask["open"], ask["close"])
    ask["high"], ask["low"] = np.maximum.reduce([ask["high"], *ends]), np.minimum.reduce([ask["low"], *ends])
    return ask
