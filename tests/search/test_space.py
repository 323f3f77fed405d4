from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.space.cardinality import wilson
from tests.search.fakes import TOY, canonicalise, toy_space


def values(space: Any, name: str) -> list[Any]:
    dimension = next(d for d in space.dimensions if d.name == name)
    return [dimension.value(k) for k in range(dimension.size)]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"type": "int", "low": 5, "high": 9, "step": 2}, [5, 7, 9]),
        ({"min": 5, "max": 7}, [5, 6, 7]),
        ({"type": "int", "low": 1, "high": 100, "log": True, "points": 3}, [1, 10, 100]),
        ({"choices": [20, 5]}, [20, 5]),
        ({"values": [5, 20]}, [5, 20]),
        ([5, 6], [5, 6]),
        ({"distribution": "int_uniform", "min": 5, "max": 6}, [5, 6]),
    ],
)
def test_both_spellings_and_every_form_of_a_range(entry: Any, expected: list[int]) -> None:
    assert values(toy_space({"fast": entry}), "fast") == expected


def test_scalars_value_and_single_choices_pin() -> None:
    space = toy_space(
        {
            "fast": 7,
            "slow": {"value": 40},
            "ma": ["sma"],
            "noise": {"low": 2.0, "high": 2.0},
            "reverse": {"type": "bool"},
        }
    )
    assert space.pinned == {"fast": 7, "slow": 40, "ma": "sma", "noise": 2.0}
    assert [d.name for d in space.dimensions] == ["reverse"]
    assert values(space, "reverse") == [False, True]


def test_dimensions_stand_in_declaration_order() -> None:
    space = toy_space({"reverse": [False, True], "ma": ["ema", "sma"], "fast": [5, 6]})
    assert [d.name for d in space.dimensions] == ["fast", "ma", "reverse"]


def test_others_are_searched_over_declared_ranges_or_take_their_defaults() -> None:
    searched = toy_space(others="search")
    assert [d.name for d in searched.dimensions] == ["fast", "slow", "ma", "level", "band", "reverse"]
    assert toy_space({"fast": [5, 6]}, others="default").cardinality == 2
    replaced = toy_space({"fast": [5, 6]}, others="search", pinned={"slow": 30})
    assert values(replaced, "fast") == [5, 6]
    assert "slow" not in [d.name for d in replaced.dimensions]


def test_the_first_declared_range_whose_condition_holds_is_used() -> None:
    assert values(toy_space(others="search", pinned={"enabled": "1"}), "level") == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert values(toy_space(others="search", pinned={"enabled": "1+2"}), "level") == [
        0.74,
        0.76,
        0.78,
        0.8,
        0.82,
    ]
    assert values(toy_space({"scenario": [1]}, others="search"), "level") == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_parameter_that_the_pins_switch_off_is_not_searched_and_is_named() -> None:
    space = toy_space(others="search", pinned={"enabled": "3"})
    assert "level" not in [d.name for d in space.dimensions]
    band = next(d for d in space.dimensions if d.name == "band")
    assert not band.conditional
    assert "inactive under the pins: level" in space.describe()


def test_sets_and_timeframes_are_categorical_texts() -> None:
    space = toy_space({"enabled": [1, "1+2"], "frame": ["AUTO", "H4"]})
    assert values(space, "enabled") == ["1", "1+2"]
    candidates = space.accept([{"enabled": "1+2", "frame": "AUTO"}])
    assert candidates[0] is not None
    assert candidates[0].params["frame"] == "H1"
    assert space.decode([candidates[0].params]) == [{"enabled": 1, "frame": 0}]


def test_lists_of_increasing_numbers_are_ordered_by_default() -> None:
    space = toy_space(
        {"fast": [5, 6, 8], "slow": {"choices": [40, 30]}, "ma": {"choices": ["ema", "sma"], "ordered": True}}
    )
    assert {d.name: d.ordered for d in space.dimensions} == {"fast": True, "slow": False, "ma": True}


def test_accept_snaps_fills_in_defaults_and_refuses() -> None:
    space = toy_space(
        {"fast": {"low": 5, "high": 40, "step": 5}, "level": {"low": 0.74, "high": 0.82, "step": 0.02}}
    )
    good, bad = space.accept([{"fast": 12, "level": 0.75}, {"fast": 40}])
    assert bad is None
    assert good is not None
    assert good.params["fast"] == 10
    assert good.params["level"] == 0.76
    assert good.params["slow"] == 30
    assert good.key.startswith('{"band":3,"enabled":"1+2+3"')


def test_where_applies_to_canonical_values_derived_names_and_renamed_parameters() -> None:
    space = toy_space(
        {"fast": {"low": 5, "high": 10}, "scenario": [1, 3]}, where=["ratio >= 5 or scenario == 3"]
    )
    accepted = space.accept(
        [{"fast": 6, "scenario": 1}, {"fast": 7, "scenario": 1}, {"fast": 7, "scenario": 3}]
    )
    assert [c is not None for c in accepted] == [True, False, True]


def test_where_on_a_parameter_without_a_value_does_not_apply() -> None:
    space = toy_space(
        {"scenario": [1, 3], "level": [0.74, 0.8], "exit": [None, 0.5]}, where=["level > 0.75", "exit > 1"]
    )
    raws = [{"scenario": 1, "level": 0.74}, {"scenario": 3, "level": 0.74}, {"scenario": 3, "exit": 0.5}]
    accepted = space.accept([{"exit": None, **raw} for raw in raws])
    assert [c is not None for c in accepted] == [False, True, False]


def test_a_condition_of_the_configuration_switches_a_parameter_to_its_default() -> None:
    entry = {"low": 0.5, "high": 0.9, "step": 0.1, "when": "scenario == 3"}
    space = toy_space(
        {
            "scenario": [1, 3],
            "noise": entry,
            "slow": {"low": 20, "high": 30, "step": 10, "when": "noise > 0.6"},
        }
    )
    raws = [
        {"scenario": 1, "noise": 0.7, "slow": 20},
        {"scenario": 3, "noise": 0.7, "slow": 20},
        {"scenario": 3, "noise": 0.5, "slow": 20},
    ]
    accepted = [c.params for c in space.accept(raws) if c is not None]
    assert [(p["noise"], p["slow"]) for p in accepted] == [(1.0, 30), (0.7, 20), (0.5, 30)]
    assert space.decode(accepted) == [
        {"scenario": 0},
        {"scenario": 1, "noise": 2, "slow": 0},
        {"scenario": 1, "noise": 0},
    ]


def test_cardinality_is_counted_exactly_in_small_spaces() -> None:
    space = toy_space(
        {
            "fast": {"low": 5, "high": 40},
            "slow": {"low": 10, "high": 50, "step": 5},
            "reverse": {"type": "bool"},
        }
    )
    valid = 2 * sum(f < s for f in range(5, 41) for s in range(10, 51, 5))
    assert (space.cardinality, space.measured.valid) == (36 * 9 * 2, valid)


def test_inactive_combinations_are_counted_once() -> None:
    space = toy_space(
        {
            "scenario": [1, 3],
            "fast": [5, 6, 7],
            "level": {"low": 0.74, "high": 0.82, "step": 0.02},
            "band": [1, 2, 3],
        }
    )
    assert space.measured.valid == 3 * 5 + 3 * 3


def test_large_spaces_are_counted_by_product_and_estimated_by_sampling() -> None:
    big = {"low": 1, "high": 1_000_000_000}
    space = toy_space({"fast": big, "slow": {"low": 2, "high": 1_000_000_001}})
    assert space.cardinality == 10**18
    assert space.measured.valid is None
    low, high = space.measured.interval
    assert low < 0.5 < high
    assert high - low < 0.03
    assert "%" in space.describe()
    assert toy_space({"noise": {"low": 0.1, "high": 1.0}}).measured.total is None


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_interval_solves_its_quadratic(hits: int, trials: int) -> None:
    hits = min(hits, trials)
    low, high = wilson(hits, trials)
    p, z = hits / trials, 1.959963984540054
    assert 0 <= low <= p <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert abs(p - bound) == pytest.approx(
                z * math.sqrt(bound * (1 - bound) / trials), rel=1e-9, abs=1e-12
            )


def test_an_empty_space_names_what_refuses_it() -> None:
    with pytest.raises(SweepError, match="fast < slow") as empty:
        toy_space({"fast": {"low": 50, "high": 60}, "slow": {"low": 10, "high": 20}})
    assert empty.value.code == 1006


def test_warnings_of_the_strategy_are_counted_and_do_not_reject() -> None:
    text = toy_space({"slow": [30, 60]}).describe()
    assert "slow of 60 is very slow" in text
    assert "2 satisfy the constraints" in text


def test_the_json_form_names_everything_that_decides_proposals() -> None:
    space = toy_space(
        {"fast": {"min": 5, "max": 9}, "noise": {"low": 0.1, "high": 1.0, "log": True}},
        where=["fast > 5"],
        pinned={"slow": 40},
    )
    form = space.to_dict()
    assert form["dimensions"][0] == {
        "name": "fast",
        "type": "int",
        "low": 5,
        "high": 9,
        "log": False,
        "step": 1,
        "when": None,
        "declared_when": None,
    }
    assert form["pinned"] == {"slow": 40}
    assert form["where"] == ["fast > 5"]


@pytest.mark.parametrize("u", [0.0, 0.25, 0.4999, 0.5, 0.999999999])
def test_from_unit(u: float) -> None:
    space = toy_space(
        {
            "fast": {"low": 5, "high": 8},
            "slow": {"low": 20, "high": 60, "log": True},
            "level": {"low": 0.5, "high": 1.5},
            "noise": {"low": 0.01, "high": 100, "log": True},
        },
        measured=False,
    )
    fast, slow, level, noise = space.dimensions
    assert fast.from_unit(u) == math.floor(u * 4)
    expected = min(max(math.floor(19.5 * (60.5 / 19.5) ** u + 0.5), 20), 60)
    assert slow.value(slow.from_unit(u)) == expected
    assert level.from_unit(u) == pytest.approx(0.5 + u)
    assert noise.from_unit(u) == pytest.approx(0.01 * 10 ** (4 * u))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_decode_is_the_way_back(seeds: list[int]) -> None:
    space = _DECODED
    points = [
        tuple(d.from_unit((s * (i + 7) % 1009) / 1009) for i, d in enumerate(space.dimensions)) for s in seeds
    ]
    for point, evaluation in zip(points, space.evaluate(points), strict=True):
        if evaluation.candidate is not None:
            active = {
                d.name: c
                for i, (d, c) in enumerate(zip(space.dimensions, point, strict=True))
                if i not in evaluation.inactive
            }
            assert space.decode([evaluation.candidate.params]) == [active]


_DECODED = toy_space(
    {
        "scenario": [3, 1, 2],
        "noise": {"low": 0.01, "high": 100, "log": True},
        "slow": {"low": 10, "high": 60, "log": True},
        "frame": ["H4", "AUTO", "D1"],
    },
    others="search",
)


def test_every_combination_of_a_grid_with_conditions_occurs_once() -> None:
    space = toy_space({"scenario": [1, 3], "fast": [5, 6], "level": [0.74, 0.8], "band": [1, 2, 3]})
    points = list(itertools.product(*(range(n) for n in space.sizes)))
    keys = [e.candidate.key for e in space.evaluate(points, unique=True) if e.candidate is not None]
    assert len(keys) == len(set(keys)) == 2 * 2 + 2 * 3
    assert set(keys) == {e.candidate.key for e in space.evaluate(points) if e.candidate is not None}


def test_canonicalise_is_called_for_the_declared_strategy_only() -> None:
    seen = set()

    def spy(strategy: str, timeframe: str, rows: Any) -> Any:
        seen.add((strategy, timeframe))
        return canonicalise(strategy, timeframe, rows)

    toy_space({"fast": [5, 6]}, canonicalise=spy, timeframe="H1")
    assert seen == {(TOY["id"], "H1")}


def test_sizes_of_hundreds_of_digits_are_shown_short() -> None:
    with pytest.raises(SweepError, match=r"level: 1e\+300 values; search.space.level.step") as refused:
        toy_space({"level": {"low": 0.5, "high": 1.5, "step": 1e-300}})
    assert len(str(refused.value)) < 200
    fine = {"low": 0.5, "high": 1.5, "step": 1e-15}
    space = toy_space({"level": fine, "noise": fine})
    assert space.cardinality == (10**15 + 1) ** 2
    for text in (space.describe(), "\n".join(space.brief())):
        assert "0.5 … 1.5 step 1e-15" in text
        assert "size: 1e+30 points" in text
    assert "(1,000,000,000,000,001 values)" in space.describe()
