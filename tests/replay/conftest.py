"""The finished study that these tests replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tracking import studies

if TYPE_CHECKING:
    from sweep.study import Study


@pytest.fixture(scope="session")
def study() -> Study:
    """A finished study with MLflow; read only."""
    return studies.finished()
