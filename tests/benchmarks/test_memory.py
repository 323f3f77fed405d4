"""What the benchmarks say of processes, against what this one does."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

import numpy as np

from benchmarks.__main__ import PARTS, section
from benchmarks.memory import MIB, Held, by_origin, mapped_file
from benchmarks.processes import below, cpu_of_processes, cpu_of_threads


def test_own_memory_and_mapped_files_are_told_apart(tmp_path: Path) -> None:
    path, size = tmp_path / "columns", 32 * MIB
    path.write_bytes(bytes(range(256)) * (size // 256))
    before = Held.of()
    own = np.ones(size, np.uint8)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = np.frombuffer(mapped, np.uint8)
        assert int(view.sum()) == size // 256 * 32640
        held = Held.of()
        assert held.anonymous - before.anonymous > 0.9 * size
        assert held.file - before.file > 0.9 * size
        assert by_origin(origins={"columns": "data"})["data"] > 0.9 * size
        assert mapped_file(view.ctypes.data) == str(path)
        assert mapped_file(own.ctypes.data) is None
        del view


def test_cpu_time_is_that_of_this_process_and_its_threads() -> None:
    begun, processes, threads = (
        time.process_time(),
        cpu_of_processes(os.getpid()),
        cpu_of_threads(os.getpid()),
    )
    while time.process_time() - begun < 0.3:
        pass
    assert os.getpid() in below(os.getpid())
    assert 1 not in below(os.getpid())
    assert cpu_of_processes(os.getpid())[os.getpid()] - processes[os.getpid()] > 0.2
    assert sum(cpu_of_threads(os.getpid()).values()) - sum(threads.values()) > 0.2


def test_a_recorded_section_has_every_line_once() -> None:
    text = section("rival", "a machine", ["first", "    part of it", "second"])
    assert text.startswith("## python -m benchmarks rival\n\n")
    assert text.endswith("Made on a machine.\n\n- first\n    - part of it\n- second\n")
    assert all(callable(part.run) and part.__doc__ for part in PARTS.values())
