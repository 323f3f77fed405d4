"""The engine alone: CPU time per bar on one core, with full metrics, costs and digests."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from benchmarks.measure import calibrate, interleaved, line
from sweep import Engine, Market

BARS = 100_000
COSTS = {
    "slippage": {"fixed_pips": 0.2, "random_pips": 0.3},
    "commission": {"schema": "per_lot", "per_lot": 2.5},
}


def run() -> Iterator[str]:
    """ns per bar of single backtests and of batches, series cold and warm."""
    market = Market.synthetic(bars=BARS, seed=7)
    pairs = [(fast, slow) for fast in range(5, 15) for slow in range(30, 130, 10)]
    crosses = pa.table(
        {
            "fast_period": [p[0] for p in pairs],
            "slow_period": [p[1] for p in pairs],
            "ma_type": ["sma"] * len(pairs),
        }
    )
    scenario = pa.table({"enabled_scenarios": ["2"], "window_length": [100], "z_score_long": [-2.0]})
    ma_cross = Engine(market, "ma_cross", costs=COSTS)
    reversion = Engine(market, "mean_reversion_z_score", costs=COSTS)

    def cold() -> None:
        Engine(market, "ma_cross", costs=COSTS, cache_bytes=0).run_batch(crosses.slice(0, 1))

    work = {
        "calibration": calibrate,
        "ma_cross, one backtest, series cold": cold,
        "ma_cross, one backtest, series warm": lambda: ma_cross.run_batch(crosses.slice(0, 1)),
        "ma_cross, batch of 100": lambda: ma_cross.run_batch(crosses),
        "mean_reversion_z_score 2, series warm": lambda: reversion.run_batch(scenario),
    }
    for call in work.values():
        call()
    times = interleaved(work, rounds=7)
    for name, seconds in times.items():
        if name != "calibration":
            bars = BARS * (len(pairs) if "100" in name else 1)
            yield line(name, seconds, bars, "bar", times["calibration"])
