"""The series caches of all workers, counted: never part of a result, shown by `sweep show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sweep.cli.words import cost
from sweep.executors.base import CacheCounts, Chunk, ChunkResult
from sweep.executors.dispatch import Dispatcher, Task
from sweep.study import Study


class Telling:
    """Runs one trial per chunk and tells the counters that it is given, worker by worker."""

    workers = 2
    slots = 1

    def __init__(self, told: list[tuple[str, CacheCounts]], engine: str | None = None) -> None:
        self.told = told
        self.engine = engine
        self.pending: list[Chunk] = []

    def submit(self, chunk: Chunk) -> None:
        self.pending.append(chunk)

    def wait(self, timeout: float | None) -> list[ChunkResult]:
        worker, counts = self.told.pop(0)
        table = pa.table({"status": ["COMPLETE"], "seconds": [0.5]})
        return [
            ChunkResult(
                self.pending.pop(0), table, None, None, worker, "h", 0.1, cache=counts, engine=self.engine
            )
        ]

    def close(self) -> None:
        """Nothing to free."""


def test_counters_of_all_engines_add_up_a_restarted_one_counts_anew() -> None:
    told = [
        ("a", CacheCounts(0, 3, 0, 300, 300)),
        ("b", CacheCounts(1, 5, 1, 500, 700)),
        ("a", CacheCounts(4, 4, 0, 400, 400)),
        ("a", CacheCounts(0, 2, 0, 200, 200)),
    ]
    dispatcher = Dispatcher(Telling(list(told)), in_flight=1, chunk_size=1)
    assert dispatcher.cache is None
    dispatcher.add([Task(number, {"x": number}) for number in range(len(told))])
    while not dispatcher.idle:
        dispatcher.wait(None)
    assert dispatcher.cache == CacheCounts(hits=5, misses=11, evictions=1, bytes=700, peak_bytes=700)


def test_an_engine_that_workers_share_counts_once() -> None:
    dispatcher = Dispatcher(
        Telling([("a", CacheCounts(1, 3, 0, 300, 300)), ("b", CacheCounts(4, 3, 0, 300, 300))], "e"),
        in_flight=1,
        chunk_size=1,
    )
    dispatcher.add([Task(number, {"x": number}) for number in range(2)])
    while not dispatcher.idle:
        dispatcher.wait(None)
    assert dispatcher.cache == CacheCounts(4, 3, 0, 300, 300)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_study_over_few_periods_computes_each_average_once(tmp_path: Path, workers: int) -> None:
    periods: dict[str, Any] = {
        "ma_type": {"value": "ema"},
        "fast_period": {"type": "int", "min": 5, "max": 14},
        "slow_period": {"type": "int", "min": 30, "max": 120, "step": 10},
    }
    study = Study.run(
        {
            "study": "shared",
            "market": {"symbol": "EURUSD", "timeframe": "M5", "synthetic": {"bars": 3000, "seed": 7}},
            "strategy": {"name": "ma_cross"},
            "search": {"sampler": "grid", "space": periods, "others": "default"},
            "min_trades": 0,
            "compute": {"backend": "local", "workers": workers},
            "tracking": {"mlflow": None, "runs": {"top": 1}},
        },
        home=tmp_path,
    )
    state = study.status()
    assert state.done == 100
    assert state.cache is not None
    # Twenty averages, and what the stop distance is made of: one average true range over one true range.
    assert state.cache["misses"] == 22
    assert state.cache["hits"] >= 3 * 100 - 22
    assert 22 * 3000 * 8 <= state.cache["bytes"] == state.cache["peak_bytes"] < 2 * 22 * 3000 * 8
    assert any("22 computed" in text and "0 dropped" in text for text in cost(state))
