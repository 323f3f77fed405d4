"""One strategy written three ways gives the same trades: native, as a vectorised function, bar by bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sweep
from tests.engine.support import market_of_golden
from tests.strategies.support import BAR, CROSS, code
from tests.vectors.strategies import GOLDEN_SIGNALS

WAYS = ("native", "signals", "signals on the reference engine", "python")
SETS: list[dict[str, Any]] = [
    {},
    {"fast": 8, "slow": 30, "sl_atr": 1.25, "tp_r": 1.5},
    {"be_r": 0.75, "be_buffer_pips": 0.5},
    {"trail_atr": 2.5, "trail_start_r": 0.5},
    {"max_holding_bars": 24, "cooldown_bars": 6},
    {"direction_filter": "short", "round_digits": 4},
    {"be_r": 0.5, "trail_atr": 1.5, "max_holding_bars": 48, "direction_filter": "long", "atr_period": 20},
]


def engine(way: str, market: sweep.Market | list[sweep.Market], **options: Any) -> sweep.Engine:
    match way:
        case "native":
            return sweep.Engine(market, "ma_cross", **options)
        case "signals":
            return sweep.Engine(market, code("signals", CROSS, "ma_cross_signals"), **options)
        case "python":
            return sweep.Engine(market, code("python", BAR, "MaCross"), **options)
    return sweep.Engine(market, code("signals", CROSS, "ma_cross_signals"), backend="python", **options)


def native_names(params: dict[str, Any]) -> dict[str, Any]:
    """The same parameters in the words of `ma_cross`, with reverse off."""
    words = {"fast": "fast_period", "slow": "slow_period"}
    # The function's ATR of the stop is that of the native trailing stop, its own trailing stop has 14 bars.
    return {"reverse": False, **{words.get(name, name): value for name, value in params.items()}}


@pytest.mark.parametrize("preset", ["realistic", "reference"])
@pytest.mark.parametrize("params", SETS, ids=lambda p: " ".join(p) or "defaults")
def test_the_trades_are_identical(params: dict[str, Any], preset: str) -> None:
    market = sweep.Market.synthetic(bars=3000, seed=11)
    options: dict[str, Any] = {"execution": preset, "costs": {"slippage": {"random_pips": 0.3}}}
    own = {"trail_atr_period": params["atr_period"]} if "atr_period" in params else {}
    results = [
        engine(way, market, **options).run(native_names(params) if way == "native" else {**params, **own})
        for way in WAYS
    ]
    assert results[0].trades.num_rows >= 15
    assert len({result.digests["trades"] for result in results}) == 1
    assert len({result.digest for result in results}) == 1


def test_the_trades_are_identical_on_a_real_market(shared_data: Path) -> None:
    sides = [shared_data / f"GBPUSD_M5_{side}.parquet" for side in ("bid", "ask")]
    market = sweep.Market.read(bid=sides[0], ask=sides[1], symbol="GBPUSD", timeframe="M5")
    results = [engine(way, market).run({"reverse": False} if way == "native" else {}) for way in WAYS[:3]]
    assert results[0].trades.num_rows > 30
    assert len({result.digest for result in results}) == 1


def test_several_symbols_have_a_call_each() -> None:
    markets = [
        sweep.Market.synthetic(bars=1500, seed=seed, symbol=symbol)
        for seed, symbol in ((3, "EURUSD"), (4, "GBPUSD"))
    ]
    results = [engine(way, markets).run({"reverse": False} if way == "native" else {}) for way in WAYS]
    assert set(results[0].trades["symbol"].to_pylist()) == {"EURUSD", "GBPUSD"}
    assert len({result.digest for result in results}) == 1


@pytest.mark.parametrize("way", WAYS[1:])
def test_the_signals_are_the_golden_ones(way: str) -> None:
    golden = next(g for g in GOLDEN_SIGNALS if g.strategy == "ma_cross" and g.name == "defaults")
    table = engine(way, market_of_golden()).signals()
    assert table.num_rows == golden.long + golden.short == 20
    native = sweep.Engine(market_of_golden(), "ma_cross").signals()
    assert table.to_pylist() == native.to_pylist()


@pytest.mark.parametrize("way", WAYS[1:])
def test_the_identity_names_kind_version_and_text(way: str) -> None:
    import json
    from hashlib import sha256

    made = engine(way, market_of_golden())
    strategy = json.loads(made.identity_document())["strategy"]
    path = BAR if way == "python" else CROSS
    kind = "python:MaCross" if way == "python" else "signals:ma_cross_signals"
    assert strategy == {"id": kind, "version": f"1.0.0+sha256.{sha256(path.read_bytes()).hexdigest()}"}


def test_a_batch_gives_what_single_runs_give() -> None:
    import pyarrow as pa

    table = pa.table({"fast": [10, 20, 10, 60], "slow": [50, 40, 50, 50], "tp_r": [3.0, 2.0, 3.0, 1.0]})
    market = sweep.Market.synthetic(bars=3000, seed=11)
    by_way = {way: engine(way, market).run_batch(table, returns=True) for way in WAYS[1:]}
    for way, result in by_way.items():
        rows = result.to_pylist()
        assert [row["status"] for row in rows] == ["COMPLETE"] * 3 + ["FAILED"]
        assert (rows[3]["kind"], "fast < slow" in rows[3]["reason"]) == ("INVALID_PARAMS", True)
        assert rows[0]["result_digest"] == rows[2]["result_digest"] != rows[1]["result_digest"]
        single = engine(way, market).run({"fast": 10, "slow": 50, "tp_r": 3.0})
        assert (rows[0]["identity"], rows[0]["result_digest"]) == (single.identity, single.digest)
        assert rows[0]["returns"] == by_way["signals"].to_pylist()[0]["returns"]
