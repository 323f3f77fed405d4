"""The one driver of a study holds an advisory lock on the file `lock` beside the ledger."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sweep.errors import error
from sweep.ledger.transaction import file_error


class StudyLock:
    """Exclusive `flock` on `<study>/lock`; the file names pid and host of its holder.

    The system drops the lock when its holder dies, however it dies, so no stale lock is left.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> Self:
        """Take the lock.

        Raises:
            SweepError: [6003] if another driver holds it; [3000] [3002] [3007] for the disk.
        """
        try:
            return self._acquire()
        except OSError as problem:
            raise file_error(problem, self._path, "the study's lock") from problem

    def _acquire(self) -> Self:
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise error(
                6003,
                f"study {self._path.parent.name!r} is being run by {_describe(self._path)}",
                where=str(self._path),
                remedy="wait for it to end, or stop it first",
                stage="infrastructure",
            ) from None
        try:
            file.truncate(0)
            file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
            file.flush()
        except OSError:
            with suppress(OSError):
                file.close()
            raise
        self._file = file
        return self

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        file, self._file = self._file, None
        if file is not None:
            # Who ran the study is there for people; a disk that refuses to forget it does not keep the lock.
            with suppress(OSError):
                file.truncate(0)
            with suppress(OSError):
                file.close()

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def driver(folder: Path) -> tuple[int, str] | None:
    """(pid, host) of the driver that runs the study, None if there is none.

    Reads the file and never touches the lock, so that a look at a study cannot make a starting driver fail.
    """
    try:
        held = json.loads((folder / "lock").read_text(encoding="utf-8") or "null")
    except (OSError, ValueError):
        return None
    if not held:
        return None
    pid, host = int(held["pid"]), str(held["host"])
    return (pid, host) if host != socket.gethostname() or _alive(pid) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _describe(path: Path) -> str:
    holder = driver(path.parent)
    return f"process {holder[0]} on {holder[1]}" if holder else "another process"
