"""Helpers: the same inputs to the native and to the reference engine, and what must be equal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sweep import Engine, Market, _core
from sweep.engine import Backtest, native_backtest
from tests.vectors.check import Outcome
from tests.vectors.engine import Case
from tests.vectors.golden_g import golden_g

PRICE, MONEY, RELATIVE = 1e-9, 1e-8, 1e-9
EXACT = (
    "entry_time",
    "exit_time",
    "order_time",
    "direction",
    "reason",
    "position_id",
    "status",
    "same_bar_ambiguous",
)
TIMES = ("entry_time", "exit_time", "order_time")
PRICES = ("entry_price", "exit_price", "initial_stop_loss", "stop_loss", "take_profit")
MONIES = ("result", "entry_fee", "exit_fee", "total_fee", "size")


def bars_table(labels: Sequence[int], columns: Mapping[str, Sequence[float]]) -> pa.Table:
    """Bars as an Arrow table of the data contract."""
    stamps = pa.array(np.asarray(labels, dtype=np.int64)).cast(pa.timestamp("us", tz="UTC"))
    return pa.table(
        {"timestamp": stamps, **{k: pa.array(np.asarray(v, dtype=float)) for k, v in columns.items()}}
    )


def market_of_case(case: Case, symbol: str | None = None) -> Market:
    """The market of a vector, or of one symbol of it."""
    name = symbol or case.symbol
    if case.ticks:
        time, bid, ask = case.quotes()
        stamps = pa.array(time).cast(pa.timestamp("us", tz="UTC"))
        ticks = pa.table({"timestamp": stamps, "bid": bid, "ask": ask})
        return Market.from_arrow(ticks=ticks, symbol=name, timeframe="M1")
    sides = [bars_table(case.labels(symbol), case.columns(side, symbol)) for side in ("bid", "ask")]
    return Market.from_arrow(*sides, symbol=name, timeframe="M1")


def market_of_golden() -> Market:
    """Dataset G."""
    g = golden_g()
    return Market.from_arrow(
        bars_table(g.label.tolist(), g.bid),
        bars_table(g.label.tolist(), g.ask),
        symbol="EURUSD",
        timeframe="M15",
    )


def run_script(
    market: Market,
    options: Mapping[str, Any],
    signals: Sequence[Mapping[str, Any]],
    exits: Sequence[Mapping[str, Any]] = (),
    rules: Mapping[str, Any] | None = None,
    rates: Mapping[str, Market] | None = None,
) -> Backtest:
    """A table of signals on the native engine; rows name their bar by `bar_index`, `rates` are rate series by pair."""
    labels = market.to_table()["timestamp"].cast(pa.int64()).to_pylist()

    def timed(rows: Sequence[Mapping[str, Any]]) -> str:
        return json.dumps(
            [{**{k: _finite(v) for k, v in r.items()}, "time": labels[r["bar_index"]]} for r in rows]
        )

    rules = {k: v for k, v in (rules or {}).items() if v is not None}
    texts = (json.dumps(dict(options)), timed(signals), timed(exits), json.dumps(rules))
    series = {pair: rate.core for pair, rate in (rates or {}).items()}
    return native_backtest(_core.run_signals(market.core, *texts, series))


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity; they cross as text."""
    return value if not isinstance(value, float) or np.isfinite(value) else str(value)


def run_case(case: Case) -> Backtest:
    """A vector on the native engine."""
    signals, exits = (
        [row for name in case.symbols for row in case.rows_of(rows, name)]
        for rows in (case.signals, case.exits)
    )
    tables = (
        json.dumps([{**{k: _finite(v) for k, v in row.items()}, "time": row["timestamp"]} for row in rows])
        for rows in (signals, exits)
    )
    markets = [market_of_case(case, name).core for name in case.symbols]
    texts = (json.dumps(case.full_options()), *tables, json.dumps(dict(case.rules)))
    return native_backtest(_core.run_signals(markets, *texts, {}))


def outcome_of(result: Backtest) -> Outcome:
    """A result as vectors see it."""
    times = {name: pc.cast(result.trades[name], pa.int64()).to_pylist() for name in TIMES}
    trades = [
        {**row, **{name: column[k] for name, column in times.items()}}
        for k, row in enumerate(result.trades.to_pylist())
    ]
    return Outcome(
        trades=trades,
        open=result.open_positions,
        pending=result.pending_orders,
        ended=result.ended_orders,
        equity=result.equity["equity"].to_pylist(),
        cash=result.equity["balance"].to_pylist()[-1],
        metrics=result.metrics,
        summary=result.summary,
        blocked=result.blocked_bars,
        rejections=result.rejections,
        counts=vars(result),
    )


def both(
    market: Market, strategy: str, params: Mapping[str, Any], **options: Any
) -> tuple[Backtest, Backtest]:
    """One parameter set on the native and on the reference engine."""
    native = Engine(market, strategy, **options).run(params)
    return native, Engine(market, strategy, backend="python", **options).run(params)


def assert_same_trades(native: Backtest, reference: Backtest) -> None:
    """Times, reasons and order exactly; prices within 1e-9, money within 1e-8."""
    ours, theirs = native.trades, reference.trades
    assert ours.num_rows == theirs.num_rows
    for name in EXACT:
        assert ours[name].to_pylist() == theirs[name].to_pylist(), name
    for names, tolerance in ((PRICES, PRICE), (MONIES, MONEY)):
        for name in names:
            a, b = (np.array(t[name].to_pylist(), dtype=float) for t in (ours, theirs))
            assert np.array_equal(np.isnan(a), np.isnan(b)), name
            assert np.nanmax(np.abs(a - b), initial=0.0) <= tolerance, name


def assert_same_figures(native: Backtest, reference: Backtest) -> None:
    """Metrics within 1e-9 relative, null where the other is null; counts and blocked bars exactly."""
    assert list(native.metrics) == list(reference.metrics)
    for name, value in reference.metrics.items():
        own = native.metrics[name]
        assert (own is None) == (value is None), name
        if own is not None and value is not None:
            assert abs(own - value) <= RELATIVE * max(1.0, abs(value)), name
    assert native.rejections == reference.rejections
    assert native.blocked_bars == reference.blocked_bars
    assert (native.sizes_raised, native.sizes_capped) == (reference.sizes_raised, reference.sizes_capped)
    assert native.ruined_at == reference.ruined_at


def assert_identical(native: Backtest, reference: Backtest) -> None:
    """Every digest equal: the same bytes."""
    assert_same_trades(native, reference)
    assert_same_figures(native, reference)
    assert native.digests == reference.digests


def random_parameters(
    strategy: str,
    count: int,
    seed: int,
    fixed: Mapping[str, Any] | None = None,
    timeframe: str = "M5",
    *,
    options: bool = True,
) -> list[dict[str, Any]]:
    """Parameter sets drawn from the declared search ranges, invalid ones left out; with `options` other keys too."""
    declaration = next(d for d in json.loads(_core.strategies()) if d["id"] == strategy)
    rng = np.random.default_rng(seed)
    sets: list[dict[str, Any]] = []
    while len(sets) < count:
        raw = {
            p["name"]: _draw(p["ranges"][0], p["type"], rng) for p in declaration["parameters"] if p["ranges"]
        }
        if options:
            raw |= _options(declaration["parameters"], rng)
        raw |= dict(fixed or {})
        if "6" in str(raw.get("enabled_scenarios", "")):
            raw |= random_overlay(rng, timeframe)
        answer = json.loads(_core.canonicalise(strategy, timeframe, json.dumps([raw])))[0]
        if not answer["problems"]:
            sets.append(raw)
    return sets


RARELY = {
    "garch_omega": [1e-6, 0.01],
    "garch_scale": [1.0, 1e4],
    "garch_sigma_floor": [1e-6, 0.1],
    "intraday_vol_min_points": [10, 40],
    "round_digits": [4, 5],
}
"""Values of numbers that are not searched by default."""


def _options(parameters: list[dict[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    """Every third of the choices, switches and numbers that have no search range, drawn from all that they can be."""
    drawn: dict[str, Any] = {}
    for p in parameters:
        values = {"bool": [False, True], "categorical": p["domain"]["choices"]}.get(p["type"]) or RARELY.get(
            p["name"]
        )
        if not p["ranges"] and values and rng.random() < 0.33:
            drawn[p["name"]] = values[int(rng.integers(len(values)))]
    return drawn


OVERLAY = {
    "window_length": (3, 40),
    "b_b_length": (2, 20),
    "std_factor": (0.0, 1.5),
    "kalman_r": (0.1, 1.0),
    "kalman_q": (0.05, 1.0),
}
"""Ranges within which markets of some thousand bars have entries of scenario 6."""
MINUTES = {"M1": 1, "M5": 5, "M15": 15, "M30": 30, "H1": 60, "H4": 240, "D1": 1440, "W1": 10080}


def random_overlay(rng: np.random.Generator, timeframe: str) -> dict[str, Any]:
    """One to three timeframes, some values in the map, some by flat names, the rest the strategy's own."""
    own = MINUTES[timeframe]
    known = ["PRIMARY", *(name for name, minutes in MINUTES.items() if own < minutes <= 48 * own)]
    chosen = rng.permutation(known)[: 1 + int(rng.integers(3))].tolist()
    raw: dict[str, Any] = {"scenario6_mode": str(rng.choice(["all", "any"])), "scenario6_params": {}}
    for name in chosen:
        block = {"short" if rng.random() < 0.3 else "long": _overlay_values(rng, ())}
        raw["scenario6_params"][name] = block if rng.random() < 0.3 else _overlay_values(rng, ())
        for direction, sign in (("long", -1), ("short", 1)):
            flat = _overlay_values(rng, (("z_score", sign),))
            raw |= {f"scenario6_{name}_{direction}_{key}": value for key, value in flat.items()}
    return {**raw, "scenario6_timeframes": chosen}


def _overlay_values(rng: np.random.Generator, thresholds: Sequence[tuple[str, int]]) -> dict[str, Any]:
    values: dict[str, Any] = {name: sign * float(rng.uniform(0.05, 1.0)) for name, sign in thresholds}
    for key, (low, high) in OVERLAY.items():
        if rng.random() < 0.5:
            whole = isinstance(low, int)
            values[key] = int(rng.integers(low, high + 1)) if whole else float(rng.uniform(low, high))
    return values


def _draw(searched: Mapping[str, Any], kind: str, rng: np.random.Generator) -> Any:
    if searched["choices"]:
        return searched["choices"][int(rng.integers(len(searched["choices"])))]
    low, high, step = searched["low"], searched["high"], searched["step"]
    if searched["log"]:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if step:
        value = low + step * int(rng.integers(round((high - low) / step) + 1))
        return int(value) if kind == "int" else round(value, 10)
    return int(rng.integers(low, high + 1)) if kind == "int" else float(rng.uniform(low, high))
