"""The estimator against Optuna's, against probability itself, and against its own samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe import parzen_estimator as theirs
from optuna.samplers._tpe.sampler import default_weights

from sweep import _core
from sweep.errors import SweepError
from sweep.samplers.density import Densities
from sweep.samplers.parzen import Array, Axis, Parzen, recency

PARAMETERS = theirs._ParzenEstimatorParameters(1.0, True, False, default_weights, True)
PAIRS: Mapping[str, tuple[Axis, BaseDistribution]] = {
    "float": (Axis("real", -3.0, 7.0), FloatDistribution(-3.0, 7.0)),
    "log float": (Axis("real", 1e-5, 1e3, log=True), FloatDistribution(1e-5, 1e3, log=True)),
    "int": (Axis("grid", size=12), IntDistribution(0, 11)),
    "middling int": (Axis("grid", size=700), IntDistribution(0, 699)),
    "long int": (Axis("grid", size=2600), IntDistribution(0, 2599)),
    "very long int": (Axis("grid", size=100_001), IntDistribution(0, 100_000)),
    "stepped": (Axis("grid", size=37), FloatDistribution(0.5, 9.5, step=0.25)),
    "log int": (Axis("grid", size=398, log=True, first=3), IntDistribution(3, 400, log=True)),
    "log int from 1": (Axis("grid", size=9, log=True, first=1), IntDistribution(1, 9, log=True)),
    "categorical": (Axis("choice", size=5), CategoricalDistribution(list("abcde"))),
    "bool": (Axis("choice", size=2), CategoricalDistribution([False, True])),
}
MIXED = tuple(PAIRS)


def log_density(mixture: Parzen, points: Array) -> Array:
    """Of one mixture."""
    return Densities([mixture]).at(points)[0]


def values(axis: Axis, u: Array) -> tuple[Array, Array]:
    """Numbers as our points hold them and as Optuna's internal form does, spread by u in [0, 1)."""
    if axis.kind == "real":
        low, high = axis.ends()
        numbers = low + u * (high - low)
        return numbers, np.exp(numbers) if axis.log else numbers
    index = np.floor(u * axis.size)
    return index, index + axis.first if axis.log else index


@pytest.fixture
def stable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Optuna sorts kernels in an order that the processor chooses among equals; ours come in trial order."""
    argsort = np.argsort
    monkeypatch.setattr(np, "argsort", lambda a, *args, **kw: argsort(a, *args, **{**kw, "kind": "stable"}))
    return


def both(names: tuple[str, ...], rows: int, seed: int, concentrated: bool = False) -> Any:
    """Our estimator and Optuna's on the same random rows, and the same points to ask both about."""
    rng = np.random.default_rng(seed)
    axes = [PAIRS[name][0] for name in names]
    draw = (lambda n: rng.beta(2.0, 8.0, n) * 0.999) if concentrated else rng.random
    told = [values(axis, draw(rows)) for axis in axes]
    asked = [values(axis, rng.random(300)) for axis in axes]
    space = {name: PAIRS[name][1] for name in names}
    stepped = {name: (0.5, 0.25) for name in names if name == "stepped"}

    def internal(pairs: list[tuple[Array, Array]]) -> dict[str, Array]:
        made = {name: pair[1] for name, pair in zip(names, pairs, strict=True)}
        return {n: stepped[n][0] + stepped[n][1] * v if n in stepped else v for n, v in made.items()}

    our_points = np.stack([pair[0] for pair in told], axis=1).reshape(rows, len(axes))
    ours = Parzen(axes, our_points, recency(rows))
    reference = theirs._ParzenEstimator(internal(told), space, PARAMETERS)
    return ours, np.stack([pair[0] for pair in asked], axis=1), reference, internal(asked)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 24, 25, 26, 275, 403])
@pytest.mark.parametrize("names", [*((name,) for name in PAIRS), MIXED, ("float", "int", "categorical")])
@pytest.mark.usefixtures("stable")
def test_log_densities_equal_those_of_optuna(names: tuple[str, ...], rows: int) -> None:
    for seed in range(2):
        ours, points, reference, asked = both(names, rows, seed, concentrated=seed == 1)
        assert log_density(ours, points) == pytest.approx(reference.log_pdf(asked), abs=1e-10, rel=0)


def test_uniform_weights_equal_those_of_optuna_too(stable: None) -> None:
    rng = np.random.default_rng(0)
    u = rng.random(40)
    weights = rng.random(40)
    ours = Parzen([Axis("real", -3.0, 7.0)], values(PAIRS["float"][0], u)[0].reshape(-1, 1), weights)
    reference = theirs._ParzenEstimator(
        {"x": values(PAIRS["float"][0], u)[1]},
        {"x": FloatDistribution(-3.0, 7.0)},
        PARAMETERS,
        weights.copy(),
    )
    x = np.linspace(-3.0, 7.0, 101)
    assert log_density(ours, x.reshape(-1, 1)) == pytest.approx(reference.log_pdf({"x": x}), abs=1e-10, rel=0)


@pytest.mark.parametrize("count", [0, 1, 24, 25, 26, 27, 100, 300])
def test_weights_of_rows_are_those_of_optuna(count: int) -> None:
    assert recency(count) == pytest.approx(default_weights(count), abs=1e-15)


@pytest.mark.parametrize("name", [name for name in PAIRS if PAIRS[name][0].kind != "real"])
def test_masses_of_all_values_add_up_to_one(name: str) -> None:
    axis = PAIRS[name][0]
    estimator = both((name,), 60, 5)[0]
    masses = np.exp(log_density(estimator, np.arange(axis.size, dtype=np.float64).reshape(-1, 1)))
    assert masses.sum() == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("name", ["float", "log float"])
def test_densities_integrate_to_one(name: str) -> None:
    low, high = PAIRS[name][0].ends()
    x = np.linspace(low, high, 200_001)
    density = np.exp(log_density(both((name,), 60, 5)[0], x.reshape(-1, 1)))
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", list(PAIRS))
def test_samples_follow_the_density(name: str) -> None:
    axis = PAIRS[name][0]
    estimator = both((name,), 12, 3, concentrated=True)[0]
    count = 40_000
    rng = np.random.default_rng(1)
    drawn = estimator.sample(rng.random(count), rng.random((count, 1)))[:, 0]
    low, high = (0.0, axis.size - 1.0) if axis.kind != "real" else axis.ends()
    assert low <= drawn.min()
    assert drawn.max() <= high
    if axis.kind == "real":
        x = np.linspace(low, high, 4_001)
        density = np.exp(log_density(estimator, x.reshape(-1, 1)))
        share = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x))])
        reached = np.searchsorted(np.sort(drawn), x, side="right") / count
    else:
        x = np.arange(axis.size, dtype=np.float64)
        assert (drawn == np.floor(drawn)).all()
        share = np.cumsum(np.exp(log_density(estimator, x.reshape(-1, 1))))
        reached = np.searchsorted(np.sort(drawn), x, side="right") / count
    # Kolmogorov and Smirnov: 1.95/√n is exceeded once in a thousand times.
    assert np.abs(reached - share).max() < 1.95 / count**0.5


def test_a_sample_takes_all_its_axes_from_one_kernel() -> None:
    axes = [Axis("real", 0.0, 1.0), Axis("choice", size=4), Axis("grid", size=1000)]
    points = np.array([[0.1, 0, 100], [0.5, 1, 500], [0.9, 2, 900]] * 30, dtype=np.float64)
    estimator = Parzen(axes, points, np.ones(90))
    rng = np.random.default_rng(0)
    drawn = estimator.sample(rng.random(2000), rng.random((2000, 3)))
    near = np.abs(drawn[:, 0] * 1000 - drawn[:, 2]) < 200
    assert near.mean() > 0.9
    assert (np.abs(drawn[near, 0] - 0.1 - 0.4 * drawn[near, 1]) < 0.15).mean() > 0.9


def test_a_point_scores_alike_alone_and_among_others() -> None:
    estimator, points, _, _ = both(MIXED, 200, 9)
    together = log_density(estimator, points)
    assert [log_density(estimator, points[[i]])[0] for i in range(0, 300, 37)] == pytest.approx(
        together[::37].tolist(), abs=1e-11, rel=0
    )


def test_far_kernels_add_what_they_should_in_many_dimensions() -> None:
    rng = np.random.default_rng(2)
    names = [f"x{i}" for i in range(30)]
    told, asked = rng.random((340, 30)), rng.random((50, 30))
    ours = Parzen([Axis("real", 0.0, 1.0)] * 30, told, recency(340))
    space: dict[str, BaseDistribution] = {name: FloatDistribution(0.0, 1.0) for name in names}
    reference = theirs._ParzenEstimator(dict(zip(names, told.T, strict=True)), space, PARAMETERS)
    expected = reference.log_pdf(dict(zip(names, asked.T, strict=True)))
    assert log_density(ours, asked) == pytest.approx(expected, abs=1e-10, rel=0)


def test_numbers_of_points_and_back() -> None:
    for axis, _ in PAIRS.values():
        for u in (0.0, 0.3, 0.999):
            number = float(values(axis, np.array([u]))[0][0])
            coordinate = axis.decode(number)
            assert isinstance(coordinate, float if axis.kind == "real" else int)
            assert axis.encode(coordinate) == pytest.approx(number, abs=1e-14)
    assert Axis("real", 0.1, 10.0, log=True).decode(2.4) == 10.0


def test_two_mixtures_score_together_as_they_do_alone() -> None:
    one, points, _, _ = both(MIXED, 200, 9)
    two = both(MIXED, 13, 10, concentrated=True)[0]
    together = Densities([two, one]).at(points)
    assert together[0] == pytest.approx(log_density(two, points), abs=1e-11, rel=0)
    assert together[1] == pytest.approx(log_density(one, points), abs=1e-11, rel=0)


def test_sums_over_kernels_are_those_of_the_formula_and_other_shapes_are_refused() -> None:
    generator = np.random.default_rng(3)
    points, kernels, stops = 9, 21, [4, 21]
    features, factors = generator.normal(size=(points, 3)), generator.normal(size=(3, kernels))
    table, index = generator.normal(size=(5, kernels)), generator.integers(0, 5, points).astype(np.intp)
    exponents = features @ factors + table[index]
    sums = np.frombuffer(_core.mixture_sums(features, factors, [(table, index)], stops, 2.0))
    for part, found in zip(np.split(exponents, stops[:1], axis=1), sums.reshape(2, points), strict=True):
        counted = np.where(part > part[:, -1:] - 2.0, np.exp(part), 0.0)
        assert found == pytest.approx(counted.sum(axis=1), rel=1e-12)
    for wrong in ([4], [21, 21], [0, 21], [], [5, 4, 21]):
        with pytest.raises(SweepError, match="5004"):
            _core.mixture_sums(features, factors, [(table, index)], wrong, 2.0)
    for row in (-1, 5):
        with pytest.raises(SweepError, match="5004"):
            _core.mixture_sums(features, factors, [(table, np.full(points, row, np.intp))], stops, 2.0)
    with pytest.raises(SweepError, match="5004"):
        _core.mixture_sums(features[:, :2].copy(), factors, [], stops, 2.0)
