"""Market data: import, check, load and resample 10 million bars, beside what the libraries below take for their part."""

from __future__ import annotations

import json
import multiprocessing
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
ROUNDS = 3


def run() -> Iterator[str]:
    """Wall times, for reading, hashing and writing use both cores; ratios are of one round, medians of the rounds."""
    start = time.perf_counter()
    market = Market.synthetic(bars=BARS, seed=7, timeframe="M1", weekends="open", start="1990-01-01")
    yield f"synthetic market, {BARS:,} bars: {time.perf_counter() - start:.2f} s"
    with tempfile.TemporaryDirectory() as folder:
        yield from _data(market, Path(folder))


def _data(market: Market, folder: Path) -> Iterator[str]:
    rows = market.to_table()
    names = ("open", "high", "low", "close", "volume")
    table = pa.table({"timestamp": rows["timestamp"], **{name: rows[f"bid_{name}"] for name in names}})
    parquet, text = folder / "bars.parquet", folder / "bars.csv"
    pq.write_table(table, parquet, compression="zstd")
    pa.csv.write_csv(table, text)
    yield _against("Parquet", parquet, lambda: pq.read_table(parquet), folder)
    yield _against("CSV", text, lambda: pa.csv.read_csv(text), folder)
    options = json.dumps({"timeframe": "M1", "name": "bars"})
    checks = [_cpu(lambda: _core.check_bars(table, options)) for _ in range(ROUNDS)]
    yield f"data contract: {statistics.median(checks) * 1e9 / BARS:.2f} ns per bar of CPU"
    resampled = []
    for _ in range(ROUNDS):
        fresh = Market.from_table(rows, market.meta)
        resampled.append(_cpu(lambda fresh=fresh: fresh.core.higher("H1")))  # type: ignore[misc]
    yield f"resampling to H1, both sides: {statistics.median(resampled) * 1e9 / BARS:.2f} ns per bar of CPU"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, grown = pool.apply(warm, (str(parquet), str(folder / "home0")))
    yield f"load from the dataset cache: {seconds * 1e3:.1f} ms, {grown / 2**20:.1f} MiB of anonymous memory"


def _against(name: str, path: Path, alone: Callable[[], Any], folder: Path) -> str:
    """Import (read, check, digest, store) against the library's reading of the same file."""
    alone()
    ratios, imports = [], []
    for i in range(ROUNDS):
        library = _wall(alone)
        cache = DatasetCache(folder / f"home{i}" if name == "Parquet" else folder / f"{name}{i}")
        imports.append(_wall(lambda cache=cache: load(config(path), cache=cache)))  # type: ignore[misc]
        ratios.append(imports[-1] / library)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return (
        f"import of {name}: {statistics.median(imports):.2f} s, "
        f"{statistics.median(ratios):.2f} x pyarrow alone ({spread})"
    )


def config(path: Path) -> MarketConfig:
    """The section of a market of one file."""
    given = {"symbol": "EURUSD", "timeframe": "M1", "file": str(path), "spread_pips": 0.8}
    return section(MarketConfig, given, "market")


def warm(path: str, home: str) -> tuple[float, int]:
    """Seconds and anonymous bytes of a load from the cache, in a process of its own that has imported everything."""
    asked, cache = config(Path(path)), DatasetCache(Path(home))
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
