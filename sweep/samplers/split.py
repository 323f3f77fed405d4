"""Told rows in two: the good ones, which the next proposals should be like, and the bad ones.

One objective is sorted; several are split by non-domination rank, the last rank by the hypervolume that its points add
(Ozaki et al. 2022, https://doi.org/10.1613/jair.1.13188).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sweep.objective.pareto import ranks
from sweep.samplers.told import State, Told

Array = NDArray[np.float64]
GOOD: Final = 25
"""Most good rows of one objective."""
_TINY: Final = 1e-12


class Tier(IntEnum):
    """What a row teaches, the best first."""

    FEASIBLE = 0
    PRUNED = 1
    INFEASIBLE = 2
    NOTHING = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One told row."""

    number: int
    tier: Tier
    order: tuple[float, ...]
    """Lower is better within the tier; of FEASIBLE rows the objectives, signed so that lower is better."""
    point: tuple[float, ...]
    """One number per axis; NaN where the parameter is inactive."""


def lesson(told: Told, directions: Sequence[str]) -> tuple[Tier, tuple[float, ...]]:
    """Tier and order of a row: feasible by value, pruned by (later level, value), infeasible by total violation."""
    signs = [-1.0 if direction == "maximize" else 1.0 for direction in directions]
    violation = sum(v for v in told.violations.values() if v > 0)
    if told.state is State.FAIL:
        return Tier.NOTHING, ()
    if violation > 0:
        return Tier.INFEASIBLE, (violation,)
    if told.state is State.COMPLETE:
        return Tier.FEASIBLE, tuple(s * v for s, v in zip(signs, told.values or (), strict=True))
    if not told.intermediate:
        return Tier.PRUNED, (1.0, 0.0)
    level, value = max(told.intermediate.items())
    return Tier.PRUNED, (-float(level), math.inf if math.isnan(value) else signs[0] * value)


def split(rows: Sequence[Row], objectives: int) -> tuple[list[Row], list[Row]]:
    """Good and bad rows, each in the order of `rows`, which is trial order; rows that teach nothing are in neither.

    Good is the first tenth (rounded up; of one objective at most 25) in the order of tiers, within a tier of
    `Row.order`, tie: lower number.
    """
    usable = [row for row in rows if row.tier is not Tier.NOTHING]
    count = -(-len(usable) // 10)
    if objectives == 1:
        chosen = sorted(usable, key=lambda row: (row.tier, row.order, row.number))[: min(count, GOOD)]
    else:
        feasible = [row for row in usable if row.tier is Tier.FEASIBLE]
        rest = [row for row in usable if row.tier is not Tier.FEASIBLE]
        chosen = _leading(feasible, min(count, len(feasible)))
        chosen += sorted(rest, key=lambda row: (row.tier, row.order, row.number))[: count - len(chosen)]
    numbers = {row.number for row in chosen}
    good = [row for row in usable if row.number in numbers]
    return good, [row for row in usable if row.number not in numbers]


def _leading(rows: Sequence[Row], count: int) -> list[Row]:
    """`count` rows of the lowest non-domination ranks; of the last one those that add most hypervolume."""
    if count == 0:
        return []
    losses = np.array([row.order for row in rows])
    rank = ranks(losses)
    last = int(np.sort(rank)[count - 1])
    chosen = np.flatnonzero(rank < last).tolist()
    ties = np.flatnonzero(rank == last)
    chosen += ties[largest_hypervolume(losses[ties], count - len(chosen))].tolist()
    return [rows[i] for i in chosen]


def largest_hypervolume(losses: Array, count: int) -> NDArray[np.intp]:
    """`count` of two or three objectives' non-dominated rows, chosen greedily for the hypervolume they add.

    The reference point is the worst of each objective, moved away by a tenth. What a row adds never grows while others
    are chosen (submodularity), so only rows that may still lead are measured again.
    """
    if count >= len(losses):
        return np.arange(len(losses))
    worst = losses.max(axis=0)
    reference = np.maximum(1.1 * worst, 0.9 * worst)
    reference[reference == 0] = _TINY
    unique, first = np.unique(losses, axis=0, return_index=True)
    if len(unique) < count:
        repeats = np.setdiff1d(np.arange(len(losses)), first)
        return np.sort(np.concatenate([first, repeats[: count - len(unique)]]))
    if not np.isfinite(reference).all() or not np.isfinite(losses).all():
        return first[:count]
    gaps = reference - unique
    added = gaps.prod(axis=1)
    measured = np.zeros(len(unique), dtype=np.intp)
    chosen: list[int] = []
    while len(chosen) < count:
        leader = int(np.argmax(added))
        if measured[leader] == len(chosen):
            chosen.append(leader)
            added[leader] = -np.inf
        else:
            added[leader] = _added(gaps[leader], gaps[chosen])
            measured[leader] = len(chosen)
    return first[chosen]


def _added(box: Array, boxes: Array) -> float:
    """Volume of `box` outside the union of `boxes`; all have a corner at the origin and these side lengths."""
    clipped = np.minimum(boxes, box)
    if len(box) == 2:
        clipped, box = np.column_stack([clipped, np.ones(len(clipped))]), np.append(box, 1.0)
    across = np.unique(np.append(clipped[:, 0], box[0]))
    along = np.unique(np.append(clipped[:, 1], box[1]))
    tall = np.zeros((len(across), len(along)))
    np.maximum.at(
        tall, (np.searchsorted(across, clipped[:, 0]), np.searchsorted(along, clipped[:, 1])), clipped[:, 2]
    )
    tall = np.maximum.accumulate(tall[::-1, ::-1], axis=0)
    tall = np.maximum.accumulate(tall, axis=1)[::-1, ::-1]
    widths, depths = np.diff(across, prepend=0.0), np.diff(along, prepend=0.0)
    return float(widths @ (box[2] - tall) @ depths)
