"""Runs commands in this process or another, and a small study to look at."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sweep.cli import main

STUDY = """\
market: {synthetic: {bars: 3000, seed: 3}}
strategy: {name: ma_cross}
search: {sampler: random, trials: 12, batch_size: 4, seed: 1}
min_trades: 3
account: {initial_balance: 100000}
compute: {backend: local, workers: 1}
tracking: {mlflow: null}
"""


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


class Sweep:
    """Runs `sweep` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Outcome:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = self._capsys.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)


def sweep_process(words: Sequence[str], folder: Path) -> Outcome:
    """Runs `python -m sweep` in `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", "sweep", *words], cwd=folder, capture_output=True, text=True, timeout=240
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
