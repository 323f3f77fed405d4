from __future__ import annotations

import copy
from typing import Any

import pytest

from sweep.errors import SweepError
from sweep.space import Space
from tests.search.fakes import TOY, canonicalise, toy_space


def refused(space: Any = None, **options: Any) -> SweepError:
    with pytest.raises(SweepError) as caught:
        toy_space(space, **options)
    return caught.value


@pytest.mark.parametrize(
    ("space", "code", "path", "text"),
    [
        ({"fats": [5, 6]}, 1001, "search.space.fats", "did you mean fast"),
        ({"fast": {"low": 5, "hihg": 9, "high": 9}}, 1001, "search.space.fast.hihg", "did you mean high"),
        ({"fast": {"low": 5, "min": 5, "high": 9}}, 1001, "search.space.fast", "low and min together"),
        ({"fast": {"low": 5, "max": 9, "high": 9}}, 1001, "search.space.fast", "high and max together"),
        ({"fast": {"choices": [5], "values": [5]}}, 1001, "search.space.fast", "choices and values together"),
        ({"fast": {"low": 5, "high": 9, "step": 2, "log": True}}, 1001, "search.space.fast.step", "step with log"),
        ({"fast": {"low": 5, "high": 9, "step": 2, "points": 3}}, 1001, "search.space.fast.step", "step with points"),
        ({"fast": {"low": 9, "high": 5}}, 1003, "search.space.fast.low", "above high"),
        ({"noise": {"low": 0, "high": 5, "log": True}}, 1003, "search.space.noise.low", "log with low 0"),
        ({"fast": {"low": 0, "high": 5}}, 1003, "search.space.fast.low", "outside the valid domain >= 1"),
        ({"noise": {"low": 0, "high": 5}}, 1003, "search.space.noise.low", "> 0"),
        ({"fast": [0, 5]}, 1003, "search.space.fast.choices", "outside the valid domain"),
        ({"ma": []}, 1010, "search.space.ma.choices", "empty"),
        ({"ma": ["ema", "ema"]}, 1001, "search.space.ma.choices", "repeated"),
        ({"ma": ["ema", "wma"]}, 1001, "search.space.ma", "wma"),
        ({"ma": ["ema", ["sma"]]}, 1004, "search.space.ma.choices", "no scalar"),
        ({"fast": {"type": "int"}}, 1008, "search.space.fast", "low is missing"),
        ({"ma": {"type": "categorical"}}, 1008, "search.space.ma", "choices are missing"),
        ({"fast": {"low": 5.5, "high": 9}}, 1004, "search.space.fast.low", "not an integer"),
        ({"fast": {"low": True, "high": 9}}, 1004, "search.space.fast.low", "not a finite number"),
        ({"noise": {"low": 1.0, "high": float("inf")}}, 1004, "search.space.noise.high", "not a finite number"),
        ({"noise": {"low": 1.0, "high": 1e9, "step": 1e-9}}, 1003, "search.space.noise.step", "larger step"),
        ({"noise": {"low": 1.0, "high": "2"}}, 1004, "search.space.noise.high", "not a finite number"),
        ({"fast": {"low": 5, "high": 9, "step": 0}}, 1003, "search.space.fast.step", "positive step"),
        ({"fast": {"low": 5, "high": 9, "points": 1}}, 1003, "search.space.fast.points", "2 to"),
        ({"fast": {"type": "float", "low": 5, "high": 9}}, 1004, "search.space.fast.type", "declares int"),
        ({"fast": {"type": "integer", "low": 5, "high": 9}}, 1001, "search.space.fast.type", "unknown type"),
        ({"ma": {"type": "categorical", "choices": ["ema"], "step": 1}}, 1001, "search.space.ma.step", "does not belong"),
        ({"fast": {"type": "int", "low": 5, "high": 9, "choices": [5]}}, 1001, "search.space.fast.choices", "does not belong"),
        ({"fast": {"value": 5, "low": 5}}, 1001, "search.space.fast.value", "value with low"),
        ({"noise": {"distribution": "log_uniform", "min": -3, "max": 1}}, 1001, "search.space.noise.distribution", "exponents"),
        ({"fast": {"low": 5, "high": 9, "when": 3}}, 1004, "search.space.fast.when", "not an expression"),
        ({"fast": {"low": 5, "high": 9, "when": "slw > 3"}}, 1001, "search.space.fast.when", "did you mean slow"),
        ({"fast": {"low": 5, "high": 9, "when": "fast > 3"}}, 1001, "search.space.fast.when", "depends on itself"),
        ({"fast": {"low": 5, "high": 9, "when": "slow +"}}, 1001, "search.space.fast.when", "syntax"),
    ],
)  # fmt: skip
def test_mistakes_in_the_space(space: Any, code: int, path: str, text: str) -> None:
    problem = refused(space)
    assert problem.code == code
    assert text in problem.message
    listed = problem.context["problems"]
    assert any(p["where"].startswith(path) and text in f"{p['what']}; {p['remedy']}" for p in listed)
    assert all(p["remedy"] for p in listed)


@pytest.mark.parametrize(
    ("where", "code", "text"),
    [
        (["1 < 2"], 1001, "names no parameter"),
        (["fast < slwo"], 1001, "did you mean slow"),
        (["fast + slow"], 1001, "no condition"),
        (["fast.x < 3"], 1001, "not allowed"),
        ([3], 1004, "not an expression"),
    ],
)
def test_mistakes_in_where(where: Any, code: int, text: str) -> None:
    problem = refused({"fast": [5, 6]}, where=where)
    assert problem.code == code
    assert text in problem.message
    assert problem.where == "search.where[0]"


def test_pins_that_violate_alone() -> None:
    assert (
        "alone violate `fast > 7`"
        in refused({"slow": [20, 30]}, pinned={"fast": 5}, where=["fast > 7"]).message
    )
    assert (
        "alone violate `fast < slow`"
        in refused({"ma": ["ema", "sma"]}, pinned={"fast": 30, "slow": 20}).message
    )
    toy_space({"ma": ["ema", "sma"]}, pinned={"enabled": "3", "level": 0.1}, where=["level > 1"])


def test_wrong_pins() -> None:
    assert refused(pinned={"fsat": 5}).where == "strategy.params.fsat"
    assert refused(pinned={"fast": "x"}).code == 1004
    assert refused(pinned={"fast": 0}).code == 1003
    assert refused({"fast": [5, 6]}, pinned={"fast": 5}).code == 1006
    assert refused({"fast": [5, 6]}, pinned={"fast": 5}).where == "strategy.params.fast"
    assert toy_space({"fast": 5}, pinned={"fast": 5}).pinned == {"fast": 5}


def test_a_wrong_pin_of_a_listed_parameter_is_one_mistake_at_the_pin() -> None:
    problem = refused({"fast": [5, 6]}, pinned={"fast": "x"})
    assert (problem.code, problem.where) == (1004, "strategy.params.fast")


def test_cycles_of_several_conditions() -> None:
    space = {
        "fast": {"low": 5, "high": 9, "when": "slow > 3"},
        "slow": {"low": 5, "high": 9, "when": "fast > 3"},
    }
    problem = refused(space)
    assert [p["parameter"] for p in problem.context["problems"]] == ["fast", "slow"]


def test_all_mistakes_are_in_one_error_with_the_place_that_locate_gives() -> None:
    space = {"fats": [1], "fast": {"low": 9, "high": 5, "step": 0}, "ma": ["ema", "ema"]}
    problem = refused(space, where=["slwo > 1"], locate=lambda path: f"config.yaml:{len(path)}")
    listed = problem.context["problems"]
    assert [p["parameter"] for p in listed] == ["fats", "fast", "fast", "ma", "where"]
    assert all(p["where"].startswith("config.yaml:") and p["remedy"] for p in listed)
    assert "5 problems" in problem.message
    assert all(p["what"] in problem.message for p in listed)


def test_start_values_of_snap() -> None:
    space = toy_space({"fast": [5, 6], "ma": ["ema", "sma"]}, pinned={"slow": 40})
    for raw, code in (({"fats": 5}, 1001), ({"ma": "wma"}, 1001), ({"slow": 30}, 1006)):
        with pytest.raises(SweepError) as caught:
            space.snap(raw)
        assert caught.value.code == code
    assert space.snap({"slow": 40}) == (1, 0)


def test_a_wrong_declared_range_is_an_error_too() -> None:
    declaration = copy.deepcopy(TOY)
    declaration["parameters"][2]["ranges"] = [{"low": 9, "high": 5}]
    with pytest.raises(SweepError, match=r"strategies\.toy\.fast"):
        Space.build(declaration=declaration, timeframe="M5", pinned={}, space={}, canonicalise=canonicalise)
    with pytest.raises(SweepError, match="others"):
        toy_space({"fast": [5, 6]}, others="none")
