"""Points of the configuration that are tried before anything else: `search.start_points`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.errors import error
from sweep.space import Candidate, Space


def start_points(space: Space, given: Sequence[Any]) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    """Valid start points in order, snapped and without repeats, and notes on those that are left out.

    Each is a mapping, or `default` for the strategy's defaults. Raises [1001] [1004] [1006] on names and values that
    cannot be meant; a point that a constraint refuses is left out like any other candidate.
    """
    points = []
    for i, point in enumerate(given):
        where = f"search.start_points[{i}]"
        if point != "default" and not isinstance(point, Mapping):
            raise error(
                1004, f"{point!r} is no start point", where=where, remedy="write a mapping, or default"
            )
        points.append(space.snap({} if point == "default" else point, where=where))
    kept: dict[str, Candidate] = {}
    notes = []
    for i, evaluation in enumerate(space.evaluate(points)):
        candidate = evaluation.candidate
        if candidate is None:
            notes.append(f"start point {i} is left out: {evaluation.reason}")
        elif candidate.key in kept:
            notes.append(f"start point {i} repeats an earlier one")
        else:
            kept[candidate.key] = candidate
    return tuple(kept.values()), tuple(notes)
