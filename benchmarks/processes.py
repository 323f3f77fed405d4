"""The processes below another one and their CPU time, as the kernel counts it (Linux)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def below(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int(_fields(folder / "stat")[1])
    return [pid for pid in parents if _descends(pid, root, parents)]


def actors(driver: int) -> list[int]:
    """Workers of Ray below a driver."""
    return [pid for pid in below(driver) if _command(pid).startswith(b"ray::Actor")]


def cpu_of_processes(root: int) -> dict[int, float]:
    """CPU seconds of a process and of all that descend from it."""
    spent = {}
    for pid in below(root):
        with suppress(OSError):
            spent[pid] = _cpu(Path(f"/proc/{pid}/stat"))
    return spent


def cpu_of_threads(pid: int) -> dict[int, float]:
    """CPU seconds of the threads of a process."""
    spent = {}
    for folder in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            spent[int(folder.name)] = _cpu(folder / "stat")
    return spent


def _cpu(stat: Path) -> float:
    fields = _fields(stat)
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _fields(stat: Path) -> list[str]:
    """From the state on: what is before it is a name, which may hold anything."""
    return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _descends(pid: int, root: int, parents: Mapping[int, int]) -> bool:
    while pid and pid != root:
        pid = parents.get(pid, 0)
    return pid == root
