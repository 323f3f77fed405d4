"""Several symbols on one portfolio, and ticks, from Python."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sweep import Engine, Market
from sweep.config.load import load
from sweep.errors import SweepError
from sweep.market.cache import DatasetCache
from sweep.market.load import load_all
from sweep.market.market import dataset_of
from tests.config.support import minimal
from tests.engine.support import assert_same_figures, assert_same_trades
from tests.several.data import SYMBOLS, UTC, generated, tick_file, ticks

OPTIONS: dict[str, Any] = {
    "costs": {"slippage": {"random_pips": 0.2}, "commission": {"schema": "per_lot", "per_lot": 2.5}}
}
PARAMS = {"fast_period": 8, "slow_period": 30}
OWN = ("position_id",)
"""Columns of trades that are numbered over the whole portfolio."""


@pytest.fixture(scope="module")
def pair() -> list[Market]:
    return [generated(symbol) for symbol in SYMBOLS]


@pytest.fixture(scope="module")
def tick_market() -> Market:
    return Market.from_arrow(ticks=ticks(), symbol="EURUSD", timeframe="M5")


def of_symbol(table: pa.Table, symbol: str) -> list[dict[str, Any]]:
    """Rows of one symbol, without what is numbered over all."""
    rows = table.filter(pc.equal(table["symbol"].cast(pa.string()), symbol))
    return rows.drop_columns([name for name in OWN if name in rows.column_names]).to_pylist()


def test_symbols_that_share_nothing_but_the_cash_trade_as_they_do_alone(pair: list[Market]) -> None:
    together = Engine(pair, "ma_cross", **OPTIONS).run(PARAMS)
    alone = {market.symbol: Engine(market, "ma_cross", **OPTIONS).run(PARAMS) for market in pair}
    for symbol, result in alone.items():
        assert result.trades.num_rows > 50
        assert of_symbol(together.trades, symbol) == of_symbol(result.trades, symbol)
    profits = [result.metrics["net_profit"] for result in alone.values()]
    assert together.metrics["net_profit"] == pytest.approx(math.fsum(map(float, profits)), abs=1e-6)  # type: ignore[arg-type]
    ids = together.trades["position_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    labels = {at for market in pair for at in market.to_table()["timestamp"].to_pylist()}
    assert together.equity.num_rows == len(labels) + 1


def test_the_portfolio_is_one(pair: list[Market]) -> None:
    one = Engine(pair, "ma_cross", execution={"max_total_positions": 1}, **OPTIONS).run(PARAMS)
    trades = sorted(
        one.trades.select(["entry_time", "exit_time", "symbol"]).to_pylist(), key=lambda t: t["entry_time"]
    )
    assert {trade["symbol"] for trade in trades} == set(SYMBOLS)
    for earlier, later in itertools.pairwise(trades):
        assert earlier["exit_time"] <= later["entry_time"]


def test_the_configured_order_decides_who_takes_the_last_slot(pair: list[Market]) -> None:
    options = {**OPTIONS, "execution": {"max_total_positions": 1}}
    here, there = Engine(pair, "ma_cross", **options), Engine(pair[::-1], "ma_cross", **options)
    assert here.run(PARAMS).digest != there.run(PARAMS).digest
    assert here.info["dataset"] == there.info["dataset"]


def test_signals_are_those_of_every_symbol_in_time(pair: list[Market]) -> None:
    table = Engine(pair, "ma_cross").signals(PARAMS)
    for market in pair:
        assert of_symbol(table, market.symbol) == of_symbol(
            Engine(market, "ma_cross").signals(PARAMS), market.symbol
        )
    times = table["timestamp"].cast(pa.int64()).to_numpy()
    assert (np.diff(times) >= 0).all()


def test_a_batch_of_several_symbols_is_its_single_runs(pair: list[Market]) -> None:
    engine = Engine(pair, "ma_cross", **OPTIONS)
    rows = engine.run_batch(pa.table({"fast_period": [5, 8], "slow_period": [20, 30]}), returns=True)
    digests = [engine.run({"fast_period": f, "slow_period": s}).digest for f, s in ((5, 20), (8, 30))]
    assert rows["result_digest"].to_pylist() == digests
    assert [len(each) for each in rows["returns"].to_pylist()] == [len(engine.dates)] * 2


def test_the_dataset_of_several_is_the_engines(pair: list[Market]) -> None:
    found = dataset_of({market.symbol: market.dataset for market in pair})
    assert found == Engine(pair, "ma_cross").info["dataset"]
    assert (
        dataset_of({"EURUSD": pair[0].dataset})
        == pair[0].dataset
        == Engine(pair[:1], "ma_cross").info["dataset"]
    )


def test_a_list_of_one_is_that_one(pair: list[Market]) -> None:
    one, listed = Engine(pair[0], "ma_cross"), Engine(pair[:1], "ma_cross")
    assert one.identity_document(PARAMS) == listed.identity_document(PARAMS)
    assert one.run(PARAMS).digest == listed.run(PARAMS).digest


WRONG: list[tuple[Any, int, str]] = [
    ([], 1008, "a market is needed"),
    (["EURUSD"], 1004, "a Market, or a list of them, is needed, not str"),
    (5, 1004, "a Market, or a list of them, is needed, not int"),
    ([generated("EURUSD"), generated("EURUSD", seed=9)], 1001, "EURUSD is there twice"),
    (
        [generated("EURUSD"), generated("GBPUSD", timeframe="H1")],
        1001,
        "GBPUSD has bars of H1, EURUSD of M15",
    ),
    (
        [generated("EURUSD"), Market.from_arrow(ticks=ticks(500), symbol="GBPUSD", timeframe="M15")],
        4001,
        "ticks of several symbols",
    ),
]


@pytest.mark.parametrize(
    ("markets", "code", "what"), WRONG, ids=lambda value: value if isinstance(value, str) else ""
)
def test_markets_that_do_not_go_together_are_refused(markets: Any, code: int, what: str) -> None:
    with pytest.raises(SweepError) as caught:
        Engine(markets, "ma_cross")
    assert (caught.value.code, caught.value.stage) == (code, "config")
    assert what in caught.value.message


def test_trading_days_of_several_symbols_are_the_same() -> None:
    bars = generated("EURUSD", bars=500).to_table()
    side = pa.table(
        {"timestamp": bars["timestamp"], **{k: bars[f"bid_{k}"] for k in ("open", "high", "low", "close")}}
    )
    day = {"zone": "America/New_York", "start_hour": 17}
    here = Market.from_arrow(side, symbol="EURUSD", timeframe="M15", spread_pips=1)
    there = Market.from_arrow(side, symbol="GBPUSD", timeframe="M15", spread_pips=1, day=day)
    with pytest.raises(SweepError, match=r"\[1001\] GBPUSD has another day than EURUSD"):
        Engine([here, there], "ma_cross")


def test_ticks_trade_at_quotes(tick_market: Market) -> None:
    result = Engine(tick_market, "ma_cross", execution={"market_fill": "next_open"}).run(PARAMS)
    assert result.trades.num_rows > 20
    quotes: dict[Any, set[float]] = {}
    for row in ticks().to_pylist():
        quotes.setdefault(row["timestamp"], set()).update((row["bid"], row["ask"]))
    for trade in result.trades.to_pylist():
        assert trade["entry_price"] in quotes[trade["entry_time"]]
        assert trade["exit_price"] in quotes[trade["exit_time"]]


def test_rows_of_ticks_are_shared_and_make_the_market_again(tick_market: Market) -> None:
    rows = tick_market.rows()
    again = Market.from_table(rows, tick_market.meta)
    assert (again.kind, again.digest, again.bars) == ("ticks", tick_market.digest, tick_market.bars)
    assert Engine(again, "ma_cross").run(PARAMS).digest == Engine(tick_market, "ma_cross").run(PARAMS).digest
    for name in rows.column_names:
        places = [table[name].chunk(0).buffers()[1].address for table in (rows, again.rows())]
        assert places[0] == places[1]


def test_the_window_of_ticks_ends_at_its_tick(tick_market: Market) -> None:
    middle = tick_market.to_table()["timestamp"].cast(pa.int64())[tick_market.bars // 2].as_py()
    windows = [tick_market.window(None, middle + seconds * 1_000_000) for seconds in (60, 200)]
    assert windows[0].bars == windows[1].bars
    assert windows[0].digest != windows[1].digest
    assert windows[1].rows()["timestamp"][-1].as_py() < pa.scalar(middle + 200_000_000, UTC).as_py()


def test_the_cache_tells_windows_of_ticks_apart(tmp_path: Path) -> None:
    cache, middle = DatasetCache(tmp_path / "home"), "2020-01-06T12:0"
    keys = {"symbol": "EURUSD", "timeframe": "M5", "ticks": tick_file(tmp_path)}
    for _ in ("made", "found"):
        for end in (f"{middle}1:00Z", f"{middle}3:20Z"):
            section = load({**minimal(), "market": {**keys, "window": [None, end]}}).markets[0]
            [market] = load_all([section], cache=cache)
            assert market.digest == market.hashed()
            [plain] = load_all([section])
            assert (market.digest, market.meta, market.bars) == (plain.digest, plain.meta, plain.bars)


def test_the_reference_engine_agrees(pair: list[Market], tick_market: Market) -> None:
    commission = {"schema": "per_lot", "per_lot": 2.5}
    own = {"defaults": commission, "per_symbol": {SYMBOLS[1]: {"per_lot": 7.0}}}
    for markets, paid in ((pair, commission), (pair, own), ([tick_market], commission)):
        options = {"costs": {**OPTIONS["costs"], "commission": paid}}
        native = Engine(markets, "ma_cross", **options).run(PARAMS)
        twin = Engine(markets, "ma_cross", backend="python", **options).run(PARAMS)
        assert native.trades.num_rows > 0
        assert_same_trades(native, twin)
        assert_same_figures(native, twin)
