"""The engine alone: CPU time per bar on one core, with full metrics, costs and digests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.measure import calibrate, interleaved, line
from sweep import Engine, Market, _core
from sweep.arrow import read_all

BARS = 100_000
ACCOUNT = {"initial_balance": 1_000_000.0}
"""Enough for every pair to trade to the end: a ruined account costs nothing."""
COSTS = {
    "slippage": {"fixed_pips": 0.2, "random_pips": 0.3},
    "commission": {"schema": "per_lot", "per_lot": 2.5},
}


PAIRS = [(fast, slow) for fast in range(5, 15) for slow in range(30, 130, 10)]

SEARCH = "default search of"
SETS = 16
"""Of a strategy's whole search, drawn at random: with every kind of exit, filter and pause."""
COLD = 4
"""Of those, where every set computes its own series."""
SYMBOLS = ("EURUSD", "GBPUSD", "AUDUSD")


def run() -> Iterator[str]:
    """ns per bar of single backtests and of batches, series cold and warm."""
    times = interleaved(work(), rounds=7)
    for name, seconds in times.items():
        if name != "calibration":
            yield line(name, seconds, BARS * _backtests(name), "bar", times["calibration"])
    yield from _crowd()


def _backtests(name: str) -> int:
    """Backtests of a work, one of each symbol where there are several."""
    if name.startswith(SEARCH):
        return COLD if name.endswith("cold") else SETS
    if "100" in name:
        return len(PAIRS)
    return len(SYMBOLS) if "symbols" in name else 1


def work() -> dict[str, Callable[[], object]]:
    """What is timed, each done once already, with the calibration loop."""
    market = Market.synthetic(bars=BARS, seed=7)
    crosses = pa.table(
        {
            "fast_period": [p[0] for p in PAIRS],
            "slow_period": [p[1] for p in PAIRS],
            "ma_type": ["sma"] * len(PAIRS),
        }
    )
    scenario = pa.table({"enabled_scenarios": ["2"], "window_length": [100], "z_score_long": [-2.0]})
    ma_cross = Engine(market, "ma_cross", costs=COSTS, account=ACCOUNT)
    reversion = Engine(market, "mean_reversion_z_score", costs=COSTS, account=ACCOUNT)

    several = [Market.synthetic(symbol=symbol, bars=BARS, seed=7 + k) for k, symbol in enumerate(SYMBOLS)]
    together = Engine(several, "ma_cross", costs=COSTS, account=ACCOUNT)

    def cold() -> None:
        Engine(market, "ma_cross", costs=COSTS, account=ACCOUNT, cache_bytes=0).run_batch(crosses.slice(0, 1))

    made: dict[str, Callable[[], object]] = {
        "calibration": calibrate,
        "ma_cross, one backtest, series cold": cold,
        "ma_cross, one backtest, series warm": lambda: ma_cross.run_batch(crosses.slice(0, 1)),
        "ma_cross, batch of 100": lambda: ma_cross.run_batch(crosses),
        "ma_cross, three symbols": lambda: together.run_batch(crosses.slice(0, 1)),
        "mean_reversion_z_score 2, series warm": lambda: reversion.run_batch(scenario),
    }
    for strategy in json.loads(_core.strategies()):
        made[f"{SEARCH} {strategy['id']}, series warm"] = _searched(market, strategy)
        if strategy["id"] == "mean_reversion_z_score":
            for scenarios in ("4", "5"):
                name = f"{SEARCH} {strategy['id']} {scenarios}, series cold"
                made[name] = _searched(market, strategy, warm=False, enabled_scenarios=scenarios)
    for call in made.values():
        call()
    return made


def _searched(
    market: Market, declared: Mapping[str, Any], *, warm: bool = True, **pinned: object
) -> Callable[[], object]:
    """Backtests of sets drawn from all that a strategy searches, with some of it pinned."""
    from sweep.executors.worker import table_of
    from sweep.samplers.stream import random_stream
    from sweep.space import Space

    timeframe = market.meta["timeframe"]
    space = Space.build(
        declaration=declared, timeframe=timeframe, pinned=pinned, space={}, others="search", measured=False
    )
    evaluations = space.evaluate(random_stream(space, 7).points(0, 20 * SETS))
    valid = [each.candidate.params for each in evaluations if each.candidate is not None]
    table = table_of(valid[:SETS])
    assert table.num_rows == SETS

    def engine() -> Engine:
        return Engine(market, str(declared["id"]), costs=COSTS, account=ACCOUNT)

    if not warm:
        return lambda: engine().run_batch(table.slice(0, COLD))
    kept = engine()
    return lambda: kept.run_batch(table)


def _crowd() -> Iterator[str]:
    """1,000 signals at one bar, and bars with 1,000 open positions: what they add to the same run without them.

    Seconds are those of the engine: from the columns of the table to the digests.
    """
    market = Market.synthetic(bars=4000, seed=7)
    labels = market.to_table()["timestamp"].cast(pa.int64()).to_pylist()
    price = float(pc.mean(market.to_table()["bid_close"]).as_py())
    unlimited = {"max_positions": None, "end_of_data": "leave_open"}
    exits = {"bar": pa.int64(), "direction": pa.int8(), "cancel": pa.int8()}
    nothing = _core.SignalRows(pa.table({name: pa.array([], kind) for name, kind in exits.items()}))

    def script(bar: int, start: int, end: int, **execution: object) -> Callable[[], float]:
        table = pa.table(
            {
                "bar": pa.array([bar] * 1000, pa.int64()),
                "direction": pa.array([1] * 1000, pa.int8()),
                "stop_loss": [price - 0.6] * 1000,
                "take_profit": [price + 0.6] * 1000,
                "size": [0.01] * 1000,
            }
        )
        entries = _core.SignalRows(table)
        core = market.core.window(labels[start], labels[end], start)
        told = {"id": "signals:crowd", "version": "1", "parameters": []}
        options = {"execution": {**unlimited, **execution}, "declaration": told}
        engine = _core.Engine(core, json.dumps(options))

        def seconds() -> float:
            batch = _core.gather([_core.play(engine, "{}", [(entries, nothing)], False)], [0.0])
            return float(read_all(batch.to_table(False))["seconds"][0].as_py())

        return seconds

    at_close = {"market_fill": "signal_close", "equity": "realised"}
    work = {
        "none open": script(0, 1, 3999),
        "open": script(1, 1, 3999),
        "not acting": script(1999, 2000, 2001, **at_close),
        "acting": script(2000, 2000, 2001, **at_close),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(60):
        for name, call in work.items():
            times[name].append(call())
    for name, with_them, without, count, unit, bar in (
        ("1,000 open positions: exits, equity", "open", "none open", 3998, "bar", "0.05 ms per bar"),
        ("1,000 signals: checked, sized, filled", "acting", "not acting", 1000, "signal", "0.1 ms in all"),
    ):
        usual, fastest = (of(times[with_them]) - of(times[without]) for of in (median, min))
        yield (
            f"{name:<42} {usual / count * 1e9:10.1f} ns per {unit} (fastest {fastest / count * 1e9:.1f}), "
            f"{usual * 1e3:.3f} ms in all (fastest {fastest * 1e3:.3f}); the bar is {bar}"
        )
    whole = median(times["acting"])
    yield f"{'1,000 signals: table read too, 1 bar':<42} {whole * 1e6:10.1f} ns per signal, {whole * 1e3:8.3f} ms in all"
