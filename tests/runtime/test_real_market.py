"""On a real market, with the real engine: who runs the trials, how they are cut and how long they take never shows."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sweep.config import load
from sweep.executors.base import EngineSpec, Executor
from sweep.executors.dispatch import Dispatcher
from sweep.executors.local import LocalExecutor
from sweep.executors.worker import native_engine
from sweep.ledger import IdentityTemplate, Ledger
from sweep.pipeline import Pipeline
from sweep.study import plan as plans
from sweep.study.plan import Plan
from sweep.types import Status, StudyStatus
from tests.runtime.support import ray_session

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

BATCH, TRIALS = 8, 48
SPACE = {
    "fast_period": {"low": 5, "high": 30},
    "slow_period": {"low": 31, "high": 90},
    "sl_atr": {"low": 1.0, "high": 4.0, "step": 0.25},
    "tp_r": {"low": 0.5, "high": 8.0, "points": 16, "log": True},
}
SAMPLERS: dict[str, dict[str, Any]] = {
    "grid": {"sampler": "grid", "grid": {"order": "shuffled"}},
    "random": {"sampler": "random"},
    "qmc": {"sampler": "qmc"},
    "tpe": {"sampler": "tpe"},
    "optuna_tpe": {"sampler": "optuna_tpe"},
    "cmaes": {"sampler": "cmaes"},
    "nsga2": {"sampler": "nsga2"},
    "import path": {"sampler": {"optuna": "optuna.samplers:NSGAIIISampler", "options": {"population_size": 8}}},
    "pruned": {"sampler": "tpe", "pruner": {"type": "halving"}},
}  # fmt: skip
SEVERAL = ("nsga2", "import path")


class Late:
    """The real engine, after a pause of any length."""

    def __init__(self, spec: EngineSpec) -> None:
        self._engine = native_engine(spec)

    def run_batch(self, params: pa.Table, **options: Any) -> pa.Table:
        """See `BatchEngine`."""
        time.sleep(random.uniform(0.0, 0.01 * params.num_rows))
        return self._engine.run_batch(params, **options)


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with ray_session(sys.modules[__name__]) as session:
        yield session


@pytest.fixture(scope="module")
def planned(shared_data: Path) -> dict[str, Plan]:
    """Every sampler on two weeks of five-minute bars."""
    sides = {side: str(shared_data / f"GBPUSD_M5_{side}.parquet") for side in ("bid", "ask")}
    found = {}
    for name, search in SAMPLERS.items():
        objectives: Any = {"metric": "net_profit", "direction": "maximize"}
        if name in SEVERAL:
            objectives = [objectives, {"metric": "max_drawdown_pct", "direction": "minimize"}]
        config = {
            "study": "real",
            "market": {"symbol": "GBPUSD", "timeframe": "M5", **sides},
            "strategy": {"name": "ma_cross"},
            "search": {
                "space": SPACE,
                "others": "default",
                "trials": TRIALS,
                "batch_size": BATCH,
                "n_startup": 8,
                **search,
            },
            "objective": objectives,
            "constraints": ["max_drawdown_pct <= 30"],
            "min_trades": 20,
            "costs": {"slippage": {"fixed_pips": 0.1, "random_pips": 0.2}},
        }
        found[name] = plans.prepare(load(config))
    return found


def ran(plan: Plan, folder: Path, executor: Executor, chunk_size: int | None) -> Ledger:
    """The ledger of one run."""
    folder.mkdir()
    frozen = {
        "name": folder.name,
        "metrics": list(plan.metric_names),
        "objectives": list(plan.objective.names),
        "trials": TRIALS,
        "identity_base": plan.identity_base,
    }
    ledger = Ledger.create(folder, frozen)
    rules = plan.rules(TRIALS, keep_returns="none")
    in_flight = rules.in_flight(plan.sampler.adaptive)
    ending = Pipeline(
        ledger=ledger,
        sampler=plan.sampler,
        dispatcher=Dispatcher(executor, in_flight=in_flight, chunk_size=chunk_size),
        objective=plan.objective,
        identities=IdentityTemplate(plan.identity_base, plan.level_windows),
        rules=rules,
        pruner=plan.pruner,
    ).run()
    assert ending.problem is None
    assert ending.status is StudyStatus.FINISHED
    return ledger


@pytest.fixture(scope="module")
def expected(planned: dict[str, Plan], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Ledger digests of one worker that is never late, and gets whole batches."""
    folder = tmp_path_factory.mktemp("expected")
    digests = {}
    for name, plan in planned.items():
        executor = executor_of(plan, 1, late=False)
        try:
            with ran(plan, folder / name, executor, BATCH) as ledger:
                digests[name] = ledger.digest(verify=True)
                statuses = [trial.outcome.status for trial in ledger.trials()]
        finally:
            executor.close()
        assert len(statuses) == TRIALS
        assert statuses.count(Status.COMPLETE) >= (4 if name == "pruned" else 20), name
    # On a finite space random is the shuffled grid.
    assert digests.pop("random") == digests["grid"]
    assert len(set(digests.values())) == len(digests)
    digests["random"] = digests["grid"]
    return digests


def executor_of(plan: Plan, workers: int, *, late: bool = True) -> LocalExecutor:
    """Threads of this process."""
    return LocalExecutor(replace(plan.engine_spec(returns=False), factory=Late if late else None), workers=workers)  # fmt: skip


@pytest.mark.parametrize(("workers", "chunk_size"), [(1, 3), (2, 1), (4, None)])
def test_threads(
    workers: int, chunk_size: int | None, planned: dict[str, Plan], expected: dict[str, str], tmp_path: Path
) -> None:
    for name, plan in planned.items():
        executor = executor_of(plan, workers)
        try:
            with ran(plan, tmp_path / name, executor, chunk_size) as ledger:
                assert ledger.digest(verify=True) == expected[name], name
        finally:
            executor.close()


@pytest.mark.parametrize(("workers", "chunk_size"), [(1, 5), (2, None), (4, 2)])
def test_ray_actors(
    workers: int,
    chunk_size: int | None,
    session: Any,
    planned: dict[str, Plan],
    expected: dict[str, str],
    tmp_path: Path,
) -> None:
    from sweep.executors.ray import RayExecutor

    # One engine serves all samplers: only `pruned` needs levels, and no other asks for them.
    spec = replace(planned["pruned"].engine_spec(returns=False), factory=Late)
    executor = RayExecutor(spec, workers=workers, grace=60)
    try:
        for name, plan in planned.items():
            with ran(plan, tmp_path / name, executor, chunk_size) as ledger:
                assert ledger.digest(verify=True) == expected[name], name
    finally:
        executor.close()
