"""Series are computed once and shared, and what was shared, kept or dropped never shows in a result."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sweep import Engine, Market
from sweep.executors.worker import table_of
from tests.engine.support import random_parameters

TRIALS = 1000
# Room for one series of 5,000 bars, and not for a second one.
SMALL = 8 * 5000 + 256

GUARDED = {
    "enabled_scenarios": [5],
    "intraday_vol_feature": "garch_forecast",
    "garch_alpha": 0.05,
    "garch_beta": 0.8,
    "garch_min_periods": 50,
    "intraday_vol_garch_lookback": 400,
    "htf_filter": "both",
    "extra_htf_filter": "both",
}


@pytest.fixture(scope="module")
def market() -> Market:
    """A market of 5,000 bars."""
    return Market.synthetic(bars=5000, seed=11)


def _crosses() -> list[dict[str, Any]]:
    """Ten fast and ten slow periods, each pair ten times with another stop."""
    return [
        {
            "ma_type": "ema",
            "fast_period": 5 + i % 10,
            "slow_period": 30 + 10 * (i // 10 % 10),
            **_stop(i // 100),
        }
        for i in range(TRIALS)
    ]


def _stop(k: int) -> dict[str, Any]:
    return {"sl_atr": 1.0 + 0.25 * k}


def _digests(engine: Engine, params: list[dict[str, Any]], threads: int = 1) -> list[str]:
    table: pa.Table = engine.run_batch(table_of(params), threads=threads)
    assert set(table["status"].to_pylist()) == {"COMPLETE"}
    return list(table["result_digest"].to_pylist())


@pytest.mark.parametrize("threads", [1, 2])
def test_a_sweep_over_twenty_periods_computes_twenty_averages(market: Market, threads: int) -> None:
    engine = Engine(market, "ma_cross")
    params = _crosses()
    assert len({p[k] for p in params for k in ("fast_period", "slow_period")}) == 20
    for start in range(0, TRIALS, 250):
        _digests(engine, params[start : start + 250], threads)
    ema = engine.info["cache"]["by_id"]["ema"]
    assert ema["misses"] == 20
    assert ema["misses"] + ema["hits"] >= 2 * TRIALS


@pytest.mark.parametrize("threads", [1, 2])
def test_a_sweep_with_the_volatility_guard_computes_no_window_twice(market: Market, threads: int) -> None:
    """Windows depend on the GARCH weights, the lookback and the bar; everything else of a trial shares them."""
    params = [
        {
            **p,
            "enabled_scenarios": "5",
            "garch_alpha": 0.05 + 0.05 * (k % 2),
            "intraday_vol_garch_lookback": 400,
        }
        for k, p in enumerate(
            random_parameters("mean_reversion_z_score", TRIALS, seed=3, fixed=GUARDED, options=False)
        )
    ]
    engine = Engine(market, "mean_reversion_z_score")
    for start in range(0, TRIALS, 250):
        _digests(engine, params[start : start + 250], threads)
    cache = engine.info["cache"]
    windows = cache["by_id"]["garch_window"]
    assert windows["hits"] > windows["misses"] > 1000, "most are asked for more than once"
    assert windows["misses"] <= 2 * 5000, "one per bar and pair of weights"
    assert cache["evictions"] == 0
    _digests(engine, params, threads)
    assert engine.info["cache"]["by_id"]["garch_window"] == windows, "labels are kept, too"


@pytest.mark.parametrize("threads", [1, 2])
def test_after_a_call_the_cache_keeps_its_bound(market: Market, threads: int) -> None:
    # Room for one series and a half: a backtest holds two averages, and more, while it runs.
    bound = 12 * 5000
    engine = Engine(market, "ma_cross", cache_bytes=bound)
    _digests(engine, [{**p, "ma_type": "ema"} for p in _crosses()[::50]], threads)
    cache = engine.info["cache"]
    assert cache["peak_bytes"] > bound >= cache["bytes"] > 0


@pytest.mark.parametrize("cache_bytes", [0, SMALL, None])
@pytest.mark.parametrize("threads", [1, 2])
def test_threads_cache_and_company_do_not_show(market: Market, threads: int, cache_bytes: int | None) -> None:
    options = {} if cache_bytes is None else {"cache_bytes": cache_bytes}
    for strategy, params in (
        ("ma_cross", _crosses()[::25]),
        (
            "mean_reversion_z_score",
            [
                {**p, "enabled_scenarios": str(k)}
                for k in (1, 2, 3, 4, 5)
                for p in random_parameters(
                    "mean_reversion_z_score", 4, seed=k, fixed={"enabled_scenarios": [k]}
                )
            ],
        ),
    ):
        expected = _digests(Engine(market, strategy), params)
        engine = Engine(market, strategy, **options)
        assert _digests(engine, params, threads) == expected
        assert _digests(engine, params[::-1], threads)[::-1] == expected
        for i in (0, len(params) // 2):
            assert _digests(engine, params[i : i + 1]) == [expected[i]]
