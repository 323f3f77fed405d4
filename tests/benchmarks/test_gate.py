"""The regression gate itself."""

from __future__ import annotations

import json

from benchmarks import gate


def test_what_costs_more_than_the_margin_is_named_and_nothing_else() -> None:
    known = {"a": 1.0, "b": 2.0, "gone": 1.0}
    found = {"a": 1.29, "b": 2.7, "new": 0.1}
    problems = gate.slower(found, known, margin=1.3)
    assert [line.split(":")[0] for line in problems] == ["b", "new", "gone"]
    assert "1.35 times" in problems[0]
    assert gate.slower({"a": 0.1, "b": 2.59}, {"a": 1.0, "b": 2.0}) == []


def test_the_recorded_ratios_are_of_what_is_measured() -> None:
    recorded = json.loads(gate.FILE.read_text(encoding="utf-8"))["ratios"]
    found = gate.ratios(rounds=1)
    assert recorded.keys() == found.keys()
    assert all(ratio > 0 for ratio in recorded.values())
