"""What an error of the engine says to machines, and values that no engine takes."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import sweep
from sweep.errors import SweepError
from tests.engine.test_rates import rate_market

NOON = 1_577_880_000_000_000


def _refused(work: Any, *args: Any, **kwargs: Any) -> SweepError:
    with pytest.raises(SweepError) as caught:
        work(*args, **kwargs)
    return caught.value


@pytest.fixture(scope="module")
def market() -> sweep.Market:
    return sweep.Market.synthetic(bars=600, seed=3)


def test_a_parameter_says_where(market: sweep.Market) -> None:
    engine = sweep.Engine(market, "ma_cross")
    problem = _refused(engine.run, {"fast_period": -1})
    assert (problem.code, problem.context) == (1003, {"where": "parameter fast_period"})
    assert problem.to_dict()["context"] == problem.context


def test_all_problems_of_a_parameter_set_are_listed(market: sweep.Market) -> None:
    engine = sweep.Engine(market, "ma_cross")
    problem = _refused(engine.run, {"fast_period": -1, "ma_type": "hull", "sl_atr": "x"})
    listed = [(found["code"], found["where"]) for found in problem.context["problems"]]
    assert listed == [
        (1003, "parameter fast_period"),
        (1001, "parameter ma_type"),
        (1004, "parameter sl_atr"),
    ]
    assert all(found["what"] in str(problem) and found["remedy"] for found in problem.context["problems"])
    assert pickle.loads(pickle.dumps(problem)).context == problem.context


def test_a_missing_rate_names_pair_and_time() -> None:
    rate = rate_market([NOON], [0.9])
    portfolio = sweep.Portfolio(1e5, "EUR", {"EURUSD": {}}, rates={"series": {"EURUSD": rate}})
    position = {
        "symbol": "EURUSD",
        "direction": "long",
        "price": 1.1,
        "size": 1.0,
        "stop_loss": 1.0,
        "time": NOON,
    }
    problem = _refused(portfolio.register_entry, position)
    assert problem.code == 2008
    assert problem.context == {
        "where": "rates.series.EURUSD",
        "op": "register_entry",
        "pair": "EURUSD",
        "time": "2020-01-01T12:00:00Z",
    }


def test_a_portfolio_names_the_position() -> None:
    portfolio = sweep.Portfolio(1e5, "USD", {"EURUSD": {}})
    problem = _refused(portfolio.register_exit, 7, 1.1, NOON)
    assert (problem.code, problem.context["position_id"]) == (1007, 7)


@pytest.mark.parametrize(("bound", "code"), [(-1, 1003), (2**70, 1003), ("much", 1004), (1.5, 1003)])
def test_a_bound_of_the_cache_is_a_number_of_bytes(market: sweep.Market, bound: Any, code: int) -> None:
    problem = _refused(sweep.Engine, market, "ma_cross", cache_bytes=bound)
    assert (problem.code, problem.context["where"]) == (code, "cache_bytes")


@pytest.mark.parametrize("seed", [2**64, -1])
def test_a_seed_outside_its_range_is_out_of_bounds(market: sweep.Market, seed: int) -> None:
    problem = _refused(sweep.Engine, market, "ma_cross", execution={"preset": "realistic", "seed": seed})
    assert (problem.code, problem.context["where"]) == (1003, "execution.seed")


def test_a_chart_is_written_to_a_path(market: sweep.Market) -> None:
    backtest = sweep.Engine(market, "ma_cross").run()
    assert _refused(backtest.plot, 5).code == 1004


@pytest.mark.parametrize("backend", ["rust", "python"])
@pytest.mark.parametrize(
    "costs",
    [
        {"commission": {"schema": "per_lot", "per_lot": 1e308}},
        {"commission": {"schema": "per_lot", "per_lot": 1e300}, "fee_multiplier": 1e300},
    ],
)
def test_money_that_overflows_fails_the_trial(market: sweep.Market, backend: Any, costs: Any) -> None:
    import pyarrow as pa

    engine = sweep.Engine(market, "ma_cross", costs=costs, backend=backend)
    quick = {"fast_period": 5, "slow_period": 20}
    problem = _refused(engine.run, quick)
    assert (problem.code, problem.stage) == (2005, "engine")
    row = engine.run_batch(pa.table({name: [value] for name, value in quick.items()})).to_pylist()[0]
    assert (row["status"], row["kind"], "[2005]" in row["reason"]) == ("FAILED", "ENGINE_ERROR", True)


def test_a_refused_operation_names_itself() -> None:
    portfolio = sweep.Portfolio(1000.0, "USD", {"EURUSD": {}})
    position = {
        "symbol": "EURUSD",
        "direction": "long",
        "price": 1.1,
        "size": 0.0,
        "stop_loss": 1.0,
        "time": NOON,
    }
    assert _refused(portfolio.register_entry, position).context["op"] == "register_entry"
    negative = _refused(portfolio.register_entry, {**position, "size": 1.0, "position_id": -1})
    assert (negative.code, "-1" in str(negative)) == (1001, True)


def test_a_missing_rate_of_an_account_names_the_pair(market: sweep.Market) -> None:
    problem = _refused(sweep.Engine, market, "ma_cross", account={"currency": "CHF"})
    assert (problem.code, problem.context["pair"]) == (1008, "USDCHF")
