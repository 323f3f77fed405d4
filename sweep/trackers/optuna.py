"""A study's ledger as a study in an Optuna storage: real names, ranges, values, constraints and states.

Written from the ledger alone, so it can be deleted and written again; rows that are there already must be the ledger's.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.errors import SweepError, error
from sweep.ledger import Ledger
from sweep.objective import PARAMETERS, Objective
from sweep.space import Dimension, Space
from sweep.space.values import Steps
from sweep.trackers.view import objective_of, study_key
from sweep.types import INFEASIBLE_RESULTS, Outcome, Status, Trial

KEY: Final = "sweep_key"
"""Attribute that tells whose study it is."""
_JOURNAL: Final = "journal:"

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did."""

    study: str
    url: str
    """Without a password."""
    trials: int
    """Trials in the storage now."""
    new: int
    """Those of them that this export added."""


def write(ledger: Ledger, space: Space, url: str) -> Exported:
    """Bring the Optuna study with the name of the ledger's up to date.

    Args:
        ledger: of the study; it may be running, the last committed batch counts.
        space: of the study.
        url: what SQLAlchemy takes, or `journal:FILE`.

    Raises:
        SweepError: [1007] the storage has other content under this name; [6000] a driver is missing, [3000] the storage
            cannot be used, [3004] a journal is damaged, all of stage infrastructure.
    """
    with ledger.snapshot():
        facts, trials = ledger.study, ledger.trials()
    name = str(facts.get("name") or ledger.folder.name)
    key = study_key(ledger.folder.name, facts["created_at"])
    objective = objective_of(facts)
    rows = frozen_trials(trials, space, objective, created=facts["created_at"])
    with _words(url):
        study = _study(_storage(url), name, key, objective, masked(url))
        there = study.get_trials(deepcopy=False)
        _check_same(there, rows, name, masked(url))
        study.add_trials(rows[len(there) :])
        study.set_user_attr("ledger_digest", ledger.digest())
    return Exported(name, masked(url), len(rows), len(rows) - len(there))


def distribution(dimension: Dimension) -> BaseDistribution:
    """The range of a dimension in its own values; lists that are no even steps are categorical."""
    values = dimension.values
    kind: type[FloatDistribution | IntDistribution]
    if values is None or dimension.log:
        low, high = cast("tuple[Any, Any]", (dimension.low, dimension.high))
        kind = FloatDistribution if values is None else IntDistribution
        return kind(low, high, log=dimension.log)
    if isinstance(values, Steps):
        first, last, step = cast(
            "tuple[Any, Any, Any]", (values.value(0), values.value(values.size - 1), values.step)
        )
        kind = IntDistribution if values.integer else FloatDistribution
        return kind(first, last, step=step)
    return CategoricalDistribution(tuple(values.value(i) for i in range(values.size)))


def frozen_trials(
    trials: Sequence[Trial], space: Space, objective: Objective, *, created: str
) -> list[FrozenTrial]:
    """Rows as Optuna's trials; `created` is the time of those whose own is unknown."""
    dimensions = {dimension.name: dimension for dimension in space.dimensions}
    ranges = {name: distribution(dimension) for name, dimension in dimensions.items()}
    made = []
    points = space.decode([trial.proposal.params for trial in trials])
    for trial, coordinates in zip(trials, points, strict=True):
        outcome = trial.outcome
        state = _state(outcome)
        row = create_trial(
            state=state,
            values=[v for v in outcome.objectives if v is not None] or None,
            params={name: dimensions[name].value(at) for name, at in coordinates.items()},
            distributions={name: ranges[name] for name in coordinates},
            intermediate_values={int(step): value for step, value in trial.intermediate.items()},
            constraints=_constraints(outcome, objective),
            user_attrs=_attributes(trial),
        )
        row.datetime_start, row.datetime_complete = _times(trial, created)
        made.append(row)
    return made


def masked(url: str) -> str:
    """A URL without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


def _state(outcome: Outcome) -> TrialState:
    """A result that trades too little has no value, but a violation, and is PRUNED there; a failure is FAIL."""
    if outcome.status is Status.COMPLETE:
        return TrialState.COMPLETE
    stopped = outcome.status is Status.PRUNED or outcome.kind in INFEASIBLE_RESULTS
    return TrialState.PRUNED if stopped else TrialState.FAIL


def _constraints(outcome: Outcome, objective: Objective) -> dict[str, float] | None:
    """Violations under the same keys for every result; None where there is no result."""
    if outcome.status is not Status.COMPLETE and outcome.kind not in INFEASIBLE_RESULTS:
        return None
    return {key: outcome.violations.get(key, 0.0) for key in (PARAMETERS, *objective.constraint_names)}


def _attributes(trial: Trial) -> dict[str, Any]:
    outcome = trial.outcome
    known = {
        "source": trial.proposal.source,
        "kind": None if outcome.kind is None else outcome.kind.value,
        "reason": outcome.reason,
        "identity": trial.identity,
    }
    return {name: value for name, value in known.items() if value is not None}


def _times(trial: Trial, created: str) -> tuple[datetime, datetime]:
    """Begin and end in local time, as Optuna has them."""
    runtime = trial.runtime
    text = created if runtime is None or runtime.started_at is None else runtime.started_at
    begun = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone().replace(tzinfo=None)
    return begun, begun + timedelta(seconds=0.0 if runtime is None else runtime.seconds)


def _storage(url: str) -> BaseStorage:
    if url.startswith(_JOURNAL):
        file = url.removeprefix(_JOURNAL).removeprefix("//")
        _drop_torn_line(Path(file))
        return JournalStorage(JournalFileBackend(file))
    storage = RDBStorage(url)
    if url.startswith("sqlite"):
        from sqlalchemy import event

        # One transaction per trial: waiting for the disk each time would take minutes, and an export can be repeated.
        @event.listens_for(storage.engine, "connect")  # type: ignore[untyped-decorator,unused-ignore]
        def relax(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        storage.engine.dispose()
    return storage


def _drop_torn_line(file: Path) -> None:
    """Cut off what a crash left of a line: Optuna would go on in the middle of it, and could never read the file again."""
    if not file.is_file():
        return
    lock = JournalFileSymlinkLock(str(file))
    lock.acquire()
    try:
        written = file.read_bytes()
        if written and not written.endswith(b"\n"):
            os.truncate(file, written.rfind(b"\n") + 1)
    finally:
        lock.release()


def _study(storage: BaseStorage, name: str, key: str, objective: Objective, url: str) -> optuna.Study:
    """The study of this name, made if there is none; an export that was cut short may have left it empty, without key."""
    goals = list(objective.directions)
    if name in optuna.get_all_study_names(storage):
        study = optuna.load_study(storage=storage, study_name=name)
    else:
        study = optuna.create_study(storage=storage, study_name=name, directions=goals)
    owner = study.user_attrs.get(KEY)
    if owner == key:
        return study
    same_goals = [direction.name.lower() for direction in study.directions] == goals
    if owner is not None or not same_goals or study.get_trials(deepcopy=False):
        raise _other(name, url, "is not this study's")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(objective.names))
    study.set_user_attr(KEY, key)  # last: what has the key has the names
    return study


def _check_same(there: Sequence[FrozenTrial], rows: Sequence[FrozenTrial], name: str, url: str) -> None:
    """Refuses to add to rows that are not the ledger's."""
    if len(there) > len(rows):
        raise _other(name, url, f"has {len(there)} trials, the ledger {len(rows)}")
    for number, (old, new) in enumerate(zip(there, rows, strict=False)):
        if _content(old) != _content(new):
            raise _other(name, url, f"has another trial {number} than the ledger")


def _content(trial: FrozenTrial) -> tuple[Any, ...]:
    values = trial.values if trial.state is TrialState.COMPLETE else None
    return (
        trial.state,
        values,
        trial.params,
        trial.distributions,
        trial.constraints,
        trial.intermediate_values,
        trial.user_attrs,
    )


def _other(name: str, url: str, why: str) -> SweepError:
    return error(
        1007,
        f'the Optuna study "{name}" {why}',
        where=url,
        remedy="delete it there, or export to another storage",
    )


@contextmanager
def _words(url: str) -> Iterator[None]:
    """What storages raise, as errors of ours."""
    try:
        yield
    except SweepError:
        raise
    except ImportError as problem:
        raise error(
            6000,
            f"a package is missing: {problem}",
            where=masked(url),
            remedy="install the driver of this database",
            stage="infrastructure",
        ) from problem
    except ValueError as problem:
        if not url.startswith(_JOURNAL):
            raise _unusable(problem, url) from problem
        raise error(
            3004,
            f"the journal is damaged: {problem}",
            where=url,
            remedy="move it away and export again: it is written anew from the ledger",
            stage="infrastructure",
        ) from problem
    except Exception as problem:  # every storage has errors of its own
        raise _unusable(problem, url) from problem


def _unusable(problem: Exception, url: str) -> SweepError:
    cause = getattr(problem, "orig", None) or problem.__cause__ or problem
    return error(
        3000,
        f"the storage cannot be used: {str(cause).splitlines()[0] if str(cause) else type(cause).__name__}",
        where=masked(url),
        remedy="check the URL, and whether its folder or server is there",
        stage="infrastructure",
    )
