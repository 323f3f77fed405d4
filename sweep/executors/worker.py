"""What runs beside an engine, in whatever process the executor put it."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sweep.errors import error
from sweep.executors.base import BatchEngine, CacheCounts, EngineSpec, MarketRows

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.market.market import Market

_STATM: Final = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a call cost; nothing of it enters a result."""

    host: str
    pid: int
    seconds: float
    rss_bytes: int | None
    started_at: str
    cache: CacheCounts | None


class Worker:
    """One engine over the markets of a study."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._engine = (spec.factory or native_engine)(spec)
        self._host = socket.gethostname()

    def run(self, table: pa.Table, level: int | None = None) -> tuple[pa.Table, Measured]:
        """Run the parameter sets of `table`, on the whole window or at a pruning level, which gives no daily returns.

        Raises:
            SweepError: for faults of the call itself; trials that fail are rows.
        """
        begun, started_at = time.perf_counter(), datetime.now(UTC).isoformat(timespec="milliseconds")
        options: dict[str, Any] = {"returns": self._spec.returns, "threads": self._spec.threads}
        if level is not None:
            options |= {"returns": False, "level": level}
        results = self._engine.run_batch(table, **options)
        if results.num_rows != table.num_rows:
            raise error(
                4004, f"{table.num_rows} parameter sets gave {results.num_rows} results", stage="engine"
            )
        seconds = time.perf_counter() - begun
        return results, Measured(self._host, os.getpid(), seconds, resident_bytes(), started_at, self.cache())

    def cache(self) -> CacheCounts | None:
        """Counters of the engine's series cache, if it has one."""
        from sweep.engine import Engine

        if not isinstance(self._engine, Engine):
            return None
        stats = self._engine.cache_stats()
        return CacheCounts(**{field.name: stats[field.name] for field in fields(CacheCounts)})


def native_engine(spec: EngineSpec) -> BatchEngine:
    """The engine of this package over the markets in `spec`.

    Raises:
        SweepError: [3008] if a market's digest is not the driver's, [4005] if the engine's semantics are not.
    """
    from sweep import _core
    from sweep.engine import Engine

    found = int(json.loads(_core.build_info())["semantics"])
    if found != spec.semantics:
        raise error(
            4005,
            f"the worker's engine has semantics version {found}, the driver's {spec.semantics}",
            where=socket.gethostname(),
            remedy="install the same version of sweep on every node",
            stage="infrastructure",
        )
    if spec.data is None:
        raise error(4004, "a worker was built without a market", stage="infrastructure")
    markets = [_market(rows) for rows in spec.data.markets]
    series = {pair: _market(rows) for pair, rows in spec.data.rates.items()}
    options = dict(spec.options)
    if series:
        options["rates"] = {**options.get("rates", {}), "series": series}
    return Engine(markets, spec.strategy, **options)


def _market(rows: MarketRows) -> Market:
    from sweep.market.market import Market

    market = Market.from_table(rows.table, rows.meta)
    if market.digest != rows.digest:
        raise error(
            3008,
            f"the worker's market has digest {market.digest}, the driver's {rows.digest}",
            where=socket.gethostname(),
            stage="data",
        )
    if rows.higher:
        return market.with_higher([_market(given) for given in rows.higher], trusted=True)
    return market


def versions() -> dict[str, str]:
    """Versions that driver and workers must share."""
    return {"python": ".".join(map(str, sys.version_info[:2])), "sweep": _package_version()}


def resident_bytes() -> int | None:
    """Resident memory of this process."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return None


def cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _package_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("sweep-backtest")
    except PackageNotFoundError:
        return "source"


def table_of(params: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Parameter sets as a table: one column per parameter that any of them has, null = not given."""
    import pyarrow as pa

    from sweep import _core
    from sweep.arrow import read_all
    from sweep.ledger.table import parameter_column

    made = _core.parameter_table([dict(item) for item in params])
    if made is not None:
        return read_all(made)
    names = sorted({name for item in params for name in item})
    columns = {name: parameter_column([item.get(name) for item in params]) for name in names}
    if not columns:
        return pa.table({"_": pa.nulls(len(params))}).select([])
    return pa.table(columns)
