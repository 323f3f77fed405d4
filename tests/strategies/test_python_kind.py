"""The class that decides bar by bar: what it is given, its rules, its errors, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep.errors import SweepError
from tests.strategies.support import BAR


@pytest.fixture(scope="module")
def market() -> sweep.Market:
    return sweep.Market.synthetic(bars=600, seed=3)


class Every(sweep.PythonStrategy):
    """Buys every fifty bars."""

    parameters = (sweep.Param("pips", float, 20.0),)

    def evaluate(self, ctx: Any) -> list[sweep.Signal]:
        if ctx.i % 50:
            return []
        side = 1 if ctx.i % 100 else -1
        price = ctx.ask().close if side > 0 else ctx.bid().close
        return [
            sweep.Signal(
                side, stop_loss=ctx.round(price - side * ctx.params["pips"] * ctx.pip_size), tag=f"t{ctx.i}"
            )
        ]


def test_signals_and_rules_work(market: sweep.Market) -> None:
    engine = sweep.Engine(market, Every)
    assert engine.strategy == "python:Every"
    assert [row["bar_index"] for row in engine.signals().to_pylist()] == list(range(0, 600, 50))
    short = engine.signals({"direction_filter": "short"}).to_pylist()
    assert {row["direction"] for row in short} == {"short"}
    assert len(short) == 6
    reasons = engine.run({"max_holding_bars": 12, "pips": 500.0}).trades["reason"].to_pylist()
    assert reasons.count("timeout") >= 10


def test_its_own_rules_stand_over_those_of_the_parameters(market: sweep.Market) -> None:
    class Ruled(Every):
        def prepare(self, market: Any, ind: Any, params: Any) -> sweep.Rules:
            return sweep.Rules(timeout_bars=3)

    trades = sweep.Engine(market, Ruled).run({"pips": 500.0, "be_r": 0.001}).trades.to_pylist()
    assert {row["reason"] for row in trades} >= {"timeout"}
    bar = trades[0]["exit_time"] - trades[0]["entry_time"]
    assert bar.total_seconds() <= 4 * 300


def test_the_future_is_out_of_reach(market: sweep.Market) -> None:
    class Peeks(Every):
        def evaluate(self, ctx: Any) -> list[sweep.Signal]:
            ctx.bid(-1)
            return []

    with pytest.raises(SweepError, match="not reachable") as caught:
        sweep.Engine(market, Peeks).run()
    assert caught.value.code == 1003
    assert str(Path(__file__)) in caught.value.where
    assert "ctx.bid(-1)" in caught.value.where


def test_an_exception_fails_its_trial_alone_and_names_the_line(market: sweep.Market) -> None:
    import pyarrow as pa

    class Fails(Every):
        def evaluate(self, ctx: Any) -> list[sweep.Signal]:
            if ctx.params["pips"] > 30:
                raise KeyError("too far")
            return super().evaluate(ctx)

    rows = sweep.Engine(market, Fails).run_batch(pa.table({"pips": [20.0, 40.0]})).to_pylist()
    assert [(row["status"], row["kind"]) for row in rows] == [("COMPLETE", None), ("FAILED", "ENGINE_ERROR")]
    assert "[2000] Fails raised KeyError" in rows[1]["reason"]
    assert 'raise KeyError("too far")' in rows[1]["reason"]


@pytest.mark.parametrize(
    ("method", "returned", "told"),
    [
        ("evaluate", sweep.Signal(1, stop_loss=1.0), "a Signal; "),
        ("evaluate", ["long"], "a list of str; "),
        ("manage", sweep.Close(), "a Close; "),
        ("manage", [5], "a list of int; "),
        ("warmup", "ten", "a str; "),
        ("prepare", 5, "a int; "),
    ],
)
def test_a_wrong_answer_fails_its_trial_alone_and_names_the_method(
    market: sweep.Market, method: str, returned: Any, told: str
) -> None:
    import pyarrow as pa

    def answers(self: Any, *arguments: Any) -> Any:
        params = next(
            a for a in (arguments[-1], getattr(arguments[-1], "params", None)) if isinstance(a, Mapping)
        )
        return returned if params["pips"] == 40 else getattr(Every, method)(self, *arguments)

    class Answers(Every):
        """One of its methods is replaced."""

    setattr(Answers, method, answers)
    rows = sweep.Engine(market, Answers).run_batch(pa.table({"pips": [20.0, 40.0]})).to_pylist()
    assert [(row["status"], row["kind"]) for row in rows] == [("COMPLETE", None), ("FAILED", "ENGINE_ERROR")]
    line = answers.__code__.co_firstlineno
    assert f"[1004] Answers.{method} returned {told}{Path(__file__)}:{line}; return " in rows[1]["reason"]


def test_leaving_the_interpreter_fails_the_trial_alone(market: sweep.Market) -> None:
    import pyarrow as pa

    class Leaves(Every):
        def evaluate(self, ctx: Any) -> list[sweep.Signal]:
            if ctx.params["pips"] == 40:
                raise SystemExit(0)
            return super().evaluate(ctx)

    rows = sweep.Engine(market, Leaves).run_batch(pa.table({"pips": [20.0, 40.0]})).to_pylist()
    assert [row["status"] for row in rows] == ["COMPLETE", "FAILED"]
    assert "[2000] Leaves raised SystemExit" in rows[1]["reason"]


def test_a_study_says_what_it_costs_and_can_be_replayed(tmp_path: Path) -> None:
    config = {
        "study": "bars",
        "market": {"synthetic": {"bars": 800, "seed": 3}, "symbol": "EURUSD", "timeframe": "M5"},
        "strategy": {"python": f"{BAR}:MaCross"},
        "search": {"sampler": "random", "trials": 4},
        "min_trades": 1,
        "compute": {"backend": "local", "workers": 1},
        "tracking": {"mlflow": None},
    }
    done = sweep.Study.run(config, home=tmp_path)
    assert any("bar by bar" in text and " s for the first parameter set" in text for text in done.warnings)
    assert done.replay(2).same


def test_another_thing_is_no_strategy(market: sweep.Market) -> None:
    for given in (5, len, object, type("Plain", (), {})):
        with pytest.raises(SweepError) as caught:
            sweep.Engine(market, given)
        assert caught.value.code == 1004
