"""backtesting.py: one strategy class, one run per pair, all of its statistics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

from benchmarks.peers.work import ATR_PERIOD, CASH, FEE, LONG, Bars, Figures, Floats, Pair, Trades, Work


def _average(sums: Floats, period: int) -> Floats:
    return np.concatenate([np.full(period - 1, np.nan), (sums[period:] - sums[:-period]) / period])


class Crossover(Strategy):
    """Decides at the close of every bar."""

    work: Work = LONG
    pair: Pair = (5, 30)

    def init(self) -> None:
        """The averages; the range came with the bars."""
        fast, slow = self.pair
        sums = np.concatenate([[0.0], np.cumsum(self.data.Close)])  # exact, unlike the means of pandas
        self.fast = self.I(_average, sums, fast, plot=False)
        self.slow = self.I(_average, sums, slow, plot=False)
        self.count = len(sums) - 1
        self.first = max(slow, ATR_PERIOD)

    def next(self) -> None:
        """See `Work`."""
        at = len(self.data) - 1
        if at < self.first or at == self.count - 1:
            return
        now, before = self.fast[-1] - self.slow[-1], self.fast[-2] - self.slow[-2]
        side = 1 if now > 0 and before <= 0 else -1 if now < 0 and before >= 0 else 0
        if side == 0:
            return
        if self.position:
            if self.position.is_long == (side > 0):
                return  # the averages only touched
            self.position.close()
            acted = True
        else:
            acted = bool(self.closed_trades) and self.closed_trades[-1].exit_bar == at
        if not (self.work.both or (side > 0 and not acted)):
            return
        close = self.data.Close[-1]
        distance = self.work.stop_atr * self.data.Atr[-1]
        enter = self.buy if side > 0 else self.sell
        enter(size=1, sl=close - side * distance, tp=close + side * self.work.target_r * distance)


class Engine:
    """See `Peer`."""

    versions = ("backtesting", "pandas", "numpy")
    note = "a position left at the end is closed a bar earlier, at the close before the last"

    def __init__(self, bars: Bars) -> None:
        warnings.simplefilter("ignore")
        columns = {name.capitalize(): getattr(bars, name) for name in ("open", "high", "low", "close", "atr")}
        frame = pd.DataFrame(columns, pd.DatetimeIndex(bars.time))
        self.test = Backtest(
            frame, Crossover, cash=CASH, commission=FEE, trade_on_close=True, finalize_trades=True
        )

    def run(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """See `Peer`."""
        return [self._figures(self.test.run(work=work, pair=pair)) for pair in pairs]

    def trades(self, work: Work, pair: Pair) -> Trades:
        """See `Peer`."""
        rows = self.test.run(work=work, pair=pair)["_trades"]
        return sorted(
            (int(row.EntryBar), int(row.ExitBar), 1 if row.Size > 0 else -1) for row in rows.itertuples()
        )

    @staticmethod
    def _figures(stats: Any) -> Figures:
        return Figures(
            trades=int(stats["# Trades"]),
            net_profit=float(stats["Equity Final [$]"] - CASH),
            win_rate_pct=float(stats["Win Rate [%]"]),
            profit_factor=float(stats["Profit Factor"]),
            sharpe_ratio=float(stats["Sharpe Ratio"]),
            max_drawdown_pct=float(-stats["Max. Drawdown [%]"]),
        )
