from __future__ import annotations

import itertools
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc as scipy_qmc

from sweep.errors import SweepError
from sweep.samplers import grid, qmc, random
from sweep.samplers.base import Settings, View, position_after
from sweep.samplers.sobol import MOST_DIMENSIONS, Sobol, SobolStream
from sweep.samplers.thin import kept_indices, thinned_counts
from sweep.seeds import seed
from sweep.types import Proposal
from tests.search.fakes import objective, simulate, toy_space

EMPTY = View([], [], set(), 0)


def settings(space: Any, **options: Any) -> Settings:
    return Settings(space=space, objective=objective(), **options)


def batches(sampler: Any, *sizes: int) -> list[Proposal]:
    made: list[Proposal] = []
    for k, size in enumerate(sizes):
        view = View([], [], [p.key for p in made], position_after(made))
        made += sampler.propose(k, len(made), size, view)
    return made


@pytest.mark.parametrize(
    ("lengths", "most", "expected"),
    [
        ((11, 10, 5, 3), 500, (8, 7, 4, 2)), ((5000, 2), 5000, (2500, 2)), ((50, 50, 50), 5000, (17, 17, 17)),
        ((3, 3), 100, (3, 3)), ((2, 2, 2), 4, (2, 2, 1)), ((10**9, 3), 100, (50, 2)), ((7,), 1, (1,)),
    ],
)  # fmt: skip
def test_thinned_counts(lengths: tuple[int, ...], most: int, expected: tuple[int, ...]) -> None:
    assert thinned_counts(lengths, most) == expected


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 400))
def test_thinned_counts_fit_and_cannot_grow(lengths: list[int], most: int) -> None:
    counts = thinned_counts(lengths, most)
    product = int(np.prod(counts))
    assert product <= most or all(c == 1 for c in counts)
    assert all(1 <= c <= n for c, n in zip(counts, lengths, strict=True))
    assert not any(c < n and product // c * (c + 1) <= most for c, n in zip(counts, lengths, strict=True))


@pytest.mark.parametrize(
    ("length", "count", "expected"),
    [(11, 4, (0, 3, 6, 10)), (10, 4, (0, 3, 6, 9)), (5, 1, (2,)), (4, 4, (0, 1, 2, 3))],
)
def test_kept_indices(length: int, count: int, expected: tuple[int, ...]) -> None:
    assert kept_indices(length, count) == expected


SMALL = {"fast": {"low": 5, "high": 12}, "slow": {"low": 10, "high": 30, "step": 10}, "ma": ["ema", "sma"]}


def test_a_grid_runs_through_valid_points_in_declaration_order_the_last_digit_fastest() -> None:
    space = toy_space(SMALL)
    made = batches(grid.build(settings(space)), 7, 60)
    expected = [
        (f, s, m) for f, s, m in itertools.product(range(5, 13), (10, 20, 30), ("ema", "sma")) if f < s
    ]
    assert [(p.params["fast"], p.params["slow"], p.params["ma"]) for p in made] == expected
    assert [p.number for p in made] == list(range(len(expected)))
    assert {p.source for p in made} == {"sampler"}


def test_a_shuffled_grid_and_random_visit_every_valid_point_once() -> None:
    space = toy_space(SMALL)
    shuffled = batches(grid.build(settings(space, grid={"order": "shuffled"})), 10, 10, 60)
    drawn = batches(random.build(settings(space)), 64, 64)
    lexicographic = batches(grid.build(settings(space)), 64)
    assert len({p.key for p in shuffled}) == len(shuffled) == space.measured.valid
    assert {p.key for p in shuffled} == {p.key for p in drawn} == {p.key for p in lexicographic}
    assert [p.key for p in drawn] == [p.key for p in shuffled] != [p.key for p in lexicographic]


@pytest.mark.parametrize("order", ["lexicographic", "shuffled"])
def test_a_grid_with_conditions_has_no_duplicates_and_leaves_nothing_out(order: str) -> None:
    space = toy_space(
        {
            "scenario": [1, 3, 2],
            "fast": [5, 6, 7],
            "level": [0.74, 0.8],
            "band": [1, 2, 3],
            "noise": {"low": 1.0, "high": 3.0, "step": 1.0, "when": "fast > 5"},
        }
    )
    made = batches(grid.build(settings(space, grid={"order": order}, batch_size=5)), *[5] * 30)
    points = itertools.product(*(range(n) for n in space.sizes))
    expected = {e.candidate.key for e in space.evaluate(list(points)) if e.candidate is not None}
    assert len(made) == len({p.key for p in made}) == len(expected)
    assert {p.key for p in made} == expected


def test_a_grid_in_order_skips_long_runs_of_inactive_combinations() -> None:
    wide = {"low": 1, "high": 100_000}
    space = toy_space(
        {
            "scenario": [1, 3],
            "band": wide,
            "noise": {"low": 1.0, "high": 9.0, "step": 1.0, "when": "scenario == 3"},
        },
        measured=False,
    )
    made = batches(
        grid.build(settings(space, grid={"order": "lexicographic"}, trials=None, max_rejects=2_000)), 1, 3
    )
    assert [p.params.get("band") for p in made] == [None, 1, 1, 1]
    assert made[1].stream_pos == 100_000 * 9


def test_a_billion_points_cost_nothing_until_they_are_run() -> None:
    space = toy_space(
        {
            "fast": {"low": 1, "high": 1000},
            "slow": {"low": 2000, "high": 2999},
            "band": {"low": 1, "high": 1000},
        },
        measured=False,
    )
    assert space.cardinality == 10**9
    for order in ("lexicographic", "shuffled"):
        sampler = grid.build(settings(space, grid={"order": order}))
        sampler.propose(0, 0, 64, EMPTY)
        tracemalloc.start()
        made = sampler.propose(1, 64, 64, View([], [], set(), 10**9 - 64))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(made) == 64
        assert peak < 2_000_000


def test_fewer_trials_than_a_grid_in_order_has_are_refused_with_the_ways_out() -> None:
    space = toy_space(SMALL)
    with pytest.raises(SweepError, match="shuffled") as caught:
        grid.build(settings(space, trials=10))
    assert caught.value.code == 1006
    assert "thin" in caught.value.message
    assert "qmc" in caught.value.message
    assert grid.build(settings(space, trials=space.measured.valid))
    assert grid.build(settings(space, trials=10, grid={"order": "shuffled"}))


def test_a_thinned_grid_keeps_the_spread_indices() -> None:
    space = toy_space(
        {"fast": {"low": 1, "high": 11}, "slow": {"low": 20, "high": 65, "step": 5}, "ma": ["ema", "sma"]}
    )
    sampler = grid.build(settings(space, grid={"thin": 30}))
    made = batches(sampler, 64)
    counts = thinned_counts((11, 10, 2), 30)
    fast = [i + 1 for i in kept_indices(11, counts[0])]
    assert len(made) == int(np.prod(counts))
    assert sorted({p.params["fast"] for p in made}) == fast  # type: ignore[type-var]
    assert f"= {len(made)} of 220" in sampler.notes[0]


def test_the_advice_against_thin_grids_of_many_dimensions() -> None:
    five = {
        "fast": [5, 6],
        "slow": [20, 30],
        "ma": ["ema", "sma"],
        "reverse": [False, True],
        "frame": ["H1", "H4"],
    }
    assert "qmc" in grid.build(settings(toy_space(five), grid={"thin": 8})).notes[-1]


@pytest.mark.parametrize("options", [{"order": "random"}, {"thin": 0}, {"thin": "x"}])
def test_wrong_grid_options(options: Any) -> None:
    with pytest.raises(SweepError, match=r"search\.grid"):
        grid.build(settings(toy_space(SMALL), grid=options))


def test_a_grid_needs_finite_ranges() -> None:
    with pytest.raises(SweepError, match="noise is continuous"):
        grid.build(settings(toy_space({"noise": {"low": 0.5, "high": 1.5}})))


def test_random_draws_are_those_of_the_specification_and_independent_of_the_other_parameters() -> None:
    one = toy_space({"noise": {"low": 0.5, "high": 1.5}})
    two = toy_space({"noise": {"low": 0.5, "high": 1.5}, "slow": {"low": 20, "high": 60, "log": True}})
    a, b = (batches(random.build(settings(space)), 20) for space in (one, two))
    assert [p.params["noise"] for p in a] == [p.params["noise"] for p in b]
    assert a[3].params["noise"] == 0.5 + seed(42, "random", 3, "noise") / 2**64


def test_qmc_points_are_those_of_scipys_engine_by_index() -> None:
    space = toy_space({"noise": {"low": 0.5, "high": 1.5}, "exit": {"low": 0.0, "high": 1.0}}, measured=False)
    engine = scipy_qmc.Sobol(2, scramble=True, rng=seed(42, "qmc") % 2**32)
    expected = engine.random(256) + np.array([0.5, 0.0])
    made = batches(qmc.build(settings(space)), 100, 28, 128)
    assert np.array_equal(np.array([(p.params["noise"], p.params["exit"]) for p in made]), expected)
    stream = SobolStream(space, 42)
    later = stream.points(100, 5)
    assert stream.points(3, 2) == SobolStream(space, 42).points(3, 2)
    assert stream.points(100, 5) == later


@pytest.mark.parametrize("dimensions", [1, 2, 9, 40])
def test_sobol_points_are_those_of_scipy_bit_for_bit(dimensions: int) -> None:
    engine = scipy_qmc.Sobol(dimensions, scramble=True, rng=2**32 - dimensions)
    ours = Sobol(dimensions, 2**32 - dimensions)
    for start in (0, 256, 100_003, 2**30 - 256):
        if start:
            engine.fast_forward(start - engine.num_generated)
        assert np.array_equal(ours.units(start, 256), engine.random(256))
    assert scipy_qmc.Sobol.MAXDIM == MOST_DIMENSIONS


def test_a_study_starts_without_the_statistics_of_scipy() -> None:
    code = "import sys; from sweep.samplers import qmc, tpe; sys.exit('scipy.stats' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", [grid, random, qmc])
def test_a_small_space_is_exhausted(module: Any) -> None:
    space = toy_space({"ma": ["ema", "sma"], "reverse": [False, True]})
    assert len(batches(module.build(settings(space)), 64, 36)) == 4
    everything_pinned = toy_space({"ma": "ema"})
    assert len(batches(module.build(settings(everything_pinned)), 64)) == 1


def test_max_rejects_in_a_row_exhaust_a_stream() -> None:
    space = toy_space({"noise": {"low": 0.0001, "high": 1000.0}}, where=["noise < 1"])
    patient = random.build(settings(space, max_rejects=20_000)).propose(0, 0, 3, EMPTY)
    assert [p.params["noise"] < 1 for p in patient] == [True] * 3  # type: ignore[operator]
    assert patient[0].stream_pos is not None
    hasty = random.build(settings(space, max_rejects=patient[0].stream_pos)).propose(0, 0, 3, EMPTY)
    enough = random.build(settings(space, max_rejects=patient[0].stream_pos + 1)).propose(0, 0, 1, EMPTY)
    assert (hasty, enough) == ([], patient[:1])


@pytest.mark.parametrize("module", [grid, random, qmc])
def test_start_points_come_first_snapped_and_without_repeats(module: Any) -> None:
    space = toy_space(SMALL)
    points = [{"fast": 7.4, "slow": 24}, "default", {"fast": 12, "slow": 10}, {"fast": 7, "slow": 20}]
    sampler = module.build(settings(space, start_points=points))
    made = batches(sampler, 1, 10, 64)
    assert [(p.params["fast"], p.params["slow"], p.source) for p in made[:2]] == [
        (7, 20, "start_point"),
        (10, 30, "start_point"),
    ]
    assert {p.source for p in made[2:]} == {"sampler"}
    assert len({p.key for p in made}) == len(made) == space.measured.valid
    assert "start point 2 is left out" in sampler.notes[-2]
    assert "start point 3 repeats" in sampler.notes[-1]


def test_wrong_start_points_are_refused() -> None:
    for point in ("defaults", {"fats": 5}, {"ma": "wma"}):
        with pytest.raises(SweepError, match=r"start_points\[0\]"):
            random.build(settings(toy_space(SMALL), start_points=[point]))


def unit_sampler(name: str) -> Any:
    if name == "grid":
        space = toy_space(
            {"fast": {"low": 5, "high": 40}, "slow": {"low": 10, "high": 50, "step": 2}, "ma": ["ema", "sma"]}
        )
        return grid.build(settings(space, grid={"order": "shuffled"}, start_points=["default"]))
    module = random if name.startswith("random") else qmc
    noise = {"low": 0.01, "high": 100, "log": True} if name != "random finite" else [1.0, 2.0]
    return module.build(
        settings(toy_space({"noise": noise}, others="search", measured=False), start_points=["default"])
    )


@pytest.mark.parametrize("name", ["grid", "random", "random finite", "qmc"])
def test_run_300_and_extend_by_300_is_run_600(name: str) -> None:
    short = simulate(unit_sampler(name), objective(), trials=300, batch_size=64)
    long = simulate(unit_sampler(name), objective(), trials=600, batch_size=64, stored=short)
    assert (len(short), len(long)) == (300, 600)
    assert len({trial.proposal.key for trial in long}) == 600


@pytest.mark.parametrize("name", ["grid", "random", "random finite", "qmc"])
def test_propose_is_pure(name: str) -> None:
    sampler = unit_sampler(name)
    first = sampler.propose(0, 0, 64, EMPTY)
    keys = [p.key for p in first]
    views = [View([], [], used, 70) for used in (keys, keys[::-1], frozenset(keys), dict.fromkeys(keys))]
    proposals = [sampler.propose(1, 64, 64, view) for view in (*views, *views)]
    assert all(p == proposals[0] for p in proposals)
    assert unit_sampler(name).propose(1, 64, 64, views[0]) == proposals[0]
    assert sampler.propose(1, 64, 10, views[1]) == proposals[0][:10]
    assert sampler.propose(0, 0, 64, EMPTY) == first
