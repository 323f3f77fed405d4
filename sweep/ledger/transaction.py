"""Write transactions that survive a full disk: rolled back, tried again, then one clear error.

The end of one can be left to a thread, since that is what waits for the disk.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from sweep.errors import SweepError, error

T = TypeVar("T")

PAUSES: Final = (0.2, 1.0, 3.0)
"""Seconds before each of the three further attempts."""

_TRANSIENT: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
    }
)

_GO_ON: Final = "then resume the study, or run it again if it had not begun"

_OF_FILES: Final = frozenset({3000, 3007})
"""Codes of `file_error` that may pass."""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(slots=True)
class _Left:
    """A transaction whose end is left to the thread: what it did, and what has to be on the disk before."""

    works: list[Callable[[], object]] = field(default_factory=list)
    firsts: list[Callable[[], None]] = field(default_factory=list)
    end: Future[None] | None = None
    """None while more work may join."""

    def work(self) -> None:
        """All of it again."""
        for work in self.works:
            work()

    def first(self) -> None:
        """What has to be on the disk."""
        for first in self.firsts:
            first()


class Writer:
    """The write transactions of one connection, one after the other."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sweep-commit")
        self._left: _Left | None = None

    def write(self, work: Callable[[], T]) -> T:
        """As `write` of this module, and `settle` first."""
        self.settle()
        return write(self._connection, self._path, work)

    def write_behind(self, work: Callable[[], T], first: Callable[[], None], *, more: bool = False) -> T:
        """Run `work` in a transaction that a thread ends: `first` runs before that, and `settle` tells how it went.

        Both run again if the disk refuses, so they must find what they need as it was. With `more` the transaction waits
        for `send`, or for work to join it; if that fails, all of it is undone.

        Raises:
            SweepError: what `work` itself raises, and of an earlier transaction what `settle` does.
        """
        if not self.waits_for_more:
            self.settle()
        left, self._left = self._left or _Left(), None
        result = self._joined(left, work)
        left.works.append(work)
        left.firsts.append(first)
        self._left = left
        if not more:
            self.send()
        return result

    def _joined(self, left: _Left, work: Callable[[], T]) -> T:
        """Run `work` in the transaction of what has been done, in a new one with all of that if the disk refuses."""

        def all_of_it() -> T:
            left.work()
            return work()

        if left.works:
            try:
                return work()
            except BaseException as problem:
                roll_back(self._connection)
                if not (isinstance(problem, sqlite3.DatabaseError) and _refused(problem)):
                    raise
        return write(self._connection, self._path, all_of_it, end=False)

    def send(self) -> None:
        """Nothing more joins the transaction: the thread ends it."""
        if self._left is not None and self._left.end is None:
            self._left.end = self._thread.submit(self._end, self._left.first)

    def _end(self, first: Callable[[], None]) -> None:
        try:
            first()
            self._connection.execute("COMMIT")
        except BaseException:
            roll_back(self._connection)
            raise

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way to the disk; what waits for more is not."""
        return self._left is None or self._left.end is None or self._left.end.done()

    @property
    def waits_for_more(self) -> bool:
        """Whether work that is written behind would join a transaction."""
        return self._left is not None and self._left.end is None

    def settle(self) -> None:
        """Return when all that was written is durable; an end that the disk refused is tried again.

        Raises:
            SweepError: of what was left to the thread, once: nothing of it was stored.
        """
        self.send()
        left, self._left = self._left, None
        if left is None or left.end is None:
            return
        try:
            left.end.result()
        except (sqlite3.DatabaseError, SweepError) as problem:
            if not _refused(problem):
                raise
            write(self._connection, self._path, left.work, first=left.first)

    def close(self) -> None:
        """End the thread; what was left to it ends first."""
        self.send()
        self._thread.shutdown()


def write(
    connection: sqlite3.Connection,
    path: Path,
    work: Callable[[], T],
    *,
    first: Callable[[], None] = lambda: None,
    end: bool = True,
) -> T:
    """Run `work` in one transaction of `connection` (autocommit mode); all of it or nothing is stored.

    Without `end` the transaction stays open; `first` runs before the end.

    Raises:
        SweepError: [3007] disk full or [3000] another I/O error, after three further attempts; [3004] at once. The ledger
            is as it was before the call and can be opened again.
    """
    for pause in (*PAUSES, None):
        roll_back(connection)  # an end that failed may have left its transaction
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = work()
            if end:
                first()
                connection.execute("COMMIT")
            return result
        except SweepError as problem:  # of `first`, whose file the disk refused
            roll_back(connection)
            if pause is None or not _refused(problem):
                raise
        except sqlite3.DatabaseError as problem:
            roll_back(connection)
            if not _refused(problem):
                raise
            if pause is None or _primary(problem) not in _TRANSIENT:
                raise disk_error(problem, path) from problem
        except BaseException:
            roll_back(connection)
            raise
        time.sleep(pause)
    raise error(4003, "the attempts of a transaction ended without a result", stage="infrastructure")


def _refused(problem: sqlite3.DatabaseError | SweepError) -> bool:
    """Whether the disk, or whoever holds the file, is to blame; not the rows, and no fault of ours."""
    if isinstance(problem, SweepError):
        return problem.code in _OF_FILES
    return isinstance(problem, sqlite3.OperationalError) or type(problem) is sqlite3.DatabaseError


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo an open transaction; a failing ROLLBACK is harmless, since SQLite drops it with the connection."""
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return


def disk_error(problem: sqlite3.Error, path: Path) -> SweepError:
    """The error of the catalogue for an error of SQLite: [3007] disk full, [3004] damaged, [3000] anything else."""
    code = _primary(problem)
    if code in _DAMAGED:
        return error(
            3004,
            f"the ledger is damaged: {problem}",
            where=str(path),
            remedy="put a copy of the study's folder in its place, or start a new study",
            stage="infrastructure",
        )
    full = code == sqlite3.SQLITE_FULL
    return error(
        3007 if full else 3000,
        "the disk is full" if full else f"the ledger cannot be used: {problem}",
        where=str(path),
        remedy=f"make room, {_GO_ON}" if full else f"check the disk, {_GO_ON}",
        stage="infrastructure",
    )


def file_error(problem: OSError, path: Path, what: str) -> SweepError:
    """The same for a file beside the ledger: [3007] disk full, [3002] no right to write, [3000] anything else."""
    refused = problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
    return error(
        3007 if full else 3002 if refused else 3000,
        "the disk is full" if full else f"{what} cannot be written: {problem.strerror or problem}",
        where=str(path),
        remedy=f"make room, {_GO_ON}" if full else f"check rights and disk, {_GO_ON}",
        stage="infrastructure",
    )


def _primary(problem: sqlite3.Error) -> int:
    return int(getattr(problem, "sqlite_errorcode", 0)) & 0xFF
