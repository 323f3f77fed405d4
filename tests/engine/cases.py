"""Random backtests of everything that the engine does: market, options, signals, exits, rules, from one number.

The same case runs on the native and on the reference engine. `tally` counts what a run of cases has exercised.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sweep import Market, _core
from sweep.engine import Backtest, native_backtest
from sweep.engine_python import _plain
from sweep.reference.engine import run as run_reference
from sweep.reference.result import ReferenceResult
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.engine import drawn_markets, drawn_options, drawn_scripts
from tests.engine.drawn_scripts import Row

CURRENCIES = tuple(drawn_markets.PER_DOLLAR)
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
    rates: Mapping[str, Market] = field(default_factory=dict)
    """Rate series by pair."""


def make(seed: int) -> Case:
    """The case of a number."""
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(KINDS, p=(0.7, 0.15, 0.15)))
    symbols = ["EURUSD", "USDJPY"] if kind == "symbols" else [str(rng.choice(list(drawn_markets.PRICES)))]
    currency = str(rng.choice(CURRENCIES, p=(0.45, 0.25, 0.15, 0.15)))
    closed = drawn_markets.nights(rng)
    draw = drawn_markets.ticks if kind == "ticks" else drawn_markets.bars
    specs = [drawn_markets.spec_of(rng, symbol, currency) for symbol in symbols]
    markets = tuple(draw(rng, symbol, spec, closed) for symbol, spec in zip(symbols, specs, strict=True))
    signals = [row for market in markets for row in drawn_scripts.signals(rng, market)]
    exits = [row for market in markets for row in drawn_scripts.exits(rng, market)]
    numbers, series = drawn_markets.rates(rng, markets)
    options = {
        **drawn_options.options(rng, currency),
        "gates": drawn_scripts.gates(rng, markets),
        "rates": {"static": numbers, "max_rate_age_hours": 1000},
    }
    rules = drawn_scripts.rules(rng, markets)
    order = {market.symbol: k for k, market in enumerate(markets)}
    for rows in (signals, exits):
        rows.sort(key=lambda row: (row["timestamp"], order[row["symbol"]]))
    return Case(kind, markets, options, signals, exits, rules, series)


def labels_of(market: Market) -> list[int]:
    """Labels of the bars, microseconds UTC."""
    labels: list[int] = market.to_table()["timestamp"].cast(pa.int64()).to_pylist()
    return labels


def within(case: Case, first: int, last: int) -> Case | None:
    """The case on the bars, or ticks, and with the rows from one time to another; None if a market is left empty."""
    cut = [drawn_markets.within(market, first, last) for market in case.markets]
    markets = tuple(market for market in cut if market is not None)
    if len(markets) < len(case.markets):
        return None
    rules = dict(case.rules)
    if isinstance(rules.get("trail_distance"), list):
        by_bar = zip(labels_of(case.markets[0]), rules["trail_distance"], strict=True)
        rules["trail_distance"] = [distance for label, distance in by_bar if first <= label <= last]
    there = {(market.symbol, stamp) for market in markets for stamp in labels_of(market)}
    rows = {
        name: [row for row in getattr(case, name) if (row["symbol"], row["timestamp"]) in there]
        for name in ("signals", "exits")
    }
    return replace(case, markets=markets, rules=rules, **rows)


def native(case: Case) -> Backtest:
    """The case on the native engine."""

    def rows(table: Sequence[Row]) -> str:
        return json.dumps([{**row, "time": row["timestamp"]} for row in table])

    rules = {name: value for name, value in case.rules.items() if value is not None}
    markets = [market.core for market in case.markets]
    options = {**case.options, "gates": list(case.options["gates"].items())}
    texts = (json.dumps(options), rows(case.signals), rows(case.exits), json.dumps(rules))
    return native_backtest(
        _core.run_signals(markets, *texts, {pair: m.core for pair, m in case.rates.items()})
    )


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
    rates = {pair: _plain(market) for pair, market in case.rates.items()}
    return run_reference([_plain(market) for market in case.markets], case.options, scripts, {}, rates)


def assert_same(ours: Backtest, theirs: ReferenceResult) -> None:
    """Every byte of every table, and every count."""
    assert ours.digests == theirs.digests
    assert ours.rejections == theirs.rejections
    assert ours.blocked_bars == theirs.blocked_bars
    assert ours.summary == theirs.summary
    assert ours.ruined_at == theirs.ruined_at
    assert ours.invalid_modify == theirs.invalid_modify
    assert ours.outside_window == theirs.outside_window
    assert list(ours.warnings) == list(theirs.warnings)
    assert (ours.sizes_raised, ours.sizes_capped) == (theirs.sizes_raised, theirs.sizes_capped)
    for name in ("pending_orders", "ended_orders"):
        assert list(getattr(ours, name)) == list(getattr(theirs, name)), name
    for own, other in zip(ours.open_positions, theirs.open_positions, strict=True):
        assert own == {name: other[name] for name in own}


def features(case: Case) -> Iterable[str]:
    """What is out of the ordinary in the input of a case."""
    costs, account, metrics = (case.options[name] for name in ("costs", "account", "metrics"))
    specs = [market.meta["spec"] for market in case.markets]
    tables = [market.to_table() for market in case.markets]
    days = {day for table in tables for day in pc.floor_temporal(table["timestamp"], unit="day").to_pylist()}
    present = {
        "crossed": any(pc.any(pc.less(t["ask_close"], t["bid_close"])).as_py() for t in tables),
        "tick value": account["sizing"].get("unit_value") == "tick"
        and any(spec["tick_value"] for spec in specs),
        "volume grid": any(spec["volume_step"] != 0.01 for spec in specs),
        "converted": any(spec["quote_currency"] != account["currency"] for spec in specs),
        "rate series": bool(case.rates),
        "several days": len(days) > 1,
        **{f"{name} 0": costs[name] == 0 for name in costs if name.endswith("multiplier")},
        **{f"metrics.{name}": bool(metrics.get(name)) for name in METRICS},
    }
    return (name for name, there in present.items() if there)


METRICS = ("calendar", "periods_per_year", "risk_free_annual")


def tally(results: Iterable[tuple[Case, Backtest]]) -> Counter[str]:
    """How often features of traded cases, order types, reasons of exits and of ends, rejections and blocks occurred."""
    seen: Counter[str] = Counter()
    for case, result in results:
        seen["cases"] += 1
        rows = result.trades.to_pylist()
        seen["traded"] += bool(rows)
        seen.update(features(case) if rows else ())
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
    *("crossed", "tick value", "volume grid", "converted", "rate series", "several days"),
    *(f"{name}_multiplier 0" for name in ("spread", "slippage", "fee")),
    *(f"metrics.{name}" for name in METRICS),
    "ambiguous",
    "open",
    "pending",
    "invalid_modify",
    "raised",
    "capped",
    "ruined",
)
"""What a run of cases must have exercised."""
