"""What an adaptive sampler learns from one row of the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sweep.objective import PARAMETERS, Objective
from sweep.types import INFEASIBLE_RESULTS, LEVELS, Kind, Status, Trial


class State(StrEnum):
    """Optuna's trial states, without Optuna."""

    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Told:
    """One row as it is told. `values` exist for COMPLETE alone; a violation > 0 marks an infeasible result."""

    state: State
    values: tuple[float, ...] | None
    violations: Mapping[str, float]
    """The same keys in the same order for every row of a study."""
    intermediate: Mapping[int, float]


def usable(trial: Trial) -> bool:
    """Whether a model learns anything from the row: it is not told, or told FAIL, otherwise."""
    outcome = trial.outcome
    return outcome.status is not Status.FAILED or outcome.kind in INFEASIBLE_RESULTS


def complete(trial: Trial) -> bool:
    """Whether the row has a value, for models that learn from nothing else."""
    return trial.outcome.status is Status.COMPLETE


def tell(trial: Trial, objective: Objective) -> Told | None:
    """The row as told; None for DATA_MISMATCH, which is never told."""
    outcome = trial.outcome
    if outcome.kind is Kind.DATA_MISMATCH:
        return None
    keys = (PARAMETERS, *objective.constraint_names)
    violations = {key: outcome.violations.get(key, 0.0) for key in keys}
    if outcome.status is Status.COMPLETE:
        values = tuple(value for value in outcome.objectives if value is not None)
        return Told(State.COMPLETE, values, violations, {})
    if outcome.kind in INFEASIBLE_RESULTS:
        return Told(State.PRUNED, None, violations, {})
    if outcome.status is Status.PRUNED:
        return Told(State.PRUNED, None, dict.fromkeys(keys, 0.0), _steps(trial))
    return Told(State.FAIL, None, dict.fromkeys(keys, 0.0), {})


def _steps(trial: Trial) -> dict[int, float]:
    """Objective by level, NaN where the last one has none; empty for a trial that a limit gave up."""
    if trial.outcome.kind not in LEVELS:
        return {}
    last = LEVELS.index(trial.outcome.kind)
    return {
        **{int(step): value for step, value in trial.intermediate.items()},
        last: trial.intermediate.get(str(last), math.nan),
    }
