"""What the declaration of a strategy in Python refuses."""

from __future__ import annotations

from typing import Any

import pytest

import sweep
from sweep.errors import SweepError


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"type": int, "default": 1, "low": 5, "high": 2}, 1003),
        ({"type": int, "default": 1, "low": 1, "high": 5, "step": 0}, 1003),
        ({"type": float, "default": 1.0, "low": 0.0, "high": 5.0, "log": True}, 1003),
        ({"type": int, "default": 1, "low": 1}, 1008),
        ({"type": int, "default": 1, "step": 1}, 1008),
        ({"type": bool, "default": True, "low": 0, "high": 1}, 1006),
        ({"type": str, "default": "x"}, 1008),
        ({"type": str, "default": "x", "choices": ["x", "x"]}, 1001),
        ({"type": str, "default": "1", "choices": [1, 2]}, 1004),
        ({"type": dict, "default": {}}, 1001),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_where_it_is_declared(keys: dict[str, Any], code: int) -> None:
    with pytest.raises(SweepError, match=rf"^\[{code}\] .*parameter a"):
        sweep.Param("a", **keys)


def test_a_default_outside_its_choices_is_refused() -> None:
    def says(market: Any, ind: Any, params: Any) -> Any:
        return None

    declared = sweep.signals(version="1", parameters=[sweep.Param("a", set, {"q"}, choices=["x"])])(says)
    with pytest.raises(SweepError, match=r"^\[1001\] a has no value `q`"):
        sweep.Engine(sweep.Market.synthetic(bars=300, seed=3), declared)


def test_another_side_than_bid_and_ask_is_refused() -> None:
    from sweep.strategies.arrays import MarketArrays

    arrays = MarketArrays(sweep.Market.synthetic(bars=300, seed=3).core)
    with pytest.raises(SweepError, match=r"^\[1001\] unknown side 'mid'"):
        arrays.higher("H1", side="mid")
