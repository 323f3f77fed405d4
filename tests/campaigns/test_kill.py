"""The short form of the kill campaign; the long one is `make kill-campaign`."""

from __future__ import annotations

import pytest

from tests.campaigns.kill import KINDS, Campaign


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return Campaign(seed=3, samplers=["tpe"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_driver_resumes_to_the_undisturbed_ledger(kind: str, campaign: Campaign) -> None:
    assert any(campaign.kill_driver(kind) for _ in range(5)), "the kill missed five times"
