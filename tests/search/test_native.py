"""The space over the strategies of the native module."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sweep import _core
from sweep.errors import SweepError
from sweep.objective import Objective
from sweep.samplers import grid, qmc, random, tpe
from sweep.samplers.base import Settings, View
from sweep.space import Space
from tests.search.fakes import row

DECLARATIONS = {entry["id"]: entry for entry in json.loads(_core.strategies())}
MEAN_REVERSION = "mean_reversion_z_score"


def native_space(strategy: str, space: Any = None, **options: Any) -> Space:
    form: dict[str, Any] = {"timeframe": "M5", "pinned": {}, "space": space or {}, "measured": False}
    return Space.build(declaration=DECLARATIONS[strategy], **form | options)


@pytest.mark.parametrize("strategy", sorted(DECLARATIONS))
@pytest.mark.parametrize("module", [random, qmc, tpe])
def test_declared_ranges_give_valid_canonical_sets(strategy: str, module: Any) -> None:
    pinned = {"enabled_scenarios": [2]} if strategy == MEAN_REVERSION else {}
    space = native_space(strategy, pinned=pinned)
    sampler = module.build(Settings(space, Objective.build(), batch_size=32))
    made = sampler.propose(0, 0, 32, View([], [], [], 0))
    assert len({p.key for p in made}) == 32
    again = json.loads(_core.canonicalise(strategy, "M5", json.dumps([dict(p.params) for p in made])))
    assert [(entry["key"], entry["problems"]) for entry in again] == [(p.key, []) for p in made]
    for proposal, coordinates in zip(made, space.decode([p.params for p in made]), strict=True):
        active = [d for d in space.dimensions if d.name in proposal.params]
        assert all(d in active or d.conditional for d in space.dimensions)
        assert {d.name: d.value(coordinates[d.name]) for d in active} == {
            d.name: proposal.params[d.name] for d in active
        }


ODD = [
    {},
    {"nothing": 1},
    {"fast_period": 5.0, "ma_type": "ema"},
    {"fast_period": "5", "slow_period": None},
    {"fast_period": True, "slow_period": 10**19, "sl_atr": -(10**30)},
    {"fast_period": 200, "slow_period": 10, "sl_atr": 1e300},
    {"ma_type": 'β\\"\n', "enabled_scenarios": [2, 1], "scenario": 3},
    {"enabled_scenarios": [[1], {"a": [None]}], "tp_r": {"b": 0.1 + 0.2}},
    {"ma_type": "x\ud800"[:1], "tp_r": -0.0, "sl_atr": 5e-324},
]


@pytest.mark.parametrize("strategy", sorted(DECLARATIONS))
@pytest.mark.parametrize("timeframe", ["M5", "D1"])
def test_mappings_are_understood_as_json_is(strategy: str, timeframe: str) -> None:
    space = native_space(strategy, pinned={"enabled_scenarios": [2]} if strategy == MEAN_REVERSION else {})
    made = random.build(Settings(space, Objective.build())).propose(0, 0, 20, View([], [], [], 0))
    rows = [*ODD, *(dict(proposal.params) for proposal in made)]
    keys = ("params", "key", "derived", "problems", "warnings")
    listed = json.loads(_core.canonicalise(strategy, timeframe, json.dumps(rows)))
    expected = [[entry[key] for key in keys] for entry in listed]
    found = _core.canonical_rows(strategy, timeframe, rows)
    told = json.dumps([list(row) for row in found], sort_keys=True)
    assert told == json.dumps(expected, sort_keys=True)  # tells 1, 1.0 and true apart
    assert any(row[0] is None for row in found)
    assert timeframe != "M5" or any(row[0] is not None for row in found)


def test_values_that_json_lacks_are_refused() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    for value in (float("nan"), float("inf"), object(), "\ud800", deep, {1: 2}):
        with pytest.raises(SweepError) as caught:
            _core.canonical_rows("ma_cross", "M5", [{"fast_period": value}])
        assert caught.value.code == 1004


def test_a_pinned_scenario_leaves_only_what_it_reads() -> None:
    space = native_space(MEAN_REVERSION, pinned={"scenario": 1})
    names = {dimension.name for dimension in space.dimensions}
    assert {"ema_length", "window_length"} <= names
    assert not names & {"kalman_q", "b_b_length", "tp_min_distance", "scenario", "htf_ema", "garch_alpha"}
    assert {d.name for d in space.dimensions if d.conditional} == {"trail_start_r"}


def test_a_searched_scenario_is_found_again_in_canonical_sets() -> None:
    entries = {"scenario": [3, 1, 2], "tp_min_distance": [1, 2], "ema_length": [20, 30]}
    space = native_space(
        MEAN_REVERSION, entries, others="default", where=["scenario != 1 or ema_length > 20"]
    )
    made = grid.build(Settings(space, Objective.build())).propose(0, 0, 64, View([], [], [], 0))
    chosen = [
        (p.params["enabled_scenarios"], p.params.get("ema_length"), p.params.get("tp_min_distance"))
        for p in made
    ]
    assert sorted(chosen, key=str) == [
        ("1", 30, None),
        ("2", None, None),
        ("3", 20, 1.0),
        ("3", 20, 2.0),
        ("3", 30, 1.0),
        ("3", 30, 2.0),
    ]
    choices = [3, 1, 2]
    decoded = space.decode([p.params for p in made])
    assert [str(choices[int(d["scenario"])]) for d in decoded] == [
        p.params["enabled_scenarios"] for p in made
    ]


def test_the_size_of_a_small_space_of_ma_cross() -> None:
    entries = {
        "fast_period": {"min": 5, "max": 40, "step": 5},
        "slow_period": {"min": 20, "max": 60, "step": 10},
    }
    space = native_space("ma_cross", entries, others="default", measured=True)
    assert space.measured.valid == sum(f < s for f in range(5, 41, 5) for s in range(20, 61, 10))


@pytest.mark.parametrize(
    ("strategy", "options", "code", "where"),
    [
        ("ma_cross", {"pinned": {"fast_perod": 5}}, 1001, "strategy.params.fast_perod"),
        ("ma_cross", {"pinned": {"fast_period": "x"}}, 1004, "strategy.params.fast_period"),
        ("ma_cross", {"pinned": {"fast_period": 0}}, 1003, "strategy.params.fast_period"),
        ("ma_cross", {"space": {"fast_period": 0}}, 1003, "search.space.fast_period"),
        ("ma_cross", {"space": {"ma_type": ["ema", "wma"]}}, 1001, "search.space.ma_type"),
        ("ma_cross", {"pinned": {"fast_period": 60, "slow_period": 50}}, 1006, "strategies.ma_cross"),
        (
            MEAN_REVERSION,
            {"pinned": {"scenario": 1, "enabled_scenarios": [1]}},
            1006,
            "strategy.params.scenario",
        ),
    ],
)
def test_mistakes_are_named_by_the_key_that_holds_them(
    strategy: str, options: Any, code: int, where: str
) -> None:
    with pytest.raises(SweepError) as caught:
        native_space(strategy, **options)
    assert (caught.value.code, caught.value.where) == (code, where)


def test_the_engines_catalogue_validates_metric_names() -> None:
    names = [entry["name"] for entry in json.loads(_core.metrics())]
    graded = Objective.build([{"metric": "calmar_ratio", "direction": "maximize"}], ["profit_factor >= 1.1"])
    outcome = graded.grade("COMPLETE", None, None, dict.fromkeys(names, 2.0) | {"total_trades": 50.0})
    assert outcome.feasible
    assert graded.best([row(0, outcome, {})]) is not None
    with pytest.raises(SweepError, match="did you mean calmar_ratio"):
        Objective.build([{"metric": "calmar", "direction": "maximize"}])


OVERLAY = {
    "scenario": 6,
    "scenario6_timeframes": "H1",
    "scenario6_params": {"H1": {"std_factor": 1.0}},
    "window_length": 60,
}


def test_flat_names_of_the_overlay_are_searched_and_found_again_in_the_map() -> None:
    entries = {
        "scenario6_H1_long_window_length": {"low": 10, "high": 30, "step": 10},
        "scenario6_H1_long_z_score": {"low": -2.0, "high": -1.0},
        "scenario6_H1_short_kalman_q": [0.1, 0.5],
    }
    space = native_space(MEAN_REVERSION, entries, pinned=OVERLAY, others="default")
    assert [dimension.name for dimension in space.dimensions] == [
        "scenario6_H1_long_window_length",
        "scenario6_H1_short_kalman_q",
        "scenario6_H1_long_z_score",
    ], "in the order of the families"
    made = random.build(Settings(space, Objective.build(), batch_size=16)).propose(
        0, 0, 16, View([], [], [], 0)
    )
    for proposal, coordinates in zip(made, space.decode([p.params for p in made]), strict=True):
        assert not [name for name in proposal.params if name.startswith("scenario6_H1")]
        block = json.loads(str(proposal.params["scenario6_params"]))["H1"]
        values = {d.name: d.value(coordinates[d.name]) for d in space.dimensions}
        assert values == {
            "scenario6_H1_long_window_length": block["long"]["window_length"],
            "scenario6_H1_long_z_score": block["long"]["z_score"],
            "scenario6_H1_short_kalman_q": block["short"]["kalman_q"],
        }
        assert (block["short"]["window_length"], block["long"]["std_factor"]) == (60, 1)


def test_a_flat_name_counts_only_where_its_timeframe_is_chosen() -> None:
    """Two windows of H4 make two sets with H4 and one without."""
    entries = {"scenario6_timeframes": ["H1", "H1+H4"], "scenario6_H4_long_window_length": [20, 30]}
    pinned = {"scenario": 6, "window_length": 60}
    space = native_space(MEAN_REVERSION, entries, pinned=pinned, others="default", measured=True)
    made = grid.build(Settings(space, Objective.build())).propose(0, 0, 8, View([], [], [], 0))
    chosen = [str(p.params["scenario6_timeframes"]) for p in made]
    assert sorted(chosen) == ["H1", "H1+H4", "H1+H4"]
    assert space.measured.valid == 3
    decoded = space.decode([p.params for p in made])
    assert [("scenario6_H4_long_window_length" in d) for d in decoded] == ["H4" in name for name in chosen]


def test_a_flat_name_can_stand_in_conditions() -> None:
    entries = {
        "scenario6_H1_long_window_length": [10, 20, 30],
        "scenario6_H1_short_window_length": [10, 20, 30],
    }
    where = ["scenario6_H1_long_window_length < scenario6_H1_short_window_length"]
    space = native_space(
        MEAN_REVERSION, entries, pinned=OVERLAY, others="default", where=where, measured=True
    )
    assert space.measured.valid == 3


def test_a_flat_name_that_nothing_reads_is_named() -> None:
    entries = {"scenario6_H4_long_window_length": [20, 30], "scenario6_H1_long_z_score_short": [1.0, 2.0]}
    space = native_space(MEAN_REVERSION, entries, pinned=OVERLAY, others="default")
    assert space.dimensions == ()
    assert "never active: scenario6_H4_long_window_length, scenario6_H1_long_z_score_short" in space.notes[0]


@pytest.mark.parametrize(
    ("options", "code", "what"),
    [
        ({"space": {"scenario6_params": ["{}"]}}, 1004, "a map is not searched"),
        ({"space": {"scenario6_params": {"H1": {}}}}, 1001, "H1"),
        ({"space": {"scenario6_H1_long_windw_length": [5, 6]}}, 1001, "scenario6_H1_long_window_length"),
        ({"space": {"scenario6_H1_long_window_length": {"low": 1, "high": 9}}}, 1003, "valid domain >= 2"),
        ({"space": {"scenario6_H1_short_z_score": [-1.0, 1.0]}}, 1003, "valid domain > 0"),
        ({"pinned": {"scenario6_H1_long_z_score": 1.0}}, 1003, "outside its domain"),
        ({"pinned": {"scenario6_params": {"H1": {"z_score": 1.0}}}}, 1006, "one signed number"),
        ({"pinned": {"scenario6_params": {"H1": {"windw": 1.0}}}}, 1001, "has no key windw"),
        ({"pinned": {"scenario6_params": {"H7": {}}}}, 1001, "no timeframe"),
        ({"pinned": {"scenario": 6}, "measured": True}, 1006, "would never give a signal"),
        ({"pinned": {"z_exitt": 0.5}}, 1001, "did you mean z_exit"),
    ],
)
def test_mistakes_in_the_overlay_are_named(options: Any, code: int, what: str) -> None:
    with pytest.raises(SweepError, match=what) as caught:
        native_space(MEAN_REVERSION, **{"others": "default", **options})
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("names", "warned"),
    [
        (["kalman_r", "kalman_q"], "kalman_q and kalman_r"),
        (
            ["scenario6_H1_long_kalman_r", "scenario6_H1_long_kalman_q"],
            "scenario6_H1_long_kalman_q and scenario6_H1_long_kalman_r",
        ),
        (["scenario6_H1_long_kalman_r", "scenario6_H1_short_kalman_q"], None),
        (["kalman_q"], None),
    ],
)
def test_a_search_over_both_parts_of_a_ratio_is_a_warning(names: list[str], warned: str | None) -> None:
    entries = {name: [0.1, 0.2] for name in names}
    space = native_space(MEAN_REVERSION, entries, pinned=OVERLAY, others="default")
    assert len(space.dimensions) == len(names)
    found = [note for note in space.notes if "only their ratio matters" in note]
    assert [warned in note for note in found if warned] == ([True] if warned else [])
