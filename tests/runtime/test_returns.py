"""Daily returns beside the ledger: all of them, or what the probability of overfitting needs of them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.ledger import returns as daily_returns
from sweep.ledger.returns import block_sums, blocks_of
from sweep.study import Study
from tests.runtime.test_study import config


@pytest.mark.parametrize(
    ("days", "blocks"),
    [(10_000, 16), (320, 16), (319, 14), (280, 14), (279, 12), (160, 8), (80, 4), (79, 0), (0, 0)],
)
def test_blocks_have_twenty_days_or_there_are_fewer(days: int, blocks: int) -> None:
    assert blocks_of(days) == blocks


@given(st.lists(st.floats(-0.5, 0.5), min_size=80, max_size=700))
def test_sums_are_those_of_the_days_of_each_block(days: list[float]) -> None:
    found = block_sums(days)
    assert found is not None
    sums, squares = found
    count = len(sums)
    length = len(days) // count
    assert len(squares) == count == blocks_of(len(days))
    last = days[len(days) - count * length :]
    assert len(days) - len(last) < count
    for i in range(count):
        block = [Fraction(day) for day in last[i * length : (i + 1) * length]]
        assert math.isclose(sums[i], sum(block), rel_tol=1e-12, abs_tol=1e-13)
        assert math.isclose(squares[i], sum(day * day for day in block), rel_tol=1e-12, abs_tol=1e-300)


def long(form: str | None, **search: object) -> dict[str, object]:
    """Half a year of hours."""
    market = {"symbol": "EURUSD", "timeframe": "H1", "synthetic": {"bars": 3000, "seed": 7}}
    return config(study=str(form), market=market, search={"trials": 16, "keep_returns": form, **search})


def test_blocks_hold_the_sums_of_what_all_would_hold(home: Path) -> None:
    every, blocks = Study.run(long("all")), Study.run(long("blocks", trials=11))
    Study.extend(blocks.folder, 5)
    assert every.digest == blocks.digest
    days = daily_returns.read(every.folder).to_pylist()
    kept = daily_returns.read(blocks.folder)
    assert kept.schema == daily_returns.BLOCKS
    assert kept["number"].to_pylist() == list(range(16))
    assert any(row["returns"] for row in days)
    for one, row in zip(days, kept.to_pylist(), strict=True):
        if one["returns"] is None:
            assert (row["days"], row["sums"], row["squares"]) == (None, None, None)
            continue
        assert row["days"] == len(one["returns"]) >= 80
        count = len(row["sums"])
        cut = np.array(one["returns"][len(one["returns"]) % count :]).reshape(count, -1)
        np.testing.assert_allclose(row["sums"], [math.fsum(block) for block in cut], rtol=0, atol=1e-14)
        np.testing.assert_allclose(row["squares"], [math.fsum(b * b) for b in cut], rtol=1e-12)


def test_none_leaves_no_file(home: Path) -> None:
    study = Study.run(long("none"))
    assert not list(study.folder.glob("returns/*"))
    assert daily_returns.read(study.folder).num_rows == 0


def test_too_many_returns_become_blocks_and_the_run_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sweep.study import plan
    from tests.runtime.test_study import StopAt

    notes = StopAt(0, number=0)
    Study.run(long(None), reporter=notes)
    assert any(note.startswith("daily returns: all are kept, ") for note in notes.notes)
    monkeypatch.setattr(plan, "MOST_RETURNS", 100)
    notes = StopAt(0, number=0)
    study = Study.run({**long(None), "study": "less"}, reporter=notes)
    assert any(note.startswith("daily returns: sums over ") for note in notes.notes)
    assert daily_returns.read(study.folder).schema == daily_returns.BLOCKS


WITHOUT_PANDAS = """
import json, sys
from sweep import Study

study = Study.run(json.loads(sys.argv[1]), home=sys.argv[2])
print(study.status().done, len(list(study.folder.glob("artifacts/*"))), "pandas" in sys.modules)
"""


@pytest.mark.parametrize("form", ["all", "blocks"])
def test_no_study_waits_for_the_import_of_pandas(tmp_path: Path, form: str) -> None:
    # PyArrow imports it for conversions that nobody would think of, a second in which no worker gets anything to do, or
    # in which the end keeps its user waiting.
    # The first calls bring half of the batch, which goes to the spool.
    tracking = {"mlflow": None, "runs": {"top": 2}}
    asked = json.dumps({**long(form, batch_size=16, spool_interval=0.001), "tracking": tracking})
    command = [sys.executable, "-c", WITHOUT_PANDAS, asked, str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.split() == ["16", "2", "False"]
