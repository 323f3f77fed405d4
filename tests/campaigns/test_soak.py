"""The short form of the soak."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.soak import MOST, soak


@pytest.mark.ray
def test_a_worker_does_not_grow_with_its_trials(tmp_path: Path) -> None:
    (held,) = soak(4000, 1, tmp_path)
    assert held.calls >= 10
    assert held.growth <= MOST, held
