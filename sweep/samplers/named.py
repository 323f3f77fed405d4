"""Any sampler of Optuna by import path: `sampler: {optuna: "module:Class", options: {…}}`.

It is made anew for every batch, so one that keeps its state in a study's attributes, such as CmaEsSampler, begins anew too.
"""

from __future__ import annotations

import importlib
import warnings
from inspect import signature

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler

from sweep.errors import error
from sweep.samplers.adaptive import AdaptiveSampler
from sweep.samplers.base import Settings
from sweep.samplers.optuna import VERSION, OptunaModel
from sweep.samplers.told import complete


def build(settings: Settings) -> AdaptiveSampler:
    """The sampler of `settings.named`, made with `seed=` if it takes one.

    Raises:
        SweepError: [1001] it cannot be imported, [1004] it is no sampler, or refuses its options, [1006] a seed in them.
    """
    assert settings.named is not None
    path, options = settings.named.path, dict(settings.named.options)
    found = load(path)
    if "seed" in options:
        raise error(
            1006,
            "every batch has a seed of its own",
            where="search.sampler.options.seed",
            remedy="remove it, and set search.seed",
        )
    seeded = "seed" in signature(found).parameters

    def make(seed: int) -> BaseSampler:
        return found(**options, **({"seed": seed} if seeded else {}))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            make(0)
    except Exception as problem:  # a sampler of anybody's may raise anything
        raise error(
            1004,
            f"{path} refuses its options: {problem}",
            where="search.sampler.options",
            remedy="see its documentation",
        ) from problem
    generation = getattr(
        found, "_get_generation_key", None
    )  # genetic ones learn from rows of a generation alone
    model = OptunaModel(settings, make, attributes={} if generation is None else {generation(): 0})
    return AdaptiveSampler(settings, model, name=path, version=VERSION, teaches=complete)


def load(path: str) -> type[BaseSampler]:
    """The class `module:Class`.

    Raises:
        SweepError: [1001] it cannot be imported, [1004] it is no sampler of Optuna's.
    """
    module, _, name = path.partition(":")
    where = "search.sampler.optuna"
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as problem:  # importing runs the code of the module
        raise error(
            1001,
            f"no sampler {path}: {problem}",
            where=where,
            remedy="write module:Class; the module must be on the path of Python (PYTHONPATH)",
        ) from problem
    if not (isinstance(found, type) and issubclass(found, BaseSampler)):
        raise error(
            1004,
            f"{path} is no sampler of Optuna",
            where=where,
            remedy="name a class made from optuna.samplers.BaseSampler",
        )
    return found
