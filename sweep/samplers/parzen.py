"""Parzen estimators over mixed parameters: those of Optuna's multivariate TPE, sampled and scored in whole batches.

A mixture has one kernel per row and a wide prior kernel; a kernel is a product over the axes. Real axes have normal
densities cut off at the range, grids the mass of such a density around each grid point, choices smoothed counts. Axes that
are log have all of this on the logarithm. Watanabe (2023), https://arxiv.org/abs/2304.11127, describes the parts.

Points are rows of numbers, one per axis: a real axis holds the value, or its logarithm; grids and choices hold the index.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]
Index = NDArray[np.intp]
RECENT: Final = 25
"""The latest rows, which weigh 1 each; those before weigh less the older they are."""
_TOLD_APART: Final = 2**50
"""Values of a grid whose numbers and cells are exact in floats."""
NARROWEST: Final = 100.0
"""No kernel is narrower than this part of the range."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter as the estimator sees it."""

    kind: Literal["real", "grid", "choice"]
    low: float = 0.0
    """Of a real axis: the lowest value."""
    high: float = 0.0
    size: int = 0
    """Of a grid or of choices: the number of values."""
    log: bool = False
    first: int = 0
    """Of a log grid, which has step 1: its first value."""
    whole: bool = False
    """Whether a real axis stands for a grid of values `first` …, too many for their cells to be told apart."""

    @classmethod
    def grid(cls, size: int, *, log: bool = False, first: int = 0) -> Self:
        """Of so many values at even steps; of a log grid the first value, and steps of 1."""
        if size <= _TOLD_APART:
            return cls("grid", size=size, log=log, first=first)
        return cls("real", float(first), float(first + size - 1), size, log, first, whole=True)

    def encode(self, coordinate: float) -> float:
        """The number that stands for a value (real) or index in points."""
        if self.kind != "real":
            return float(coordinate)
        value = coordinate + self.first if self.whole else coordinate
        return math.log(value) if self.log else float(value)

    def decode(self, number: float) -> int | float:
        """The way back. The C library's power: that of numpy depends on the processor."""
        if self.kind != "real":
            return int(number)
        value = min(max(math.exp(number) if self.log else number, self.low), self.high)
        return min(max(round(value) - self.first, 0), self.size - 1) if self.whole else value

    def ends(self) -> tuple[float, float]:
        """Where kernels are cut off: the range, half a step wider on grids."""
        if self.kind == "real":
            return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        if self.log:
            return math.log(self.first - 0.5), math.log(self.first + self.size - 0.5)
        return -0.5, self.size - 0.5

    def centres(self, numbers: Array) -> Array:
        """Where the kernels of points stand."""
        if self.kind == "grid" and self.log:
            return np.array([math.log(self.first + index) for index in numbers.tolist()])
        return numbers

    def start(self, indices: Array) -> Array:
        """Left ends of the cells of grid points; a cell ends where the next one starts."""
        ends = indices - 0.5
        return np.log(self.first + ends) if self.log else ends

    def nearest(self, numbers: Array) -> Array:
        """Points of the axis for draws from its kernels."""
        if self.kind == "real":
            return numbers
        values = np.exp(numbers) - self.first if self.log else numbers
        return np.clip(np.floor(values + 0.5), 0, self.size - 1)


def recency(count: int) -> Array:
    """Weights of `count` rows, oldest first: the latest 25 weigh 1, those before rise to that from 1/count."""
    ramp = max(0, count - RECENT)
    return np.concatenate([np.linspace(1.0 / max(1, count), 1.0, num=ramp), np.ones(count - ramp)])


class Parzen:
    """A mixture over `axes` with one kernel per row of `points` and the prior.

    Args:
        points: rows × axes.
        weights: one per row; the prior weighs 1.
    """

    def __init__(self, axes: Sequence[Axis], points: Array, weights: Array) -> None:
        self.axes = tuple(axes)
        total = np.append(weights, 1.0)
        self.weights: Array = total / total.sum()
        self.numeric = [i for i, axis in enumerate(axes) if axis.kind != "choice"]
        self.is_real = np.array([axes[i].kind == "real" for i in self.numeric], dtype=bool)
        ends = np.array([axes[i].ends() for i in self.numeric]).reshape(-1, 2)
        self.low, self.high = ends[:, 0], ends[:, 1]
        centres = [axes[i].centres(points[:, i]) for i in self.numeric]
        self.mu, self.sigma = _kernels(
            np.stack(centres, axis=1) if centres else np.empty((len(points), 0)), self.low, self.high
        )
        self.choice = {
            i: _smoothed(points[:, i], axis.size) for i, axis in enumerate(axes) if axis.kind == "choice"
        }

    def sample(self, pick: Array, draws: Array) -> Array:
        """Points drawn by inversion: the kernel from `pick` (n), each axis from a column of `draws` (n × axes)."""
        kernel = np.minimum(np.searchsorted(self._reached, pick, side="right"), len(self.weights) - 1)
        drawn = np.empty_like(draws)
        if self.numeric:
            below, mass = self._cut
            normal = ndtri(below[kernel] + draws[:, self.numeric] * mass[kernel])
            numbers = np.clip(self.mu[kernel] + self.sigma[kernel] * normal, self.low, self.high)
            for column, i in enumerate(self.numeric):
                drawn[:, i] = self.axes[i].nearest(numbers[:, column])
        for i, reached in self._choice_reached.items():
            drawn[:, i] = (reached[kernel, :-1] <= draws[:, i, np.newaxis]).sum(axis=1)
        return drawn

    @cached_property
    def _reached(self) -> Array:
        return np.cumsum(self.weights)

    @cached_property
    def _choice_reached(self) -> dict[int, Array]:
        return {i: np.cumsum(shares, axis=1) for i, shares in self.choice.items()}

    @cached_property
    def _cut(self) -> tuple[Array, Array]:
        """Of each kernel the normal mass below the range, and inside it."""
        below = ndtr((self.low - self.mu) / self.sigma)
        return below, ndtr((self.high - self.mu) / self.sigma) - below


def _kernels(centres: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Centres and widths (kernels × axes), the prior's last.

    A kernel is as wide as the larger gap to its neighbours; the outermost ones count no gap to the ends of the range.
    """
    count = len(centres)
    order = np.argsort(centres, axis=0, kind="stable")
    ranked = np.take_along_axis(centres, order, axis=0)
    gaps = np.diff(np.concatenate([low[np.newaxis], ranked, high[np.newaxis]]), axis=0)
    widths = np.maximum(gaps[:-1], gaps[1:])
    if count > 1:
        widths[0], widths[-1] = gaps[1], gaps[-2]
    sigma = np.empty_like(centres)
    np.put_along_axis(sigma, order, widths, axis=0)
    width = high - low
    sigma = np.clip(sigma, width / min(NARROWEST, 2.0 + count), width)
    return np.concatenate([centres, [0.5 * (low + high)]]), np.concatenate([sigma, [width]])


def _smoothed(indices: Array, size: int) -> Array:
    """Probabilities of the choices (kernels × choices): one count, and a share of a further one for all."""
    count = len(indices)
    if count == 0:
        return np.full((1, size), 1.0 / size)
    shares = np.full((count + 1, size), 1.0 / (count + 1))
    shares[np.arange(count), indices.astype(np.intp)] += 1.0
    return cast(Array, shares / shares.sum(axis=1, keepdims=True))


def stacked(rows: Iterable[Sequence[float]], axes: int) -> Array:
    """Points as an array, also if there are none."""
    listed = list(rows)
    return np.array(listed, dtype=np.float64).reshape(len(listed), axes)
