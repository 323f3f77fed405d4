"""The MLflow runs of one study: a parent, and a child run for each of its best trials.

Runs are found again by their tags, so projecting twice gives the same runs, and a deleted store is built anew.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from sweep.errors import SweepError
from sweep.trackers import content
from sweep.trackers.mlflow import MlflowStore, Point, StoredDataset, StoredRun
from sweep.trackers.view import StudyView, milliseconds
from sweep.types import Status, StudyStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sweep.ledger import Ledger
    from sweep.types import Trial

RANKED: Final = 50
"""With `runs: all`, this many of the best carry a rank and artifacts."""

_CONFIG: Final = "config.yaml"
_IDENTITY: Final = "identity.json"
_PROJECTED: Final = "projection"
"""Tag of a run that is shown whole: what it was made of, the last to be written."""
_ENDED: Final = {
    StudyStatus.FINISHED: "FINISHED",
    StudyStatus.EXHAUSTED: "FINISHED",
    StudyStatus.STOPPED: "KILLED",
    StudyStatus.FAILED: "FAILED",
}


class MlflowTracker:
    """Projects a ledger to MLflow. One instance follows one study; it holds the ids of the runs it has seen."""

    name = "mlflow"

    def __init__(
        self,
        uri: str,
        *,
        top: int | Literal["all"] = 50,
        await_artifacts: Callable[[Path], None] | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            uri: tracking store.
            top: child runs for the best `top` trials, or for `all`.
            await_artifacts: returns when the artifacts of a trial are in their folder, or will not come; None where
                all are written.
        """
        self._uri = uri
        self._top = top
        self._await_artifacts = await_artifacts
        self._store: MlflowStore | None = None
        self._parent: StoredRun | None = None
        self._children: dict[int, StoredRun] | None = None
        self._shown_batches = 0

    @property
    def parent(self) -> StoredRun | None:
        """The parent run, once it has been projected."""
        return self._parent

    def project(self, ledger: Ledger, *, final: bool) -> None:
        """Bring the parent up to date; with `final` (or `runs: all`) the children too.

        Raises:
            SweepError: [3005] if the store cannot be reached; what was written stays and is not doubled.
        """
        view = StudyView.of(ledger)
        try:
            self._project(view, final=final)
        except SweepError:
            # What is known of the store may be wrong now, e.g. if it was deleted.
            self._store = self._parent = self._children = None
            self._shown_batches = 0
            raise

    def _project(self, view: StudyView, *, final: bool) -> None:
        store = self._store = self._store or MlflowStore(self._uri)
        parent = self._find_parent(store, view)
        if parent.status != "RUNNING" and view.status is StudyStatus.RUNNING:
            store.reopen(parent)
            parent = self._parent = replace(parent, status="RUNNING")
        self._show_progress(store, parent, view)
        if final:
            self._show_study(store, parent, view)
        if final or self._top == "all":
            self._show_children(store, parent, view, final=final)
        if final:
            status = _ENDED.get(view.status, "KILLED")
            store.end(parent, status, at=_end(view))
            self._parent = replace(parent, status=status)

    def interrupted(self) -> None:
        """Mark the parent as killed: its driver has gone without an end. A resume opens it again."""
        if self._store is not None and self._parent is not None:
            self._store.end(self._parent, "KILLED", at=round(time.time() * 1000))

    # ------------------------------------------------------------------------------------------------------- parent
    def _find_parent(self, store: MlflowStore, view: StudyView) -> StoredRun:
        if self._parent is not None:
            return self._parent
        experiment = store.experiment(view.name)
        found = store.search(experiment, {"study_key": view.key, "role": "study"}, deleted=True)
        if found:
            parent = found[-1]
            if parent.deleted:
                store.restore(parent)
            self._shown_batches = int(parent.tags.get("batches", 0))
        else:
            tags = {"role": "study", "study_key": view.key, "study": view.name}
            parent = store.create(experiment, view.name, tags, at=_start(view))
            store.write(parent, params=content.study_params(view), tags=content.study_tags(view))
            store.add_datasets(parent, [_dataset(view, *item) for item in view.datasets.items()])
            store.upload(parent, {_CONFIG: view.config_text})
        self._parent = parent
        return parent

    def _show_progress(self, store: MlflowStore, parent: StoredRun, view: StudyView) -> None:
        fresh = view.progress[self._shown_batches :]
        points = [
            Point(key, value, step=item.done, at=item.at)
            for item in fresh
            for key, value in content.progress_metrics(item).items()
        ]
        tags = content.study_tags(view) | {"batches": str(len(view.progress))}
        if fresh:
            store.write(parent, points=points, tags=tags)
            self._shown_batches = len(view.progress)

    def _show_study(self, store: MlflowStore, parent: StoredRun, view: StudyView) -> None:
        at, step = _end(view), len(view.trials)
        points = [Point(key, value, step, at) for key, value in content.best_metrics(view).items()]
        store.write(
            parent,
            params=content.study_params(view),
            points=points,
            tags=content.study_tags(view) | {"batches": str(len(view.progress))},
        )
        texts = {_CONFIG: view.config_text}
        if view.best is not None:
            texts[_IDENTITY] = view.document(view.best)
        table = view.folder / "trials.parquet"
        store.upload(parent, texts, [table] if table.is_file() else [])

    # ----------------------------------------------------------------------------------------------------- children
    def _show_children(self, store: MlflowStore, parent: StoredRun, view: StudyView, *, final: bool) -> None:
        known = self._find_children(store, parent, view)
        ranks = {t.number: i for i, t in enumerate(view.ranked[: self._ranked], 1)} if final else {}
        chosen: Sequence[Trial] = view.trials if self._top == "all" else view.ranked[: self._top]
        for trial in chosen:
            rank = ranks.get(trial.number)
            if final or trial.number not in known:
                known[trial.number] = self._show_child(
                    store, parent, view, trial, rank, known.get(trial.number)
                )
        if final:
            kept = {trial.number for trial in chosen}
            for number in [n for n, run in known.items() if n not in kept and not run.deleted]:
                store.delete(known.pop(number))

    @property
    def _ranked(self) -> int:
        return RANKED if self._top == "all" else self._top

    def _find_children(self, store: MlflowStore, parent: StoredRun, view: StudyView) -> dict[int, StoredRun]:
        if self._children is None:
            tags = {"study_key": view.key, "role": "trial", "mlflow.parentRunId": parent.id}
            runs = store.search(parent.experiment, tags, deleted=True)
            self._children = {int(run.tags["trial"]): run for run in runs}
        return self._children

    def _show_child(
        self,
        store: MlflowStore,
        parent: StoredRun,
        view: StudyView,
        trial: Trial,
        rank: int | None,
        known: StoredRun | None,
    ) -> StoredRun:
        params = content.trial_params(trial.proposal.params)
        metrics = content.trial_metrics(view, trial)
        tags = content.trial_tags(view, trial, rank)
        files = self._artifact_files(view, trial) if rank is not None else []
        tags |= _extra_digests(files)
        tags |= {
            _PROJECTED: _fingerprint(params, metrics, tags, files),
            "mlflow.parentRunId": parent.id,
        }
        name = f"#{rank} trial {trial.number}" if rank is not None else f"trial {trial.number}"
        at = (
            view.progress[trial.proposal.batch].at
            if trial.proposal.batch < len(view.progress)
            else _end(view)
        )
        run = known
        if run is not None and run.deleted:
            store.restore(run)
        if run is not None and run.tags.get(_PROJECTED) == tags[_PROJECTED] and not run.deleted:
            return run
        if run is None:
            known_by = {key: value for key, value in tags.items() if key != _PROJECTED}
            run = store.create(parent.experiment, name, known_by, at=at)
        elif run.tags.get("mlflow.runName") != name:
            store.rename(run, name)
        store.upload(run, {_CONFIG: view.config_text, _IDENTITY: view.document(trial)}, files)
        if rank is None and "rank" in run.tags:
            store.untag(run, "rank")
        points = [Point(key, value, step=0, at=at) for key, value in metrics.items()]
        store.write(run, params=params, points=points, tags=tags)
        store.end(run, "FAILED" if trial.outcome.status is Status.FAILED else "FINISHED", at=at)
        return StoredRun(
            run.id, run.experiment, "FINISHED", False, params, metrics, {**run.tags, **tags}, False
        )

    def _artifact_files(self, view: StudyView, trial: Trial) -> list[Path]:
        """What `sweep.artifacts` wrote for the trial, without the two documents that every child has."""
        folder = view.folder / "artifacts" / (trial.identity or "none")
        if self._await_artifacts is not None:
            self._await_artifacts(folder)
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return [file for file in files if file.is_file() and file.name not in (_CONFIG, _IDENTITY)]


def _dataset(view: StudyView, symbol: str, digest: str) -> StoredDataset:
    return StoredDataset(
        name=symbol,
        digest=digest,
        source=json.dumps(view.sources(symbol), default=str),
        profile=json.dumps({"digest": digest, "window": view.window(symbol)}),
    )


def _extra_digests(files: Sequence[Path]) -> dict[str, str]:
    """The equity digest, recorded where the trial was run by itself."""
    for file in files:
        if file.name == "result.json":
            digest = json.loads(file.read_text(encoding="utf-8")).get("equity_digest")
            return {"equity_digest": digest} if digest else {}
    return {}


def _fingerprint(
    params: Mapping[str, str], metrics: Mapping[str, float], tags: Mapping[str, str], files: Sequence[Path]
) -> str:
    shown = [params, metrics, tags, [(file.name, file.stat().st_size) for file in files]]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


def _start(view: StudyView) -> int:
    return milliseconds(view.facts["created_at"])


def _end(view: StudyView) -> int:
    return view.progress[-1].at if view.progress else round(time.time() * 1000)
