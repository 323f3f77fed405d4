"""Runs that record one event beside a study: a replay, a golden check. Best effort, never an error."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sweep.errors import SweepError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


def log_event(
    uri: str,
    *,
    study: str,
    role: Literal["replay", "golden"],
    name: str,
    tags: Mapping[str, str],
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    documents: Mapping[str, str],
    tables: Mapping[str, pa.Table] | None = None,
) -> str | None:
    """Write one finished run, a child of the study's newest parent run if the store has one.

    Args:
        uri: tracking store.
        study: name of the study, which is that of its experiment; empty: an experiment named after the role.
        role: tag `role`.
        name: name of the run.
        tags: further tags; empty ones are left out.
        params: parameters.
        metrics: metrics.
        documents: texts of artifacts by file name.
        tables: tables of artifacts by the name of a Parquet file.

    Returns:
        what went wrong in one line, None if nothing did.
    """
    try:
        from sweep.trackers import parquet
        from sweep.trackers.content import PARAM_LIMIT, TAG_LIMIT, safe_key
        from sweep.trackers.mlflow import MlflowStore, Point

        store = MlflowStore(uri)
        experiment = store.experiment(study or role)
        parents = store.search(experiment, {"role": "study", "study": study}, limit=1) if study else []
        every = {**tags, "role": role, "study": study, "mlflow.source.name": "sweep"}
        if parents:
            every |= {"mlflow.parentRunId": parents[0].id, "study_key": parents[0].tags.get("study_key", "")}
        now = round(time.time() * 1000)
        run = store.create(experiment, name, {"role": role}, at=now)
        with tempfile.TemporaryDirectory() as folder:
            files = {Path(folder) / file: table for file, table in (tables or {}).items()}
            for path, table in files.items():
                parquet.write(table, path)
            store.upload(run, documents, files)
        store.write(
            run,
            params={safe_key(key): value[:PARAM_LIMIT] for key, value in params.items()},
            points=[Point(safe_key(key), value, 0, now) for key, value in metrics.items()],
            tags={key: value[:TAG_LIMIT] for key, value in every.items() if value},
        )
        store.end(run, "FINISHED", at=now)
    except (SweepError, OSError) as problem:
        return str(problem)
    return None
