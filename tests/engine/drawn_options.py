"""Random options for random backtests: execution, costs, account, metrics."""

from __future__ import annotations

from typing import Any

from tests.engine.drawn_markets import PER_DOLLAR, Rng


def options(rng: Rng, currency: str) -> dict[str, Any]:
    """Sections execution, costs, account and metrics; amounts are worth the same in every account currency."""
    worth = PER_DOLLAR[currency]
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
        {"mode": "risk_amount"},
    ][rng.integers(4)] | {"unit_value": str(rng.choice(["contract", "contract", "tick"]))}
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
            "slippage_multiplier": float(rng.choice([1.0, 1.0, 0.0, 2.0])),
            "fee_multiplier": float(rng.choice([1.0, 1.0, 0.0, 1.5])),
            "spread_multiplier": float(rng.choice([1.0, 1.0, 1.0, 0.0, 1.5])),
        },
        "account": {
            "currency": currency,
            "initial_balance": float(rng.choice([10_000.0, 10_000.0, 10_000.0, 120.0])) * worth,
            "risk_per_trade": 100.0 * worth,
            "leverage": float(rng.choice([100.0, 5.0])),
            "sizing": sizing,
        },
        "metrics": {
            "calendar": [None, None, "continuous", "business_day"][rng.integers(4)],
            "periods_per_year": [None, None, 12.0, 260.5][rng.integers(4)],
            "risk_free_annual": float(rng.choice([0.0, 0.0, 0.03, -0.01])),
        },
    }
