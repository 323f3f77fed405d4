"""The command and a config for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import STUDY, Sweep


@pytest.fixture
def sweep(capsys: pytest.CaptureFixture[str], home: Path) -> Sweep:
    """`sweep` with an empty home as working directory."""
    return Sweep(capsys)


@pytest.fixture
def config(home: Path) -> Path:
    """A config of a small local study named `small`."""
    path = home / "small.yaml"
    path.write_text(STUDY)
    return path
