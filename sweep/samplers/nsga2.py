"""The sampler `nsga2`: Optuna's NSGA-II, whose parents are the elite of all told rows."""

from __future__ import annotations

from typing import Final

from optuna.samplers import BaseSampler, NSGAIISampler

from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Settings
from sweep.samplers.optuna import VERSION, OptunaModel
from sweep.samplers.told import complete

POPULATION: Final = 50
_GENERATION: Final = {"NSGAIISampler:generation": 0}
"""Of every told row. With the generations that Optuna gives, a restored study would propose other points than a live one."""


def build(settings: Settings) -> AdaptiveSampler:
    """The sampler of these settings. Fewer complete rows than a population give random points."""

    def make(seed: int) -> BaseSampler:
        return NSGAIISampler(population_size=POPULATION, seed=seed)

    model = OptunaModel(settings, make, capped=False, attributes=_GENERATION)
    return AdaptiveSampler(settings, model, name="nsga2", version=VERSION, teaches=complete)
