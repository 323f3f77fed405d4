"""A loop by hand in Numba, as it is mostly written: sums that go along, and every step on every bar."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from benchmarks.peers import in_numba
from benchmarks.peers.in_numba import NONE, crossed, exit_price, sampled
from benchmarks.peers.work import ATR_PERIOD, CASH, FEE, Pair, Work


@njit
def backtest(bars, fast, slow, both, stop_atr, target_r, rows, results):
    """As `in_numba.backtest`, which see for what is given back."""
    open, high, low, close, atr = bars
    n = len(close)
    start = max(slow, ATR_PERIOD)
    side, entry_bar, count = 0, 0, 0
    entry = stop = target = 0.0
    cash = CASH
    statistics = NONE
    sum_fast, sum_slow = close[start - fast : start].sum(), close[start - slow : start].sum()
    before = sum_fast / fast - sum_slow / slow
    for i in range(start, n):
        sum_fast += close[i] - close[i - fast]
        sum_slow += close[i] - close[i - slow]
        now = sum_fast / fast - sum_slow / slow
        cross = crossed(before, now)
        before = now
        ended = False
        if side != 0:
            price = exit_price(side, stop, target, open[i], high[i], low[i])
            if np.isnan(price) and (cross == -side or i == n - 1):
                price = close[i]
            if not np.isnan(price):
                gained = side * (price - entry) - FEE * price
                cash += gained
                rows[count, 0], rows[count, 1], rows[count, 2] = entry_bar, i, side
                results[count] = gained - FEE * entry
                count += 1
                side, ended = 0, True
        if cross != 0 and side == 0 and i < n - 1 and (both or (cross > 0 and not ended)):
            side, entry, entry_bar = cross, close[i], i
            stop = entry - side * stop_atr * atr[i]
            target = entry + side * target_r * (side * (entry - stop))
            cash -= FEE * entry
        statistics = sampled(cash + side * (close[i] - entry), statistics)
    return count, cash, statistics


class Engine(in_numba.Engine):
    """See `Peer`."""

    def played(self, work: Work, pair: Pair) -> Any:
        """See `in_numba.Engine`."""
        options = (work.both, work.stop_atr, work.target_r)
        return backtest(self.bars, *pair, *options, self.rows, self.results)
