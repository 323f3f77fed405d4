"""The sampler `tpe`: for now Optuna's estimator under the default name, with its own version."""

from __future__ import annotations

from typing import Final

from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Settings
from sweep.samplers.optuna import TpeModel

VERSION: Final = 0


def build(settings: Settings) -> AdaptiveSampler:
    """The sampler of these settings."""
    return AdaptiveSampler(settings, TpeModel(settings), name="tpe", version=VERSION)
