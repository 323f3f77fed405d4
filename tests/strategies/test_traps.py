"""What parameter sets are refused for or warned of: code and message, and a neighbour that passes.

All sets are canonicalised on M5 unless the row says otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from sweep import _core

MEAN_REVERSION = "mean_reversion_z_score"
DECLARED = {entry["id"]: entry for entry in json.loads(_core.strategies())}


@dataclass(frozen=True)
class Trap:
    """A set that is refused (or warned of, code 0), and a neighbour that is not."""

    name: str
    code: int
    message: str
    bad: Mapping[str, Any]
    good: Mapping[str, Any]
    strategy: str = MEAN_REVERSION
    timeframe: str = "M5"


def error(name: str, code: int, message: str, bad: Any, good: Any, **where: str) -> Trap:
    return Trap(name, code, message, bad, good, **where)


def warning(name: str, message: str, bad: Any, good: Any) -> Trap:
    return Trap(name, 0, message, bad, good)


def overlay(block: Any) -> dict[str, Any]:
    return {"scenario": 6, "scenario6_timeframes": "H1", "scenario6_params": {"H1": block}}


GARCH = {"scenario": 4, "garch_alpha": 0.1}
GUARD = {"scenario": 5, "intraday_vol_cluster_window": 100}
ABOVE = {"scenario": 2, "htf_filter": "above"}
EXTRA = {"scenario": 2, "extra_htf_filter": "below"}
NO_TIMEFRAME = "the filter has no timeframe and would block everything"
SHORTER = "the timeframe of the filter is shorter than the primary one"
OUTSIDE = "is outside its domain"
NEVER = "can never fire: scenario 2 is tried first"

TRAPS = [
    error("buys strength", 1003, OUTSIDE, {"z_score_long": 0.0}, {"z_score_long": -0.01}),
    error("sells weakness", 1003, OUTSIDE, {"z_score_short": 0.0}, {"z_score_short": 0.01}),
    error(
        "overlay buys strength", 1003, OUTSIDE, overlay({"z_score_long": 0}), overlay({"z_score_long": -1})
    ),
    error(
        "overlay sells weakness",
        1003,
        OUTSIDE,
        overlay({"short": {"z_score": -1}}),
        overlay({"short": {"z_score": 1}}),
    ),
    error(
        "flat name buys strength",
        1003,
        OUTSIDE,
        {**overlay({}), "scenario6_H1_long_z_score": 1},
        {**overlay({}), "scenario6_H1_long_z_score": -1},
    ),
    error("no scenario", 1001, "is empty", {"enabled_scenarios": []}, {"enabled_scenarios": [1]}),
    error(
        "no label",
        1001,
        "is empty",
        {"scenario": 5, "intraday_vol_allowed": []},
        {"scenario": 5, "intraday_vol_allowed": ["low"]},
    ),
    error(
        "unknown scenario", 1001, "no value `7`", {"enabled_scenarios": "1+7"}, {"enabled_scenarios": "1+6"}
    ),
    error(
        "unknown label",
        1001,
        "no value `top`",
        {**GUARD, "intraday_vol_allowed": "low+top"},
        {**GUARD, "intraday_vol_allowed": "low+high"},
    ),
    error(
        "unknown mode",
        1001,
        "no value `some`",
        {**overlay({}), "scenario6_mode": "some"},
        {**overlay({}), "scenario6_mode": "any"},
    ),
    error("unknown filter", 1001, "no value `up`", {"htf_filter": "up"}, {"htf_filter": "above"}),
    error(
        "unknown feature",
        1001,
        "no value `atr`",
        {**GUARD, "intraday_vol_feature": "atr"},
        {**GUARD, "intraday_vol_feature": "atr_points"},
    ),
    error(
        "unknown timeframe of a filter",
        1001,
        "no value `H5`",
        {"scenario": 2, "htf_tf": "H5"},
        {"scenario": 2, "htf_tf": "H4"},
    ),
    error(
        "unknown timeframe of the overlay",
        1001,
        "no value `H5`",
        {"scenario": 6, "scenario6_timeframes": "H1+H5"},
        {"scenario": 6, "scenario6_timeframes": "h1+primary"},
    ),
    error(
        "unknown timeframe in the map",
        1001,
        "is no timeframe; parameter scenario6_params; did you mean",
        {**overlay({}), "scenario6_params": {"H5": {}}},
        {**overlay({}), "scenario6_params": {"h4": {}}},
    ),
    error(
        "unknown key",
        1001,
        "no key windw_length; parameter scenario6_params; did you mean window_length",
        overlay({"windw_length": 20}),
        overlay({"window_length": 20}),
    ),
    error(
        "unknown key of a direction",
        1001,
        "no key atr_length",
        overlay({"long": {"atr_length": 14}}),
        overlay({"long": {"b_b_length": 14}}),
    ),
    error(
        "scenario twice",
        1006,
        "scenario and enabled_scenarios are both given",
        {"scenario": 1, "enabled_scenarios": "1"},
        {"scenario": None, "enabled_scenarios": "1"},
    ),
    error(
        "filter A without a timeframe",
        1006,
        NO_TIMEFRAME,
        {**ABOVE, "htf_tf": "NONE"},
        {**ABOVE, "htf_tf": "H1"},
    ),
    error(
        "filter B without a timeframe",
        1006,
        NO_TIMEFRAME,
        {**EXTRA, "extra_htf_tf": "NONE"},
        {**EXTRA, "extra_htf_tf": "AUTO"},
    ),
    error(
        "AUTO is NONE there",
        1006,
        NO_TIMEFRAME,
        {**EXTRA, "extra_htf_tf": "AUTO"},
        {**EXTRA, "extra_htf_tf": "H4"},
        timeframe="H1",
    ),
    error("filter A below the primary", 1006, SHORTER, {**ABOVE, "htf_tf": "M1"}, {**ABOVE, "htf_tf": "M5"}),
    error(
        "filter B below the primary",
        1006,
        SHORTER,
        {**EXTRA, "extra_htf_tf": "M4"},
        {**EXTRA, "extra_htf_tf": "M5"},
    ),
    error(
        "overlay below the primary",
        1006,
        "a timeframe of the overlay is shorter than the primary one",
        {"scenario": 6, "scenario6_timeframes": "M4+H1"},
        {"scenario": 6, "scenario6_timeframes": "M5+H1"},
    ),
    error(
        "GARCH is not stationary",
        1006,
        "not stationary",
        {**GARCH, "garch_beta": 0.9},
        {**GARCH, "garch_beta": 0.89},
    ),
    error(
        "local window",
        1006,
        "the local window is too short",
        {"scenario": 4, "local_z_lookback": 51},
        {"scenario": 4, "local_z_lookback": 52},
    ),
    error(
        "guard without points",
        1006,
        "the guard never has enough points",
        {**GUARD, "intraday_vol_garch_lookback": 110},
        {**GUARD, "intraday_vol_garch_lookback": 111, "intraday_vol_cluster_window": 60},
    ),
    error(
        "clusters",
        1006,
        "longer than the cluster window",
        {**GUARD, "intraday_vol_cluster_window": 2},
        {**GUARD, "intraday_vol_cluster_window": 3},
    ),
    error(
        "hysteresis",
        1006,
        "longer than the cluster window",
        {**GUARD, "cluster_hysteresis_bars": 101},
        {**GUARD, "cluster_hysteresis_bars": 100},
    ),
    error(
        "no label can occur",
        1006,
        "no allowed label can occur",
        {**GUARD, "intraday_vol_cluster_k": 2, "intraday_vol_allowed": "high"},
        {**GUARD, "intraday_vol_cluster_k": 3, "intraday_vol_allowed": "high"},
    ),
    error(
        "scenario 6 alone",
        1006,
        "scenario 6 alone without timeframes would never give a signal",
        {"scenario": 6},
        {"enabled_scenarios": "1+6"},
    ),
    error(
        "z_exit of longs",
        1006,
        "z_exit would close at once",
        {"scenario": 1, "z_exit": -2.5},
        {"scenario": 1, "z_exit": -2.4},
    ),
    error(
        "z_exit of shorts",
        1006,
        "z_exit would close at once",
        {"scenario": 1, "z_exit": -1.5, "z_score_short": 1.5},
        {"scenario": 1, "z_exit": -1.4, "z_score_short": 1.5},
    ),
    error(
        "one number for two thresholds",
        1006,
        "one signed number for both thresholds",
        overlay({"z_score": -1}),
        overlay({"long": {"z_score": -1}, "short": {"z_score": 1}}),
    ),
    warning(
        "the cluster window is never full",
        "the cluster window can never be full",
        {**GUARD, "intraday_vol_cluster_window": 450},
        {**GUARD, "intraday_vol_cluster_window": 449},
    ),
    warning(
        "3 beside 2", f"scenario 3 {NEVER}", {"enabled_scenarios": "2+3"}, {"enabled_scenarios": "1+3+4"}
    ),
    warning("5 beside 2", f"scenario 5 {NEVER}", {"enabled_scenarios": "2+5"}, {"enabled_scenarios": "4+5"}),
    warning(
        "6 beside 2", f"scenario 6 {NEVER}", {"enabled_scenarios": "2+6"}, {"enabled_scenarios": "3+5+6"}
    ),
    warning(
        "a label that cannot occur",
        "an allowed label cannot occur",
        {**GUARD, "intraday_vol_cluster_k": 2, "intraday_vol_allowed": "mid+high"},
        {**GUARD, "intraday_vol_cluster_k": 2, "intraday_vol_allowed": "low+mid"},
    ),
    warning(
        "keys hidden by a sub-block",
        "its sub-block alone counts, which hides window_length",
        overlay({"window_length": 20, "long": {"std_factor": 1}}),
        overlay({"window_length": 20, "std_factor": 1}),
    ),
    error(
        "averages",
        1006,
        "the fast average must be faster",
        {"fast_period": 50},
        {"fast_period": 49},
        strategy="ma_cross",
    ),
    error(
        "reverse without exits",
        1006,
        "it needs exit_on_cross",
        {"exit_on_cross": False, "reverse": True},
        {"exit_on_cross": False, "reverse": False},
        strategy="ma_cross",
    ),
    error(
        "channels",
        1006,
        "the exit channel must be shorter",
        {"entry_lookback": 20, "exit_lookback": 20},
        {"entry_lookback": 20, "exit_lookback": 19},
        strategy="donchian_breakout",
    ),
    error(
        "extremes",
        1006,
        "the extremes must not overlap",
        {"oversold": 60, "overbought": 60},
        {"oversold": 59, "overbought": 60},
        strategy="rsi_reversal_limit",
    ),
    error(
        "no higher timeframe",
        1006,
        "must be longer than the primary one",
        {"htf": "M5"},
        {"htf": "M6"},
        strategy="mtf_trend_pullback",
    ),
    error(
        "stop distances",
        1006,
        "the least stop distance is above the largest",
        {"min_sl_atr": 3.1, "max_sl_atr": 3.0},
        {"min_sl_atr": 3.0, "max_sl_atr": 3.0},
        strategy="mtf_trend_pullback",
    ),
]


def answer(trap: Trap, params: Mapping[str, Any]) -> dict[str, Any]:
    text = _core.canonicalise(trap.strategy, trap.timeframe, json.dumps([params]))
    (found,) = json.loads(text)
    return dict(found)


def told(problem: Mapping[str, Any]) -> str:
    return "; ".join(str(problem[part]) for part in ("what", "place", "remedy"))


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_trap_is_reported_and_its_neighbour_passes(trap: Trap) -> None:
    bad, good = answer(trap, trap.bad), answer(trap, trap.good)
    assert good["problems"] == []
    if trap.code:
        assert [problem["code"] for problem in bad["problems"]] == [trap.code]
        assert trap.message in told(bad["problems"][0])
        assert bad["problems"][0]["remedy"]
        assert bad["params"] is None
    else:
        assert bad["problems"] == []
        assert [trap.message in text for text in bad["warnings"]] == [True]
        assert not [text for text in good["warnings"] if trap.message in text]


@pytest.mark.parametrize("strategy", sorted(DECLARED.keys() - {"faults"}))
def test_every_constraint_has_a_row(strategy: str) -> None:
    """A new constraint needs a row above; each row names the constraint that it breaks."""
    rows = [trap for trap in TRAPS if trap.strategy == strategy]
    said = [told(p) for trap in rows for p in answer(trap, trap.bad)["problems"]]
    said += [text for trap in rows for text in answer(trap, trap.bad)["warnings"]]
    for constraint in DECLARED[strategy]["constraints"]:
        by_expression = f"constraint `{constraint['expr']}`"
        wanted = by_expression if constraint["severity"] == "error" else constraint["message"]
        assert any(wanted in text for text in said), wanted


@pytest.mark.parametrize("strategy", sorted(DECLARED.keys() - {"faults"}))
def test_a_default_set_is_valid(strategy: str) -> None:
    trap = Trap("", 0, "", {}, {}, strategy)
    assert answer(trap, {})["problems"] == []


def test_the_message_of_a_constraint_holds_the_values() -> None:
    trap = next(trap for trap in TRAPS if trap.name == "GARCH is not stationary")
    text = told(answer(trap, trap.bad)["problems"][0])
    assert re.search(r"garch_alpha = 0\.1, garch_beta = 0\.9", text), text
