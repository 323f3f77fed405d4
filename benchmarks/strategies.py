"""What the kinds of strategies cost beside each other: a vectorised function, native rules, the Python twin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

import pyarrow as pa

from benchmarks.engine import COSTS
from benchmarks.measure import interleaved
from sweep import Engine, Market
from sweep.engine_user import SignalsRunner
from sweep.strategies import Code

BARS: Final = 100_000
TWIN_BARS: Final = 5_000
CROSS: Final = Path(__file__).parents[1] / "configs" / "my_strategies" / "cross.py"
TWINS: Final[dict[str, dict[str, Any]]] = {
    "ma_cross": {},
    "mean_reversion_z_score": {"enabled_scenarios": "2"},
    "donchian_breakout": {},
    "rsi_reversal_limit": {},
    "mtf_trend_pullback": {},
}
_MEMORY: Final = """
import gc, pathlib, sys
import pyarrow as pa
from sweep import Engine, Market

def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

market = Market.synthetic(bars=int(sys.argv[2]), seed=7)
engine = Engine(market, "ma_cross", backend=sys.argv[1])
engine.run_batch(pa.table({"be_r": [0.0]}).slice(0, 0))
gc.collect()
pathlib.Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
before = peak()
engine.run({})
print(peak() - before)
"""


def run() -> Iterator[str]:
    """Ratios; every comparison is interleaved in one run."""
    yield from _signals()
    yield from _twins()
    native, twin = (_memory(backend) for backend in ("rust", "python"))
    yield (
        f"memory that one backtest of {TWIN_BARS * 4:,} bars adds: native {native:.1f} MiB, twin {twin:.1f} MiB, "
        f"{100 * (1 - native / twin):.0f} % less (the bar is 30 %)"
    )


def _signals() -> Iterator[str]:
    """The signals kind beside the native strategy of the same trades plus the function alone."""
    market = Market.synthetic(bars=BARS, seed=7)
    pairs = [(fast, slow) for fast in range(5, 15) for slow in range(30, 130, 25)]
    names = {"fast": [p[0] for p in pairs], "slow": [p[1] for p in pairs]}
    crosses = pa.table(
        {"fast_period": names["fast"], "slow_period": names["slow"], "reverse": [False] * len(pairs)}
    )
    native = Engine(market, "ma_cross", costs=COSTS)
    code = Code("signals", str(CROSS), "ma_cross_signals", CROSS.read_text(encoding="utf-8"))
    signals = Engine(market, code, costs=COSTS)
    runner = signals._runner
    assert isinstance(runner, SignalsRunner)
    sets = [{"fast": fast, "slow": slow, "atr_period": 14, "sl_atr": 2.0, "tp_r": 3.0, "round_digits": None} for fast, slow in pairs]  # fmt: skip

    def function_alone() -> None:
        from sweep.strategies.arrays import MarketOfTrial

        for arrays, indicators in runner._inputs:
            for params in sets:
                runner._strategy.made(MarketOfTrial(arrays, None), indicators, params)

    work = {
        "native": lambda: native.run_batch(crosses),
        "signals": lambda: signals.run_batch(pa.table(names)),
        "function": function_alone,
    }
    for call in work.values():
        call()
    assert native.run_batch(crosses)["result_digest"] == work["signals"]()["result_digest"]  # type: ignore[index]
    times = {
        name: median(seconds) / len(pairs) * 1e3 for name, seconds in interleaved(work, rounds=9).items()
    }
    ratio = times["signals"] / (times["native"] + times["function"])
    yield (
        f"ma_cross on {BARS:,} bars, equal trades: native {times['native']:.3f} ms, function alone "
        f"{times['function']:.3f} ms, kind signals {times['signals']:.3f} ms: {ratio:.2f} of native and function "
        "(the bar is 1.2)"
    )


def _twins() -> Iterator[str]:
    market = Market.synthetic(bars=TWIN_BARS, seed=7)
    for name, params in TWINS.items():
        one, slow = _native_and_twin(market, name, params)
        yield (
            f"{name} on {TWIN_BARS:,} bars: native {one * 1e6:.0f} µs, twin {slow:.2f} s, {slow / one:,.0f} times "
            "(500 expected)"
        )


def _native_and_twin(market: Market, name: str, params: dict[str, Any]) -> tuple[float, float]:
    """Seconds of one backtest: of the native engine in a batch with warm series, of the twin."""
    native = Engine(market, name, costs=COSTS)
    twin = Engine(market, name, costs=COSTS, backend="python")
    table = pa.Table.from_pylist([params]) if params else pa.table({"be_r": [0.0]})
    many = pa.concat_tables([table] * 200)
    native.run_batch(many)
    work = {"native": lambda: native.run_batch(many), "twin": lambda: twin.run_batch(table)}
    times = interleaved(work, rounds=3)
    return median(times["native"]) / many.num_rows, median(times["twin"])


def _memory(backend: str) -> float:
    """MiB that a backtest adds to the peak of a process."""
    command = [sys.executable, "-c", _MEMORY, backend, str(TWIN_BARS * 4)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
