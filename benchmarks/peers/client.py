"""A peer's process, as the benchmark sees it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from benchmarks.peers.work import Pair, Work, told

ROOT: Final = Path(__file__).parents[2]
THREADS: Final = ("MKL", "NUMBA", "OMP", "OPENBLAS", "RAYON")
ONE_THREAD: Final = dict.fromkeys((f"{name}_NUM_THREADS" for name in THREADS), "1")
QUIET: Final = {"RAPTORBT_NO_VERSION_CHECK": "1", "TQDM_DISABLE": "1"}
"""One asks the network for its newest version, one draws a progress bar."""


class PeerError(Exception):
    """What an engine has answered instead of a result."""


class Process:
    """One engine on one market, in one process with one thread."""

    def __init__(self, python: str, engine: str, folder: Path) -> None:
        self.engine = engine
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.peers.server", engine, str(folder)],
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD, **QUIET},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, work: Work, pairs: Sequence[Pair] = (), **more: Any) -> dict[str, Any]:
        """The answer to one request.

        Raises:
            PeerError: The engine failed, or its process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(told(work, do=do, pairs=pairs, **more) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerError(f"{self.engine}: its process ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{self.engine}: {answer['error']}")
        return answer

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
