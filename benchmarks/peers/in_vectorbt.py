"""vectorbt: averages once per call, portfolios in the chunks and with the backend that are fastest on this machine."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from benchmarks.peers.work import CASH, FEE, LONG, PAIRS, Bars, Figures, Pair, Trades, Work, crosses

BACKENDS = ("numba", "rust")
CHUNKS = (1, 5, 10, 20)
LONG_MARKET = 500_000
"""Bars from which only single backtests are timed: chunks would need many gigabytes."""


class Engine:
    """See `Peer`."""

    chunks: Sequence[int] = CHUNKS
    """Sizes to try."""
    versions: Sequence[str] = ("vectorbt", "vectorbt-rust", "numba", "pandas", "numpy")

    def __init__(self, bars: Bars) -> None:
        warnings.simplefilter("ignore")
        self.bars = bars
        index = pd.DatetimeIndex(bars.time)  # without a zone: with one, every wrapper converts it to objects
        self.close, self.open, self.high, self.low = (
            pd.Series(getattr(bars, name), index) for name in ("close", "open", "high", "low")
        )
        self.known = ~np.isnan(bars.atr)
        self.one, self.many = "numba", ("numba", 10)
        self._tune()

    @property
    def note(self) -> str:
        """What was fastest here."""
        backend, chunk = self.many
        return f"one backtest with its {self.one} backend, many in chunks of {chunk} with {backend}; it can not enter on the bar of a stop"

    def run(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """See `Peer`."""
        backend, chunk = (self.one, 1) if len(pairs) == 1 else self.many
        return self._run(work, pairs, backend, chunk)

    def trades(self, work: Work, pair: Pair) -> Trades:
        """See `Peer`."""
        records = self._portfolio(work, [pair], self._averages([pair]), "numba").trades.records
        rows = zip(records["entry_idx"], records["exit_idx"], records["direction"], strict=True)
        return sorted((int(entry), int(exit), 1 - 2 * int(short)) for entry, exit, short in rows)

    def _tune(self) -> None:
        """The fastest of every backend and chunk; the first calls compile."""
        short = len(self.close) < LONG_MARKET
        few, chunks = (PAIRS[:20], self.chunks) if short else (PAIRS[:1], (1,))
        costs: dict[tuple[str, int], float] = {}
        for backend in BACKENDS:
            for chunk in chunks:
                self._run(LONG, few[:chunk], backend, chunk)
                begun = time.process_time()
                self._run(LONG, few, backend, chunk)
                costs[backend, chunk] = time.process_time() - begun
        self.many = min(costs, key=costs.__getitem__)
        self.one = min(BACKENDS, key=lambda backend: costs[backend, 1])

    def _run(self, work: Work, pairs: Sequence[Pair], backend: str, chunk: int) -> list[Figures]:
        averages = self._averages(pairs)
        found: list[Figures] = []
        for first in range(0, len(pairs), chunk):
            found += self._figures(self._portfolio(work, pairs[first : first + chunk], averages, backend))
        return found

    def _averages(self, pairs: Sequence[Pair]) -> dict[int, Any]:
        periods = sorted({period for pair in pairs for period in pair})
        found = vbt.MA.run(self.close, window=periods).ma.to_numpy().reshape(len(self.close), -1)
        return {period: found[:, k] for k, period in enumerate(periods)}

    def _portfolio(self, work: Work, pairs: Sequence[Pair], averages: dict[int, Any], backend: str) -> Any:
        fast, slow = (np.column_stack([averages[pair[k]] for pair in pairs]) for k in (0, 1))
        up, down = crosses(fast, slow, self.known)
        up[-1], down[-1] = False, down[-1] if not work.both else False
        distance = work.stop_atr * self.bars.atr
        sides = {"short_entries": down} if work.both else {"exits": down}
        return vbt.Portfolio.from_signals(
            self.close,
            entries=up,
            **sides,
            open=self.open,
            high=self.high,
            low=self.low,
            size=1.0,
            fees=FEE,
            init_cash=CASH,
            sl_stop=(distance / self.bars.close)[:, None],
            tp_stop=(work.target_r * distance / self.bars.close)[:, None],
            freq="1min",
            engine=backend,
        )

    @staticmethod
    def _figures(portfolio: Any) -> list[Figures]:
        trades = portfolio.trades
        columns = (
            trades.count(),
            portfolio.total_profit(),
            trades.win_rate() * 100,
            trades.profit_factor(),
            portfolio.sharpe_ratio(),
            portfolio.max_drawdown() * -100,
        )
        rows = np.column_stack([np.atleast_1d(column) for column in columns])
        return [Figures(int(row[0]), *map(float, row[1:])) for row in rows]
