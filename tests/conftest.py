"""What every test shares: the environment of the libraries, and the market data beside the project."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports ray, mlflow or rayon.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

settings.register_profile("sweep", deadline=None, derandomize=True)
settings.load_profile("sweep")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files with long tests first, so that no process is left alone with one: files stay whole (`--dist=loadfile`)."""
    with_ray = {item.path for item in items if item.get_closest_marker("ray")}
    with_slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in with_ray, item.path not in with_slow))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real market data; its absence is a failure unless SWEEP_NO_SHARED=1 asks to do without."""
    if SHARED.is_dir():
        return SHARED
    if os.environ.get("SWEEP_NO_SHARED") == "1":
        pytest.skip("SWEEP_NO_SHARED=1: no real market data here")
    pytest.fail("../shared/data is absent; set SWEEP_NO_SHARED=1 to do without the tests on real data")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty SWEEP_HOME that is also the working directory."""
    monkeypatch.setenv("SWEEP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path
