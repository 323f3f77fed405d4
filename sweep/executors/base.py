"""The contract of executors: chunks of parameter sets in, tables of results out, in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from sweep.errors import SweepError
from sweep.types import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.strategies import Code


class BatchEngine(Protocol):
    """The part of `sweep.engine.Engine` that a worker needs."""

    def run_batch(self, params: pa.Table, *, returns: bool = False, threads: int = 1) -> pa.Table:
        """One row of results per row of `params`; a failing trial is a row, never an exception.

        An engine with pruning levels also takes `level`.
        """
        ...


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """Counters of the series caches of one or several engines; nothing of them enters a result."""

    hits: int = 0
    """Requests answered from memory."""
    misses: int = 0
    """Series computed."""
    evictions: int = 0
    """Series dropped to stay within the bound."""
    bytes: int = 0
    """Held now, together."""
    peak_bytes: int = 0
    """Most that one engine ever held."""

    def __add__(self, other: CacheCounts) -> CacheCounts:
        return CacheCounts(
            self.hits + other.hits,
            self.misses + other.misses,
            self.evictions + other.evictions,
            self.bytes + other.bytes,
            max(self.peak_bytes, other.peak_bytes),
        )


@dataclass(frozen=True, slots=True)
class MarketRows:
    """A market on its way to a worker."""

    table: pa.Table
    """Its rows (`Market.rows`)."""
    meta: Mapping[str, Any]
    """What it is beside them (`Market.meta`)."""
    digest: str
    """Market digest that the worker must find in its own copy."""
    higher: tuple[MarketRows, ...] = ()
    """Bars of higher timeframes that are not made of those of the market."""

    @property
    def nbytes(self) -> int:
        """Bytes of its tables."""
        return int(self.table.nbytes) + sum(given.nbytes for given in self.higher)


@dataclass(frozen=True, slots=True)
class MarketData:
    """All rows that a worker needs."""

    markets: tuple[MarketRows, ...]
    """One per symbol, in the order in which they trade."""
    rates: Mapping[str, MarketRows] = field(default_factory=dict)
    """Rate series by pair."""

    @property
    def nbytes(self) -> int:
        """Bytes of all tables."""
        return sum(rows.nbytes for rows in (*self.markets, *self.rates.values()))


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """All that a worker needs to build its engine. Workers know nothing of studies."""

    data: MarketData | None
    """The rows; None where they travel apart from the rest."""
    strategy: str | Code
    """Name of a native strategy, or one in Python as text."""
    options: Mapping[str, Any]
    """Keyword arguments of `Engine`: execution, costs, account, rates (without series), gates (with the events of
    their news), metrics, cache_bytes."""
    semantics: int
    """Engine semantics version of the driver."""
    threads: int = 1
    """Threads inside one call."""
    returns: bool = False
    """Whether results carry daily returns."""
    factory: Callable[[EngineSpec], BatchEngine] | None = field(default=None, compare=False)
    """Builds the engine in the worker; None = the engine of this package."""

    def without_data(self) -> EngineSpec:
        """The specification without the rows."""
        return replace(self, data=None)

    def with_data(self, data: MarketData) -> EngineSpec:
        """The specification with the rows."""
        return replace(self, data=data)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Parameter sets that cross to a worker in one call."""

    id: int
    table: pa.Table
    """One column per parameter, one row per trial; null = not given."""
    attempt: int
    """1 for the first run of these rows."""
    deadline: float | None = None
    """Seconds that the call may take; None = no limit. In-process executors cannot enforce it."""
    level: int | None = None
    """Pruning level of all its rows; None = the whole window."""
    avoid: str | None = None
    """Worker that lost these rows before; another one is taken if there is any."""


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """How one call ended: a table, or an error with the kind of loss."""

    chunk: Chunk
    table: pa.Table | None
    """Result columns of `Engine.run_batch`, rows as in the chunk."""
    error: SweepError | None
    kind: Kind | None
    """WORKER_LOST, OUT_OF_MEMORY, TIMEOUT or DATA_MISMATCH; None with an error = a fault that ends the study."""
    worker: str
    host: str
    seconds: float
    rss_bytes: int | None = None
    started_at: str | None = None
    blameless: bool = False
    """The rows had no part in the loss (preempted node, another chunk's crash): run again, no attempt counted."""
    cache: CacheCounts | None = None
    """The worker's series cache since its engine was built."""
    engine: str | None = None
    """Name of its engine, where workers share one; None = the worker has its own."""


class Executor(Protocol):
    """Runs chunks on workers that each own an engine.

    Chunks may finish in any order, and all that a result holds of its rows depends on the rows alone. `close` is
    idempotent and abandons what still runs.
    """

    @property
    def slots(self) -> int:
        """Chunks it wants outstanding, so that no worker idles."""
        ...

    @property
    def workers(self) -> int:
        """Workers it has or is about to have."""
        ...

    def submit(self, chunk: Chunk) -> None:
        """Queue a chunk; returns at once."""
        ...

    def wait(self, timeout: float | None) -> list[ChunkResult]:
        """Results that are there, waiting up to `timeout` seconds for the first one; empty when time is up.

        Raises:
            SweepError: when no worker can run anything (stage infrastructure), or another market than the
                driver's reached a worker ([3008], stage data).
        """
        ...

    def close(self) -> None:
        """Stop the workers and free what they hold."""
        ...
