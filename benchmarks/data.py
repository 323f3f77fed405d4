"""Market data: import, check, load and resample 10 million bars, beside what the libraries below take for their part."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sweep import Market, _core
from sweep.config.load import section
from sweep.config.market import MarketConfig
from sweep.market import load
from sweep.market.cache import DatasetCache

BARS = 10_000_000
ROUNDS = 5


def run() -> Iterator[str]:
    """Wall times, for reading, hashing and writing use both cores; ratios are of one round, medians of the rounds.

    The files are in the page cache, and the library has memory from its last reading. What an import stores is new
    memory: on a virtual machine whose host takes back what is free, that shows as system time.
    """
    start = time.perf_counter()
    market = Market.synthetic(bars=BARS, seed=7, timeframe="M1", weekends="open", start="1990-01-01")
    yield f"synthetic market, {BARS:,} bars: {time.perf_counter() - start:.2f} s"
    with tempfile.TemporaryDirectory() as folder:
        yield from _data(market, Path(folder))


def _data(market: Market, folder: Path) -> Iterator[str]:
    rows = market.to_table()
    names = ("open", "high", "low", "close", "volume")
    table = pa.table({"timestamp": rows["timestamp"], **{name: rows[f"bid_{name}"] for name in names}})
    asks = pa.table({"timestamp": rows["timestamp"], **{name: rows[f"ask_{name}"] for name in names}})
    parquet, ask, text = folder / "bars.parquet", folder / "ask.parquet", folder / "bars.csv"
    pq.write_table(table, parquet, compression="zstd")
    pq.write_table(asks, ask, compression="zstd")
    pa.csv.write_csv(table, text)
    one, both = config(file=str(parquet), spread_pips=0.8), config(bid=str(parquet), ask=str(ask))
    yield _against("Parquet, one side", one, lambda: pq.read_table(parquet), folder)
    yield _against(
        "Parquet, both sides", both, lambda: [pq.read_table(path) for path in (parquet, ask)], folder
    )
    yield _against("CSV", config(file=str(text), spread_pips=0.8), lambda: pa.csv.read_csv(text), folder)
    options = json.dumps({"timeframe": "M1", "name": "bars"})
    checks = [_cpu(lambda: _core.check_bars(table, options)) for _ in range(ROUNDS)]
    yield f"data contract: {statistics.median(checks) * 1e9 / BARS:.2f} ns per bar of CPU"
    resampled = []
    for _ in range(ROUNDS):
        fresh = Market.from_table(rows, market.meta)
        resampled.append(_cpu(lambda fresh=fresh: fresh.core.higher("H1")))  # type: ignore[misc]
    yield f"resampling to H1, both sides: {statistics.median(resampled) * 1e9 / BARS:.2f} ns per bar of CPU"
    load(one, cache=DatasetCache(folder / "home"))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, grown = pool.apply(warm, (str(parquet), str(folder / "home")))
    yield f"load from the dataset cache: {seconds * 1e3:.1f} ms, {grown / 2**20:.1f} MiB of anonymous memory"


def _against(name: str, asked: MarketConfig, alone: Callable[[], Any], folder: Path) -> str:
    """Import (read, check, digest, store) against the library's reading of the same files, whole and with its threads."""
    alone()
    ratios, imports, user, system, home = [], [], [], [], folder / "scratch"
    for _ in range(ROUNDS):
        library, before = _wall(alone), os.times()
        imports.append(_wall(lambda: load(asked, cache=DatasetCache(home))))
        after = os.times()
        user.append(after.user - before.user)
        system.append(after.system - before.system)
        shutil.rmtree(home)
        ratios.append(imports[-1] / library)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return (
        f"import of {name}: {statistics.median(imports):.2f} s "
        f"(CPU {statistics.median(user):.2f} s user, {min(system):.2f} to {max(system):.2f} s system), "
        f"{statistics.median(ratios):.2f} x pyarrow alone ({spread})"
    )


def config(**files: Any) -> MarketConfig:
    """The section of a market of these files."""
    return section(MarketConfig, {"symbol": "EURUSD", "timeframe": "M1", **files}, "market")


def warm(path: str, home: str) -> tuple[float, int]:
    """Seconds and anonymous bytes of a load from the cache, in a process of its own that has imported everything."""
    asked, cache = config(file=path, spread_pips=0.8), DatasetCache(Path(home))
    load(asked, cache=cache)
    before, start = _anonymous(), time.perf_counter()
    market = load(asked, cache=cache)
    _ = market.digest
    return time.perf_counter() - start, _anonymous() - before


def _anonymous() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Anonymous:", "Swap:")))


def _wall(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _cpu(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
