"""The recorded results of `tests/golden`: to the bit on the native engine, within the tolerances on the reference one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from sweep.golden import check
from sweep.golden.case import write_json

FOLDER = Path(__file__).parents[1] / "golden"
SCENARIOS = sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_native_engine_gives_the_recorded_bytes(name: str) -> None:
    done = check(FOLDER / name)
    assert (done.cases, done.lines()[1:]) == (1, [])
    assert not done.differences


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_reference_engine_agrees(name: str) -> None:
    """Each engine computes its own indicators, so that digests may differ in the last digit."""
    done = check(FOLDER / name, backend="python", tolerance=1e-8)
    assert (done.cases, done.lines()[1:]) == (1, [])


def test_together_they_show_every_kind_of_order_and_exit() -> None:
    exits: Counter[str] = Counter()
    orders: Counter[str] = Counter()
    blocked: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for name in SCENARIOS:
        (path,) = (FOLDER / name).glob("*/expected.json")
        expected = json.loads(path.read_text())
        exits.update(trade["reason"] for trade in expected["trades"])
        orders.update(trade["order_type"] for trade in expected["trades"])
        blocked.update(expected["blocked_bars"])
        rejected.update(expected["rejected"])
    assert len(SCENARIOS) >= 12
    assert set(orders) == {"market", "limit", "stop"}
    stops = {"stop_loss", "take_profit", "break_even_stop_loss", "trailing_stop_loss"}
    assert set(exits) >= {*stops, "timeout", "signal", "end_of_data"}
    assert all(blocked[gate] for gate in ("warmup", "no_slot", "sessions", "anchored", "news", "cooldown"))
    assert rejected["insufficient_margin"]


def test_a_changed_result_is_told(tmp_path: Path) -> None:
    """The comparison can fail: one digit of one price in a copy."""
    (case,) = (FOLDER / SCENARIOS[0]).glob("*/case.json")
    folder = tmp_path / "golden" / SCENARIOS[0]
    copy = folder / case.parent.name
    copy.mkdir(parents=True)
    (folder / "golden.json").write_bytes((FOLDER / SCENARIOS[0] / "golden.json").read_bytes())
    (copy / "case.json").write_bytes(case.read_bytes())
    expected = json.loads((case.parent / "expected.json").read_text())
    expected["trades"][3]["exit_price"] += 1e-12
    write_json(copy / "expected.json", expected)
    done = check(folder)
    assert [str(difference) for _, difference in done.differences]
    assert done.exit_code == 1
