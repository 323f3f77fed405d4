"""Native strategies against golden signals and against their twins, on golden, random, synthetic and real markets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep import Engine, Market
from tests.engine.support import (
    assert_same_figures,
    assert_same_trades,
    bars_table,
    both,
    market_of_golden,
    random_parameters,
)
from tests.vectors.strategies import GOLDEN_SIGNALS, GoldenSignals

SETS = int(os.environ.get("SWEEP_SETS", "2"))
"""Random parameter sets per strategy, market and preset, at least 2 of every variant; the long form is `make agree`."""
ROWS = int(os.environ.get("SWEEP_ROWS", "2500")) or None
"""Bars of the longest files, 0 for all; the twin needs seconds for a whole one."""

COSTS = {
    "slippage": {"fixed_pips": 0.2, "random_pips": 0.3},
    "commission": {"schema": "per_lot", "per_lot": 2.5},
}
PINS: dict[str, list[dict[str, Any]]] = {
    "ma_cross": [{"ma_type": "sma"}, {"ma_type": "ema"}],
    "mean_reversion_z_score": [
        *({"enabled_scenarios": str(k)} for k in (1, 2, 3, 4, 5)),
        {"enabled_scenarios": "6", "scenario6_timeframes": "PRIMARY"},
        {"enabled_scenarios": "1+2+3+4+5+6"},
        {"enabled_scenarios": "4+6"},
    ],
    "donchian_breakout": [{}],
    "rsi_reversal_limit": [{}],
    "mtf_trend_pullback": [{"htf_ema": 20}],
}
CASES = [(name, pins) for name, variants in PINS.items() for pins in variants]
IDS = [f"{name}-{pins}" for name, pins in CASES]


@pytest.mark.parametrize("golden", GOLDEN_SIGNALS, ids=lambda g: f"{g.strategy}: {g.name}")
def test_a_golden_signal_table(golden: GoldenSignals) -> None:
    table = Engine(market_of_golden(), golden.strategy).signals(golden.params)
    rows = table.to_pylist()
    sides = [row["direction"] for row in rows]
    assert (sides.count("long"), sides.count("short")) == (golden.long, golden.short)
    for name, expected in (
        ("entry", golden.entry),
        ("stop_loss", golden.stop),
        ("take_profit", golden.target),
    ):
        assert sum(row[name] or 0.0 for row in rows) == pytest.approx(expected, abs=6e-6)
    for row, (bar, name, _, stop, target) in zip(rows, golden.first, strict=False):
        assert (row["bar_index"], row["tag"] or row["direction"]) == (bar, name)
        assert (row["stop_loss"], row["take_profit"]) == (stop, target)


def _agree(market: Market, strategy: str, sets: list[dict[str, Any]], preset: str) -> int:
    """Number of parameter sets that traded, after asserting that both engines agree on all of them, and batches too."""
    traded = 0
    batches = Engine(market, strategy, execution=preset, costs=COSTS)
    for params in sets:
        native, reference = both(market, strategy, params, execution=preset, costs=COSTS)
        assert_same_trades(native, reference)
        assert_same_figures(native, reference)
        assert native.identity == reference.identity
        if not any(isinstance(value, dict) for value in params.values()):  # tables have no maps
            row = batches.run_batch(pa.Table.from_pylist([params or {"cooldown_bars": 0}])).to_pylist()[0]
            assert (row["identity"], row["result_digest"]) == (native.identity, native.digest)
        traded += native.trades.num_rows > 0
    return traded


REAL = {
    "GBPUSD": {
        "bid": "GBPUSD_M5_bid.parquet",
        "ask": "GBPUSD_M5_ask.parquet",
        "symbol": "GBPUSD",
        "timeframe": "M5",
    },
    "EURUSD": {
        "file": "EURUSD_H1.parquet",
        "symbol": "EURUSD",
        "timeframe": "H1",
        "spread_pips": 0.8,
    },
    "BTCPERP": {
        "file": "BTCPERP_M1.parquet",
        "symbol": "BTCPERP",
        "timeframe": "M1",
        "spread_pips": 1,
    },
    "GOOG": {"file": "GOOG_D1.parquet", "symbol": "GOOG", "timeframe": "D1", "spread_pips": 2},
}


@pytest.fixture(scope="module", params=["synthetic", *REAL])
def market(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A synthetic market, and each of the real ones."""
    if request.param == "synthetic":
        return Market.synthetic(bars=3000, seed=11, symbol="GBPUSD")
    folder: Path = request.getfixturevalue("shared_data")
    short = tmp_path_factory.mktemp("short")

    def cut(name: str) -> Path:
        pq.write_table(pq.read_table(folder / name)[:ROWS], short / name)
        return short / name

    chosen = REAL[request.param]
    return Market.read(**{k: cut(str(v)) if k in ("bid", "ask", "file") else v for k, v in chosen.items()})


def _count(strategy: str) -> int:
    """Parameter sets of each variant of a strategy."""
    return max(2, -(-SETS // len(PINS[strategy])))


def _sets(market: Market, strategy: str, pins: dict[str, Any], preset: str) -> list[dict[str, Any]]:
    """Random sets of the search ranges: at most a fifth of them without a trade, found out with the native engine."""
    count = _count(strategy)
    if market.timeframe == "D1" and strategy == "mtf_trend_pullback":
        pins = {**pins, "htf": "W1"}
    engine = Engine(market, strategy, execution=preset, costs=COSTS)
    trading: list[dict[str, Any]] = []
    idle: list[dict[str, Any]] = []
    for seed in range(40):
        for params in random_parameters(strategy, count, seed, pins, market.timeframe):
            (trading if engine.run(params).trades.num_rows else idle).append(params)
        if len(trading) >= count:
            break
    quiet = idle[: count // 5]
    return [*trading[: count - len(quiet)], *quiet]


@pytest.mark.parametrize(("strategy", "pins"), CASES, ids=IDS)
@pytest.mark.parametrize("preset", ["realistic", "reference"])
def test_every_trade_equals_the_twins(
    market: Market, strategy: str, pins: dict[str, Any], preset: str
) -> None:
    sets = _sets(market, strategy, pins, preset)
    assert len(sets) == _count(strategy)
    assert _agree(market, strategy, sets, preset) >= 0.8 * len(sets)


@pytest.mark.parametrize("seed", range(2))
def test_every_trade_equals_the_twins_on_random_walks_with_gaps(seed: int) -> None:
    """Prices off the tick grid, jumps, holes and crossed quotes."""
    rng = np.random.default_rng(seed)
    n = 1500
    close = 1.3 + np.cumsum(rng.standard_t(3, n) * 2e-4)
    opened = np.r_[close[0], close[:-1]] + rng.normal(0, 5e-5, n)
    high = np.maximum(opened, close) + rng.exponential(1e-4, n)
    low = np.minimum(opened, close) - rng.exponential(1e-4, n)
    keep = np.sort(rng.choice(np.arange(3 * n), n, replace=False))
    labels = (1_704_110_400_000_000 + 300_000_000 * keep).tolist()
    spread = rng.normal(1e-4, 5e-5, n)
    bid = {"open": opened, "high": high, "low": low, "close": close, "volume": np.zeros(n)}
    ask = {name: column + spread if name != "volume" else column for name, column in bid.items()}
    market = Market.from_arrow(
        bars_table(labels, bid), bars_table(labels, ask), symbol="GBPUSD", timeframe="M5"
    )
    traded = 0
    for strategy, pins in CASES:
        sets = [pins, *random_parameters(strategy, 1, seed=seed, fixed=pins)]
        for preset in ("realistic", "reference"):
            traded += _agree(market, strategy, sets, preset)
    assert traded >= 2 * len(CASES), "half of the runs"


@pytest.mark.parametrize("strategy", sorted(PINS))
def test_the_signals_of_both_engines_are_the_same_table(strategy: str) -> None:
    market = Market.synthetic(bars=5000, seed=3)
    params = {**PINS[strategy][0], **({"htf": "H1"} if strategy == "mtf_trend_pullback" else {})}
    native = Engine(market, strategy).signals(params)
    reference = Engine(market, strategy, backend="python").signals(params)
    assert native.num_rows > 10
    for name in ("bar_index", "timestamp", "direction", "tag", "symbol", "order_type"):
        assert native[name].to_pylist() == reference[name].to_pylist(), name
    for name in ("entry", "stop_loss", "take_profit"):
        assert native[name].to_pylist() == pytest.approx(reference[name].to_pylist(), abs=1e-9), name


@pytest.mark.parametrize("name", ["htf_filter", "extra_htf_filter"])
def test_a_filter_that_is_none_is_one_that_passes_both(name: str) -> None:
    engine = Engine(Market.synthetic(bars=600, seed=3), "mean_reversion_z_score")
    none, both_sides = (
        engine.identity_document({"enabled_scenarios": "2", name: value}) for value in ("none", "both")
    )
    assert none == both_sides
