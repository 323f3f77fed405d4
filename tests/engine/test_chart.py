"""The chart of a backtest shows its trades, all of them, and hides nothing of its prices and equity."""

from __future__ import annotations

import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sweep import Engine, Market
from sweep.chart.data import CANDLES, POINTS, Prices, thinned
from sweep.engine import Backtest
from sweep.errors import SweepError
from tests.engine.support import run_script

PARAMS = {"fast_period": 5, "slow_period": 30}


def backtest(bars: int, backend: Any = "rust", **options: Any) -> Backtest:
    market = Market.synthetic(bars=bars, seed=3)
    return Engine(market, "ma_cross", backend=backend, **options).run(PARAMS)


def traces(result: Backtest) -> dict[str, Any]:
    """Traces of the figure by name."""
    figure = result.plot()
    assert len({trace.name for trace in figure.data}) == len(figure.data)
    return {trace.name: trace for trace in figure.data}


def micros(values: Any) -> list[int]:
    return list(np.asarray(values, dtype="datetime64[us]").astype(np.int64).tolist())


def column(result: Backtest, name: str) -> list[Any]:
    values = result.trades[name]
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    return list(values.to_pylist())


@pytest.mark.parametrize("backend", ["rust", "python"])
@pytest.mark.parametrize("execution", ["realistic", "reference"])
def test_the_traces_are_the_rows_of_the_trades_table(backend: str, execution: str) -> None:
    result = backtest(900, backend, execution=execution)
    count = result.trades.num_rows
    assert count >= 20
    shown = traces(result)
    assert micros(shown["exits"].x) == column(result, "exit_time")
    assert list(shown["exits"].y) == column(result, "exit_price")
    for side in ("long", "short"):
        rows = [k for k, s in enumerate(column(result, "direction")) if s == side]
        assert micros(shown[f"{side} entries"].x) == [column(result, "entry_time")[k] for k in rows]
        assert list(shown[f"{side} entries"].y) == [column(result, "entry_price")[k] for k in rows]
    for name, start, end in (
        ("trades", "entry_price", "exit_price"),
        ("stops", "initial_stop_loss", "initial_stop_loss"),
        ("targets", "take_profit", "take_profit"),
    ):
        trace = shown[name]
        assert len(trace.x) == len(trace.y) == 3 * count
        assert micros(trace.x[0::3]) == column(result, "entry_time")
        assert micros(trace.x[1::3]) == column(result, "exit_time")
        assert list(trace.y[0::3]) == column(result, start)
        assert list(trace.y[1::3]) == column(result, end)
        assert np.isnan(trace.y[2::3]).all(), "pieces are not joined"
    for text, reason, result_money in zip(
        shown["exits"].text, column(result, "reason"), column(result, "result"), strict=True
    ):
        assert reason in text
        assert f"{result_money:,.2f}" in text
    assert "moved stops" not in shown
    left = len(shown["still open"].x) if "still open" in shown else 0
    assert left == len(result.open_positions) == (1 if execution == "reference" else 0)


def test_missing_targets_and_moved_stops_are_drawn_as_such() -> None:
    result = backtest(900)
    table = result.trades
    odd = pa.array([k % 2 == 1 for k in range(table.num_rows)])
    without = pc.if_else(odd, pa.scalar(None, pa.float64()), table["take_profit"])
    moved = pc.if_else(odd, table["entry_price"], table["stop_loss"])
    for name, values in (("take_profit", without), ("stop_loss", moved)):
        table = table.set_column(table.schema.get_field_index(name), name, values)
    shown = traces(replace(result, trades=table))
    assert len(shown["targets"].x) == 3 * (table.num_rows - odd.true_count)
    assert len(shown["moved stops"].x) == odd.true_count > 0
    assert list(shown["moved stops"].y) == column(result, "entry_price")[1::2]


def test_nothing_traded_is_a_chart_of_prices_and_equity() -> None:
    result = backtest(900)
    shown = traces(replace(result, trades=result.trades.slice(0, 0), open_positions=()))
    assert list(shown) == ["EURUSD bid", "equity", "drawdown"]


def test_few_bars_are_candles_and_many_a_line_with_the_same_extremes() -> None:
    few = traces(backtest(900))["EURUSD bid"]
    assert (few.type, len(few.x)) == ("candlestick", 900)
    result = backtest(100_000)
    shown = traces(result)
    assert shown["EURUSD bid"].type == "scatter"
    assert (
        max(len(trace.x) for name, trace in shown.items() if name not in ("trades", "stops", "targets"))
        <= POINTS
    )
    bars = result.markets[0].to_table()
    assert max(shown["high"].y) == pc.max(bars["bid_high"]).as_py()
    assert min(shown["low"].y) == pc.min(bars["bid_low"]).as_py()
    assert shown["EURUSD bid"].y[-1] == bars["bid_close"][-1].as_py()
    assert len(shown["exits"].x) == result.trades.num_rows
    for name in ("equity", "drawdown"):
        drawn, samples = shown[name].y, result.equity[name].to_numpy()
        assert (drawn[0], drawn[-1]) == (samples[0], samples[-1])
        assert (min(drawn), max(drawn)) == (samples.min(), samples.max())
        assert set(drawn) <= set(samples), "every point is a sample"


def test_only_the_traded_bars_are_shown() -> None:
    market = Market.synthetic(bars=900, seed=3)
    start = market.to_table()["timestamp"][500].as_py()
    result = Engine(market.window(start, None), "ma_cross").run(PARAMS)
    (prices,) = (Prices.of(m, result.equity["timestamp"].cast(pa.int64())[0].as_py()) for m in result.markets)
    assert prices.bars == result.equity.num_rows - 1 == 400


@pytest.mark.parametrize("count", [1, CANDLES, POINTS, POINTS + 1, 10 * POINTS + 7])
def test_thinning_keeps_the_ends_and_the_extremes_of_every_part(count: int) -> None:
    value = np.random.default_rng(count).normal(size=count)
    at = thinned(value)
    assert len(at) <= POINTS
    assert (np.diff(at) > 0).all()
    assert {0, count - 1, int(value.argmin()), int(value.argmax())} <= set(at.tolist())
    assert count > POINTS or len(at) == count


def test_every_symbol_has_a_panel_of_its_own() -> None:
    result = backtest(900)
    other = Market.synthetic(bars=900, seed=4, symbol="GBPUSD")
    names = ["GBPUSD" if k % 3 == 0 else "EURUSD" for k in range(result.trades.num_rows)]
    index = result.trades.schema.get_field_index("symbol")
    table = result.trades.set_column(index, "symbol", pa.array(names).dictionary_encode())
    figure = replace(result, trades=table, markets=(*result.markets, other)).plot()
    exits = {trace.yaxis: len(trace.x) for trace in figure.data if trace.name == "exits"}
    assert exits == {"y": names.count("EURUSD"), "y2": names.count("GBPUSD")}
    assert {trace.yaxis for trace in figure.data if trace.name in ("equity", "drawdown")} == {"y3", "y4"}


def test_an_image_has_the_signature_and_the_size_of_a_png(tmp_path: Path) -> None:
    from matplotlib.image import imread

    result = backtest(3000)
    result.plot(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (1600, 1000)

    def red(result: Backtest) -> int:
        result.plot(tmp_path / "b.png")
        pixels = imread(BytesIO((tmp_path / "b.png").read_bytes()))[:600]
        return int(((pixels[..., 0] > 0.6) & (pixels[..., 1] < 0.25)).sum())

    assert red(result) > 100, "stops and lost trades"
    assert red(replace(result, trades=result.trades.slice(0, 0))) == 0


def test_a_page_needs_no_network(tmp_path: Path) -> None:
    result = backtest(900)
    figure = result.plot(str(tmp_path / "a.html"))
    page = (tmp_path / "a.html").read_text()
    assert "<script src=" not in page
    assert "long entries" in page
    figure.write_html(tmp_path / "b.html")
    assert (tmp_path / "b.html").stat().st_size > 1_000_000


def test_what_cannot_be_drawn_or_written_says_why(tmp_path: Path) -> None:
    result = backtest(900)
    for call, code in (
        (lambda: result.plot(tmp_path / "a.svg"), 1001),
        (lambda: result.plot(tmp_path / "a"), 1001),
        (lambda: result.plot(tmp_path / "no" / "a.png"), 3000),
        (lambda: run_script(result.markets[0], {}, []).plot(), 1007),
    ):
        with pytest.raises(SweepError) as caught:
            call()
        assert caught.value.code == code
