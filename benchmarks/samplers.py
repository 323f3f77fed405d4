"""What a proposal costs the driver, per trial: 8 parameters, batches of 64, from 1,000 to 100,000 finished trials."""

from __future__ import annotations

import json
import statistics
import time
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import optuna

from sweep import _core
from sweep.objective import Objective
from sweep.samplers import grid, qmc, random, tpe
from sweep.samplers import optuna as optuna_tpe
from sweep.samplers.base import Prefix, Sampler, Settings, View, position_after
from sweep.space import Space
from sweep.types import Outcome, Proposal, Status, Trial

SPACE = {
    "fast_period": {"low": 5, "high": 60},
    "slow_period": {"low": 61, "high": 250},
    "ma_type": ["ema", "sma"],
    "confirm_bars": {"low": 0, "high": 5},
    "adx_min": {"low": 0.0, "high": 35.0},
    "atr_period": {"low": 7, "high": 28},
    "sl_atr": {"low": 1.0, "high": 5.0, "step": 0.25},
    "tp_r": {"low": 0.5, "high": 8.0, "log": True},
}
"""Two continuous ranges (one of them log), five lists of numbers, one of texts."""
STEPPED = {name: form for name, form in SPACE.items() if name not in ("adx_min", "tp_r")}
"""The same without the continuous ones: a grid."""
FINISHED = (1_000, 10_000, 100_000)
BATCH = 64
BATCHES = 12
ASKS = {1_000: 20, 10_000: 5, 100_000: 2}


def run() -> Iterator[str]:
    """Median milliseconds per trial; the enumerated samplers are timed while they make the trials of the others."""
    declared = next(entry for entry in json.loads(_core.strategies()) if entry["id"] == "ma_cross")
    space = Space.build(
        declaration=declared, timeframe="M5", pinned={}, space=SPACE, others="default", measured=False
    )
    finite = Space.build(
        declaration=declared, timeframe="M5", pinned={}, space=STEPPED, others="default", measured=False
    )
    objective = Objective.build()
    made: list[Proposal] = []
    for name, sampler in _enumerated(space, finite, objective).items():
        made, costs = _enumerate(sampler, FINISHED[-1] if name == "random" else FINISHED[0])
        shown = [count for count in FINISHED if count <= len(made)]
        yield _line(name, {count: costs[count // BATCH - BATCHES : count // BATCH] for count in shown})
        ledger = [_trial(proposal, objective) for proposal in made] if name == "random" else []
    yield _line(
        "tpe", {count: _adaptive(tpe.build(Settings(space, objective)), ledger, count) for count in FINISHED}
    )
    yield _line(
        "optuna_tpe", {1_000: _adaptive(optuna_tpe.build(Settings(space, objective)), ledger, 1_000, 2)}
    )
    yield _line("TPESampler", {count: _stock(space, ledger, count) for count in FINISHED})


def _enumerated(space: Space, finite: Space, objective: Objective) -> dict[str, Sampler]:
    shuffled = Settings(finite, objective, grid={"order": "shuffled"})
    return {
        "grid": grid.build(shuffled),
        "qmc": qmc.build(Settings(space, objective)),
        "random": random.build(Settings(space, objective)),
    }


def _enumerate(sampler: Sampler, count: int) -> tuple[list[Proposal], list[float]]:
    """`count` proposals, and milliseconds per trial of each batch."""
    made: list[Proposal] = []
    used: set[str] = set()
    costs = []
    position = 0
    while len(made) < count:
        view = View((), (), used, position)
        begun = time.process_time()
        batch = sampler.propose(len(made) // BATCH, len(made), BATCH, view)
        costs.append((time.process_time() - begun) / BATCH * 1e3)
        position = position_after(batch, position)
        made += batch
        used.update(proposal.key for proposal in batch)
    return made, costs


def _trial(proposal: Proposal, objective: Objective) -> Trial:
    """A finished trial whose value is best in the middle of two ranges."""
    fast, target = float(proposal.params["fast_period"] or 0), float(proposal.params["tp_r"] or 0)
    value = -((fast - 20.0) ** 2) / 100.0 - (target - 3.0) ** 2
    violations = dict.fromkeys(objective.constraint_names, -1.0)
    return Trial(proposal, Outcome(Status.COMPLETE, None, True, None, (value,), violations), {}, None, None)


def _adaptive(
    sampler: Sampler, ledger: Sequence[Trial], finished: int, batches: int = BATCHES
) -> list[float]:
    """Milliseconds per trial of batches from about `finished` rows, one batch more each time, one batch pending."""
    costs = []
    used: set[str] = {trial.proposal.key for trial in ledger}
    for i in range(batches + 1):
        rows = finished - (batches - i + 1) * BATCH
        pending = [trial.proposal.params for trial in ledger[rows : rows + BATCH]]
        view = View(Prefix(ledger, rows), pending, used)
        begun = time.process_time()
        sampler.propose(rows // BATCH + 1, rows + BATCH, BATCH, view)
        costs.append((time.process_time() - begun) / BATCH * 1e3)
    return costs[1:]


def _stock(space: Space, ledger: Sequence[Trial], finished: int) -> list[float]:
    """Milliseconds per ask of Optuna's sampler as it comes, in a study of its own."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1), direction="maximize")
    distributions = {dimension.name: optuna_tpe.distribution(dimension) for dimension in space.dimensions}
    dimensions = {dimension.name: dimension for dimension in space.dimensions}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for trial in ledger[:finished]:
            found = space.decode([trial.proposal.params])[0]
            params = {name: optuna_tpe.to_optuna(dimensions[name], c) for name, c in found.items()}
            value = trial.outcome.objectives[0]
            study.add_trial(optuna.create_trial(params=params, distributions=distributions, value=value))
        costs = []
        for _ in range(ASKS[finished]):
            begun = time.process_time()
            study.ask(distributions)
            costs.append((time.process_time() - begun) * 1e3)
    return costs


def _line(name: str, costs: dict[int, list[float]]) -> str:
    shown = ", ".join(
        f"{count:,}: {statistics.median(each):.4f} (min {np.min(each):.4f})" for count, each in costs.items()
    )
    return f"{name:12s} ms per trial at finished trials {shown}"
