"""An empty MLflow database, made once: its migrations take seconds."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from sweep.trackers.mlflow import MlflowStore


def fresh(home: Path) -> str:
    """URL of an empty store `mlflow.db` under `home`."""
    shutil.copy(_template(), home / "mlflow.db")
    return uri(home)


def uri(home: Path) -> str:
    """URL of the default store of a home."""
    return f"sqlite:///{home}/mlflow.db"


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sweep-mlflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "mlflow.db"
    MlflowStore(f"sqlite:///{file}")
    return file
