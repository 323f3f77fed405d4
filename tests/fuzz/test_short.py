"""A short run of the fuzzer, and that it can find something; the long form is `make fuzz`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from sweep import _core
from sweep.errors import error
from tests.fuzz import harness, mutations

ROOT = Path(__file__).parents[2]
INPUTS = 20_000


def test_no_changed_bytes_get_past_the_boundary() -> None:
    """In a process of its own, which a crash would end."""
    command = [sys.executable, "-m", "tests.fuzz.harness", "--inputs", str(INPUTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = json.loads(done.stdout)
    assert sum(outcomes.values()) == INPUTS
    assert outcomes["accepted"] > INPUTS // 4, "sound enough to reach the engine"
    assert len(outcomes) >= 8, "and broken in many ways"
    assert outcomes["refused by PyArrow"] < INPUTS // 5


@pytest.mark.parametrize("strategy", [name for name, _ in harness.PARAMS])
def test_what_is_changed_is_sound_and_trades(strategy: str) -> None:
    result = harness.engine(strategy).run(json.dumps(dict(harness.PARAMS)[strategy]))
    assert pa.RecordBatchReader.from_stream(result.trades()).read_all().num_rows > 0


def test_the_tables_and_scripts_that_are_changed_are_sound() -> None:
    tables = dict(harness.returned())
    assert all(table.num_rows > 0 for table in tables.values())
    for name, table in tables.items():
        assert len(_core.table_digest(name, table)) == 64
    options = json.dumps({k: v for k, v in harness.OPTIONS.items() if k not in ("strategy", "gates")})
    rows = (harness.TICK_SIGNALS, harness.TICK_EXITS, harness.RULES)
    market = _core.Market.from_ticks(harness.ticks(), json.dumps({"spec": harness.SPEC, "timeframe": "M1"}))
    result = _core.run_signals(market, options, *map(json.dumps, rows), {})
    assert pa.RecordBatchReader.from_stream(result.trades()).read_all().num_rows > 0


def test_every_input_is_made_from_its_seed_alone() -> None:
    table = harness.bars(0.0)
    for seed in range(50):
        assert _outcome(seed, table) == _outcome(seed, table)
        assert mutations.text_of(Random(seed), harness.OPTIONS) == mutations.text_of(
            Random(seed), harness.OPTIONS
        )


def _outcome(seed: int, table: pa.Table) -> str:
    try:
        return repr(mutations.table_of(Random(seed), table).schema)
    except mutations.RefusedError:
        return "refused"


def _raises(problem: BaseException) -> None:
    raise problem


@pytest.mark.parametrize(
    "problem", [error(5005, "panic: index out of bounds"), ValueError("no code"), KeyboardInterrupt()]
)
def test_a_panic_and_an_exception_without_a_code_are_findings(
    monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    monkeypatch.setattr(harness, "TARGETS", (lambda rng: _raises(problem),))
    with pytest.raises(AssertionError, match="seed 3"):
        harness.one(3)
