"""The parts of the window that each pruning level runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sweep.arrow import numbers
from sweep.errors import error
from sweep.pipeline.halving import FRACTIONS, LAST
from sweep.seeds import seed as derive
from sweep.space.permutation import Permutation

if TYPE_CHECKING:
    from sweep.market.market import Market

SEGMENTS: Final = 9
Part = tuple[int, int]
"""Half-open interval of labels, us."""


def levels_of(
    markets: Sequence[Market], resource: Literal["tail", "segments"], seed: int
) -> Mapping[int, Sequence[Part]]:
    """Parts by level below the last, in the order of time.

    `tail` is the end of the window, `segments` are some of nine parts of equal bar count, drawn by `seed`.

    Raises:
        SweepError: [1003] if the window has fewer than nine bars, [4001] for ticks.
    """
    if any(market.meta.get("kind") == "ticks" for market in markets):
        raise error(
            4001,
            "pruning levels on ticks are not built in this version",
            where="search.pruner",
            remedy="leave the pruner out, or build bars: sweep data resample FILE M1 --to bars.parquet",
        )
    labels = np.unique(np.concatenate([traded(market) for market in markets]))
    end = max(int(market.meta["trade_until"]) for market in markets)
    if len(labels) < SEGMENTS:
        raise error(
            1003,
            f"the window has {len(labels)} bars",
            where="search.pruner",
            remedy=f"pruning levels need at least {SEGMENTS}: widen market.window",
        )
    return {level: _parts(labels, end, FRACTIONS[level], resource, seed) for level in range(LAST)}


def _parts(
    labels: NDArray[np.int64], end: int, share: Fraction, resource: Literal["tail", "segments"], seed: int
) -> list[Part]:
    bars = len(labels)
    if resource == "tail":
        return [(int(labels[bars - -(-bars * share.numerator // share.denominator)]), end)]
    order = Permutation(SEGMENTS, derive(seed, "segments"))
    size = bars // SEGMENTS
    bounds = [*(int(labels[k * size]) for k in range(SEGMENTS)), end]
    chosen = sorted(order[place] for place in range(int(SEGMENTS * share)))
    return [(bounds[k], bounds[k + 1]) for k in chosen]


def traded(market: Market) -> NDArray[np.int64]:
    """Labels of the bars that are traded, µs."""
    labels: NDArray[np.int64] = numbers(market.to_table()["timestamp"].cast("int64"))
    from_here: NDArray[np.int64] = labels[labels >= market.meta["trade_from"]]
    return from_here
