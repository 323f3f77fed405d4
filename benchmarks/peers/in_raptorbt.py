"""raptorbt: its own averages, its array runner, its stop by average true range; sizes are fractions of equity, long only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import raptorbt

from benchmarks.peers.work import ATR_PERIOD, CASH, FEE, Bars, Figures, Pair, Trades, Work, crosses


class Engine:
    """See `Peer`."""

    versions = ("raptorbt", "numpy")
    note = "its sizes are fractions of equity (all of it here), so profits differ; it computes all of its 48 metrics"

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.columns = (bars.time, bars.open, bars.high, bars.low, bars.close, np.ones(len(bars)))
        self.known = ~np.isnan(bars.atr)

    def run(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """See `Peer`."""
        return [self._figures(result) for result in self._results(work, pairs)]

    def trades(self, work: Work, pair: Pair) -> Trades:
        """See `Peer`."""
        [result] = self._results(work, [pair])
        return [(trade.entry_idx, trade.exit_idx, trade.direction) for trade in result.trades()]

    def _results(self, work: Work, pairs: Sequence[Pair]) -> list[raptorbt.BacktestResult]:
        if work.both:
            raise ValueError("a run has one direction")
        close = self.bars.close
        averages = {period: raptorbt.sma(close, period) for period in {p for pair in pairs for p in pair}}
        config = raptorbt.BacktestConfig(initial_capital=CASH, fees=FEE, fill_timing="same_bar_close")
        config.set_atr_stop(work.stop_atr, ATR_PERIOD)
        config.set_risk_reward_target(work.target_r)
        items = []
        for k, (fast, slow) in enumerate(pairs):
            up, down = crosses(averages[fast], averages[slow], self.known)
            up[-1] = False
            items.append(raptorbt.BatchSingleItem(str(k), up, down, direction=1))
        made = dict(raptorbt.batch_single_backtest(*self.columns, items, config))
        return [made[str(k)] for k in range(len(pairs))]

    @staticmethod
    def _figures(result: raptorbt.BacktestResult) -> Figures:
        metrics = result.metrics
        return Figures(
            trades=metrics.total_trades,
            net_profit=metrics.total_return_pct / 100 * CASH,
            win_rate_pct=metrics.win_rate_pct,
            profit_factor=metrics.profit_factor,
            sharpe_ratio=metrics.sharpe_ratio,
            max_drawdown_pct=metrics.max_drawdown_pct,
        )
