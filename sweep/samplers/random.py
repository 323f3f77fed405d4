"""The sampler `random`: counter-based draws, without replacement on finite spaces."""

from __future__ import annotations

from sweep.samplers.base import Settings
from sweep.samplers.enumerated import EnumeratedSampler
from sweep.samplers.stream import random_stream

VERSION = 1


def build(settings: Settings) -> EnumeratedSampler:
    """The sampler of these settings."""
    stream = random_stream(settings.space, settings.seed)
    return EnumeratedSampler(settings, stream, name="random", version=VERSION)
