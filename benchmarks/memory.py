"""What a process holds in memory, as the kernel counts it (Linux)."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Self

MIB: Final = 2**20
_STATUS: Final = {"RssAnon": "anonymous", "RssFile": "file", "RssShmem": "shared"}
_PAUSE: Final = 0.02
"""Seconds between two looks at a process."""


@dataclass(frozen=True)
class Held:
    """Proportional bytes of a process: memory that several processes map counts in parts."""

    pss: int
    anonymous: int
    """Of its own: heaps, stacks, and pages of files that it has written to."""
    file: int
    """Of mapped files: libraries, and data read by memory map."""
    shared: int
    """Of shared memory, such as Ray's object store."""

    @classmethod
    def of(cls, pid: int | str = "self") -> Self:
        """Of a process, from `/proc/PID/smaps_rollup`."""
        found = _fields(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))
        return cls(found["Pss"], found["Pss_Anon"], found["Pss_File"], found["Pss_Shmem"])

    def __str__(self) -> str:
        parts = (
            f"anonymous {_mib(self.anonymous)}, files {_mib(self.file)}, shared memory {_mib(self.shared)}"
        )
        return f"{_mib(self.pss)} MiB PSS ({parts})"


@dataclass
class Peak:
    """The most resident bytes of a process by kind, each at its own time."""

    anonymous: int = 0
    file: int = 0
    shared: int = 0

    def look(self, pid: int) -> None:
        """Take what the process holds now into account."""
        with suppress(OSError):
            found = _fields(Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
            for name, kind in _STATUS.items():
                setattr(self, kind, max(getattr(self, kind), found.get(name, 0)))

    def __str__(self) -> str:
        return f"peak {_mib(self.anonymous)} MiB anonymous, {_mib(self.file)} MiB of mapped files"


@dataclass
class Watched:
    """What a command printed, how long it took, and its peak."""

    output: str
    seconds: float
    peak: Peak = field(default_factory=Peak)


def watched(command: Sequence[str], cwd: Path, most: int) -> Watched:
    """Run a command and look at its memory meanwhile.

    Raises:
        MemoryError: it held more than `most` anonymous bytes, and was ended.
        RuntimeError: it failed.
    """
    begun, peak = time.perf_counter(), Peak()
    with (
        tempfile.TemporaryFile("w+") as said,
        tempfile.TemporaryFile("w+") as complained,
        subprocess.Popen(command, cwd=cwd, stdout=said, stderr=complained) as running,
    ):
        while running.poll() is None:
            peak.look(running.pid)
            if peak.anonymous > most:
                running.kill()
                raise MemoryError(f"{_mib(peak.anonymous)} MiB: {' '.join(command)}")
            time.sleep(_PAUSE)
        seconds = time.perf_counter() - begun
        output, errors = _read(said), _read(complained)
        if running.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {running.returncode}:\n{output}{errors}")
    return Watched(output, seconds, peak)


def mapped_file(address: int) -> str | None:
    """The file that this address of this process is mapped from; None for memory of its own."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        span, _, _, _, inode, *name = line.split(maxsplit=5)
        first, end = (int(bound, 16) for bound in span.split("-"))
        if first <= address < end:
            return name[0] if inode != "0" and name else None
    return None


def by_origin(pid: int | str = "self", *, origins: Mapping[str, str]) -> dict[str, int]:
    """Proportional bytes of the mappings, summed by the first of `origins` (text in the path: its name) that fits.

    What fits none is `other files`; without a file: `heaps and stacks`.
    """
    sums: dict[str, int] = {}
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        first = line.split(maxsplit=1)[0]
        if not first.endswith(":"):
            path = line.split(maxsplit=5)[5] if len(line.split(maxsplit=5)) > 5 else ""
            if path.startswith("/"):
                name = next((origin for text, origin in origins.items() if text in path), "other files")
            else:
                name = "heaps and stacks"
        elif first == "Pss:":
            sums[name] = sums.get(name, 0) + 1024 * int(line.split()[1])
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _fields(text: str) -> dict[str, int]:
    """Lines such as `Pss: 12 kB`, in bytes."""
    rows = (line.split() for line in text.splitlines())
    return {row[0].rstrip(":"): 1024 * int(row[1]) for row in rows if len(row) == 3 and row[2] == "kB"}


def _mib(count: int) -> str:
    return f"{count / MIB:,.0f}"
