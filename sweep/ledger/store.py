"""The ledger: one SQLite database per study, written by its driver alone, read by anybody."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from sweep.errors import error
from sweep.ledger import rows, transaction
from sweep.ledger.canonical import chain
from sweep.ledger.schema import RUNTIME_COLUMNS, SCHEMA_VERSION, TRIAL_COLUMNS, ddl, quoted
from sweep.types import ENVIRONMENT_FAILURES, StudyStatus, Trial

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

FILE: Final = "study.db"
_BUSY_SECONDS: Final = 10.0
"""How long a statement waits for another process that writes; nothing interrupts it meanwhile."""
_KINDS: Final = tuple(kind.value for kind in ENVIRONMENT_FAILURES)


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What the ledger keeps of one batch beside its rows."""

    k: int
    first: int
    """Number of its first trial."""
    count: int
    """Rows of the batch once this commit is done."""
    proposer_seed: int
    view_digest: str
    """Digest of what the proposer saw."""
    params_digest: str
    """Digest of the parameter keys of its rows."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A finished result that waits for its batch: JSON and, for daily returns, Arrow IPC bytes."""

    identity: str
    result: Mapping[str, Any]
    arrow: bytes | None = None


def now() -> str:
    """UTC time for people, ISO 8601; never part of a digest."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Ledger:
    """`study.db` of one study: SQLite in WAL mode with synchronous=FULL.

    What a call wrote is durable when it returns, a batch when `settle` does. Batches are committed in order, so the rows are
    always a prefix. One instance belongs to one thread.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, writable: bool) -> None:
        self.path = path
        self.writable = writable
        self._connection = connection
        self._writer = transaction.Writer(connection, path)
        self.metrics: tuple[str, ...] = tuple(map(sys.intern, self.study["metrics"]))
        self._objectives = len(self.study["objectives"])
        self._names = [*TRIAL_COLUMNS, *(f"metrics.{name}" for name in self.metrics)]
        values = ", ".join(
            [f't."{name}"' for name in TRIAL_COLUMNS] + [f'm."{name}"' for name in self.metrics]
        )
        self._select = (
            f"SELECT {values}, {', '.join(f'r.{name}' for name in RUNTIME_COLUMNS)} FROM trials t "
            'JOIN trial_metrics m ON m."window" = t."window" AND m.number = t.number '
            'LEFT JOIN trial_runtime r ON r."window" = t."window" AND r.number = t.number '
        )

    # ------------------------------------------------------------------------------------------------ open and close
    @classmethod
    def create(cls, path: Path | str, frozen: Mapping[str, Any]) -> Ledger:
        """Make the ledger of a new study, open for writing.

        Args:
            path: the study's folder, which exists, or the file in it.
            frozen: the rows of table `study`, JSON values by key; `metrics` (names) and `objectives` (names) are
                required. Status RUNNING, no events and the schema version are added.

        Raises:
            SweepError: [1007] if there is a ledger already, [3000] or [3007] for the disk.
        """
        file = _file(path)
        if file.exists():
            raise error(1007, "the ledger exists", where=str(file), remedy="open it instead")
        connection = _connect(file, write=True)
        values = {
            "schema_version": SCHEMA_VERSION,
            "created_at": now(),
            "status": StudyStatus.RUNNING.value,
            "environment_dependent": False,
            "events": [],
            **frozen,
        }

        def fill() -> None:
            for statement in ddl(values["metrics"]).split(";"):
                connection.execute(statement)
            connection.executemany(
                "INSERT INTO study VALUES (?, ?)", [(key, _encode(value)) for key, value in values.items()]
            )

        transaction.write(connection, file, fill)
        return cls(file, connection, writable=True)

    @classmethod
    def open(cls, path: Path | str, *, write: bool = False) -> Ledger:
        """Open an existing ledger, by default only for reading (other processes may be writing).

        Raises:
            SweepError: [3001] if there is none, [3004] if the file is not a ledger, [4005] if a newer version wrote it.
        """
        file = _file(path)
        if not file.is_file():
            raise error(
                3001, "no study here", where=str(file), remedy="see `sweep status` for the studies there are"
            )
        connection = _connect(file, write=write)
        try:
            found = connection.execute("SELECT value FROM study WHERE key = 'schema_version'").fetchone()
            version = json.loads(found[0])
        except (sqlite3.DatabaseError, TypeError, ValueError) as problem:
            connection.close()
            raise error(
                3004, f"not a ledger: {problem}", where=str(file), stage="infrastructure"
            ) from problem
        if version != SCHEMA_VERSION:
            connection.close()
            raise error(
                4005,
                f"the ledger has schema version {version}, this program reads {SCHEMA_VERSION}",
                where=str(file),
                remedy="use the version of sweep that wrote it",
                stage="infrastructure",
            )
        try:
            return cls(file, connection, writable=write)
        except (sqlite3.DatabaseError, KeyError) as problem:
            connection.close()
            raise error(
                3004, f"not a whole ledger: {problem}", where=str(file), stage="infrastructure"
            ) from problem

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self.path.parent

    def close(self) -> None:
        """Close the database; the last writer leaves no `-wal` file behind."""
        self._writer.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """Everything read inside sees one state of the ledger, whatever its driver commits meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield self
        finally:
            transaction.roll_back(self._db)

    # ------------------------------------------------------------------------------------------------- table `study`
    @property
    def study(self) -> dict[str, Any]:
        """Table `study`, values decoded from JSON."""
        return {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM study")}

    def get(self, key: str) -> Any:
        """One value of table `study`; None if it has no such key."""
        found = self._db.execute("SELECT value FROM study WHERE key = ?", (key,)).fetchone()
        return None if found is None else json.loads(found[0])

    def put(self, values: Mapping[str, Any]) -> None:
        """Set values of table `study`."""
        self._write(lambda: self._put(values))

    @property
    def status(self) -> StudyStatus:
        """State of the study as its driver last recorded it."""
        return StudyStatus(self.get("status"))

    def set_status(self, status: StudyStatus, *, event: str = "", **details: Any) -> None:
        """Record the state, and an event with it (default name: the state)."""

        def change() -> None:
            self._put({"status": status.value})
            self._append(event or status.value.lower(), details)

        self._write(change)

    def log(self, event: str, **details: Any) -> None:
        """Append to the study's event log."""
        self._write(lambda: self._append(event, details))

    # ------------------------------------------------------------------------------------------------------- batches
    def commit(
        self,
        batch: BatchRecord,
        trials: Sequence[Trial],
        *,
        first: Callable[[], None] = lambda: None,
        window: int = 0,
        spooled: Iterable[str] = (),
        more: bool = False,
    ) -> str:
        """Store a batch: rows, metrics, runtime, record; its spooled results go. All of it in one transaction.

        A thread waits for the disk: the batch is durable when `settle` has returned. Whatever is asked of this ledger
        meanwhile settles first. A partial last batch that an extension completes is committed again with the rows
        that were missing.

        Args:
            first: writes what has to be on the disk before the batch; the thread runs it.
            spooled: further identities that leave the spool: those of pruning levels that trials went on from.
            more: whether further batches may join the transaction, until `send`; if one cannot, none is stored.

        Returns:
            Digest of all rows of the batch.

        Raises:
            SweepError: [4004] if the batch is not the next one or rows are missing; [3000], [3007] for the disk; what
                `settle` raises, of an earlier batch.
        """
        gone = list(spooled)
        return self._writer.write_behind(lambda: self._commit(batch, trials, window, gone), first, more=more)

    def send(self) -> None:
        """Let the thread end a transaction that waits for more."""
        self._writer.send()

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way to the disk; what waits for more is not."""
        return self._writer.settled

    @property
    def waits_for_more(self) -> bool:
        """Whether the next batch would join the transaction of the last one."""
        return self._writer.waits_for_more

    def settle(self) -> None:
        """Return when all batches are durable.

        Raises:
            SweepError: of the batch that was committed last, once: it is not stored. [3000], [3007] for the disk, or
                what its `first` raised.
        """
        self._writer.settle()

    def _commit(
        self, batch: BatchRecord, trials: Sequence[Trial], window: int, spooled: Iterable[str]
    ) -> str:
        before, end = self._total(window), batch.first + batch.count
        stored = self._insert_trials(trials, window)
        in_place = all(trial.proposal.batch == batch.k for trial in trials)
        if not in_place or [trial.number for trial in trials] != list(range(before, end)):
            raise error(
                4004,
                f"batch {batch.k} would leave {before + len(trials)} rows, {end} are due",
                where=str(self.path),
                stage="infrastructure",
            )
        if before > batch.first:  # an earlier run committed a part
            stored = self._batch_rows(window, batch.first, batch.k)
        digest = self._rows_digest(stored)
        self._db.execute(
            "INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                window,
                batch.k,
                batch.first,
                batch.count,
                str(batch.proposer_seed),
                batch.view_digest,
                batch.params_digest,
                digest,
                now(),
            ),
        )
        if self._db.execute("SELECT 1 FROM spool LIMIT 1").fetchone():
            self._drop_spooled({*spooled, *(trial.identity for trial in trials)})
        if any(row[9] in _KINDS for row in stored):
            self._put({"environment_dependent": True})
        return digest

    def replace(self, trials: Sequence[Trial], *, window: int = 0) -> None:
        """Put new outcomes in the place of environment failures; the event log says so. One transaction.

        The rows that go are kept for `seen_by`: the batches that there are by now were proposed from them. The mark
        `environment_dependent` stays.

        Raises:
            SweepError: [4004] for a trial that is no environment failure, or has other parameters; [3000], [3007].
        """
        self._write(lambda: self._replace(trials, window))

    def _replace(self, trials: Sequence[Trial], window: int) -> None:
        columns = quoted(TRIAL_COLUMNS)
        before = len(self.batches(window=window))
        gone = []
        for trial in trials:
            key = (window, trial.number)
            query = f'SELECT {columns} FROM trials WHERE "window" = ? AND number = ?'
            row = self._db.execute(query, key).fetchone()
            if row is None or row[9] not in _KINDS or row[6] != trial.proposal.key:
                raise error(
                    4004,
                    f"trial {trial.number} is not the environment failure that was run again",
                    where=str(self.path),
                    stage="infrastructure",
                )
            gone.append({"window": window, "batches": before, "row": list(row)})
            for table in ("trials", "trial_metrics", "trial_runtime"):
                self._db.execute(f'DELETE FROM {table} WHERE "window" = ? AND number = ?', key)
        self._insert_trials(trials, window)
        for k in sorted({trial.proposal.batch for trial in trials}):
            first = self._db.execute(
                'SELECT first FROM batches WHERE "window" = ? AND k = ?', (window, k)
            ).fetchone()
            stored = self._batch_rows(window, first[0], k)
            self._db.execute(
                'UPDATE batches SET rows_digest = ? WHERE "window" = ? AND k = ?',
                (self._rows_digest(stored), window, k),
            )
        self._put({"superseded": [*(self.get("superseded") or ()), *gone]})
        self._append("replaced", {"trials": [trial.number for trial in trials]})

    def seen_by(self, k: int, *, window: int = 0) -> dict[int, Trial]:
        """Trials, by number, that were run again after batch k had been proposed, as they were when it was."""
        seen: dict[int, Trial] = {}
        for item in self.get("superseded") or ():
            if item["window"] == window and item["batches"] > k:
                trial = rows.trial_of(tuple(item["row"]), self._objectives, metrics={})
                seen.setdefault(trial.number, trial)
        return seen

    def batches(self, *, window: int = 0) -> list[tuple[BatchRecord, str, str]]:
        """(record, rows digest, time of its commit) of every batch, in order."""
        found = self._db.execute(
            "SELECT k, first, count, proposer_seed, view_digest, params_digest, rows_digest, committed_at "
            'FROM batches WHERE "window" = ? ORDER BY k',
            (window,),
        )
        return [(BatchRecord(k, f, c, int(s), v, p), digest, at) for k, f, c, s, v, p, digest, at in found]

    # -------------------------------------------------------------------------------------------------------- trials
    def trials(self, *, window: int = 0, first: int = 0) -> list[Trial]:
        """Every trial from number `first` on, in order, with metrics and runtime."""
        width = len(TRIAL_COLUMNS)
        end = width + len(self.metrics)
        return [
            rows.trial_of(
                row,
                self._objectives,
                metrics=dict(zip(self.metrics, row[width:end], strict=True)),
                runtime=rows.runtime_of(row[end:]),
            )
            for row in self._rows('WHERE t."window" = ? AND t.number >= ?', (window, first))
        ]

    def trial(self, number: int, *, window: int = 0) -> Trial:
        """One trial in full.

        Raises:
            SweepError: [1003] if the ledger has no such number.
        """
        width = len(TRIAL_COLUMNS)
        end = width + len(self.metrics)
        for row in self._rows('WHERE t."window" = ? AND t.number = ?', (window, number)):
            metrics = dict(zip(self.metrics, row[width:end], strict=True))
            return rows.trial_of(row, self._objectives, metrics=metrics, runtime=rows.runtime_of(row[end:]))
        raise error(
            1003, f"no trial {number}", where=str(self.path), remedy=f"it has {self.count()} trials, from 0"
        )

    def history(self, *, window: int = 0, first: int = 0, count: int = -1) -> list[Trial]:
        """Every trial in order, without metrics and runtime: all that a sampler may see.

        Args:
            first: number of the first one.
            count: most trials; negative = all.
        """
        return self._plain("number >= ? ORDER BY number LIMIT ?", (window, first, count))

    def best(self, count: int, direction: Literal["maximize", "minimize"], *, window: int = 0) -> list[Trial]:
        """The feasible trials with the best values of the first objective, the best first, ties by number; at most
        `count`, without metrics and runtime. The others are not read.
        """
        order = "DESC" if direction == "maximize" else "ASC"
        scored = "status = 'COMPLETE' AND feasible AND obj0 IS NOT NULL"
        return self._plain(f"{scored} ORDER BY obj0 {order}, number LIMIT ?", (window, count))

    def keys(self, *, window: int = 0, stop: int) -> Iterator[str]:
        """Parameter keys of the trials before number `stop`, in any order."""
        query = 'SELECT params_key FROM trials WHERE "window" = ? AND number < ?'
        found = self._db.execute(query, (window, stop))
        return (key for (key,) in found)

    def table(self) -> pa.Table:
        """The trials table: one row per trial, failed ones included."""
        from sweep.ledger.table import trials_table

        return trials_table(self._db, self.metrics, self._objectives)

    def count(self) -> int:
        """Number of committed trials."""
        return int(self._db.execute("SELECT count(*) FROM trials").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Committed trials by `STATUS` or `STATUS/KIND`, largest first."""
        found = self._db.execute(
            "SELECT status, kind, count(*) FROM trials GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )
        return {status + (f"/{kind}" if kind else ""): count for status, kind, count in found}

    def digest(self, *, verify: bool = False) -> str:
        """Ledger digest: the chained digests of the rows of all batches.

        Args:
            verify: compute the digests from the rows instead of trusting the stored ones.

        Raises:
            SweepError: [4004] if `verify` finds a batch whose rows do not give its stored digest.
        """
        stored = self._db.execute(
            'SELECT "window", k, rows_digest, first FROM batches ORDER BY "window", k'
        ).fetchall()
        if verify:
            for window, k, expected, first in stored:
                if self._rows_digest(self._batch_rows(window, first, k)) != expected:
                    raise error(
                        4004,
                        f"the rows of batch {k} are not those that were committed",
                        where=str(self.path),
                        stage="infrastructure",
                    )
        return chain(row[2] for row in stored)

    # --------------------------------------------------------------------------------------------------------- spool
    def spool(self, results: Sequence[Spooled]) -> None:
        """Keep finished results until their batch is committed; a result that is there already stays."""
        values = [(item.identity, _encode(dict(item.result)), item.arrow) for item in results]
        self._write(lambda: self._db.executemany("INSERT OR IGNORE INTO spool VALUES (?, ?, ?)", values))

    def spooled(self) -> dict[str, Spooled]:
        """Spooled results by identity."""
        found = self._db.execute("SELECT identity, result, arrow FROM spool")
        return {identity: Spooled(identity, json.loads(result), arrow) for identity, result, arrow in found}

    def unspool(self, identities: Iterable[str]) -> None:
        """Forget spooled results: their trials run again."""
        gone = list(identities)
        if gone:
            self._write(lambda: self._drop_spooled(gone))

    # ------------------------------------------------------------------------------------------------------ internals
    @property
    def _db(self) -> sqlite3.Connection:
        """The connection, when no other thread uses it and all that was written is there; raises as `settle`."""
        self._writer.settle()
        return self._connection

    def _rows(self, where: str, values: tuple[Any, ...]) -> list[rows.Row]:
        return self._db.execute(f"{self._select}{where} ORDER BY t.number", values).fetchall()

    def _plain(self, where: str, values: tuple[Any, ...]) -> list[Trial]:
        """Trials of a window without metrics and runtime."""
        columns = ", ".join(f'"{name}"' for name in TRIAL_COLUMNS)
        found = self._db.execute(f'SELECT {columns} FROM trials WHERE "window" = ? AND {where}', values)
        return [rows.trial_of(row, self._objectives, metrics={}) for row in found]

    def _batch_rows(self, window: int, first: int, k: int) -> list[rows.Row]:
        """Rows of batch k, whose first trial is `first`."""
        found = 'WHERE t."window" = ? AND t.number >= ? AND t.batch = ?'
        end = self._db.execute(
            'SELECT min(first) FROM batches WHERE "window" = ? AND k > ?', (window, k)
        ).fetchone()[0]
        if end is None:
            return self._rows(found, (window, first, k))
        return self._rows(f"{found} AND t.number < ?", (window, first, k, end))

    def _total(self, window: int) -> int:
        """Trials of a window: they are numbered without a gap."""
        query = 'SELECT coalesce(max(number), -1) + 1 FROM trials WHERE "window" = ?'
        return int(self._db.execute(query, (window,)).fetchone()[0])

    def _rows_digest(self, stored: Sequence[rows.Row]) -> str:
        from sweep._core import rows_digest

        return rows_digest(self._names, stored)

    def _insert_trials(self, trials: Sequence[Trial], window: int) -> list[rows.Row]:
        """Insert rows, metrics and runtime; gives the columns that enter the digest."""
        heads = [rows.trial_row(window, t) for t in trials]
        values = [rows.metrics_row(window, t, self.metrics) for t in trials]
        self._insert("trials", TRIAL_COLUMNS, heads)
        self._insert("trial_metrics", ("window", "number", *self.metrics), values)
        runtime = [row for t in trials if (row := rows.runtime_row(window, t)) is not None]
        self._insert("trial_runtime", ("window", "number", *RUNTIME_COLUMNS), runtime)
        return [head + row[2:] for head, row in zip(heads, values, strict=True)]

    def _insert(self, table: str, columns: Sequence[str], values: Sequence[rows.Row]) -> None:
        marks = ", ".join("?" * len(columns))
        try:
            self._db.executemany(f"INSERT INTO {table} ({quoted(columns)}) VALUES ({marks})", values)
        except sqlite3.IntegrityError as problem:
            raise error(
                4004, f"a row would be doubled: {problem}", where=str(self.path), stage="infrastructure"
            ) from problem

    def _drop_spooled(self, identities: Iterable[str | None]) -> None:
        self._db.executemany("DELETE FROM spool WHERE identity = ?", [(identity,) for identity in identities])

    def _put(self, values: Mapping[str, Any]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO study VALUES (?, ?)",
            [(key, _encode(value)) for key, value in values.items()],
        )

    def _append(self, event: str, details: Mapping[str, Any]) -> None:
        self._put({"events": [*self.get("events"), {"at": now(), "event": event, **details}]})

    def _write(self, work: Callable[[], T]) -> T:
        return self._writer.write(work)


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _file(path: Path | str) -> Path:
    path = Path(path)
    return path if path.name == FILE else path / FILE


def _connect(file: Path, *, write: bool) -> sqlite3.Connection:
    """Autocommit connection; a reader of a folder that it cannot write takes a settled ledger as immutable."""
    mode = "rwc" if write else "ro"
    settled = not write and not os.access(file.parent, os.W_OK) and not file.with_name(FILE + "-wal").exists()
    uri = f"{file.absolute().as_uri()}?mode={mode}{'&immutable=1' if settled else ''}"
    try:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False
        )
        if write:
            # Of a new file: a row has two kilobytes, and larger pages are fewer to write.
            connection.execute("PRAGMA page_size = 8192")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        return connection
    except sqlite3.OperationalError as problem:
        raise transaction.disk_error(problem, file) from problem
    except sqlite3.Error as problem:
        raise error(3004, f"not a ledger: {problem}", where=str(file), stage="infrastructure") from problem
