"""Where the time of a run went."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sweep.cli import words
from sweep.executors.base import Chunk, ChunkResult
from sweep.executors.dispatch import Dispatcher, Tally, Task
from sweep.study import Study
from sweep.study.spent import Spent
from tests.runtime.test_study import config


class Slow:
    """An executor of one worker whose calls say what they took, and that makes the driver wait."""

    workers = slots = 1

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def submit(self, chunk: Chunk) -> None:
        """Keeps it."""
        self.chunks.append(chunk)

    def wait(self, timeout: float | None) -> list[ChunkResult]:
        """The chunks so far: 0.25 s per trial inside the engine, 1 s per call beside it."""
        time.sleep(0.05)
        done, self.chunks = self.chunks, []
        results = []
        for chunk in done:
            rows = chunk.table.num_rows
            table = pa.table({"status": ["COMPLETE"] * rows, "seconds": [0.25] * rows})
            results.append(ChunkResult(chunk, table, None, None, "w", "h", 0.25 * rows + 1.0))
        return results

    def close(self) -> None:
        """Nothing to free."""


def test_calls_backtests_windows_and_waiting_are_counted() -> None:
    begun = time.perf_counter()
    dispatcher = Dispatcher(Slow(), in_flight=8, chunk_size=4)
    dispatcher.add([Task(n, {"x": n}, share=1.0 if n < 4 else 0.5) for n in range(8)])
    while not dispatcher.idle:
        dispatcher.wait(None)
    tally = dispatcher.tally
    assert (tally.trials, tally.windows, tally.engine, tally.calls) == (8, 6.0, 2.0, 4.0)
    assert 0.1 <= tally.blocked <= time.perf_counter() - begun
    assert tally.first is not None
    assert -2.0 < tally.first <= time.perf_counter() - begun - 2.0  # the first call says that it took 2 s


def test_shares_are_those_of_the_workers_and_of_the_driver() -> None:
    tally = Tally(trials=100, windows=50.0, engine=12.0, calls=8.0, blocked=6.0, first=2.0)
    steps = {"propose": 1.0, "wait": 6.5, "grade": 0.5, "commit": 1.5, "spool": 0.5}
    spent = Spent.of(12.0, steps, tally, workers=2, threads=2, bars=1000)
    # 10 s from the first call on, 2 workers of 2 threads: 20 s of workers, 40 s of threads.
    assert spent.worker == {"engine": 0.3, "messaging": 0.1, "idle": 0.6}
    assert spent.core_efficiency == 0.3
    assert (spent.trials_per_second, spent.bars_per_second, spent.starting) == (10.0, 5000.0, 2.0)
    shares = {"sampling": 1, "messaging": 0.5, "grading": 0.5, "ledger": 2, "waiting": 6, "other": 2}
    assert spent.driver == pytest.approx({name: value / 12 for name, value in shares.items()}, abs=1e-4)
    told = " ".join(words._spent(spent.to_dict()))
    assert (
        "2 workers: engine 30.0 %, messaging 10.0 %, idle 60.0 %; 10 trials and 5,000 bars per second" in told
    )


def test_a_run_without_calls_has_no_workers_part() -> None:
    spent = Spent.of(3.0, {"propose": 3.0}, Tally(), workers=2, threads=1, bars=10)
    assert (spent.worker, spent.trials_per_second, spent.driver["sampling"]) == ({}, 0.0, 1.0)
    assert len(list(words._spent(spent.to_dict()))) == 1


def test_a_study_says_where_its_time_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP_HOME", str(tmp_path))
    spent: Any = Study.run(config()).status().spent
    assert spent["trials"] == 40
    for shares in (spent["worker"], spent["driver"]):
        assert sum(shares.values()) == pytest.approx(1.0, abs=2e-3)
    assert spent["bars_per_second"] == pytest.approx(spent["trials_per_second"] * 3000, rel=1e-3)
    assert 0 < spent["core_efficiency"] <= 1


def test_the_identity_of_a_study_is_that_of_what_it_proposes_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEP_HOME", str(tmp_path))
    planned = Study.dry_run(config()).identity
    assert Study.run(config(), home=tmp_path / "another").status().identity == planned
    assert Study.dry_run(config(search={"trials": 9}, compute={"backend": "local", "workers": 3})).identity == planned  # fmt: skip
    assert Study.dry_run(config(search={"seed": 9})).identity != planned
    assert Study.dry_run(config(costs={"spread_multiplier": 2.0})).identity != planned
