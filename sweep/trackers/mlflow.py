"""An MLflow tracking store: the few operations that the projections need, with one kind of error.

The only file that imports MLflow, so that nothing else pays for its import or depends on its API.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

import requests
import sqlalchemy.exc
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException

from sweep.errors import SweepError, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

for _name in ("alembic", "mlflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_PAGE: Final = 1000
_METRICS_PER_CALL: Final = 900
_ENTRIES_PER_CALL: Final = 100
_DATASET_DIGEST: Final = 36


@dataclass(frozen=True, slots=True)
class Point:
    """One metric value; `at` in milliseconds since 1970, UTC."""

    key: str
    value: float
    step: int
    at: int


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the store holds it; `metrics` are the latest values."""

    id: str
    experiment: str
    status: str
    deleted: bool
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    has_dataset: bool


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """Rows that a run was made of: a name, their digest, where they were, and what else is known, both as JSON."""

    name: str
    digest: str
    source: str
    profile: str


class MlflowStore:
    """Runs of one tracking store: a SQLAlchemy URL or a server.

    New experiments of a local SQLite store keep their artifacts in `mlartifacts` beside the database file; a server
    chooses by itself. Every operation raises [3005] when the store cannot be reached or refuses.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._artifacts = artifact_root(uri)
        self._file: tuple[int, int] | None = None
        with self._reaching("open"), _created_once(uri):
            self._client = MlflowClient(tracking_uri=uri)
            self._client.search_experiments(max_results=1)
            self._file = _file_identity(uri)
            if self._file is None and database_file(uri) is not None:
                raise OSError("the database file was deleted while this process had it open")

    @contextmanager
    def _reaching(self, doing: str) -> Iterator[None]:
        try:
            if self._file != (self._file and _file_identity(self.uri)):
                # MLflow keeps the old file open and would go on writing to it, unseen.
                raise OSError("the database file was deleted or replaced while this process had it open")
            yield
        except (
            MlflowException,
            requests.RequestException,
            sqlalchemy.exc.SQLAlchemyError,
            OSError,
        ) as problem:
            if isinstance(problem, SweepError):
                raise
            raise unreachable(self.uri, doing, problem) from problem

    def experiment(self, name: str) -> str:
        """Id of the experiment `name`, made or restored if need be."""
        with self._reaching("open the experiment"):
            found = self._client.get_experiment_by_name(name)
            if found is None:
                location = (self._artifacts / name).as_uri() if self._artifacts else None
                try:
                    return str(self._client.create_experiment(name, artifact_location=location))
                except MlflowException:
                    found = self._client.get_experiment_by_name(name)
                    if found is None:
                        raise
            if found.lifecycle_stage == "deleted":
                self._client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)

    def search(
        self, experiment: str, tags: Mapping[str, str], *, deleted: bool = False, limit: int | None = None
    ) -> list[StoredRun]:
        """Runs that carry all these tags, the newest first; with `deleted`, deleted ones too."""
        query = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
        runs: list[StoredRun] = []
        token: str | None = None
        with self._reaching("search runs"):
            while True:
                page = self._client.search_runs(
                    [experiment],
                    query,
                    run_view_type=view,
                    max_results=min(limit or _PAGE, _PAGE),
                    page_token=token,
                )
                runs.extend(_stored(run) for run in page)
                token = page.token
                if not token or (limit is not None and len(runs) >= limit):
                    return runs

    def get(self, run_id: str) -> StoredRun:
        """The run of this id.

        Raises:
            SweepError: [1001] if the store has no such run.
        """
        with self._reaching("read a run"):
            try:
                return _stored(self._client.get_run(run_id))
            except MlflowException as problem:
                if problem.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise
                raise error(
                    1001,
                    f"no MLflow run {run_id!r}",
                    where=public(self.uri),
                    remedy="check the id and tracking.mlflow",
                ) from problem

    def create(self, experiment: str, name: str, tags: Mapping[str, str], *, at: int) -> StoredRun:
        """A new run, RUNNING since `at`."""
        with self._reaching("create a run"):
            return _stored(self._client.create_run(experiment, start_time=at, tags=dict(tags), run_name=name))

    def write(
        self,
        run: StoredRun,
        *,
        params: Mapping[str, str] | None = None,
        points: Sequence[Point] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add params (write-once: known ones are left alone), metric points and tags, the tags last.

        A point that is there already, with its step and time, is not doubled.
        """
        fresh = [Param(k, v) for k, v in (params or {}).items() if k not in run.params]
        labels = [RunTag(k, v) for k, v in (tags or {}).items() if run.tags.get(k) != v]
        metrics = [Metric(p.key, p.value, p.at, p.step) for p in points]
        with self._reaching("write a run"):
            if len(metrics) <= _METRICS_PER_CALL and len(fresh) + len(labels) <= _ENTRIES_PER_CALL:
                if metrics or fresh or labels:
                    self._client.log_batch(
                        run.id, metrics=metrics, params=fresh, tags=labels, synchronous=True
                    )
                return
            for part in _parts(metrics, _METRICS_PER_CALL):
                self._client.log_batch(run.id, metrics=part, synchronous=True)
            for some in _parts(fresh, _ENTRIES_PER_CALL):
                self._client.log_batch(run.id, params=some, synchronous=True)
            for few in _parts(labels, _ENTRIES_PER_CALL):
                self._client.log_batch(run.id, tags=few, synchronous=True)

    def untag(self, run: StoredRun, key: str) -> None:
        """Remove a tag."""
        with self._reaching("remove a tag"):
            self._client.delete_tag(run.id, key)

    def add_datasets(self, run: StoredRun, datasets: Sequence[StoredDataset]) -> None:
        """Name the datasets that are inputs of the run, once; MLflow keeps 36 characters of a digest."""
        if run.has_dataset:
            return
        inputs = [
            DatasetInput(
                Dataset(
                    name=each.name[:500],
                    digest=each.digest[:_DATASET_DIGEST],
                    source_type="sweep",
                    source=each.source,
                    profile=each.profile,
                ),
                [InputTag("mlflow.data.context", "backtest")],
            )
            for each in datasets
        ]
        with self._reaching("log the datasets"):
            self._client.log_inputs(run.id, inputs)

    def upload(self, run: StoredRun, texts: Mapping[str, str], files: Iterable[Path] = ()) -> None:
        """Put texts by file name, and files, at the top of the run's artifacts; what has the same name is replaced."""
        with self._reaching("write artifacts"), tempfile.TemporaryDirectory() as folder:
            # One call for a folder: every call asks the store where the run's artifacts are.
            for file in files:
                shutil.copyfile(file, Path(folder) / file.name)
            for name, text in texts.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            self._client.log_artifacts(run.id, folder)

    def artifacts(self, run: StoredRun) -> set[str]:
        """Names at the top of the run's artifacts."""
        with self._reaching("list artifacts"):
            return {item.path for item in self._client.list_artifacts(run.id)}

    def download(self, run: StoredRun, name: str, folder: Path) -> Path:
        """Copy one artifact into `folder`; its path there."""
        with self._reaching(f"read the artifact {name}"):
            return Path(self._client.download_artifacts(run.id, name, str(folder)))

    def end(self, run: StoredRun, status: str, *, at: int) -> None:
        """Set the status FINISHED, FAILED or KILLED and the time of the end."""
        with self._reaching("end a run"):
            self._client.set_terminated(run.id, status=status, end_time=at)

    def reopen(self, run: StoredRun) -> None:
        """Set the status RUNNING."""
        with self._reaching("reopen a run"):
            self._client.update_run(run.id, status="RUNNING")

    def rename(self, run: StoredRun, name: str) -> None:
        """Give the run another name."""
        with self._reaching("rename a run"):
            self._client.update_run(run.id, name=name)

    def delete(self, run: StoredRun) -> None:
        """Hide the run; `restore` brings it back."""
        with self._reaching("delete a run"):
            self._client.delete_run(run.id)

    def restore(self, run: StoredRun) -> None:
        """Show a deleted run again."""
        with self._reaching("restore a run"):
            self._client.restore_run(run.id)


def artifact_root(uri: str) -> Path | None:
    """Folder of the artifacts of a local SQLite store; None for servers and other databases."""
    file = database_file(uri)
    return file.parent / "mlartifacts" if file else None


def database_file(uri: str) -> Path | None:
    """The file of a SQLite URL, None for any other URL."""
    parts = urlsplit(uri)
    if not parts.scheme.startswith("sqlite") or not parts.path.strip("/"):
        return None
    return Path(unquote(parts.path[1:])).absolute()


def _file_identity(uri: str) -> tuple[int, int] | None:
    file = database_file(uri)
    if file is None or not file.exists():
        return None
    found = file.stat()
    return found.st_dev, found.st_ino


def public(uri: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri


def unreachable(uri: str, doing: str, problem: BaseException) -> SweepError:
    """[3005] with what MLflow said, in one line."""
    said = next(iter(str(problem).strip().splitlines()), type(problem).__name__)
    if "Connection refused" in said or "Failed to establish a new" in said:
        said = "no server answers"
    return error(
        3005,
        f"MLflow cannot {doing}: {said[:300]}",
        where=public(uri),
        remedy="start or mend the tracking server, then `sweep sync STUDY`",
        stage="infrastructure",
    )


@contextmanager
def _created_once(uri: str) -> Iterator[None]:
    """Lets one process at a time open a SQLite store: concurrent first openings race in its migrations."""
    file = database_file(uri)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(file.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stored(run: Run) -> StoredRun:
    return StoredRun(
        id=run.info.run_id,
        experiment=run.info.experiment_id,
        status=run.info.status,
        deleted=run.info.lifecycle_stage == "deleted",
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags=dict(run.data.tags),
        has_dataset=bool(run.inputs and run.inputs.dataset_inputs),
    )


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
