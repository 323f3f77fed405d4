"""Records the golden results of `tests/golden` anew: one small study of pinned parameters per scenario.

    python scripts/golden_cases.py [NAME ...]

Run it only when results are meant to change, together with the version that says so; `git diff` shows the difference.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sweep.golden import record
from sweep.study import Study

FOLDER = Path(__file__).parents[1] / "tests" / "golden"
TICKS = FOLDER.parent / "data" / "golden_ticks.parquet"
MONDAY = 1_578_268_800_000_000
PER_LOT = {"commission": {"schema": "per_lot", "per_lot": 2.5}}
SLIPPAGE = {"slippage": {"fixed_pips": 0.2, "random_pips": 0.3}}


def synthetic(symbol: str, timeframe: str, bars: int, seed: int, **keys: Any) -> dict[str, Any]:
    """A section `market` without files."""
    return {"symbol": symbol, "timeframe": timeframe, "synthetic": {"bars": bars, "seed": seed, **keys}}


def mean_reversion(scenario: str, **params: Any) -> dict[str, Any]:
    """A strategy section with thresholds that are met often."""
    often = {"z_score_long": -1.5, "z_score_short": 1.5, "std_factor": 1.5, "max_holding_minutes": 240}
    return {
        "name": "mean_reversion_z_score",
        "params": {"enabled_scenarios": scenario, **often, **params},
    }


SCENARIOS: dict[str, dict[str, Any]] = {
    "market-orders-with-reversal": {
        "market": synthetic("EURUSD", "M5", 1500, 1),
        "strategy": {"name": "ma_cross", "params": {"fast_period": 8, "slow_period": 30}},
        "costs": {**SLIPPAGE, **PER_LOT},
    },
    "reference-preset": {
        "market": synthetic("GBPUSD", "M15", 1200, 2),
        "strategy": mean_reversion("1", z_score_long=-2.0, z_score_short=2.0),
        "execution": {"preset": "reference"},
        "costs": {**SLIPPAGE, **PER_LOT},
    },
    "moving-targets-and-score-exits": {
        "market": synthetic("GBPUSD", "M15", 1200, 3),
        "strategy": mean_reversion("2", tp_mode="dynamic", z_exit=0.3, cooldown_bars=2),
    },
    "garch-score": {
        "market": synthetic("AUDUSD", "M5", 1200, 4),
        "strategy": mean_reversion("4", z_score_long=-0.3, z_score_short=0.3, kalman_r=0.5, kalman_q=0.1),
        "costs": PER_LOT,
    },
    "volatility-guard": {
        "market": synthetic("EURUSD", "M5", 1500, 5),
        "strategy": mean_reversion("5", intraday_vol_feature="atr_points", cluster_hysteresis_bars=2),
    },
    "trend-filters-of-higher-timeframes": {
        "market": synthetic("EURUSD", "M5", 2000, 6),
        "strategy": mean_reversion(
            "2+3+4", htf_tf="H1", htf_ema=20, htf_filter="above", extra_htf_tf="H4", extra_htf_ema=5
        ),
    },
    "overlay-of-higher-timeframes": {
        "market": synthetic("EURUSD", "M5", 2500, 17),
        "strategy": mean_reversion(
            "6",
            kalman_r=0.5,
            kalman_q=0.1,
            scenario6_timeframes="PRIMARY+M15+H1",
            scenario6_mode="any",
            scenario6_params={"M15": {"window_length": 20, "b_b_length": 10}},
            scenario6_H1_long_window_length=10,
            scenario6_H1_long_z_score=-0.5,
            tp_mode="dynamic",
        ),
        "costs": PER_LOT,
    },
    "stop-orders-one-cancels-other": {
        "market": synthetic("EURUSD", "M15", 1200, 7),
        "strategy": {"name": "donchian_breakout", "params": {"trail_atr": 3.0, "be_r": 1.0}},
        "costs": {**SLIPPAGE, **PER_LOT},
    },
    "limit-orders-with-validity": {
        "market": synthetic("EURUSD", "M15", 1500, 8),
        "strategy": {"name": "rsi_reversal_limit", "params": {"entry_offset_atr": 0.5}},
        "costs": PER_LOT,
    },
    "break-even-and-trailing": {
        "market": synthetic("EURUSD", "M15", 2500, 9),
        "strategy": {"name": "mtf_trend_pullback", "params": {"htf": "H1", "htf_ema": 20}},
        "costs": {"slippage": {"fixed_pips": 0.2}},
    },
    "percent-of-equity-in-another-currency": {
        "market": synthetic("USDJPY", "M15", 1200, 10),
        "strategy": {"name": "ma_cross", "params": {"fast_period": 6, "slow_period": 24, "tp_r": 2.0}},
        "account": {
            "currency": "EUR",
            "initial_balance": 20000,
            "sizing": {"mode": "risk_percent", "percent": 1.0},
        },
        "rates": {"static": {"EURUSD": 1.1, "USDJPY": 110.0}},
        "costs": {"commission": {"schema": "percent_of_notional", "pct": 0.00002, "min_fee": 1.0}},
    },
    "fixed-lots-short-of-margin": {
        "market": synthetic("GBPUSD", "M15", 1200, 11),
        "strategy": {"name": "ma_cross", "params": {"fast_period": 6, "slow_period": 24}},
        "account": {
            "currency": "USD",
            "initial_balance": 2000,
            "leverage": 30,
            "sizing": {"mode": "fixed_lots", "lots": 0.45},
        },
        "execution": {"preset": "realistic", "check_margin": True, "stop_on_ruin": True},
        "costs": PER_LOT,
    },
    "closed-gates": {
        "market": synthetic("EURUSD", "M15", 2000, 12),
        "strategy": {"name": "ma_cross", "params": {"fast_period": 4, "slow_period": 12, "reverse": False}},
        "gates": {
            "sessions": [{"start": "07:00", "end": "18:00", "zone": "Europe/London"}],
            "anchored": [{"anchor": "new_york", "from": "-05:00", "to": "+02:00"}],
            "news": {
                "events": [{"time": "2020-01-08 13:30:00", "currency": "USD", "impact": "high"}],
                "before_minutes": 120,
            },
            "cooldown": {"after_exit_bars": 4},
        },
    },
    "positions-left-open": {
        "market": synthetic("XAUUSD", "H1", 800, 13),
        "strategy": {
            "name": "ma_cross",
            "params": {
                "fast_period": 5,
                "slow_period": 20,
                "exit_on_cross": False,
                "reverse": False,
                "tp_r": 6.0,
            },
        },
        "execution": {"preset": "realistic", "end_of_data": "leave_open", "max_positions": None},
    },
    "two-symbols-on-one-portfolio": {
        "market": [
            synthetic("EURUSD", "M15", 1200, 14, correlation=0.6),
            synthetic("GBPUSD", "M15", 1200, 14, correlation=0.6),
        ],
        "strategy": {"name": "donchian_breakout", "params": {}},
        "execution": {"preset": "realistic", "max_total_positions": 1},
        "costs": {"commission": {"defaults": {"schema": "per_million_notional", "rate_per_million": 30}}},
    },
    "ticks": {
        "market": {"symbol": "EURUSD", "timeframe": "M1", "ticks": str(TICKS)},
        "strategy": {"name": "rsi_reversal_limit", "params": {"rsi_period": 5, "tp_mode": "r"}},
        "costs": PER_LOT,
    },
}


def write_ticks() -> None:
    """A random walk of quotes for the scenario `ticks`, with times that repeat."""
    if TICKS.exists():
        return
    random = np.random.default_rng(15)
    count = 6000
    times = MONDAY + np.cumsum(np.floor(random.exponential(8.0, count)) * 1_000_000).astype(np.int64)
    bid = np.round(1.1 + np.cumsum(random.normal(0, 3e-5, count)), 5)
    spread = random.integers(2, 15, count) * 1e-5
    table = {"timestamp": pa.array(times).cast(pa.timestamp("us", tz="UTC"))}
    TICKS.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({**table, "bid": bid, "ask": np.round(bid + spread, 5)}), TICKS)


def write(name: str) -> None:
    """One study with one trial, and its golden case."""
    config = {
        "study": name,
        "account": {"currency": "USD", "initial_balance": 10000, "risk_per_trade": 100},
        "search": {"sampler": "random", "trials": 1, "others": "default"},
        "objective": {"metric": "net_profit", "direction": "maximize"},
        "min_trades": 0,
        "compute": {"backend": "local", "workers": 1},
        "tracking": {"mlflow": None},
        **SCENARIOS[name],
    }
    config["search"] = {**config["search"], "space": {}}
    with tempfile.TemporaryDirectory() as home:
        study = Study.run(config, home=Path(home))
        record(study.folder, FOLDER / name, top=1)
    sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    write_ticks()
    for chosen in sys.argv[1:] or SCENARIOS:
        write(chosen)
