"""The recorded results of `tests/golden`: to the bit on the native engine, within the tolerances on the reference one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from sweep.differences import EXACT, Tolerance, between
from sweep.golden import check
from sweep.golden.case import read_json, write_json
from tests.replay import golden_scripts

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


@pytest.mark.parametrize("name", golden_scripts.ENGINES)
def test_both_engines_give_the_recorded_bytes_of_what_no_strategy_does(name: str) -> None:
    """Partial exits of a script, and a portfolio without a market: no indicator, so that both engines give the bytes."""
    recorded = read_json(golden_scripts.path_of(name))
    native, reference = golden_scripts.ENGINES[name]
    assert list(between(recorded["expected"], native(recorded["input"]), tolerance=EXACT)) == []
    # `pow` may differ in the last digit.
    found, close = reference(recorded["input"]), Tolerance(absolute=1e-9, relative=1e-9)
    assert list(between(recorded["expected"]["metrics"], found.pop("metrics"), tolerance=close)) == []
    others = {key: value for key, value in recorded["expected"].items() if key != "metrics"}
    assert list(between(others, found, tolerance=EXACT)) == []


def test_the_scripts_show_what_they_are_for() -> None:
    script, account = (read_json(golden_scripts.path_of(name)) for name in ("partial_exits", "portfolio"))
    reasons = Counter(trade["reason"] for trade in script["expected"]["trades"])
    assert reasons["partial_exit"] >= 20
    assert {"stop_loss", "take_profit", "break_even_stop_loss", "timeout"} <= set(reasons)
    assert {trade["order_type"] for trade in script["expected"]["trades"]} == {"market", "limit", "stop"}
    counts = account["expected"]["report"]
    done = ("entries", "fills", "exits", "partial_exits", "modifies", "expired", "fees", "updates")
    assert {name: counts[name] for name in done if counts[name] < 1} == {}
    assert [code for _, code in counts["errors"]] == [1007, 1001]


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
