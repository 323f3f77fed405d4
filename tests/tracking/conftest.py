"""A home with an empty MLflow store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tracking import stores

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(home: Path) -> Path:
    """An empty SWEEP_HOME, save for an MLflow database that is set up."""
    stores.fresh(home)
    return home
