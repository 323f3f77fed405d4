"""Indicators beside TA-Lib and pandas: CPU time of one call on prices that are there already, outputs included.

Our calls read a market, as a strategy does: its closes have been counted in ticks once, by the first call that needed it.
The rows "counting ticks" count them anew in every call. Periods are the usual ones of each indicator, and the ratios hold for
them. At the end, how far deviations are from exact ones where prices are large and moves are small.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import talib
from numpy.typing import NDArray

import sweep
from benchmarks.measure import interleaved
from sweep import Market, _core

Call = Callable[[], object]
SIZES: Final = ((100_000, 25), (5_000_000, 5))
# O(lookback) per value: a few calls of the smaller size.
LOCAL: Final = ("garch_volatility_local", "kalman_garch_zscore_local")
LOCAL_ROUNDS: Final = 3
TICK: Final = (1.0, 100_000.0)
# Each value follows from the one before; the others could be computed in any order.
RECURRENCES: Final = {
    "ema",
    "dema",
    "tema",
    "macd",
    "rsi (wilder)",
    "rsi (first)",
    "atr",
    "dmi (wilder)",
    "dmi (first)",
}


class Bars:
    """The bid side of a synthetic market, in the form that each library takes."""

    def __init__(self, count: int) -> None:
        market = Market.synthetic(bars=count, seed=7)
        table = market.to_table()
        self.close, self.high, self.low = (
            table[f"bid_{name}"].to_numpy() for name in ("close", "high", "low")
        )
        self.series = pd.Series(self.close)
        self.market = market.core
        self.table = pa.table({**dict.fromkeys(("open", "high", "low"), self.close), "close": self.close})

    def ours(self, id: str, **params: Any) -> Call:
        """One indicator of this package; of one call to the next only the closes in ticks are kept."""
        return lambda: _core.indicator(self.market, id, "bid", None, None, params)

    def counting(self, id: str, **params: Any) -> Call:
        """The same on the closes as an array: nothing is kept, their ticks are counted in every call."""
        return lambda: _core.indicator_on(self.table, id, "bid", None, None, params, TICK)


def run() -> Iterator[str]:
    """ns per value and the ratios, at both sizes."""
    for count, rounds in SIZES:
        yield f"{count:,} values: ns per value; ratio of the medians (best by best)"
        yield f"{'':31s} {'sweep':>8s} {'TA-Lib':>8s} {'pandas':>8s}   {'of TA-Lib':>14s}  {'of pandas':>14s}"
        bars = Bars(count)
        for name, calls in _work(bars).items():
            yield _line(name, _measured(calls, rounds), count)
        if count == SIZES[0][0]:
            for name in LOCAL:
                times = _measured({"sweep": bars.ours(name)}, LOCAL_ROUNDS)
                yield _line(f"{name} (400)", times, count)
    yield from errors()


def errors() -> Iterator[str]:
    """Largest relative error of a rolling deviation around 1.1 with moves of 1e-6, against 50 digits."""
    close = 1.1 + 1e-6 * np.random.default_rng(0).standard_normal(2_000)
    yield "deviation at price 1.1, moves of 1e-6: largest relative error against 50 digits"
    yield f"{'':31s} {'sweep':>8s} {'TA-Lib':>8s} {'pandas':>8s}"
    for window in (20, 100):
        # TA-Lib's divisor is the window, that of the others one less.
        sample, population = _exact(close, window, 1), _exact(close, window, 0)
        worst = (
            _worst(sweep.indicator({"close": close}, "rolling_std", period=window), sample),
            _worst(talib.STDDEV(close, window), population),
            _worst(pd.Series(close).rolling(window).std().to_numpy(), sample),
        )
        yield f"{f'window {window}':31s} {' '.join(f'{x:8.0e}' for x in worst)}"


def _exact(close: NDArray[np.float64], window: int, ddof: int) -> list[Decimal]:
    """Deviations in 50 digits."""
    values = [Decimal(x) for x in close.tolist()]
    exact = []
    with localcontext(prec=50):
        for end in range(window, len(values) + 1):
            part = values[end - window : end]
            mean = sum(part, Decimal(0)) / window
            exact.append((sum(((x - mean) ** 2 for x in part), Decimal(0)) / (window - ddof)).sqrt())
    return exact


def _worst(found: Any, exact: list[Decimal]) -> float:
    """Largest relative error of the last values."""
    pairs = zip(found[-len(exact) :].tolist(), exact, strict=True)
    return max(float(abs(Decimal(x) - e) / e) for x, e in pairs)


def _measured(calls: dict[str, Call], rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """Seconds of this package and of each rival beside it.

    One rival at a time: what pandas frees goes back to the system, and TA-Lib's results would pay for getting it again.
    """
    rivals = [who for who in ("talib", "pandas") if who in calls]
    if not rivals:
        return {"": (interleaved(calls, rounds)["sweep"], [])}
    pairs = {who: {"sweep": calls["sweep"], who: calls[who]} for who in rivals}
    for pair in pairs.values():
        for call in pair.values():
            call()
    times = {who: interleaved(pair, rounds) for who, pair in pairs.items()}
    return {who: (both["sweep"], both[who]) for who, both in times.items()}


def _line(name: str, times: dict[str, tuple[list[float], list[float]]], count: int) -> str:
    scale = 1e9 / count
    own = next(iter(times.values()))[0]
    each, ratios = [f"{statistics.median(own) * scale:8.2f}"], []
    for who in ("talib", "pandas"):
        if who not in times:
            each.append(f"{'-':>8s}")
            ratios.append("-")
            continue
        ours, theirs = times[who]
        median = statistics.median(theirs)
        each.append(f"{median * scale:8.2f}")
        ratios.append(f"{statistics.median(ours) / median:6.2f} ({min(ours) / min(theirs):.2f})")
    mark = " recurrence" if name in RECURRENCES else ""
    return f"{name:31s} {' '.join(each)}   {ratios[0]:>14s}  {ratios[1]:>14s}{mark}"


def _work(bars: Bars) -> dict[str, dict[str, Call]]:
    """By indicator: this package, TA-Lib where it has it, and pandas where a few of its calls do."""
    c, h, low = bars.close, bars.high, bars.low
    table: dict[str, tuple[Call, Call | None, Call | None]] = {
        "ema": (bars.ours("ema", period=20), lambda: talib.EMA(c, 20), lambda: _ewm(bars.series, 20)),
        "sma": (
            bars.ours("sma", period=50),
            lambda: talib.SMA(c, 50),
            lambda: bars.series.rolling(50).mean(),
        ),
        "sma (counting ticks)": (
            bars.counting("sma", period=50),
            lambda: talib.SMA(c, 50),
            lambda: bars.series.rolling(50).mean(),
        ),
        "rolling_std": (
            bars.ours("rolling_std", period=20),
            lambda: talib.STDDEV(c, 20),
            lambda: bars.series.rolling(20).std(),
        ),
        "bollinger": (bars.ours("bollinger"), lambda: talib.BBANDS(c, 20), lambda: _bollinger(bars.series)),
        "bollinger (counting ticks)": (
            bars.counting("bollinger"),
            lambda: talib.BBANDS(c, 20),
            lambda: _bollinger(bars.series),
        ),
        "zscore": (bars.ours("zscore"), None, lambda: _zscore(bars.series)),
        "zscore (residual)": (
            bars.ours("zscore", mode="rolling_residual"),
            None,
            lambda: _residual(bars.series),
        ),
        "zscore (ema)": (
            bars.ours("zscore", mode="ema_residual", ema_period=30),
            None,
            lambda: _ema_residual(bars.series),
        ),
        "roc": (bars.ours("roc"), lambda: talib.ROC(c, 14), lambda: 100 * bars.series.pct_change(14)),
        "momentum": (
            bars.ours("momentum", period=14),
            lambda: talib.MOM(c, 14),
            lambda: bars.series.diff(14),
        ),
        "rsi (wilder)": (bars.ours("rsi"), lambda: talib.RSI(c, 14), None),
        "rsi (first)": (bars.ours("rsi", seed="first"), None, lambda: _rsi(bars.series)),
        "macd": (bars.ours("macd"), lambda: talib.MACD(c), lambda: _macd(bars.series)),
        "dema": (bars.ours("dema", period=20), lambda: talib.DEMA(c, 20), lambda: _dema(bars.series)),
        "tema": (bars.ours("tema", period=20), lambda: talib.TEMA(c, 20), lambda: _tema(bars.series)),
        "atr": (bars.ours("atr"), lambda: talib.ATR(h, low, c, 14), lambda: _atr(bars)),
        "dmi (wilder)": (bars.ours("dmi"), lambda: _talib_dmi(h, low, c), None),
        "dmi (first)": (bars.ours("dmi", seed="first"), None, lambda: _dmi(bars)),
        "choppiness": (bars.ours("choppiness"), None, lambda: _choppiness(bars)),
        "kalman_mean": (bars.ours("kalman_mean"), None, None),
        "kalman_zscore": (bars.ours("kalman_zscore"), None, None),
        "garch_volatility": (bars.ours("garch_volatility"), None, None),
        "garch_vt": (bars.ours("garch_vt"), None, None),
        "kalman_garch_zscore": (bars.ours("kalman_garch_zscore"), None, None),
    }
    names = ("sweep", "talib", "pandas")
    return {
        name: {who: call for who, call in zip(names, calls, strict=True) if call}
        for name, calls in table.items()
    }


def _talib_dmi(h: NDArray[np.float64], low: NDArray[np.float64], c: NDArray[np.float64]) -> object:
    return talib.PLUS_DI(h, low, c, 14), talib.MINUS_DI(h, low, c, 14), talib.ADX(h, low, c, 14)


def _ewm(x: Any, span: int) -> Any:
    return x.ewm(span=span, adjust=False).mean()


def _wilder(x: Any) -> Any:
    return x.ewm(alpha=1 / 14, adjust=False).mean()


def _bollinger(x: Any) -> object:
    mid, s = x.rolling(20).mean(), x.rolling(20).std()
    return mid + 2 * s, mid, mid - 2 * s


def _zscore(x: Any) -> object:
    return (x - x.rolling(100).mean()) / x.rolling(100).std()


def _residual(x: Any) -> object:
    e = x - x.rolling(100).mean()
    return e / e.rolling(100).std()


def _ema_residual(x: Any) -> object:
    e = x - _ewm(x, 30)
    return e / e.rolling(100).std()


def _rsi(x: Any) -> object:
    d = x.diff()
    gain, loss = _wilder(d.clip(lower=0)), _wilder((-d).clip(lower=0))
    return 100 * gain / (gain + loss)


def _macd(x: Any) -> object:
    line = _ewm(x, 12) - _ewm(x, 26)
    signal = _ewm(line, 9)
    return line, signal, line - signal


def _dema(x: Any) -> object:
    e1 = _ewm(x, 20)
    return 2 * e1 - _ewm(e1, 20)


def _tema(x: Any) -> object:
    e1 = _ewm(x, 20)
    e2 = _ewm(e1, 20)
    return 3 * e1 - 3 * e2 + _ewm(e2, 20)


def _true_range(bars: Bars) -> Any:
    h, low, before = pd.Series(bars.high), pd.Series(bars.low), bars.series.shift()
    return np.maximum(h - low, np.maximum((h - before).abs(), (low - before).abs()))


def _atr(bars: Bars) -> object:
    return _wilder(_true_range(bars))


def _dmi(bars: Bars) -> object:
    up, down = pd.Series(bars.high).diff(), -pd.Series(bars.low).diff()
    plus, minus = up.where((up > down) & (up > 0), 0.0), down.where((down > up) & (down > 0), 0.0)
    tr = _wilder(_true_range(bars))
    plus_di, minus_di = 100 * _wilder(plus) / tr, 100 * _wilder(minus) / tr
    return plus_di, minus_di, _wilder(100 * (minus_di - plus_di).abs() / (minus_di + plus_di))


def _choppiness(bars: Bars) -> object:
    high, low = pd.Series(bars.high).rolling(14).max(), pd.Series(bars.low).rolling(14).min()
    return 100 * np.log10(_true_range(bars).rolling(14).sum() / (high - low)) / np.log10(14)
