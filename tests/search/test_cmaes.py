"""The sampler `cmaes`: one optimiser folded over the ledger, told ranks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from cmaes import CMA, CMAwM

from sweep.errors import SweepError
from sweep.expressions import Expression
from sweep.objective import Goal, Objective
from sweep.samplers import cmaes
from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Settings, View
from sweep.samplers.cmaes import Axis, Optimiser
from sweep.seeds import seed
from sweep.space import Space
from sweep.types import INFEASIBLE_RESULTS, Kind, Outcome, ParamValue, Status, Trial
from tests.search.fakes import failed, metrics, objective, simulate, toy_space

GRADED = objective(["max_drawdown_pct <= 25"])
NOISE = {"low": 0.01, "high": 100, "log": True}
SPACES: dict[str, dict[str, Any]] = {
    "continuous": {"noise": NOISE, "exit": {"low": 0.0, "high": 1.0}},
    "logarithms": {"noise": NOISE, "slow": {"low": 30, "high": 90, "log": True}},
    "stepped": {"fast": {"low": 5, "high": 25}, "slow": {"low": 30, "high": 200, "step": 5}},
    "mixed": {
        "fast": {"low": 5, "high": 25},
        "slow": {"low": 30, "high": 90, "log": True},
        "noise": NOISE,
        "frame": {"choices": ["H1", "H4", "D1"], "ordered": True},
        "exit": {"low": 0.0, "high": 1.0},
    },
}


def space(name: str, **options: Any) -> Space:
    return toy_space(SPACES[name], measured=False, **options)


def settings(made: Space, **options: Any) -> Settings:
    return Settings(made, **{"objective": GRADED, "batch_size": 16} | options)


def build(name: str = "mixed", **options: Any) -> AdaptiveSampler:
    return cmaes.build(settings(space(name), **options))


def scored(
    score: Callable[[Mapping[str, Any]], float],
) -> Callable[[Mapping[str, ParamValue], Objective], Outcome]:
    """A landscape in which every parameter set is feasible."""
    return lambda params, graded: graded.grade("COMPLETE", None, None, metrics(t_stat_r=score(params)))


def bowl(params: Mapping[str, Any]) -> float:
    """Minus the squared distances from 17, 55, 3 and 0.3, in units of the ranges."""
    x = [(params["fast"] - 17) / 20, math.log(params["slow"] / 55) / math.log(3)]
    x += [math.log(params["noise"] / 3) / math.log(1e4), (params["exit"] or 0.0) - 0.3]
    return -sum(each * each for each in x)


def flat(params: Mapping[str, Any]) -> float:
    return -(math.log(params["noise"] / 3) ** 2) - 10 * (params["exit"] - 0.3) ** 2


def test_the_optimum_of_a_bowl_is_found_in_a_mixed_space() -> None:
    trials = simulate(
        build(batch_size=32), GRADED, trials=960, batch_size=32, landscape=scored(bowl), growing=True
    )
    best = GRADED.best(trials)
    assert best is not None
    params = best.proposal.params
    assert (params["fast"], params["slow"]) == (17, 55)
    assert params["noise"] == pytest.approx(3, rel=0.02)
    assert params["exit"] == pytest.approx(0.3, abs=0.005)
    assert len({trial.proposal.key for trial in trials}) == 960


def test_one_dimension_and_an_optimum_in_a_corner() -> None:
    line = cmaes.build(settings(toy_space({"exit": {"low": 0.0, "high": 1.0}}, measured=False)))
    trials = simulate(
        line, GRADED, trials=480, batch_size=16, landscape=scored(lambda p: p["exit"]), growing=True
    )
    best = GRADED.best(trials)
    assert best is not None
    assert best.outcome.objectives[0] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "other",
    [lambda v: math.exp(3 * v), lambda v: 1e9 + 1e3 * v, lambda v: -math.log1p(-v) if v < 1 else v],
    ids=["exp", "affine", "log"],
)
def test_only_ranks_are_told(other: Callable[[float], float]) -> None:
    one = simulate(
        build(), GRADED, trials=160, batch_size=16, landscape=scored(lambda p: bowl(p) / 10), growing=True
    )
    two = simulate(
        build(),
        GRADED,
        trials=160,
        batch_size=16,
        landscape=scored(lambda p: other(bowl(p) / 10)),
        growing=True,
    )
    assert [t.proposal for t in one] == [t.proposal for t in two]
    minimised = objective(["max_drawdown_pct <= 25"], direction="minimize")
    three = simulate(
        build(objective=minimised),
        minimised,
        trials=160,
        batch_size=16,
        landscape=scored(lambda p: -bowl(p)),
        growing=True,
    )
    assert [t.proposal for t in one] == [t.proposal for t in three]


@pytest.mark.parametrize(("batch_size", "population"), [(64, 32), (32, 32), (24, 24), (33, 33)])
@pytest.mark.parametrize("lag", [1, 2, 3])
def test_against_the_package_driven_by_hand(batch_size: int, population: int, lag: int) -> None:
    """A continuous space in which no point is refused: the textbook loop, one batch asked, one told `lag` later."""
    sampler = build("continuous", batch_size=batch_size, lag=lag)
    trials = simulate(
        sampler,
        GRADED,
        trials=6 * batch_size,
        batch_size=batch_size,
        lag=lag,
        landscape=scored(flat),
        growing=True,
    )
    cma = CMA(np.full(2, 0.5), 1 / 6, bounds=np.array([[0.0, 1.0], [0.0, 1.0]]), population_size=population)
    asked: list[list[Any]] = []
    for k in range(6):
        if k >= lag:
            for start in range(0, batch_size, population):
                points = asked[k - lag][start : start + population]
                cma.tell([(x, -flat({"noise": 0.01 * 1e4 ** x[0], "exit": x[1]})) for x in points])
        cma.reseed_rng(seed(42, "sampler", k) % 2**32)
        asked.append([cma.ask().round(9) for _ in range(batch_size)])
        rows = trials[k * batch_size : (k + 1) * batch_size]
        expected = [[0.01 * 1e4 ** x[0], x[1]] for x in asked[k]]
        assert [[t.proposal.params["noise"], t.proposal.params["exit"]] for t in rows] == pytest.approx(
            np.array(expected), rel=1e-12
        )


@pytest.mark.parametrize("name", ["continuous", "mixed", "stepped"])
def test_run_300_and_extend_by_300_is_run_600(name: str) -> None:
    def made() -> AdaptiveSampler:
        return build(name, batch_size=64, start_points=["default"])

    short = simulate(made(), GRADED, trials=300, batch_size=64, growing=True)
    long = simulate(made(), GRADED, trials=600, batch_size=64, stored=short, growing=True)
    assert (len(short), len(long)) == (300, 600)
    assert len({trial.proposal.key for trial in long}) == 600
    sources = {trial.proposal.source for trial in long}
    assert {"start_point", "sampler"} <= sources <= {"start_point", "sampler", "fallback"}


@pytest.mark.parametrize("start_points", [(), ("default",)])
def test_a_kept_fold_is_a_fold_made_anew(start_points: Sequence[Any]) -> None:
    """In a small space, where many points are repeats of earlier batches."""
    made = toy_space({"fast": {"low": 5, "high": 19}, "slow": {"low": 20, "high": 60, "step": 2}})
    drawn = settings(made, start_points=start_points)
    live = simulate(cmaes.build(drawn), GRADED, trials=256, batch_size=16, growing=True)
    assert {trial.proposal.source for trial in live} >= {"sampler", "fallback"}
    for trials in (160, 256):
        assert live[:trials] == simulate(cmaes.build(drawn), GRADED, trials=trials, batch_size=16)


def test_propose_is_pure() -> None:
    rows = simulate(build(), GRADED, trials=160, batch_size=16)

    def view(k: int) -> View:
        done = (k - 1) * 16
        used = {t.proposal.key for t in rows[: k * 16]}
        return View(rows[:done], [t.proposal.params for t in rows[done : k * 16]], used, 0)

    sampler = build()
    for k in (9, 3, 9, 5):
        expected = [trial.proposal for trial in rows[k * 16 : (k + 1) * 16]]
        assert sampler.propose(k, k * 16, 16, view(k)) == expected
        assert sampler.propose(k, k * 16, 5, view(k)) == expected[:5]


class Spy:
    """Records what optimisers are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[list[Any]] = []
        tell = Optimiser.tell

        def record(optimiser: Optimiser, points: Sequence[Any]) -> bool:
            self.told.append([point.tolist() for point in points])
            return tell(optimiser, points)

        monkeypatch.setattr(Optimiser, "tell", record)


def grade(**given: float | None) -> Outcome:
    return GRADED.grade("COMPLETE", None, None, metrics(**given))


def pruned(kind: Kind) -> Outcome:
    return Outcome(Status.PRUNED, kind, False, "stopped", (None,), {})


LADDER: list[tuple[Outcome, dict[str, float]]] = [
    (grade(t_stat_r=2.5), {}),
    (grade(t_stat_r=1.5), {}),
    (grade(total_trades=29.0), {}),
    (grade(t_stat_r=9.0, max_drawdown_pct=45.0), {}),
    (grade(total_trades=0.0, t_stat_r=8.0), {}),
    (GRADED.grade("FAILED", "INVALID_PARAMS", "no", {}), {}),
    (pruned(Kind.LEVEL_1), {"0": 5.0, "1": 0.7}),
    (pruned(Kind.LEVEL_1), {"1": 0.6}),
    (pruned(Kind.LEVEL_0), {"0": 9.0}),
    (pruned(Kind.RUIN), {}),
    (grade(t_stat_r=None), {}),
    (failed(Kind.ENGINE_ERROR), {}),
    (failed(Kind.TIMEOUT), {}),
    (failed(Kind.WORKER_LOST), {}),
    (failed(Kind.OUT_OF_MEMORY), {}),
    (failed(Kind.DATA_MISMATCH), {}),
]
"""The table of outcomes, the best first; failures are equal and go by number."""


def test_the_rank_of_every_row_of_the_outcome_table(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = build("continuous")
    proposals = sampler.propose(0, 0, 16, View([], [], [], 0))
    order = [5, 14, 0, 9, 3, 12, 7, 1, 15, 6, 2, 4, 8, 10, 11, 13]
    places = {place: LADDER[i] for i, place in enumerate(order)}
    rows = [
        Trial(p, places[i][0], {}, None, None, intermediate=places[i][1]) for i, p in enumerate(proposals)
    ]
    spy = Spy(monkeypatch)
    sampler.propose(2, 32, 16, View(rows, [p.params for p in proposals], {p.key for p in proposals}, 0))
    expected = [
        [math.log(rows[place].proposal.params["noise"] / 0.01, 1e4), rows[place].proposal.params["exit"]]  # type: ignore[operator]
        for place in order
    ]
    assert len(spy.told) == 1
    assert spy.told[0] == pytest.approx(np.array(expected), abs=1e-9)


def test_no_row_without_an_objective_is_ranked_by_one() -> None:
    """Values that failed rows might have change nothing."""
    rows = simulate(build(), GRADED, trials=64, batch_size=16)
    assert INFEASIBLE_RESULTS & {trial.outcome.kind for trial in rows}
    for trial in rows:
        assert (trial.outcome.objectives == (None,)) == (trial.outcome.status is not Status.COMPLETE)
    ranked = GRADED.rank(rows)
    valued = [trial.outcome.feasible for trial in ranked]
    assert valued == sorted(valued, reverse=True)


def test_start_points_and_fallbacks_are_told_where_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy_space(SPACES["stepped"], where=["fast >= 24"], measured=False)
    sampler = cmaes.build(settings(made, start_points=[{"fast": 25, "slow": 200}]))
    spy = Spy(monkeypatch)
    rows = simulate(sampler, GRADED, trials=48, batch_size=16, growing=True)
    sources = [trial.proposal.source for trial in rows]
    assert sources[0] == "start_point"
    assert "fallback" in sources[:16]
    by_rank = GRADED.rank(rows[:16])
    for trial, told in zip(by_rank, spy.told[0], strict=True):
        fast, slow = trial.proposal.params["fast"], trial.proposal.params["slow"]
        place = [(fast - 5) / 20, (slow - 30) / 170]  # type: ignore[operator]
        if trial.proposal.source == "sampler":
            # The point as it was drawn, which CMA-ES with margin may show on another node.
            assert told != pytest.approx(place, abs=1e-9)
        else:
            assert told == pytest.approx(place, abs=1e-12)


def test_refused_and_repeated_points_are_asked_again() -> None:
    made = toy_space(SPACES["stepped"], where=["(fast + slow) % 2 == 0"], measured=False)
    rows = simulate(cmaes.build(settings(made)), GRADED, trials=192, batch_size=16, growing=True)
    assert all((t.proposal.params["fast"] + t.proposal.params["slow"]) % 2 == 0 for t in rows)  # type: ignore[operator]
    assert len({trial.proposal.key for trial in rows}) == 192
    assert sum(trial.proposal.source == "sampler" for trial in rows[:64]) == 64


def test_a_small_space_is_exhausted() -> None:
    made = toy_space({"fast": {"low": 5, "high": 11}, "slow": {"low": 10, "high": 60, "step": 10}})
    rows = simulate(cmaes.build(settings(made, max_rejects=500)), GRADED, trials=200, batch_size=16)
    valid = {(fast, slow) for fast in range(5, 12) for slow in range(10, 61, 10) if fast < slow}
    assert {(t.proposal.params["fast"], t.proposal.params["slow"]) for t in rows} == valid
    assert len(rows) == len(valid)


def test_an_optimiser_that_has_ended_makes_way_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """After batch 2 is told: batch 4 is what a new optimiser gives, and batch 3 is never told."""
    spy = Spy(monkeypatch)
    tell = Optimiser.tell

    def ends(optimiser: Optimiser, points: Sequence[Any]) -> bool:
        return tell(optimiser, points) and len(spy.told) != 3

    monkeypatch.setattr(Optimiser, "tell", ends)
    rows = simulate(
        build("continuous"), GRADED, trials=16 * 7, batch_size=16, landscape=scored(flat), growing=True
    )
    fresh = CMA(np.full(2, 0.5), 1 / 6, bounds=np.array([[0.0, 1.0], [0.0, 1.0]]), population_size=16)
    fresh.reseed_rng(seed(42, "sampler", 4) % 2**32)
    assert [t.proposal.params["exit"] for t in rows[64:80]] == [fresh.ask().round(9)[1] for _ in range(16)]
    exits = [sorted(point[1] for point in population) for population in spy.told]
    batches = [sorted(t.proposal.params["exit"] for t in rows[16 * k : 16 * (k + 1)]) for k in range(7)]  # type: ignore[type-var]
    assert exits == [pytest.approx(batches[k], abs=1e-9) for k in (0, 1, 2, 4)]


def test_it_goes_on_when_there_is_nothing_left_to_learn() -> None:
    """A constant objective, and a space that is nearly used up: no crash, no repeats, every trial run."""
    made = toy_space({"fast": {"low": 5, "high": 34}, "slow": {"low": 60, "high": 360, "step": 10}})
    assert made.cardinality == 930
    rows = simulate(
        cmaes.build(settings(made, batch_size=32)),
        GRADED,
        trials=900,
        batch_size=32,
        landscape=scored(lambda _: 1.0),
        growing=True,
    )
    assert len({trial.proposal.key for trial in rows}) == 900


@pytest.mark.parametrize("name", ["continuous", "stepped"])
@pytest.mark.parametrize("points", [[0.0, 0.0], [0.5, 0.5], [1e30, 0.5], [-1e30, 1e30]])
def test_degenerate_populations_end_an_optimiser(name: str, points: list[float]) -> None:
    """Whatever is told, it says that it has ended before it gives a point that is none. Margins can go on for ever."""
    optimiser = Optimiser([Axis(dimension) for dimension in space(name).dimensions], 8)
    for _ in range(1_000):
        if not optimiser.tell([np.array(points)] * 8):
            return
        assert np.isfinite(optimiser.ask()).all()
    assert name == "stepped"


@pytest.mark.parametrize(
    ("name", "kind"), [("continuous", CMA), ("logarithms", CMA), ("stepped", CMAwM), ("mixed", CMAwM)]
)
def test_the_form_with_margin_is_for_steps(name: str, kind: type) -> None:
    axes = [Axis(dimension) for dimension in space(name).dimensions]
    assert type(Optimiser(axes, 16)._cma) is kind


@pytest.mark.parametrize("name", SPACES)
def test_positions_and_coordinates_are_inverse(name: str) -> None:
    for dimension in space(name).dimensions:
        axis = Axis(dimension)
        for u in (0.0, 0.21, 0.5, 0.83, 0.9999):
            coordinate = dimension.from_unit(u)
            assert axis.coordinate(axis.position(coordinate)) == pytest.approx(coordinate, rel=1e-12)
        assert 0 <= axis.position(axis.coordinate(0.0)) < axis.position(axis.coordinate(1.0)) <= 1


def test_every_value_of_a_stepped_dimension_can_be_asked() -> None:
    for size in (2, 3, 7, 50, 333):
        made = toy_space({"fast": {"low": 1, "high": size}}, pinned={"slow": 1000}, measured=False)
        axis = Axis(made.dimensions[0])
        margin = CMAwM(
            np.array([0.5]), 1.0, bounds=np.array([[0.0, 1.0]]), steps=np.array([axis.step]), seed=1
        )
        assert {axis.coordinate(float(margin.ask()[0][0])) for _ in range(40 * size)} == set(range(size))


def refused(made: Space, **options: Any) -> SweepError:
    with pytest.raises(SweepError) as caught:
        cmaes.build(settings(made, **options))
    return caught.value


def test_what_it_cannot_search_is_refused() -> None:
    unordered = refused(toy_space({"ma": ["ema", "sma"], "fast": {"low": 5, "high": 9}}, measured=False))
    assert (unordered.code, unordered.context["where"]) == (1006, "search.space.ma")
    assert "ordered: true" in str(unordered)
    flag = refused(toy_space({"reverse": [False, True]}, measured=False))
    assert "reverse has no order" in str(flag)
    conditional = refused(
        toy_space({"fast": {"low": 5, "high": 9}, "noise": NOISE | {"when": "fast > 6"}}, measured=False)
    )
    assert "noise is conditional" in str(conditional)
    small = refused(space("stepped"), batch_size=3)
    assert (small.code, small.context["where"]) == (1006, "search.batch_size")
    two = Objective(
        (
            Goal("t_stat_r", Expression.parse("t_stat_r"), "maximize"),
            Goal("max_drawdown_pct", Expression.parse("max_drawdown_pct"), "minimize"),
        ),
        (),
        30,
    )
    assert "one objective" in str(refused(space("stepped"), objective=two))


def test_name_version_and_notes() -> None:
    sampler = build()
    assert (sampler.name, sampler.version, sampler.adaptive) == ("cmaes", 1, True)
    assert "32 trials are blind" in sampler.notes[0]
