"""The composition root: names to implementations, imported when asked for. The only module that sees all families."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from sweep.config import Config
from sweep.errors import SweepError, error
from sweep.strategies import natives
from sweep.strategies.code import strategy_of

if TYPE_CHECKING:
    from sweep.executors.base import EngineSpec, Executor
    from sweep.objective import Objective
    from sweep.samplers.base import Sampler
    from sweep.space import Space
    from sweep.space.native import Canonicalise
    from sweep.trackers.process import Projection

SAMPLERS: Final[Mapping[str, str]] = {
    "grid": "sweep.samplers.grid",
    "random": "sweep.samplers.random",
    "qmc": "sweep.samplers.qmc",
    "tpe": "sweep.samplers.tpe",
    "optuna_tpe": "sweep.samplers.optuna",
    "cmaes": "sweep.samplers.cmaes",
    "nsga2": "sweep.samplers.nsga2",
    "gp": "sweep.samplers.gp",
}
"""Modules by name; each has `build(settings) -> Sampler`."""
NAMED_SAMPLER: Final = "sweep.samplers.named"
"""The module of samplers by import path."""

BACKENDS: Final = ("ray", "local")
LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "qmc": ("numpy", "scipy"),
    "tpe": ("numpy", "scipy"),
    "optuna_tpe": ("optuna", "numpy", "scipy"),
    "cmaes": ("cmaes", "numpy", "scipy"),
    "nsga2": ("optuna", "numpy", "scipy"),
    "gp": ("optuna", "numpy", "scipy", "torch", "greenlet"),
}
"""Packages whose version can change what a sampler proposes."""
ALL_LIBRARIES: Final = ("optuna", "cmaes", "numpy", "scipy", "torch")
"""Those of a sampler by import path."""


def declaration(config: Config) -> Mapping[str, Any]:
    """The declaration of a config's strategy.

    Raises:
        SweepError: as `native`; what is wrong with a strategy in Python.
    """
    chosen = strategy_of(config.strategy)
    return native(chosen) if isinstance(chosen, str) else chosen.load().declared


def canonicalise(config: Config) -> Canonicalise:
    """What makes parameter sets of the strategy canonical: the native module that it is in; for one in Python, its text."""
    chosen = strategy_of(config.strategy)
    if isinstance(chosen, str):
        return cast("Canonicalise", natives.find(chosen).core.canonical_rows)
    from sweep import _core

    told = chosen.load().declaration
    return lambda _, timeframe, rows: _core.canonical_rows(told, timeframe, rows)


def native(name: str) -> Mapping[str, Any]:
    """The declaration of a native strategy.

    Raises:
        SweepError: [1001] with the nearest names if there is none; what is wrong with the plug-in that has it.
    """
    return natives.find(name).declaration


def objective(config: Config) -> Objective:
    """What a study of this config looks for; [1001] [1003] [1004] [1006] [1008] for mistakes."""
    from sweep.objective import Objective

    rank_by = config.search.rank_by
    return Objective.build(
        [item.model_dump(exclude_none=True) for item in config.objective],
        config.constraints,
        config.min_trades,
        rank_by=None if rank_by is None else rank_by.model_dump(exclude_none=True),
    )


def sampler(config: Config, space: Space, objective: Objective) -> Sampler:
    """The sampler of `search.sampler`.

    Raises:
        SweepError: [1001] for an unknown name; what the sampler refuses.
    """
    from sweep.samplers.base import Named, Settings

    search = config.search
    if isinstance(search.sampler, str):
        if search.sampler not in SAMPLERS:
            raise _unknown("sampler", search.sampler, SAMPLERS, where="search.sampler")
        module, named = SAMPLERS[search.sampler], None
    else:
        module, named = NAMED_SAMPLER, Named(search.sampler.optuna, search.sampler.options)
    settings = Settings(
        space=space,
        objective=objective,
        seed=search.seed,
        batch_size=search.batch_size,
        lag=search.lag,
        trials=search.trials,
        start_points=search.start_points,
        n_startup=search.n_startup,
        startup=search.startup,
        history=search.history,
        max_rejects=search.max_rejects,
        grid=search.grid.model_dump(),
        named=named,
    )
    made: Sampler = importlib.import_module(module).build(settings)
    return made


def executor(config: Config, spec: EngineSpec, *, warn: Callable[[str], None]) -> Executor:
    """Workers as `compute` asks for them; with Ray, the cluster is up when this returns.

    Raises:
        SweepError: [1001] for an unknown backend; stage infrastructure if no worker starts.
    """
    compute = config.compute
    workers = None if compute.workers == "auto" else int(compute.workers)
    if compute.backend == "local":
        from sweep.executors.local import LocalExecutor
        from sweep.executors.worker import cpus

        return LocalExecutor(spec, workers=workers or max(1, cpus() // compute.threads))
    if compute.backend == "ray":
        from sweep.executors.environment import prepare

        prepare(compute.address)
        try:
            from sweep.executors.ray import RayExecutor
        except ImportError as problem:
            raise error(
                6000,
                f"Ray cannot be imported: {problem}",
                where="compute.backend",
                remedy="install ray, or use compute.backend=local",
                stage="infrastructure",
            ) from problem
        return RayExecutor(spec, workers=workers, address=compute.address, warn=warn)
    raise _unknown("backend", compute.backend, BACKENDS, where="compute.backend")


def projection(config: Config) -> Projection | None:
    """The background process that shows a study in MLflow, warming up; None if tracking is off."""
    if config.tracking.mlflow is None:
        return None
    from sweep.trackers.process import Projection

    return Projection.warm(uri=config.tracking.mlflow, top=config.tracking.top)


def _unknown(what: str, name: str, known: Iterable[str], *, where: str) -> SweepError:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(names)}"
    return error(1001, f"unknown {what} {name!r}", where=where, remedy=remedy)
