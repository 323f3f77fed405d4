"""Files of two correlated symbols with holes, and of ticks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sweep.market import Market

SYMBOLS = ("GBPUSD", "EURUSD")
"""Not in the order of the alphabet: the configured order is the one that counts."""
UTC = pa.timestamp("us", tz="UTC")
MONDAY = 1_578_268_800_000_000
"""2020-01-06 00:00."""


def generated(symbol: str, *, bars: int = 4000, seed: int = 5, timeframe: str = "M15") -> Market:
    """One of several correlated symbols, each with bars missing of its own."""
    return Market.synthetic(
        symbol=symbol, timeframe=timeframe, bars=bars, seed=seed, correlation=0.6, gap_rate=0.03
    )


def sides(market: Market, folder: Path, name: str) -> dict[str, str]:
    """Bid and ask files of a market, as keys of a section `market`."""
    table, files = market.to_table(), {}
    for side in ("bid", "ask"):
        columns = {"timestamp": table["timestamp"]}
        columns |= {key: table[f"{side}_{key}"] for key in ("open", "high", "low", "close", "volume")}
        files[side] = str(folder / f"{name}_{side}.parquet")
        pq.write_table(pa.table(columns), files[side])
    return files


def sections(folder: Path, **both: Any) -> list[dict[str, Any]]:
    """The sections `market` of both symbols, over files in `folder`."""
    return [
        {
            "symbol": symbol,
            "timeframe": "M15",
            **sides(generated(symbol), folder, symbol),
            "warmup_bars": 300,
            **both,
        }
        for symbol in SYMBOLS
    ]


def ticks(count: int = 40_000, *, seed: int = 3, mean_seconds: float = 6.0) -> pa.Table:
    """A random walk of quotes: uneven times, some of them equal, spreads of 0.2 to 1.4 pips, sizes."""
    random = np.random.default_rng(seed)
    steps = np.floor(random.exponential(mean_seconds, count)) * 1_000_000
    bid = np.round(1.1 + np.cumsum(random.normal(0, 2e-5, count)), 5)
    return pa.table(
        {
            "timestamp": pa.array((MONDAY + np.cumsum(steps)).astype(np.int64)).cast(UTC),
            "bid": bid,
            "ask": np.round(bid + random.integers(2, 15, count) * 1e-5, 5),
            "bid_size": random.integers(1, 9, count).astype(float),
        }
    )


def tick_file(folder: Path, *, again: bool = False) -> str:
    """The ticks as a file; `again`: once more at its end."""
    table = ticks()
    if again:
        times = table["timestamp"].cast(pa.int64()).to_numpy()
        later = pa.array(times + (times[-1] - MONDAY)).cast(UTC)
        table = pa.concat_tables([table, table.set_column(0, "timestamp", later)])
    pq.write_table(table, folder / "ticks.parquet")
    return str(folder / "ticks.parquet")
