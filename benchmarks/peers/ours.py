"""sweep: the native `ma_cross` with all of its metrics, fees and digests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.peers.work import ATR_PERIOD, CASH, FEE, PAIRS, Bars, Figures, Pair, Trades, Work
from sweep import Engine as Sweep
from sweep import Market, _core
from sweep.executors.worker import table_of

BATCH = 64
SEED = 7
TIMEFRAME = "M1"
TICK = 100_000
"""Ticks in a price of 1."""


def market(bars: int) -> Market:
    """The generated market; a shorter one is the beginning of a longer one."""
    return Market.synthetic(bars=bars, seed=SEED, timeframe=TIMEFRAME)


def exported(market: Market) -> Bars:
    """Its bids in whole ticks, for the peers."""
    table = market.to_table()
    columns = {
        name: np.rint(table[f"bid_{name}"].to_numpy() * TICK) for name in ("open", "high", "low", "close")
    }
    [(_, atr)] = _core.indicator(market.core, "atr", "bid", None, None, {"period": ATR_PERIOD})
    time = table["timestamp"].cast(pa.int64()).to_numpy() * 1_000
    return Bars(time=time, atr=pa.table(atr)["value"].to_numpy() * TICK, **columns)


def parameters(work: Work, pairs: Sequence[Pair]) -> pa.Table:
    """A row per pair, as a study's driver makes it. Levels are finer than the tick, as those of the peers are."""
    common = {
        "ma_type": "sma",
        "sl_atr": work.stop_atr,
        "tp_r": work.target_r,
        "round_digits": 12,
        "direction_filter": "both" if work.both else "long",
        "reverse": work.both,
    }
    return table_of([{"fast_period": fast, "slow_period": slow, **common} for fast, slow in pairs])


def options(work: Work) -> dict[str, Any]:
    """One lot is a unit of the peers: a tick is worth 1."""
    commission = {"schema": "percent_of_notional", "pct": FEE, "decimals": None}
    return {
        "execution": {"preset": "realistic", "market_fill": "signal_close", "reentry_on_exit_bar": work.both},
        "costs": {"spread_multiplier": 0.0, "commission": commission},
        "account": {"initial_balance": CASH, "sizing": {"mode": "fixed_lots", "lots": 1.0}},
    }


class Engine:
    """See `Peer`."""

    versions = ("pyarrow", "numpy")

    def __init__(self, bars: Bars) -> None:
        self.market = market(len(bars))
        self.warm = cache(self._engine)
        self.cold = cache(lambda work: self._engine(work, cache_bytes=0))

    def run(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """With the series that earlier calls have left."""
        return self._figures(self.warm(work), work, pairs)

    def run_cold(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """Every series computed in this call; sums of ticks belong to the market."""
        return self._figures(self.cold(work), work, pairs)

    def run_new(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """With an engine made in this call."""
        return self._figures(self._engine(work), work, pairs)

    def search(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """As many trials as pairs: `tpe` in batches over the ranges of the pairs, the net profit maximised."""
        # Imported here, so that the memory of the other work is that of the engine.
        from sweep.objective import Objective
        from sweep.samplers import tpe
        from sweep.samplers.base import Prefix, Settings, View, position_after
        from sweep.space import Space
        from sweep.types import Status, Trial

        fast, slow = ([pair[k] for pair in PAIRS] for k in (0, 1))
        ranges = {"fast_period": fast, "slow_period": slow}
        entries = {name: {"low": min(given), "high": max(given)} for name, given in ranges.items()}
        declared = next(each for each in json.loads(_core.strategies()) if each["id"] == "ma_cross")
        space = Space.build(
            declaration=declared,
            timeframe=TIMEFRAME,
            pinned={},
            space=entries,
            others="default",
            measured=False,
        )
        objective = Objective.build([{"metric": "net_profit", "direction": "maximize"}])
        sampler = tpe.build(Settings(space, objective, seed=1, batch_size=BATCH, lag=1))
        ledger: list[Trial] = []
        used: set[str] = set()
        found: list[Figures] = []
        position = k = 0
        while len(found) < len(pairs):
            size = min(BATCH, len(pairs) - len(found))
            view = View(Prefix(ledger, len(ledger)), (), used, position)
            batch = sampler.propose(k, len(ledger), size, view)
            position, k = position_after(batch, position), k + 1
            used.update(proposal.key for proposal in batch)
            tried = [(int(p.params["fast_period"]), int(p.params["slow_period"])) for p in batch]  # type: ignore[arg-type]
            made = self.run(work, tried)
            for proposal, figures in zip(batch, made, strict=True):
                metrics = {"net_profit": figures.net_profit, "total_trades": float(figures.trades)}
                ledger.append(
                    Trial(proposal, objective.grade(Status.COMPLETE, None, None, metrics), {}, None, None)
                )
            found += made
        return found

    def trades(self, work: Work, pair: Pair) -> Trades:
        """See `Peer`."""
        [params] = parameters(work, [pair]).to_pylist()
        trades = self.warm(work).run(params).trades
        labels = self.market.to_table()["timestamp"].cast(pa.int64()).to_numpy()
        entries, exits = (
            np.searchsorted(labels, trades[name].cast(pa.int64()).to_numpy()).tolist()
            for name in ("entry_time", "exit_time")
        )
        sides = [1 if side == "long" else -1 for side in trades["direction"].to_pylist()]
        return list(zip(entries, exits, sides, strict=True))

    def _engine(self, work: Work, **more: Any) -> Sweep:
        return Sweep(self.market, "ma_cross", **options(work), **more)

    @staticmethod
    def _figures(engine: Sweep, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        rows = engine.run_batch(parameters(work, pairs))
        names = ("net_profit", "win_rate_pct", "profit_factor", "sharpe_ratio", "max_drawdown_pct")
        columns = [rows[f"metrics.{name}"].to_pylist() for name in names]
        counts = rows["metrics.total_trades"].to_pylist()
        return [Figures(int(count), *rest) for count, *rest in zip(counts, *columns, strict=True)]
