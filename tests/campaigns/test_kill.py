"""The short form of the kill campaign; the long one is `make kill-campaign`."""

from __future__ import annotations

import pytest

from tests.campaigns.kill import KINDS, Campaign


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return Campaign(seed=3, samplers=["tpe", "halving"])


@pytest.mark.parametrize(
    ("sampler", "kind"), [*(("tpe", kind) for kind in KINDS), ("halving", "moment"), ("halving", "spool")]
)
def test_a_killed_driver_resumes_to_the_undisturbed_ledger(
    sampler: str, kind: str, campaign: Campaign
) -> None:
    assert any(campaign.kill_driver(kind, sampler=sampler) for _ in range(5)), "the kill missed five times"
