"""Batches: two native calls whatever their size, and rows that depend on their own parameters alone."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from sweep import Engine, Market
from sweep.errors import SweepError
from sweep.executors.worker import table_of
from tests.engine.support import random_parameters

STRATEGY = "mean_reversion_z_score"
COSTS = {"slippage": {"fixed_pips": 0.2, "random_pips": 0.3}}


@pytest.fixture(scope="module")
def market() -> Market:
    """A market of two weeks."""
    return Market.synthetic(bars=3000, seed=5)


@pytest.fixture(scope="module")
def params() -> pa.Table:
    """Forty parameter sets over the three scenarios."""
    sets = [
        {**s, "enabled_scenarios": str(k)}
        for k in (1, 2, 3)
        for s in random_parameters(STRATEGY, 14, seed=k, fixed={"enabled_scenarios": [k]})
    ]
    return table_of(sets[:40])


class Counting:
    """A native object that counts the calls into it, and into what it returns."""

    def __init__(self, native: Any, calls: list[str]) -> None:
        self._native, self._calls = native, calls

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self._calls.append(name)
            answer = getattr(self._native, name)(*arguments)
            return Counting(answer, self._calls) if name == "run_batch" else answer

        return call


@pytest.mark.parametrize("size", [1, 40])
def test_a_batch_costs_two_native_calls(market: Market, params: pa.Table, size: int) -> None:
    engine = Engine(market, STRATEGY)
    calls: list[str] = []
    engine.core = Counting(engine.core, calls)  # type: ignore[assignment]
    assert engine.run_batch(params.slice(0, size), returns=True).num_rows == size
    assert calls == ["run_batch", "to_table"]


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return table.drop_columns(["seconds"]).to_pylist()


def test_threads_order_company_and_cache_do_not_show(market: Market, params: pa.Table) -> None:
    whole = _rows(Engine(market, STRATEGY, costs=COSTS).run_batch(params, returns=True))
    assert _rows(Engine(market, STRATEGY, costs=COSTS).run_batch(params, returns=True, threads=2)) == whole
    uncached = Engine(market, STRATEGY, costs=COSTS, cache_bytes=0)
    backwards = params.take(list(range(params.num_rows))[::-1])
    assert _rows(uncached.run_batch(backwards, returns=True))[::-1] == whole
    for i in (0, 17, 39):
        assert _rows(uncached.run_batch(params.slice(i, 1), returns=True)) == [whole[i]]


def test_a_row_of_a_batch_is_the_single_backtest(market: Market, params: pa.Table) -> None:
    engine = Engine(market, STRATEGY, costs=COSTS)
    rows = engine.run_batch(params, returns=True).to_pylist()
    for i in (3, 20):
        alone = engine.run({k: v for k, v in params.to_pylist()[i].items() if v is not None})
        assert rows[i]["result_digest"] == alone.digest
        assert rows[i]["identity"] == alone.identity
        assert {k: rows[i][f"metrics.{k}"] for k in alone.metrics} == dict(alone.metrics)
        levels = [10_000.0, *alone.daily["equity"].to_pylist()]
        expected = [after / before - 1 for before, after in pairwise(levels)]
        assert rows[i]["returns"] == pytest.approx(expected, abs=1e-15)
        assert len(expected) == len(engine.dates)


def test_a_bad_row_fails_alone(market: Market) -> None:
    table = table_of(
        [{"window_length": 60}, {"window_length": 1}, {"z_score_long": 2.0, "window_length": 60}]
    )
    rows = Engine(market, STRATEGY).run_batch(table, returns=True).to_pylist()
    assert [row["status"] for row in rows] == ["COMPLETE", "FAILED", "FAILED"]
    assert [row["kind"] for row in rows] == [None, "INVALID_PARAMS", "INVALID_PARAMS"]
    assert "[1003]" in rows[1]["reason"]
    assert rows[1]["returns"] is None
    assert rows[1]["result_digest"] is None


def test_the_interpreter_goes_on_while_a_batch_runs(market: Market, params: pa.Table) -> None:
    engine = Engine(market, STRATEGY, cache_bytes=0)
    many = pa.concat_tables([params] * 10)
    done = threading.Event()

    def work() -> None:
        engine.run_batch(many)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    turns = 0
    while not done.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 3


@pytest.mark.parametrize(
    ("call", "code", "mentions"),
    [
        (lambda engine: engine.run(5), 1004, "mapping"),
        (lambda engine: engine.signals([1]), 1004, "mapping"),
        (lambda engine: engine.run_batch(5), 1004, "pyarrow.Table"),
        (lambda engine: engine.run_batch({"fast_period": [1]}), 1004, "pyarrow.Table"),
        (lambda engine: engine.run({"fast_period": float("nan")}), 1003, "fast_period"),
        (lambda engine: Engine(5, "ma_cross"), 1004, "Market"),
        (lambda engine: Engine(engine.markets, 5), 1004, "strategy"),
        (lambda engine: engine.run().plot("chart.svg"), 1001, "png"),
    ],
)
def test_a_wrong_argument_says_what_is_needed(call: Any, code: int, mentions: str) -> None:
    with pytest.raises(SweepError, match=mentions) as problem:
        call(Engine(Market.synthetic(bars=500, seed=1), "ma_cross"))
    assert problem.value.code == code


@pytest.mark.parametrize(
    ("options", "code", "where"),
    [
        ({"account": {"initial_balance": float("nan")}}, 1003, "account.initial_balance"),
        ({"account": {"leverage": float("inf")}}, 1003, "account.leverage"),
        ({"costs": {"slippage": {"fixed_pips": float("nan")}}}, 1003, "costs.slippage.fixed_pips"),
        ({"rates": {"static": {"EURUSD": float("nan")}}}, 1003, "rates.static.EURUSD"),
        ({"execution": {"seed": object()}}, 1004, "execution.seed"),
        ({"costs": 5}, 1004, "costs"),
        ({"account": "x"}, 1004, "account"),
        ({"metrics": [1]}, 1004, "metrics"),
    ],
)
def test_a_value_that_is_none_is_placed(options: dict[str, Any], code: int, where: str) -> None:
    with pytest.raises(SweepError) as caught:
        Engine(Market.synthetic(bars=50, seed=1), "ma_cross", **options)
    assert (caught.value.code, caught.value.where) == (code, where)


def test_a_parameter_that_is_none_is_placed() -> None:
    engine = Engine(Market.synthetic(bars=50, seed=1), "ma_cross")
    with pytest.raises(SweepError) as caught:
        engine.run({"fast_period": object()})
    assert (caught.value.code, caught.value.where) == (1004, "params.fast_period")
