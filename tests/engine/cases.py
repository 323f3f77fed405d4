"""Random backtests of everything that the engine does: market, options, signals, exits, rules, from one number.

The same case runs on the native and on the reference engine. `tally` counts what a run of cases has exercised.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sweep import Market, _core
from sweep.engine import Backtest, native_backtest
from sweep.engine_python import _plain
from sweep.reference.engine import run as run_reference
from sweep.reference.result import ReferenceResult
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.vectors.engine import MINUTE_US, SPECS, START_US

Rng = np.random.Generator
Row = dict[str, Any]
RATES = {"EURUSD": 1.25, "USDJPY": 150.0}
PRICES = {"EURUSD": (1.1, 1e-5), "USDJPY": (150.0, 1e-3)}
KINDS = ("bars", "symbols", "ticks")


@dataclass(frozen=True)
class Case:
    """One scripted backtest."""

    kind: str
    markets: tuple[Market, ...]
    options: Mapping[str, Any]
    signals: Sequence[Row]
    exits: Sequence[Row]
    rules: Mapping[str, Any]


def make(seed: int) -> Case:
    """The case of a number."""
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(KINDS, p=(0.7, 0.15, 0.15)))
    symbols = ["EURUSD", "USDJPY"] if kind == "symbols" else [str(rng.choice(list(PRICES)))]
    markets = tuple(_ticks(rng, symbols[0]) if kind == "ticks" else _bars(rng, symbol) for symbol in symbols)
    signals = [row for market in markets for row in _signals(rng, market)]
    exits = [row for market in markets for row in _exits(rng, market)]
    options = _options(rng)
    rules = _rules(rng, markets)
    # Drawn apart, so that the rest of a case is what its number makes it without gates.
    drawn = np.random.default_rng([seed, 1])
    options["gates"] = _gates(drawn, markets)
    rules["cooldown_bars"] = int(drawn.choice([0, 0, 0, 1, 3]))
    order = {market.symbol: k for k, market in enumerate(markets)}
    for rows in (signals, exits):
        rows.sort(key=lambda row: (row["timestamp"], order[row["symbol"]]))
    return Case(kind, markets, options, signals, exits, rules)


def native(case: Case) -> Backtest:
    """The case on the native engine."""

    def rows(table: Sequence[Row]) -> str:
        return json.dumps([{**row, "time": row["timestamp"]} for row in table])

    rules = {name: value for name, value in case.rules.items() if value is not None}
    markets = [market.core for market in case.markets]
    options = {**case.options, "gates": list(case.options["gates"].items())}
    texts = (json.dumps(options), rows(case.signals), rows(case.exits), json.dumps(rules))
    return native_backtest(_core.run_signals(markets, *texts))


def reference(case: Case) -> ReferenceResult:
    """The case on the reference engine."""
    scripts = [
        SignalTable(
            [row for row in case.signals if row["symbol"] == market.symbol],
            [row for row in case.exits if row["symbol"] == market.symbol],
            Rules(**case.rules),
        )
        for market in case.markets
    ]
    return run_reference([_plain(market) for market in case.markets], case.options, scripts, {})


def assert_same(ours: Backtest, theirs: ReferenceResult) -> None:
    """Every byte of every table, and every count."""
    assert ours.digests == theirs.digests
    assert ours.rejections == theirs.rejections
    assert ours.blocked_bars == theirs.blocked_bars
    assert ours.summary == theirs.summary
    assert ours.ruined_at == theirs.ruined_at
    assert ours.invalid_modify == theirs.invalid_modify
    assert ours.outside_window == theirs.outside_window
    assert (ours.sizes_raised, ours.sizes_capped) == (theirs.sizes_raised, theirs.sizes_capped)
    for name in ("pending_orders", "ended_orders"):
        assert list(getattr(ours, name)) == list(getattr(theirs, name)), name
    for own, other in zip(ours.open_positions, theirs.open_positions, strict=True):
        assert own == {name: other[name] for name in own}


def tally(results: Iterable[Backtest]) -> Counter[str]:
    """How often order types, reasons of exits and of ends, rejections and kinds of blocks occurred."""
    seen: Counter[str] = Counter()
    for result in results:
        seen["cases"] += 1
        rows = result.trades.to_pylist()
        seen["traded"] += bool(rows)
        seen.update(f"order {row['order_type']}" for row in rows)
        seen.update(f"exit {row['reason']}" for row in rows)
        seen["ambiguous"] += sum(row["same_bar_ambiguous"] for row in rows)
        seen.update(f"ended {row['reason']}" for row in result.ended_orders)
        seen.update({f"rejected {reason}": n for reason, n in result.rejections.items()})
        seen.update({f"blocked {cause}": n for cause, n in result.blocked_bars.items()})
        seen["open"] += len(result.open_positions)
        seen["pending"] += len(result.pending_orders)
        seen["invalid_modify"] += result.invalid_modify
        seen["raised"] += result.sizes_raised
        seen["capped"] += result.sizes_capped
        seen["ruined"] += result.ruined_at is not None
    return seen


WANTED = (
    *(f"order {name}" for name in ("market", "limit", "stop")),
    *(
        f"exit {name}"
        for name in (
            "stop_loss",
            "take_profit",
            "break_even_stop_loss",
            "trailing_stop_loss",
            "timeout",
            "partial_exit",
            "signal",
            "end_of_data",
        )
    ),
    *(f"ended {name}" for name in ("limit_expired", "signal", "end_of_data")),
    *(
        f"rejected {name}"
        for name in (
            "invalid_argument",
            "invalid_side",
            "stop_too_close",
            "stop_order_passed",
            "stop_passed_at_fill",
            "target_passed_at_fill",
            "below_min_volume",
            "max_positions",
            "insufficient_margin",
            "end_of_data",
        )
    ),
    *(f"blocked {name}" for name in ("ruined", "no_slot", "sessions", "anchored", "news", "cooldown")),
    "ambiguous",
    "open",
    "pending",
    "invalid_modify",
    "raised",
    "capped",
    "ruined",
)
"""What a run of cases must have exercised."""


def _walk(rng: Rng, symbol: str, n: int) -> dict[str, np.ndarray]:
    """Open, high, low and close on the tick grid, or off it."""
    price, tick = PRICES[symbol]
    off_grid = rng.random() < 0.3

    def grid(x: np.ndarray) -> np.ndarray:
        return x if off_grid else np.round(x / tick) * tick

    step = price * 7e-4
    close = grid(price + np.cumsum(rng.standard_t(4, n) * step))
    opened = grid(np.r_[price, close[:-1]] + rng.normal(0, step / 2, n) * (rng.random(n) < 0.4))
    high = np.maximum(opened, close) + np.abs(grid(rng.exponential(step / 2, n)))
    low = np.minimum(opened, close) - np.abs(grid(rng.exponential(step / 2, n)))
    return {"open": opened, "high": high, "low": low, "close": close}


def _bars(rng: Rng, symbol: str) -> Market:
    n = int(rng.integers(40, 90))
    places = np.sort(rng.choice(np.arange(n + 12), n, replace=False))
    labels = pa.array(START_US + MINUTE_US * places.astype(np.int64)).cast(pa.timestamp("us", tz="UTC"))
    bid = _walk(rng, symbol, n)
    spread = float(rng.choice([0.0, 1.0, 3.0])) * SPECS[symbol]["pip_size"]
    sides = [
        pa.table({"timestamp": labels, **{k: v + add for k, v in bid.items()}, "volume": np.zeros(n)})
        for add in (0.0, spread)
    ]
    return Market.from_arrow(*sides, symbol=symbol, timeframe="M1")


def _ticks(rng: Rng, symbol: str) -> Market:
    n = int(rng.integers(150, 400))
    walk = _walk(rng, symbol, n)["close"]
    gaps = rng.exponential(6e6, n) * (rng.random(n) < 0.9) + (rng.random(n) < 0.02) * 200e6
    times = START_US + np.cumsum(gaps).astype(np.int64)
    spread = rng.choice([0.0, 1.0, 2.0], n) * SPECS[symbol]["pip_size"]
    table = pa.table(
        {
            "timestamp": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "bid": walk,
            "ask": walk + spread,
        }
    )
    options = {"spec": SPECS[symbol], "timeframe": "M1"}
    return Market(_core.Market.from_ticks(table, json.dumps(options)))


def _signals(rng: Rng, market: Market) -> list[Row]:
    table = market.to_table()
    labels = table["timestamp"].cast(pa.int64()).to_pylist()
    bid, ask = (table[f"{side}_close"].to_pylist() for side in ("bid", "ask"))
    unit = PRICES[market.symbol][0] * 1e-3
    rows: list[Row] = []
    for bar in sorted(rng.integers(0, len(labels), int(rng.integers(8, 30))).tolist()):
        long = rng.random() < 0.5
        sign = 1 if long else -1
        order_type = str(rng.choice(["market", "limit", "stop"], p=(0.45, 0.25, 0.3)))
        price = float(ask[bar] if long else bid[bar])
        away = float(rng.exponential(unit * 0.6)) * (-1 if rng.random() < 0.06 else 1)
        entry = price - sign * away if order_type == "limit" else price + sign * away
        stop_at = float(rng.exponential(unit * 1.2)) + unit * 0.05
        stop = entry - sign * stop_at * (-1 if rng.random() < 0.04 else 1)
        target = entry + sign * float(rng.exponential(unit * 1.5)) * (-1 if rng.random() < 0.03 else 1)
        row: Row = {
            "timestamp": labels[bar],
            "symbol": market.symbol,
            "direction": "long" if long else "short",
            "order_type": order_type,
            "stop_loss": stop,
            "take_profit": None if rng.random() < 0.25 else target,
        }
        if order_type != "market":
            row["entry"] = entry
            if rng.random() < 0.6:
                row["valid_bars"] = int(rng.integers(0, 7)) if rng.random() < 0.1 else int(rng.integers(1, 7))
            if rng.random() < 0.2:
                row["good_till"] = labels[bar] + int(rng.integers(1, 12)) * MINUTE_US // 2
            if rng.random() < 0.4:
                row["oco_group"] = str(rng.choice(["a", "b"]))
        if rng.random() < 0.15:
            row["size"] = float(rng.choice([0.001, 0.05, 0.3, 400.0]))
        if rng.random() < 0.2:
            row |= {
                "tag": "t\u00e4g",
                "scenario": "2",
                "reason": 'be"cause',
                "meta": {"b": True, "a": 1, "c": "x"},
            }
        rows.append(row)
    return rows


def _exits(rng: Rng, market: Market) -> list[Row]:
    table = market.to_table()
    labels = table["timestamp"].cast(pa.int64()).to_pylist()
    close = table["bid_close"].to_pylist()
    unit = PRICES[market.symbol][0] * 1e-3
    rows: list[Row] = []
    for bar in sorted(rng.integers(0, len(labels), int(rng.integers(0, 14))).tolist()):
        row: Row = {
            "timestamp": labels[bar],
            "symbol": market.symbol,
            "direction": str(rng.choice(["long", "short"])),
            "action": str(rng.choice(["close", "cancel", "modify_stop", "modify_target", "partial_close"])),
        }
        price = float(close[bar] + rng.normal(0, unit))
        if row["action"] == "modify_stop":
            row |= {"price": price, "kind": str(rng.choice(["manual", "break_even", "trailing"]))}
        if row["action"] == "modify_target":
            row["price"] = None if rng.random() < 0.2 else price
        if row["action"] == "partial_close":
            row["lots" if rng.random() < 0.5 else "fraction"] = float(rng.choice([0.01, 0.05, 0.1, 0.5, 0.9]))
        rows.append(row)
    return rows


def _rules(rng: Rng, markets: Sequence[Market]) -> dict[str, Any]:
    pip = min(SPECS[market.symbol]["pip_size"] for market in markets)
    rules: dict[str, Any] = {
        "timeout_minutes": [None, None, 3, 10][rng.integers(4)],
        "timeout_bars": [None, None, 4, 12][rng.integers(4)],
        "same_bar_reentry": bool(rng.random() < 0.7),
        "be_r": float(rng.choice([0.0, 0.0, 0.3, 1.0])),
        "be_buffer_pips": float(rng.choice([0.0, 0.5])),
        "trail_start_r": float(rng.choice([0.0, 0.5])),
    }
    if rng.random() < 0.4:
        rules["trail_distance"] = float(rng.choice([2.0, 6.0, 15.0])) * pip * 2
    return rules


def _gates(rng: Rng, markets: Sequence[Market]) -> dict[str, Any]:
    """Gates that close on some of the bars, in some order; for most cases none."""
    if rng.random() < 0.7:
        return {}
    labels = markets[0].to_table()["timestamp"].cast(pa.int64()).to_pylist()
    first, last = labels[0] // MINUTE_US, labels[-1] // MINUTE_US

    def clock(minute: int) -> str:
        return f"{minute // 60 % 24:02}:{minute % 60:02}"

    # Most of a market of an hour is left to most of the gates.
    start = int(rng.integers(first - 30, first + 15))
    opening = 8 * 60 + (first // 1440) * 1440
    away = int(rng.integers(first + 25, max(first + 26, last + 10))) - opening
    parts: dict[str, Any] = {
        "sessions": [{"start": clock(start), "end": clock(start + int(rng.integers(45, 150)))}],
        "anchored": [{"anchor": "london", "from": "+00:00", "to": f"+{clock(away)}"}],
        "news": {
            "events": [
                {"time": int(rng.integers(first, max(first + 1, last))) * MINUTE_US, "currency": str(code)}
                for code in rng.choice(["USD", "EUR", "JPY", "GBP"], 3)
            ],
            "before_minutes": int(rng.integers(0, 8)),
            "after_minutes": int(rng.integers(0, 8)),
        },
        "cooldown": {
            f"after_{event}_{unit}": int(rng.choice([0, 0, 1, 2, 5]))
            for event in ("exit", "signal")
            for unit in ("minutes", "bars")
        },
    }
    names = rng.permutation(list(parts))[: int(rng.integers(1, 5))]
    return {str(name): parts[str(name)] for name in names}


def _options(rng: Rng) -> dict[str, Any]:
    execution: dict[str, Any] = {"preset": str(rng.choice(["realistic", "reference"]))}
    choices: dict[str, list[Any]] = {
        "market_fill": ["next_open", "signal_close"],
        "gap_fills": [True, False],
        "trigger_buffer_pips": [0.0, 0.5],
        "entry_bar_tp_confirmation": ["limit_and_stop", "limit_only"],
        "reentry_on_exit_bar": [True, False],
        "pnl": ["lots", "r_multiple"],
        "equity": ["mark_to_market", "realised"],
        "below_min_volume": ["reject", "raise_to_min"],
        "end_of_data": ["close", "leave_open"],
        "stop_on_ruin": [True, False],
        "max_positions": [2, 3, None],
        "max_total_positions": [None, 1, 3],
        "min_stop_pips": [0.1, 5.0],
        "check_margin": [True],
        "seed": [42, 7],
    }
    for name, values in choices.items():
        if rng.random() < 0.45:
            execution[name] = values[rng.integers(len(values))]
    sizing = [
        {"mode": "risk_amount"},
        {"mode": "risk_percent", "percent": 2.0},
        {"mode": "fixed_lots", "lots": 0.3},
        {"mode": "risk_amount", "unit_value": "tick"},
    ][rng.integers(4)]
    commission = [
        None,
        {"schema": "per_lot", "per_lot": 2.5},
        {"schema": "per_million_notional", "rate_per_million": 30.0, "fee_ccy": "EUR", "decimals": None},
        {"schema": "percent_of_notional", "pct": 0.00015, "side": "entry", "min_fee": 0.4},
        {"defaults": {"schema": "per_lot", "per_lot": 1.0}, "per_symbol": {"USDJPY": {"per_lot": 3.0}}},
    ][rng.integers(5)]
    return {
        "execution": execution,
        "costs": {
            "slippage": {
                "fixed_pips": float(rng.choice([0.0, 0.2])),
                "random_pips": float(rng.choice([0.0, 0.3])),
            },
            "commission": commission,
            "fee_multiplier": float(rng.choice([1.0, 1.5])),
            "spread_multiplier": float(rng.choice([1.0, 1.0, 1.5])),
        },
        "account": {
            "currency": str(rng.choice(["USD", "EUR"])),
            "initial_balance": float(rng.choice([10_000.0, 10_000.0, 120.0])),
            "leverage": float(rng.choice([100.0, 5.0])),
            "sizing": sizing,
        },
        "rates": {"static": RATES},
    }
