"""The work that every engine is given, and the form in which an engine is asked for it. Needs numpy only: both environments import it.

Prices are whole ticks in floats, so that sums of closes are exact and every engine breaks the same ties of two averages alike.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pair = tuple[int, int]
"""Periods of the fast and of the slow average, bars."""
Trades = list[tuple[int, int, int]]
"""Entry bar, exit bar (both 0-based) and direction (+1, −1) in the order of entries."""

ATR_PERIOD: Final = 14
CASH: Final = 1_000_000.0
FEE: Final = 0.0001
"""Of the value of every fill."""
PAIRS: Final[tuple[Pair, ...]] = tuple((fast, slow) for fast in range(5, 15) for slow in range(30, 130, 10))
COLUMNS: Final = ("open", "high", "low", "close", "atr")


@dataclass(frozen=True)
class Work:
    """A crossover of simple averages: decided and filled at a close, one unit, one position at a time.

    The stop is a multiple of the average true range away from the close of the entry, the target a multiple of that.
    The opposite cross closes. If both directions are traded it opens the other one at that close, and a stop or target
    frees its bar for an entry; if not, only long positions are entered, and none on the bar of an exit.
    """

    both: bool
    stop_atr: float
    target_r: float

    @property
    def name(self) -> str:
        """For the report."""
        return "both directions" if self.both else "long only"


LONG: Final = Work(both=False, stop_atr=25.0, target_r=2.0)
BOTH: Final = Work(both=True, stop_atr=25.0, target_r=2.0)


@dataclass(frozen=True)
class Figures:
    """What every engine computes of a backtest; the definitions of a ratio may differ from engine to engine."""

    trades: int
    net_profit: float
    win_rate_pct: float | None
    profit_factor: float | None
    sharpe_ratio: float | None
    max_drawdown_pct: float | None


@dataclass(frozen=True)
class Bars:
    """Bars in ticks, one array per column, and the opens' times in ns since 1970 UTC."""

    time: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    atr: Floats
    """Average true range of 14 bars, ticks; NaN before its first value."""

    def __len__(self) -> int:
        return len(self.time)

    def save(self, folder: Path) -> None:
        """One file per column."""
        for name in ("time", *COLUMNS):
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Bars:
        """What `save` has written."""
        return cls(**{name: np.load(folder / f"{name}.npy") for name in ("time", *COLUMNS)})


class Peer(Protocol):
    """An engine in its own process. It is made once per market; what it prepares then is not timed."""

    versions: Sequence[str]
    """Packages whose versions the report names."""

    def run(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """One backtest per pair."""
        ...

    def trades(self, work: Work, pair: Pair) -> Trades:
        """Every trade of one backtest; a position left at the end ends on the last bar."""
        ...


def told(work: Work, **more: Any) -> str:
    """A request as one line."""
    return json.dumps({"work": asdict(work), **more})


def crosses(
    fast: Floats, slow: Floats, atr_known: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Bars at which the fast average has just come above the slow one, and below. Shapes: (bars,) or (bars, pairs)."""
    difference = fast - slow
    up, down = np.zeros(difference.shape, bool), np.zeros(difference.shape, bool)
    with np.errstate(invalid="ignore"):
        up[1:] = (difference[1:] > 0) & (difference[:-1] <= 0)
        down[1:] = (difference[1:] < 0) & (difference[:-1] >= 0)
    unknown = ~atr_known
    up[unknown], down[unknown] = False, False
    return up, down
