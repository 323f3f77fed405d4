"""The sampler `qmc`: points of a scrambled Sobol sequence."""

from __future__ import annotations

from sweep.samplers.base import Settings
from sweep.samplers.enumerated import EnumeratedSampler
from sweep.samplers.sobol import SobolStream

VERSION = 1


def build(settings: Settings) -> EnumeratedSampler:
    """The sampler of these settings."""
    return EnumeratedSampler(
        settings, SobolStream(settings.space, settings.seed), name="qmc", version=VERSION
    )
