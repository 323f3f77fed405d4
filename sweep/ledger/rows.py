"""Trials to rows of the ledger and back.

`params` and the other JSON columns keep types and order of their mapping, so that a trial read back equals the
trial written: 5.0 stays a float, and sums over violations keep their order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sweep._core import json_object
from sweep.errors import error
from sweep.ledger.schema import OBJECTIVE_COLUMNS
from sweep.types import KIND, STATUS, Digests, Kind, Outcome, Proposal, Runtime, Status, Trial

Row = tuple[Any, ...]
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_DECODER: Final = json.JSONDecoder()
_TEXT: Final[Mapping[str, str]] = {word: word.value for word in (*Status, *Kind)}
_NO_OBJECTIVES: Final = (None,) * len(OBJECTIVE_COLUMNS)
_NO_DIGESTS: Final = (None,) * 5


def json_text(value: Mapping[str, Any]) -> str:
    """JSON of a mapping with its own order; refuses NaN and inf."""
    if not value:
        return "{}"
    return json_object(dict(value)) or _ENCODER.encode(value)


def _decode(text: str) -> dict[str, Any]:
    if text == "{}":
        return {}
    value: dict[str, Any] = _DECODER.raw_decode(text)[0]
    return value


def trial_row(window: int, trial: Trial) -> Row:
    """Row of table `trials`, columns as `TRIAL_COLUMNS`."""
    proposal, outcome, digests = trial.proposal, trial.outcome, trial.digests
    values = outcome.objectives
    if len(values) > len(OBJECTIVE_COLUMNS):
        raise error(4004, f"{len(values)} objectives", where=f"trial {trial.number}", stage="engine")
    objectives = (*(None if v is None else float(v) for v in values), *_NO_OBJECTIVES[len(values) :])
    return (
        window,
        proposal.number,
        proposal.batch,
        proposal.source,
        proposal.stream_pos,
        json_text(proposal.params),
        proposal.key,
        trial.identity,
        _TEXT[outcome.status],
        _TEXT[outcome.kind] if outcome.kind else None,
        int(outcome.feasible),
        *objectives,
        json_text(outcome.violations),
        json_text(trial.intermediate),
        json_text(trial.partial),
        outcome.reason,
        *(_NO_DIGESTS if digests is None else digests),
    )


def metrics_row(window: int, trial: Trial, metrics: tuple[str, ...]) -> Row:
    """Row of table `trial_metrics`: window, number and one value per metric."""
    if tuple(trial.metrics) == metrics:
        return (window, trial.number, *trial.metrics.values())
    unknown = set(trial.metrics).difference(metrics)
    if unknown:
        raise error(
            4004,
            f"metrics {sorted(unknown)} are unknown to this ledger",
            where=f"trial {trial.number}",
            stage="engine",
        )
    return (window, trial.number, *(trial.metrics.get(name) for name in metrics))


def runtime_row(window: int, trial: Trial) -> Row | None:
    """Row of table `trial_runtime`, None if nothing was measured."""
    run = trial.runtime
    if run is None:
        return None
    return (window, trial.number, *run)


def trial_of(
    row: Row, objectives: int, *, metrics: Mapping[str, float | None], runtime: Runtime | None = None
) -> Trial:
    """The trial of a row of `trials`; `objectives` says how many of obj0…obj2 are in use."""
    proposal = Proposal(
        number=row[1], batch=row[2], source=row[3], stream_pos=row[4], params=_decode(row[5]), key=row[6]
    )
    outcome = Outcome(
        status=STATUS[row[8]],
        kind=None if row[9] is None else KIND[row[9]],
        feasible=bool(row[10]),
        reason=row[17],
        objectives=tuple(row[11 : 11 + objectives]),
        violations=_decode(row[14]),
    )
    return Trial(
        proposal=proposal,
        outcome=outcome,
        metrics=metrics,
        identity=row[7],
        digests=Digests(*row[18:23]) if row[21] is not None else None,
        runtime=runtime,
        intermediate=_decode(row[15]),
        partial=_decode(row[16]),
    )


def runtime_of(row: Row) -> Runtime | None:
    """The runtime of the six columns of `trial_runtime`, None where the join found no row."""
    return None if row[0] is None else Runtime(*row)
