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
from typing import Final, Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]
Index = NDArray[np.intp]
RECENT: Final = 25
"""The latest rows, which weigh 1 each; those before weigh less the older they are."""
NARROWEST: Final = 100.0
"""No kernel is narrower than this part of the range."""
_BLOCK: Final = 1 << 16
"""Candidates times kernels that are scored at a time, so that they stay in the processor's cache."""
_NEGLIGIBLE: Final = 46.0
"""A term smaller than the prior's by this exponent is beyond the precision of the sum."""
_MERGED: Final = 256
"""Largest table that is made of several."""
_HALF_LOG_TAU: Final = 0.5 * math.log(2.0 * math.pi)


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

    def encode(self, coordinate: float) -> float:
        """The number that stands for a value (real) or index in points."""
        return math.log(coordinate) if self.log and self.kind == "real" else float(coordinate)

    def decode(self, number: float) -> int | float:
        """The way back. The C library's power: that of numpy depends on the processor."""
        if self.kind != "real":
            return int(number)
        value = math.exp(number) if self.log else number
        return min(max(value, self.low), self.high)

    def ends(self) -> tuple[float, float]:
        """Where kernels are cut off: the range, half a step wider on grids."""
        if self.kind == "real":
            return self.encode(self.low), self.encode(self.high)
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
        self._axes = tuple(axes)
        total = np.append(weights, 1.0)
        self.weights: Array = total / total.sum()
        self._numeric = [i for i, axis in enumerate(axes) if axis.kind != "choice"]
        self._is_real = np.array([axes[i].kind == "real" for i in self._numeric], dtype=bool)
        ends = np.array([axes[i].ends() for i in self._numeric]).reshape(-1, 2)
        self._low, self._high = ends[:, 0], ends[:, 1]
        centres = [axes[i].centres(points[:, i]) for i in self._numeric]
        self._mu, self._sigma = _kernels(
            np.stack(centres, axis=1) if centres else np.empty((len(points), 0)), self._low, self._high
        )
        self._choice = {
            i: _smoothed(points[:, i], axis.size) for i, axis in enumerate(axes) if axis.kind == "choice"
        }

    def sample(self, pick: Array, draws: Array) -> Array:
        """Points drawn by inversion: the kernel from `pick` (n), each axis from a column of `draws` (n × axes)."""
        kernel = np.minimum(
            np.searchsorted(np.cumsum(self.weights), pick, side="right"), len(self.weights) - 1
        )
        drawn = np.empty_like(draws)
        if self._numeric:
            below = ndtr((self._low - self._mu) / self._sigma)
            mass = ndtr((self._high - self._mu) / self._sigma) - below
            normal = ndtri(below[kernel] + draws[:, self._numeric] * mass[kernel])
            numbers = np.clip(self._mu[kernel] + self._sigma[kernel] * normal, self._low, self._high)
            for column, i in enumerate(self._numeric):
                drawn[:, i] = self._axes[i].nearest(numbers[:, column])
        for i, shares in self._choice.items():
            reached = np.cumsum(shares, axis=1)[kernel, :-1]
            drawn[:, i] = (reached <= draws[:, i, np.newaxis]).sum(axis=1)
        return drawn

    def log_density(self, points: Array) -> Array:
        """Log density (real axes, in the units of points) times mass (grids, choices) at each of `points`.

        All is relative to the uniform density, where the prior is near 1 everywhere. Most kernels are so far from a point
        that they add nothing beside it: no power is taken for them.
        """
        features, factors = self._real(points)
        discrete = [i for i, axis in enumerate(self._axes) if axis.kind != "real"]
        tables = _merged([self._table(i, points[:, i]) for i in discrete])
        kernels = len(self.weights)
        made = np.empty(len(points))
        rows = min(len(points), max(1, _BLOCK // kernels))
        terms, looked_up = np.empty((rows, kernels)), np.empty((rows, kernels))
        for start in range(0, len(points), rows):
            block = slice(start, min(start + rows, len(points)))
            count = block.stop - start
            held = np.matmul(features[block], factors, out=terms[:count])
            for table, index in tables:
                held += np.take(table, index[block], axis=0, out=looked_up[:count], mode="clip")
            near = np.flatnonzero(held > held[:, -1:] - _NEGLIGIBLE)
            made[block] = np.bincount(near // kernels, np.exp(held.ravel()[near]), count)
        widths = (self._high - self._low)[self._is_real]
        sizes = [self._axes[i].size for i in discrete]
        return cast(Array, np.log(made) - np.log(widths).sum() - np.log(sizes).sum())

    def _real(self, points: Array) -> tuple[Array, Array]:
        """Real axes as one matrix product: the exponents of their kernels are quadratic in the point.

        Numbers are taken from the middle of the range, in ranges, so that the squares do not cancel.
        """
        columns = np.flatnonzero(self._is_real)
        middle = 0.5 * (self._low + self._high)[columns]
        width = (self._high - self._low)[columns]
        mu, sigma = (self._mu[:, columns] - middle) / width, self._sigma[:, columns] / width
        x = (points[:, [self._numeric[column] for column in columns]] - middle) / width
        precision = 1.0 / sigma**2
        inside = ndtr((0.5 - mu) / sigma) - ndtr((-0.5 - mu) / sigma)
        each = -0.5 * mu**2 * precision - np.log(sigma * inside) - _HALF_LOG_TAU
        constant = each.sum(axis=1, keepdims=True) + np.log(self.weights)[:, np.newaxis]
        factors = np.concatenate([-0.5 * precision, mu * precision, constant], axis=1)
        features = np.concatenate([x**2, x, np.ones((len(x), 1))], axis=1)
        return features, np.ascontiguousarray(factors.T)

    def _table(self, i: int, numbers: Array) -> tuple[Array, Index]:
        """Log of the relative masses of indices under every kernel (indices × kernels), and which one each number is."""
        size = self._axes[i].size
        if i in self._choice:
            return np.log(self._choice[i].T * size), numbers.astype(np.intp)
        column = self._numeric.index(i)
        mu, sigma = self._mu[:, column], self._sigma[:, column]
        cells, index = _distinct(numbers, size)
        inside = ndtr((self._high[column] - mu) / sigma) - ndtr((self._low[column] - mu) / sigma)
        widths, width = np.unique(sigma, return_inverse=True)
        if self._axes[i].log or 4 * size * len(widths) > len(cells) * len(mu):
            masses = _cell_masses(self._axes[i], cells, mu, sigma)
        else:
            masses = _grid_masses(size, cells, mu, widths, width)
        return masses + np.log(size / inside), index


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


def _distinct(numbers: Array, size: int) -> tuple[Array, Index]:
    """Which indices occur, in order, and which of these each number is."""
    if size > len(numbers):
        return np.unique(numbers, return_inverse=True)
    indices = numbers.astype(np.intp)
    occurs = np.zeros(size, dtype=np.intp)
    occurs[indices] = 1
    return np.flatnonzero(occurs).astype(np.float64), (np.cumsum(occurs) - 1)[indices]


def _cell_masses(axis: Axis, cells: Array, mu: Array, sigma: Array) -> Array:
    """Log masses of cells under kernels (cells × kernels), many of which are alike."""
    pairs, kernel = np.unique(mu + 1j * sigma, return_inverse=True)
    starts = np.unique(np.concatenate([cells, cells + 1.0]))
    masses = _masses((axis.start(starts) - pairs.real[:, np.newaxis]) / pairs.imag[:, np.newaxis], 1)
    return cast(Array, np.take(masses[:, np.searchsorted(starts, cells)].T, kernel, axis=1))


def _grid_masses(size: int, cells: Array, mu: Array, widths: Array, width: Index) -> Array:
    """The same on even grids, where kernels stand on cells, the prior maybe between two.

    All that counts is the distance, a multiple of a half, and which of the few `widths` a kernel has.
    """
    farthest = 2 * (size - 1)
    halves = np.arange(-farthest - 1, farthest + 2)
    masses = _masses(0.5 * halves / widths[:, np.newaxis], 2)
    steps = (2.0 * (cells[:, np.newaxis] - mu)).astype(np.intp) + farthest
    return cast(Array, np.take(masses, width * masses.shape[1] + steps))


def _masses(ends: Array, step: int) -> Array:
    """Log of the standard normal mass between each of `ends` and the one `step` further, along rows.

    Taken in the lower tail, where it is exact.
    """
    tails, above = ndtr(-np.abs(ends)), ends > 0
    left, right = tails[:, :-step], tails[:, step:]
    mass = np.where(above[:, :-step] != above[:, step:], 1.0 - left - right, np.abs(left - right))
    with np.errstate(divide="ignore"):
        return cast(Array, np.log(mass))


def _merged(tables: Sequence[tuple[Array, Index]]) -> list[tuple[Array, Index]]:
    """The same sums of fewer tables: small ones are added up for all pairs of their rows."""
    made: list[tuple[Array, Index]] = []
    for table, index in sorted(tables, key=lambda pair: len(pair[0])):
        if made and len(made[-1][0]) * len(table) <= _MERGED:
            other, first = made.pop()
            pairs = (other[:, np.newaxis] + table).reshape(-1, table.shape[1])
            made.append((pairs, first * len(table) + index))
        else:
            made.append((table, index))
    return made


def stacked(rows: Iterable[Sequence[float]], axes: int) -> Array:
    """Points as an array, also if there are none."""
    listed = list(rows)
    return np.array(listed, dtype=np.float64).reshape(len(listed), axes)
