"""A loop by hand in Numba, tuned by someone who needs this one strategy fast.

Averages are differences of running sums in whole ticks, made once per market; two of them are compared by cross-multiplying,
so there is no division per bar. While no position is open nothing is done but the test for a cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from benchmarks.peers.work import ATR_PERIOD, CASH, FEE, Bars, Figures, Pair, Trades, Work

BARS_PER_YEAR = 252.0 * 1440.0
NONE = (CASH, CASH, 0.0, 0.0, 0.0)
"""See `sampled`, before the first bar."""


@njit
def exit_price(side, stop, target, open, high, low):
    """Price at which a bar ends a position by stop or target; NaN if it does not. What the open decides comes first."""
    if side > 0:
        if open <= stop or open >= target:
            return open
        if low <= stop:
            return stop
        return target if high >= target else np.nan
    if open >= stop or open <= target:
        return open
    if high >= stop:
        return stop
    return target if low <= target else np.nan


@njit
def crossed(before, now):
    """Direction in which a difference has just changed its sign, +1 or -1; 0 if it has not."""
    if now > 0 and before <= 0:
        return 1
    return -1 if now < 0 and before >= 0 else 0


@njit
def sampled(equity, statistics):
    """The statistics of the bars (last and highest equity, drawdown, sum and squares of changes) with one more."""
    last, top, fallen, total, squares = statistics
    change = equity / last - 1.0
    top = max(top, equity)
    return equity, top, max(fallen, 1.0 - equity / top), total + change, squares + change * change


@njit
def backtest(bars, sums, fast, slow, both, stop_atr, target_r, rows, results):
    """Trades into `rows` (entry, exit, side) and `results` (net of fees); returns their number and the bars' statistics."""
    open, high, low, close, atr = bars
    n = len(close)
    start = max(slow, ATR_PERIOD)
    side, entry_bar, count = 0, 0, 0
    entry = stop = target = 0.0
    cash = CASH
    statistics = NONE
    before = (sums[start] - sums[start - fast]) * slow - (sums[start] - sums[start - slow]) * fast
    for i in range(start, n):
        price = np.nan
        acted = side != 0
        if side != 0:
            price = exit_price(side, stop, target, open[i], high[i], low[i])
        sum_fast = sums[i + 1] - sums[i + 1 - fast]
        sum_slow = sums[i + 1] - sums[i + 1 - slow]
        now = sum_fast * slow - sum_slow * fast
        cross = crossed(before, now)
        before = now
        if side != 0 and np.isnan(price) and (cross == -side or i == n - 1):
            price = close[i]
        if side != 0 and not np.isnan(price):
            gained = side * (price - entry) - FEE * price
            cash += gained
            rows[count, 0], rows[count, 1], rows[count, 2] = entry_bar, i, side
            results[count] = gained - FEE * entry
            count += 1
            side = 0
        if cross != 0 and side == 0 and i < n - 1 and (both or (cross > 0 and not acted)):
            side, entry, entry_bar = cross, close[i], i
            stop = entry - side * stop_atr * atr[i]
            target = entry + side * target_r * (side * (entry - stop))
            cash -= FEE * entry
            acted = True
        if acted:
            statistics = sampled(cash + side * (close[i] - entry), statistics)
    return count, cash, statistics


class Engine:
    """See `Peer`."""

    versions = ("numba", "numpy")

    def __init__(self, bars: Bars) -> None:
        self.bars = (bars.open, bars.high, bars.low, bars.close, bars.atr)
        self._sums = np.concatenate([[0], np.cumsum(bars.close.astype(np.int64))])
        self.rows = np.zeros((len(bars), 3), np.int64)
        self.results = np.zeros(len(bars))

    def run(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """See `Peer`."""
        return [self._figures(self.played(work, pair)) for pair in pairs]

    def trades(self, work: Work, pair: Pair) -> Trades:
        """See `Peer`."""
        count = self.played(work, pair)[0]
        return [tuple(row) for row in self.rows[:count].tolist()]

    def played(self, work: Work, pair: Pair) -> Any:
        """What `backtest` gives; trades are in `rows` and `results`."""
        options = (work.both, work.stop_atr, work.target_r)
        return backtest(self.bars, self._sums, *pair, *options, self.rows, self.results)

    def _figures(self, played: Any) -> Figures:
        count, cash, (_, _, fallen, total, squares) = played
        results, bars = self.results[:count], len(self.results)
        won, lost = results[results > 0].sum(), -results[results < 0].sum()
        mean = total / bars
        deviation = np.sqrt(max(0.0, (squares - bars * mean * mean) / (bars - 1)))
        return Figures(
            trades=int(count),
            net_profit=float(cash - CASH),
            win_rate_pct=float((results > 0).mean() * 100) if count else None,
            profit_factor=float(won / lost) if lost else None,
            sharpe_ratio=float(mean / deviation * np.sqrt(BARS_PER_YEAR)) if deviation else None,
            max_drawdown_pct=float(fallen * 100),
        )
