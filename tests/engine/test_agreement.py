"""Both engines on random scripts, markets and options: the same bytes; and invariants of the native one."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep import Market
from sweep.engine import Backtest
from sweep.reference.engine import run as run_reference
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.engine.support import bars_table, run_script
from tests.reference.support import market_of
from tests.vectors.engine import MINUTE_US, START_US

BARS = 60


def _market(seed: int, spread: float, tick: float) -> tuple[list[int], dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)

    def grid(x: np.ndarray) -> np.ndarray:
        return np.round(x / tick) * tick if tick else x

    close = grid(1.1 + np.cumsum(rng.normal(0, 8e-4, BARS)))
    opened = grid(np.r_[1.1, close[:-1]] + rng.normal(0, 4e-4, BARS) * (rng.random(BARS) < 0.4))
    high = np.maximum(opened, close) + grid(rng.exponential(4e-4, BARS))
    low = np.minimum(opened, close) - grid(rng.exponential(4e-4, BARS))
    bid = {"open": opened, "high": high, "low": low, "close": close, "volume": np.zeros(BARS)}
    ask = {name: column + (spread if name != "volume" else 0.0) for name, column in bid.items()}
    labels = [START_US + MINUTE_US * k for k in range(BARS)]
    return labels, bid, ask


@st.composite
def scripts(draw: st.DrawFn) -> dict[str, Any]:
    """A random market, options, signals, exits and rules."""
    labels, bid, ask = _market(
        draw(st.integers(0, 10_000)),
        draw(st.sampled_from([0.0, 1e-4, 3e-4])),
        draw(st.sampled_from([0.0, 1e-5])),
    )
    signals = []
    for bar in sorted(draw(st.lists(st.integers(0, BARS - 1), min_size=6, max_size=25))):
        side = draw(st.sampled_from(["long", "short"]))
        sign = 1 if side == "long" else -1
        price = float((ask if side == "long" else bid)["close"][bar])
        stop = price - sign * draw(st.floats(-2e-4, 3e-3))
        target = draw(st.one_of(st.none(), st.floats(-2e-4, 4e-3).map(lambda d, p=price, s=sign: p + s * d)))
        size = draw(st.one_of(st.none(), st.sampled_from([0.001, 0.05, 300.0])))
        signals.append(
            {"bar_index": bar, "direction": side, "stop_loss": stop, "take_profit": target, "size": size}
        )
    exits = [
        {"bar_index": bar, "direction": draw(st.sampled_from(["long", "short"]))}
        for bar in sorted(draw(st.lists(st.integers(0, BARS - 1), max_size=6)))
    ]
    rules = {
        "timeout_minutes": draw(st.sampled_from([None, 3, 10])),
        "timeout_bars": draw(st.sampled_from([None, 4])),
        "same_bar_reentry": draw(st.booleans()),
    }
    return {
        "bars": (labels, bid, ask),
        "options": draw(options()),
        "signals": signals,
        "exits": exits,
        "rules": rules,
    }


@st.composite
def commissions(draw: st.DrawFn) -> dict[str, Any] | None:
    """No commission, or one of any schema, flat or as defaults with a symbol's own block."""
    number = draw(
        st.sampled_from(
            [
                {"schema": "per_lot", "per_lot": 2.5},
                {"schema": "per_million_notional", "rate_per_million": 30.0},
                {"schema": "percent_of_notional", "pct": 0.00015},
            ]
        )
    )
    more: dict[str, list[Any]] = {
        "side": ["both", "entry", "exit"],
        "min_fee": [0.0, 0.4],
        "decimals": [None, 0, 2, 4],
        "fee_ccy": ["USD", "EUR"],
    }
    block = number | {
        name: draw(st.sampled_from(values)) for name, values in more.items() if draw(st.booleans())
    }
    own = {"EURUSD": {"min_fee": 0.7, "decimals": 3}}
    structured = {"defaults": block, "per_symbol": own}
    return draw(st.sampled_from([None, block, block | {"per_symbol": own}, structured]))


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """Options of every section, each drawn on its own."""
    execution = {"preset": draw(st.sampled_from(["realistic", "reference"]))}
    choices: dict[str, list[Any]] = {
        "market_fill": ["next_open", "signal_close"],
        "gap_fills": [True, False],
        "trigger_buffer_pips": [0.0, 0.5],
        "reentry_on_exit_bar": [True, False],
        "pnl": ["lots", "r_multiple"],
        "equity": ["mark_to_market", "realised"],
        "below_min_volume": ["reject", "raise_to_min"],
        "end_of_data": ["close", "leave_open"],
        "stop_on_ruin": [True, False],
        "max_positions": [1, 2, None],
        "max_total_positions": [None, 1],
        "min_stop_pips": [0.1, 5.0],
        "seed": [42, 7],
    }
    for name, values in choices.items():
        if draw(st.booleans()):
            execution[name] = draw(st.sampled_from(values))
    sizing = draw(
        st.sampled_from(
            [
                {"mode": "risk_amount"},
                {"mode": "risk_percent", "percent": 2.0},
                {"mode": "fixed_lots", "lots": 0.3},
                {"mode": "risk_amount", "unit_value": "tick"},
            ]
        )
    )
    return {
        "execution": execution,
        "costs": {
            "slippage": {
                "fixed_pips": draw(st.sampled_from([0.0, 0.2])),
                "random_pips": draw(st.sampled_from([0.0, 0.3])),
            },
            "commission": draw(commissions()),
            "fee_multiplier": draw(st.sampled_from([1.0, 1.5])),
            "spread_multiplier": draw(st.sampled_from([1.0, 1.5])),
        },
        "account": {
            "currency": draw(st.sampled_from(["USD", "EUR"])),
            "initial_balance": draw(st.sampled_from([10_000.0, 120.0])),
            "sizing": sizing,
        },
        "rates": {"static": {"EURUSD": 1.25}},
    }


def _both(case: dict[str, Any]) -> tuple[Backtest, Any]:
    labels, bid, ask = case["bars"]
    native = run_script(
        Market.from_arrow(bars_table(labels, bid), bars_table(labels, ask), symbol="EURUSD", timeframe="M1"),
        case["options"],
        case["signals"],
        case["exits"],
        case["rules"],
    )
    script = SignalTable(
        case["signals"], [{**row, "action": "close"} for row in case["exits"]], Rules(**case["rules"])
    )
    market = market_of(labels, bid, ask)
    return native, run_reference(market, case["options"], script, {})


@settings(max_examples=300)
@given(scripts())
def test_both_engines_give_the_same_bytes(case: dict[str, Any]) -> None:
    native, reference = _both(case)
    assert native.digests == reference.digests
    assert native.rejections == reference.rejections
    assert native.blocked_bars == reference.blocked_bars
    assert native.summary == reference.summary
    assert native.ruined_at == reference.ruined_at
    assert len(native.open_positions) == len(reference.open_positions)


@settings(max_examples=150)
@given(scripts())
def test_the_books_balance(case: dict[str, Any]) -> None:
    native, _ = _both(case)
    rows = native.trades.to_pylist()
    fees = native.metrics["total_fees"] or 0.0
    cash = native.equity["balance"].to_pylist()[-1]
    balance = case["options"]["account"]["initial_balance"]
    assert abs(balance + sum(row["result"] for row in rows) - fees - cash) <= 1e-8 * max(1.0, abs(cash))
    for row in rows:
        assert row["order_time"] <= row["entry_time"] <= row["exit_time"]
        sign = 1 if row["direction"] == "long" else -1
        assert sign * (row["entry_price"] - row["initial_stop_loss"]) > 0
    accepted = {row["position_id"] for row in rows} | {p["position_id"] for p in native.open_positions}
    assert len(accepted) == len(rows) + len(native.open_positions)
    assert np.isfinite(native.equity["equity"].to_numpy()).all()


def test_the_random_scripts_are_worth_running() -> None:
    """Most of them trade, and between them they reach every reason of exit and rejection."""
    seen: dict[str, int] = {}
    traded = 0
    examples: list[dict[str, Any]] = []

    @settings(max_examples=200)
    @given(scripts())
    def collect(case: dict[str, Any]) -> None:
        examples.append(case)

    collect()
    for case in examples:
        native, _ = _both(case)
        traded += native.trades.num_rows > 0
        for reason in [*native.trades["reason"].to_pylist(), *native.rejections]:
            seen[reason] = seen.get(reason, 0) + 1
    assert traded >= 0.8 * len(examples)
    wanted = {
        "stop_loss", "take_profit", "timeout", "signal", "end_of_data", "invalid_side", "stop_too_close",
        "stop_passed_at_fill", "target_passed_at_fill", "below_min_volume", "max_positions",
    }  # fmt: skip
    assert wanted <= set(seen)
