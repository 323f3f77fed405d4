"""A market of 50 million bars: imported, opened by a worker through a memory map, backtested. Some minutes, 5 GB of disk.

Every step is a process of its own, which is ended if it holds more than 10 GiB of its own memory.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.memory import MIB, Held, mapped_file, watched

ROOT: Final = Path(__file__).parents[1]
BARS: Final = 50_000_000
PART: Final = 5_000_000
"""Bars that are generated; the file repeats them, each time later."""
MINUTE: Final = 60_000_000
"""Microseconds."""
MOST: Final = 10 * 2**30
SETS: Final = [(5, 30), (8, 50), (10, 80), (12, 100), (15, 120), (20, 150), (30, 200), (40, 250)]


@dataclass(frozen=True)
class Took:
    """Seconds."""

    wall: float
    user: float
    system: float

    @property
    def cpu(self) -> float:
        """Of all threads."""
        return self.user + self.system

    def __str__(self) -> str:
        return f"{self.wall:.2f} s ({self.user:.2f} s user, {self.system:.2f} s system)"


def run() -> Iterator[str]:
    """Files of bids and asks."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _market(Path(folder))


def _market(folder: Path) -> Iterator[str]:
    keys = {**json.loads(_step("data", str(folder), "{}").output), "symbol": "EURUSD", "timeframe": "M1"}
    size = sum(path.stat().st_size for path in folder.glob("*.parquet"))
    words = [f"{key}={value}" for key, value in keys.items()]
    done = _python("-m", "sweep", "data", "import", "--home", str(folder), *words)
    stored = sum(path.stat().st_size for path in folder.glob("datasets/*.arrow"))
    yield (
        f"{BARS:,} bars of both sides, {size / MIB:,.0f} MiB of Parquet: `sweep data import` {done.seconds:.1f} s, "
        f"{done.peak}; {stored / MIB:,.0f} MiB in the cache"
    )
    done = _step("work", str(folder), json.dumps(keys))
    for line in json.loads(done.output):
        yield f"    {line}"
    yield f"    the worker's process: {done.seconds:.1f} s, {done.peak}"


def _step(*arguments: str) -> Any:
    return _python("-m", "benchmarks.large", *arguments)


def _python(*arguments: str) -> Any:
    return watched([sys.executable, *arguments], ROOT, MOST)


def _data(folder: Path) -> dict[str, str]:
    """Writes Parquet files in the form of a download, and says which is which."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from sweep import Market

    keys: dict[str, Any] = {
        "bars": PART,
        "seed": 7,
        "timeframe": "M1",
        "weekends": "open",
        "start": "1930-01-01",
    }
    rows = Market.synthetic(**keys).to_table()
    files = {}
    for side in ("bid", "ask"):
        files[side] = str(folder / f"{side}.parquet")
        columns = {name: rows[f"{side}_{name}"] for name in ("open", "high", "low", "close", "volume")}
        table = pa.table({"timestamp": rows["timestamp"], **columns})
        with pq.ParquetWriter(files[side], table.schema, compression="zstd") as writer:
            for part in range(BARS // PART):
                shift = pa.scalar(part * PART * MINUTE, pa.duration("us"))
                writer.write_table(table.set_column(0, "timestamp", pc.add(table["timestamp"], shift)))
    return files


def _work(folder: Path, keys: dict[str, str]) -> Iterator[str]:
    """What a worker does; every line says what it takes and then holds."""
    from sweep.config import load
    from sweep.executors.worker import Worker, table_of
    from sweep.market import load as load_market
    from sweep.market.cache import DatasetCache
    from sweep.study.plan import prepare

    before = Held.of()
    config = load(
        {
            "study": "large",
            "market": keys,
            "strategy": {"name": "ma_cross"},
            "search": {"trials": 8},
            "holdout": "none",
            "account": {"initial_balance": 1_000_000_000},
            "compute": {"backend": "local", "workers": 1},
            "tracking": {"mlflow": None},
        }
    )
    market, took = _timed(lambda: load_market(config.markets[0], cache=DatasetCache(folder)))
    yield f"opened in {took} (bar: 1 s), {_grown(before)}"
    yield _columns(market)
    plan, took = _timed(lambda: prepare(config, cache=DatasetCache(folder)))
    worker, built = _timed(lambda: Worker(plan.engine_spec(returns=True)))
    yield f"study planned in {took}, worker built in {built}, {_grown(before)}"
    first = {"fast_period": 20, "slow_period": 100, "ma_type": "sma"}
    for name in ("series cold", "series warm"):
        (done, _), took = _timed(lambda: worker.run(table_of([first])))
        yield f"backtest, {name}: {took}, {_told(took, done)}, {_grown(before)}"
    sets = [{"fast_period": fast, "slow_period": slow, "ma_type": "sma"} for fast, slow in SETS]
    (done, cost), took = _timed(lambda: worker.run(table_of(sets)))
    yield f"batch of {len(SETS)}: {took}, {_told(took, done)}, {_grown(before)}"
    if cost.cache is not None:
        yield f"series in the cache {cost.cache.bytes / MIB:,.0f} MiB (bound: {config.compute.cache_bytes / MIB:,.0f} MiB)"


def _columns(market: Any) -> str:
    """Where the columns of a market are, by the addresses of what the native module gives out."""
    table = market.to_table()
    places = {name: mapped_file(table[name].chunk(0).buffers()[1].address) for name in table.column_names}
    own = [name for name, file in places.items() if file is None]
    mapped = len(places) - len(own)
    inside = {Path(file).parent.name for file in places.values() if file is not None}
    return f"columns mapped from {', '.join(sorted(inside)) or 'nowhere'}: {mapped} of {len(places)} (bar: all){'; not: ' if own else ''}{', '.join(own)}"


def _told(took: Took, results: Any) -> str:
    trades = [row for row in results["metrics.total_trades"].to_pylist() if row is not None]
    per_bar = took.cpu / BARS / results.num_rows * 1e9
    statuses = ", ".join(sorted(set(results["status"].to_pylist())))
    return f"{per_bar:.1f} ns of CPU per bar and backtest ({statuses}, {sum(trades) / results.num_rows:,.0f} trades each)"


def _grown(before: Held) -> str:
    now = Held.of()
    return (
        f"since the start {(now.anonymous - before.anonymous) / MIB:+,.0f} MiB anonymous, "
        f"{(now.file - before.file) / MIB:+,.0f} MiB of files"
    )


def _timed(work: Callable[[], Any]) -> tuple[Any, Took]:
    begun, before = time.perf_counter(), os.times()
    done = work()
    after = os.times()
    return done, Took(time.perf_counter() - begun, after.user - before.user, after.system - before.system)


if __name__ == "__main__":
    step, place, given = sys.argv[1:]
    made: Any = _data(Path(place)) if step == "data" else list(_work(Path(place), json.loads(given)))
    sys.stdout.write(json.dumps(made))
