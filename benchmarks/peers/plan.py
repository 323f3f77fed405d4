"""What is measured: which engine, on which work, how often, and the ratios that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.peers.work import BOTH, LONG, PAIRS, Pair, Work

BARS: Final = 100_000
MANY_BARS: Final = 1_000_000
FEW_BARS: Final = 10_000
ONE: Final[tuple[Pair, ...]] = (PAIRS[55],)
"""A pair of the middle: 10 and 80 bars."""
CHECKED: Final = (PAIRS[0], PAIRS[55], PAIRS[99])
RARE: Final[tuple[Pair, ...]] = tuple(
    (fast, slow) for fast in range(20, 70, 5) for slow in range(100, 300, 20)
)
"""Pairs that trade more rarely."""
TIGHT: Final = 4.0
"""A second stop of the checks, in average true ranges: it ends many more trades than the measured one."""
ASKED: Final = {
    "raptorbt": 10.0,
    "vectorbt": 40.0,
    "backtesting.py": 1500.0,
    "Numba loop, plain": 2.5,
    "Numba loop, tuned": 2.5,
    "Optuna + vectorbt": 40.0,
}
"""Times of our CPU that a peer should need at least."""


@dataclass(frozen=True)
class Case:
    """One comparison."""

    peer: str
    work: Work
    pairs: tuple[Pair, ...]
    bars: int = BARS
    do: str = "run"
    ours: str = "run"
    our_pairs: tuple[Pair, ...] | None = None
    """Where we are measured on more backtests than a slow peer; costs are per backtest."""

    @property
    def own_pairs(self) -> tuple[Pair, ...]:
        """Those that we run."""
        return self.our_pairs or self.pairs


@dataclass(frozen=True)
class Part:
    """Cases that share a table."""

    title: str
    cases: tuple[Case, ...]


def _cases(
    peers: Sequence[str], work: Work, pairs: tuple[Pair, ...], ours: str, **more: int
) -> tuple[Case, ...]:
    return tuple(Case(peer, work, pairs, ours=ours, **more) for peer in peers)


def _sampled(peers: Sequence[str], work: Work, pairs: tuple[Pair, ...]) -> tuple[Case, ...]:
    """A slow peer gets every 25th pair; its costs per backtest hardly depend on the pair."""
    return tuple(Case(peer, work, pairs[12::25], our_pairs=pairs) for peer in peers)


LOOPS: Final = ("Numba loop, plain", "Numba loop, tuned")
QUICK: Final = (*LOOPS, "raptorbt", "vectorbt")
PARTS: Final = (
    Part(
        f"One backtest of {BARS:,} bars, signals and range computed in the call",
        (
            *_cases(QUICK, LONG, ONE, "run_cold"),
            *_cases((*LOOPS, "vectorbt"), BOTH, ONE, "run_cold"),
            *_cases(("backtesting.py",), LONG, ONE, "run_cold"),
            *_cases(("backtesting.py",), BOTH, ONE, "run_cold"),
        ),
    ),
    Part(
        f"{len(PAIRS)} backtests of {BARS:,} bars in one call",
        (
            *_cases(QUICK, LONG, PAIRS, "run"),
            *_cases((*LOOPS, "vectorbt"), BOTH, PAIRS, "run"),
            *_sampled(("backtesting.py",), LONG, PAIRS),
        ),
    ),
    Part(
        f"{len(RARE)} backtests of {BARS:,} bars in one call, slower averages: fewer trades",
        (
            *_cases(QUICK, LONG, RARE, "run"),
            *_cases((*LOOPS, "vectorbt"), BOTH, RARE, "run"),
            *_sampled(("backtesting.py",), LONG, RARE),
        ),
    ),
    Part(
        f"One backtest of {FEW_BARS:,} bars, because the peer is slow",
        (
            *_cases(("nautilus_trader",), LONG, ONE, "run_cold", bars=FEW_BARS),
            *_cases(("nautilus_trader",), BOTH, ONE, "run_cold", bars=FEW_BARS),
        ),
    ),
    Part(
        f"One backtest of {MANY_BARS:,} bars, signals and range computed in the call",
        _cases(QUICK, LONG, ONE, "run_cold", bars=MANY_BARS),
    ),
    Part(
        f"A search by TPE for the pair with the highest net profit, {BARS:,} bars, per trial",
        (
            Case(
                "Optuna + vectorbt",
                LONG,
                PAIRS[:50],
                do="search",
                ours="search",
                our_pairs=PAIRS * 3,
            ),
        ),
    ),
)
