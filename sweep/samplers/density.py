"""Log densities of points under mixtures over the same axes: all points, kernels and mixtures in one pass.

All is relative to the uniform density, where the prior is near 1 everywhere. Most kernels are so far from a point that they
add nothing beside it: no power is taken for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def log_densities(mixtures: Sequence[Parzen], points: Array) -> list[Array]:
    """Of each mixture the log density (real axes, in the units of points) times mass (grids, choices) at each point."""
    first = mixtures[0]
    stack = _Stack(mixtures)
    features, factors = stack.real(points)
    discrete = [i for i, axis in enumerate(first.axes) if axis.kind != "real"]
    tables = _merged([stack.table(i, points[:, i]) for i in discrete])
    stops = np.cumsum([len(mixture.weights) for mixture in mixtures]).tolist()
    sums = _core.mixture_sums(features, factors, tables, stops, _NEGLIGIBLE)
    made = np.frombuffer(sums, dtype=np.float64).reshape(len(mixtures), len(points))
    widths = (first.high - first.low)[first.is_real]
    sizes = [first.axes[i].size for i in discrete]
    return list(np.log(made) - np.log(widths).sum() - np.log(sizes).sum())


class _Stack:
    """The kernels of several mixtures as those of one."""

    def __init__(self, mixtures: Sequence[Parzen]) -> None:
        self._first = mixtures[0]
        self.log_weights: Array = np.log(np.concatenate([each.weights for each in mixtures]))
        self._mu: Array = np.concatenate([each.mu for each in mixtures])
        self._sigma: Array = np.concatenate([each.sigma for each in mixtures])
        self._choice = {i: np.concatenate([each.choice[i] for each in mixtures]) for i in self._first.choice}

    def real(self, points: Array) -> tuple[Array, Array]:
        """Weights and real axes as one matrix product: the exponents of kernels are quadratic in the point.

        Numbers are taken from the middle of the range, in ranges, so that the squares do not cancel.
        """
        first = self._first
        columns = np.flatnonzero(first.is_real)
        middle, width = 0.5 * (first.low + first.high)[columns], (first.high - first.low)[columns]
        mu, sigma = (self._mu[:, columns] - middle) / width, self._sigma[:, columns] / width
        x = (points[:, [first.numeric[column] for column in columns]] - middle) / width
        precision = 1.0 / sigma**2
        inside = ndtr((0.5 - mu) / sigma) - ndtr((-0.5 - mu) / sigma)
        each = -0.5 * mu**2 * precision - np.log(sigma * inside) - _HALF_LOG_TAU
        constant = each.sum(axis=1) + self.log_weights
        factors = np.concatenate([-0.5 * precision, mu * precision, constant[:, np.newaxis]], axis=1)
        features = np.concatenate([x**2, x, np.ones((len(x), 1))], axis=1)
        return features, np.ascontiguousarray(factors.T)

    def table(self, i: int, numbers: Array) -> tuple[Array, Index]:
        """Log of the relative masses of indices under every kernel (indices × kernels), and which one each number is."""
        axis = self._first.axes[i]
        if i in self._choice:
            return np.log(self._choice[i].T * axis.size), numbers.astype(np.intp)
        column = self._first.numeric.index(i)
        low, high = self._first.low[column], self._first.high[column]
        mu, sigma = self._mu[:, column], self._sigma[:, column]
        cells, index = _distinct(numbers, axis.size)
        inside = ndtr((high - mu) / sigma) - ndtr((low - mu) / sigma)
        if not axis.log and sigma.min() >= _FINE:
            return _fine_masses(cells, mu, sigma) + np.log(axis.size / inside), index
        widths, width = np.unique(sigma, return_inverse=True)
        if axis.log or 4 * axis.size * len(widths) > len(cells) * len(mu):
            masses = _cell_masses(axis, cells, mu, sigma)
        else:
            masses = _grid_masses(axis.size, cells, mu, widths, width)
        return masses + np.log(axis.size / inside), index


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


def _fine_masses(cells: Array, mu: Array, sigma: Array) -> Array:
    """The same where a cell is a small part h of the width: a series in h of the mass around z, from the density there.

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
