"""Two and three objectives: the front against its definition, ranking, and the candidate of `rank_by`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.objective import Objective
from sweep.types import Kind, Status, Trial
from tests.search.fakes import METRICS, metrics, row

SEVERAL: list[dict[str, Any]] = [
    {"metric": "cagr_pct", "direction": "maximize"},
    {"metric": "max_drawdown_pct", "direction": "minimize", "name": "drawdown"},
    {"expr": "wins - losses", "direction": "maximize"},
]
Triples = list[tuple[int, int, int]]
TRIPLES = st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=40)


def several(count: int, direction: str | None = None) -> Objective:
    """The first objectives, at most 4 wins, and a rank_by if it is given a direction."""
    rank_by = None if direction is None else {"metric": "sharpe_ratio", "direction": direction}
    return Objective.build(SEVERAL[:count], ["wins <= 4"], 1, rank_by=rank_by, metrics=METRICS)


def cloud(graded: Objective, rows: Triples) -> list[Trial]:
    """Trials with these values of cagr_pct, max_drawdown_pct and wins; sharpe_ratio is undefined for some."""
    found = []
    for n, (cagr, drawdown, wins) in enumerate(rows):
        values = metrics(
            total_trades=9.0,
            cagr_pct=float(cagr),
            max_drawdown_pct=float(drawdown),
            wins=float(wins),
            losses=2.0,
            sharpe_ratio=None if cagr == drawdown else float(cagr - drawdown),
        )
        outcome = graded.grade("COMPLETE", None, None, values)
        found.append(replace(row(n, outcome, {"n": n}), metrics=values))
    return found


def dominates(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("count", [2, 3])
@given(rows=TRIPLES)
def test_the_front_is_what_no_feasible_trial_dominates(count: int, rows: Triples) -> None:
    graded = several(count)
    trials = cloud(graded, rows)
    losses = {n: (-c, d, -w)[:count] for n, (c, d, w) in enumerate(rows) if w <= 4}
    front = [n for n, loss in losses.items() if not any(dominates(o, loss) for o in losses.values())]
    assert [trial.number for trial in graded.front(reversed(trials))] == front
    half = len(trials) // 2
    assert graded.front([*graded.front(trials[:half]), *trials[half:]]) == graded.front(trials)
    ranked = [trial.number for trial in graded.rank(reversed(trials))]
    assert ranked[: len(front)] == front
    assert set(ranked[len(losses) :]) == {n for n, (_, _, w) in enumerate(rows) if w > 4}
    place = {n: i for i, n in enumerate(ranked)}
    for n, loss in losses.items():
        assert all(place[o] < place[n] for o, other in losses.items() if dominates(other, loss))
    assert graded.best(trials) is None


@given(rows=TRIPLES)
def test_rank_by_names_the_candidate_among_the_front(rows: Triples) -> None:
    trials = cloud(several(2), rows)
    front = several(2).front(trials)
    known = [trial for trial in front if trial.metrics["sharpe_ratio"] is not None]
    for direction, sign in (("maximize", 1.0), ("minimize", -1.0)):
        graded = several(2, direction)
        order = sorted(
            known, key=lambda trial: (-sign * (trial.metrics["sharpe_ratio"] or 0.0), trial.number)
        )
        assert graded.best(trials) == (order[0] if order else None)
        undefined = [trial for trial in front if trial not in known]
        assert graded.rank(trials)[: len(front)] == order + undefined
        assert graded.best([replace(trial, metrics={}) for trial in trials]) is None


def test_one_undefined_objective_of_several_is_no_score() -> None:
    graded = several(2)
    outcome = graded.grade("COMPLETE", None, None, metrics(total_trades=9.0, cagr_pct=None, wins=1.0))
    assert (outcome.status, outcome.kind) == (Status.FAILED, Kind.NAN_METRIC)
    assert outcome.objectives == (None, None)
    assert outcome.reason == "objective cagr_pct is undefined"


@pytest.mark.parametrize(
    ("objectives", "rank_by", "code"),
    [
        (SEVERAL[:1], {"metric": "wins", "direction": "maximize"}, 1006),
        (SEVERAL, {"metric": "win", "direction": "maximize"}, 1001),
        (SEVERAL, {"metric": "wins"}, 1008),
        ([*SEVERAL[:2], {"expr": "wins", "name": "drawdown", "direction": "maximize"}], None, 1006),
    ],
)
def test_mistakes(objectives: Any, rank_by: Any, code: int) -> None:
    with pytest.raises(SweepError) as caught:
        Objective.build(objectives, rank_by=rank_by, metrics=METRICS)
    assert caught.value.code == code
    assert ("search.rank_by" in str(caught.value)) == (rank_by is not None)
