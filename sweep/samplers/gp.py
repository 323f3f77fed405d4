"""The sampler `gp`: Optuna's Gaussian process, for few and dear trials. Needs the optional extra `gp`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from optuna.samplers import BaseSampler, GPSampler

from sweep.errors import error
from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Settings
from sweep.samplers.optuna import VERSION, OptunaModel
from sweep.samplers.told import complete

MANY: Final = 1_000
"""Trials above which the user is warned: the cost of a proposal grows with the cube of the history."""


def build(settings: Settings) -> AdaptiveSampler:
    """The sampler of these settings.

    Raises:
        SweepError: [1006] for conditional parameters, [6000] without the package torch.
    """
    for dimension in settings.space.dimensions:
        if dimension.conditional:
            raise error(
                1006,
                f"{dimension.name} is conditional, and gp needs parameters that always have a value",
                where=f"search.space.{dimension.name}",
                remedy="pin it, or use tpe",
            )
    if find_spec("torch") is None:
        raise error(
            6000,
            "the sampler gp needs the package torch",
            where="search.sampler",
            remedy="install the extra gp: pip install 'sweep-backtest[gp]'",
        )

    def make(seed: int) -> BaseSampler:
        return GPSampler(
            deterministic_objective=True, n_startup_trials=1, warn_independent_sampling=False, seed=seed
        )

    notes = []
    if settings.trials is not None and settings.trials > MANY:
        notes.append(f"gp is for at most {MANY:,} dear trials, not {settings.trials:,}: consider tpe")
    model = OptunaModel(settings, make)
    return AdaptiveSampler(settings, model, name="gp", version=VERSION, teaches=complete, notes=notes)
