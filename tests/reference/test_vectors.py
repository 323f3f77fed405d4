"""The numbered vectors of the engine, run by the reference engine."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sweep.errors import SweepError
from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.engine import run
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import ModifyStop, ModifyTarget, PositionView, Rules
from tests.reference.support import bars, outcome_of, run_case
from tests.vectors.check import assert_expected
from tests.vectors.engine import CASES, R1, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_vector_gives_the_expected_values(case: Case) -> None:
    assert_expected(case, outcome_of(run_case(case)))


def test_no_two_vectors_share_a_name() -> None:
    names = [case.id for case in CASES]
    assert len(names) == len(set(names))


class Moves(SignalTable):
    """R1's order with one change decided on bar 1."""

    def __init__(self, action: ModifyStop | ModifyTarget) -> None:
        super().__init__([R1])
        self.action = action

    def manage(self, position: PositionView, ctx: Context) -> Any:
        return [self.action] if ctx.i == 1 else []


R4 = ["1.1", "1.1/1.101/1.1/1.1008", "1.1008/1.1008/1.1/1.1001"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("break_even", "break_even_stop_loss"), ("trailing", "trailing_stop_loss"), ("manual", "stop_loss")],
)
def test_a_moved_stop_gives_the_exit_its_reason(kind: str, reason: str) -> None:
    result = run(bars(R4), {"execution": "reference"}, Moves(ModifyStop(1.1002, kind)), {})
    (trade,) = result.trades
    assert (trade["exit_price"], trade["reason"]) == (1.1002, reason)
    assert trade["result"] == pytest.approx(3.999999999999467, abs=1e-9)
    assert trade["initial_stop_loss"] == 1.095
    assert result.summary["Orders closed at Break Even"] == (kind == "break_even")


@pytest.mark.parametrize(
    "action",
    [
        ModifyStop(1.1008),
        ModifyStop(1.2),
        ModifyStop(math.nan),
        ModifyStop(-1.0),
        ModifyStop(1.09, "other"),
        ModifyTarget(1.1008),
        ModifyTarget(1.0),
    ],
)
def test_a_change_beyond_the_market_is_counted_and_changes_nothing(action: ModifyStop | ModifyTarget) -> None:
    result = run(bars(R4), {"execution": "reference"}, Moves(action), {})
    assert result.invalid_modify == 1
    assert result.rejections == {}
    assert (result.open_positions[0]["stop_loss"], result.open_positions[0]["take_profit"]) == (1.095, 1.11)


def test_a_target_can_be_removed() -> None:
    result = run(bars(R4), {"execution": "reference"}, Moves(ModifyTarget(None)), {})
    assert result.open_positions[0]["take_profit"] is None
    assert result.open_positions[0]["initial_take_profit"] == 1.11


@pytest.mark.parametrize("preset", ["reference", "realistic"])
def test_an_exit_table_closes_positions_of_its_direction(preset: str) -> None:
    exits = [{"bar_index": 2, "direction": "long", "action": "close"}]
    result = run_case(Case("", ["1.1"] * 5, [R1], {}, preset=preset, exits=exits))
    (trade,) = result.trades
    at_close = preset == "reference"
    assert (trade["reason"], trade["exit_time"]) == (
        "signal",
        Case("", ["1"] * 5, [], {}).labels()[2 if at_close else 3],
    )
    other = [{**exits[0], "direction": "short"}, {**exits[0], "action": "cancel"}]
    kept = run_case(Case("", ["1.1"] * 5, [R1], {}, preset=preset, exits=other))
    assert [t["reason"] for t in kept.trades] == ([] if at_close else ["end_of_data"])


class Exploding(SignalTable):
    def __init__(self) -> None:
        super().__init__([])

    def evaluate(self, ctx: Context) -> Any:
        return [1 / 0]


def test_an_exception_in_a_strategy_fails_the_trial() -> None:
    with pytest.raises(SweepError) as caught:
        run(bars(["1.1"]), {}, Exploding(), {})
    assert (caught.value.code, caught.value.stage) == (2000, "engine")
    assert "Exploding.evaluate" in str(caught.value)


class Peeking(SignalTable):
    """Asks for a bar that is not known yet, or that never was."""

    def __init__(self, m: int) -> None:
        super().__init__([])
        self.m = m

    def prepare(self, market: MarketView, ind: Indicators, params: Any) -> Rules:
        self.average = ind("sma", period=1)
        return Rules()

    def evaluate(self, ctx: Context) -> Any:
        for read in (ctx.bid, ctx.ask, lambda m: ctx.value(self.average, m)):
            with pytest.raises(SweepError, match="1003"):
                read(self.m)
        return []


@pytest.mark.parametrize("m", [-1, 5])
def test_a_context_reaches_neither_the_future_nor_before_the_first_bar(m: int) -> None:
    assert run(bars(["1.1"] * 3), {}, Peeking(m), {}).trades == []
