"""Log densities of points under mixtures over the same axes: all points, kernels and mixtures in one pass.

All is relative to the uniform density, where the prior is near 1 everywhere. Most kernels are so far from a point that they
add nothing beside it: no power is taken for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Final, cast

import numpy as np
from scipy.special import ndtr

from sweep import _core
from sweep.samplers.parzen import Array, Axis, Index, Parzen

_NEGLIGIBLE: Final = 46.0
"""A term smaller than the prior's by this exponent is beyond the precision of the sum."""
_MERGED: Final = 256
"""Largest table that is made of several."""
_FINE: Final = 25.0
"""From so many steps per kernel width on, masses of cells are taken from a series."""
_HALF_LOG_TAU: Final = 0.5 * math.log(2.0 * math.pi)


class Densities:
    """Log densities of mixtures over the same axes; what does not depend on the points is computed once."""

    def __init__(self, mixtures: Sequence[Parzen]) -> None:
        first = mixtures[0]
        weights = np.concatenate([each.weights for each in mixtures])
        mu = np.concatenate([each.mu for each in mixtures])
        sigma = np.concatenate([each.sigma for each in mixtures])
        self._stops: list[int] = np.cumsum([len(each.weights) for each in mixtures]).tolist()
        self._real = _Real(first, np.log(weights), mu, sigma)
        self._discrete: list[tuple[int, _Grid | _Choices]] = []
        for i, axis in enumerate(first.axes):
            if axis.kind == "choice":
                shares = np.concatenate([each.choice[i] for each in mixtures])
                self._discrete.append((i, _Choices(shares, axis.size)))
            elif axis.kind == "grid":
                column = first.numeric.index(i)
                ends = first.low[column], first.high[column]
                self._discrete.append((i, _Grid(axis, ends, mu[:, column], sigma[:, column])))
        self._log_ranges = np.log((first.high - first.low)[first.is_real]).sum()
        self._log_sizes = np.log([first.axes[i].size for i, _ in self._discrete]).sum()

    def at(self, points: Array) -> list[Array]:
        """Of each mixture the log density (real axes, in the units of points) times mass (grids, choices) at each point."""
        tables = _merged([axis.table(points[:, i]) for i, axis in self._discrete])
        features = self._real.features(points)
        sums = _core.mixture_sums(features, self._real.factors, tables, self._stops, _NEGLIGIBLE)
        made = np.frombuffer(sums, dtype=np.float64).reshape(len(self._stops), len(points))
        return list(np.log(made) - self._log_ranges - self._log_sizes)


class _Real:
    """Weights and real axes as one matrix product: the exponents of kernels are quadratic in the point.

    Numbers are taken from the middle of the range, in ranges, so that the squares do not cancel.
    """

    def __init__(self, first: Parzen, log_weights: Array, mu: Array, sigma: Array) -> None:
        columns = np.flatnonzero(first.is_real)
        self._axes = [first.numeric[column] for column in columns]
        self._middle, self._width = 0.5 * (first.low + first.high)[columns], (first.high - first.low)[columns]
        mu, sigma = (mu[:, columns] - self._middle) / self._width, sigma[:, columns] / self._width
        precision = 1.0 / sigma**2
        inside = ndtr((0.5 - mu) / sigma) - ndtr((-0.5 - mu) / sigma)
        each = -0.5 * mu**2 * precision - np.log(sigma * inside) - _HALF_LOG_TAU
        constant = each.sum(axis=1) + log_weights
        factors = np.concatenate([-0.5 * precision, mu * precision, constant[:, np.newaxis]], axis=1)
        self.factors: Array = np.ascontiguousarray(factors.T)

    def features(self, points: Array) -> Array:
        """What the factors are multiplied with."""
        x = (points[:, self._axes] - self._middle) / self._width
        return np.concatenate([x**2, x, np.ones((len(x), 1))], axis=1)


class _Choices:
    """Unordered choices; `shares` are their probabilities (kernels × choices)."""

    def __init__(self, shares: Array, size: int) -> None:
        self._masses: Array = np.log(shares.T * size)

    def table(self, numbers: Array) -> tuple[Array, Index]:
        """Log of the relative masses of indices under every kernel (indices × kernels), and which one each number is."""
        return self._masses, numbers.astype(np.intp)


class _Grid:
    """A grid between two ends, with the centres and widths of the kernels."""

    def __init__(self, axis: Axis, ends: tuple[float, float], mu: Array, sigma: Array) -> None:
        self._axis, self._mu, self._sigma = axis, mu, sigma
        low, high = ends
        inside = ndtr((high - mu) / sigma) - ndtr((low - mu) / sigma)
        self._cut: Array = np.log(axis.size / inside)
        """What the masses of a kernel gain because it ends at both ends, relative to even ones."""
        self._fine = not axis.log and bool(sigma.min() >= _FINE)

    def table(self, numbers: Array) -> tuple[Array, Index]:
        """As that of `_Choices`."""
        cells, index = _distinct(numbers, self._axis.size)
        return self._masses(cells) + self._cut, index

    def _masses(self, cells: Array) -> Array:
        axis, mu, sigma = self._axis, self._mu, self._sigma
        if self._fine:
            return _fine_masses(cells, mu, sigma)
        if axis.log or 4 * axis.size * len(self._widths[0]) > len(cells) * len(mu):
            return _cell_masses(axis, cells, mu, sigma)
        return _grid_masses(axis.size, cells, mu, self._by_distance, self._widths[1])

    @cached_property
    def _widths(self) -> tuple[Array, Index]:
        """The different widths, and which of them each kernel has."""
        return np.unique(self._sigma, return_inverse=True)

    @cached_property
    def _by_distance(self) -> Array:
        return _masses_by_distance(self._axis.size, self._widths[0])


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


def _masses_by_distance(size: int, widths: Array) -> Array:
    """Log masses of the cells of an even grid under kernels that stand on cells, or, as the prior may, between two.

    All that counts is the distance, a multiple of a half, and which of the few `widths` a kernel has (widths × distances).
    """
    farthest = 2 * (size - 1)
    halves = np.arange(-farthest - 1, farthest + 2)
    return _masses(0.5 * halves / widths[:, np.newaxis], 2)


def _grid_masses(size: int, cells: Array, mu: Array, masses: Array, width: Index) -> Array:
    """Log masses of cells under kernels (cells × kernels) from those by distance; `width` is which one a kernel has."""
    steps = (2.0 * (cells[:, np.newaxis] - mu)).astype(np.intp) + 2 * (size - 1)
    return cast(Array, np.take(masses, width * masses.shape[1] + steps))


def _fine_masses(cells: Array, mu: Array, sigma: Array) -> Array:
    """As `_cell_masses` where a cell is a small part h of the width: a series in h of the mass around z, from the density there.

    log mass = log h − z²/2 − log √2π + h²(z² − 1)/24 − h⁴(z⁴/2880 + z²/720 − 1/1440) + O(h⁶)
    """
    h2 = 1.0 / sigma**2
    squares = (cells[:, np.newaxis] - mu) / sigma
    squares *= squares
    masses = squares * (-(h2**2) / 2880.0)
    masses += h2 / 24.0 - h2**2 / 720.0 - 0.5
    masses *= squares
    masses += h2**2 / 1440.0 - h2 / 24.0 - np.log(sigma) - _HALF_LOG_TAU
    return masses


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
