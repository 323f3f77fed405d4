"""A study without market and native engine: a fake engine whose results are a pure function of the parameters."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import rfc8785

from sweep.errors import error
from sweep.executors.base import EngineSpec, Executor, MarketData, MarketRows
from sweep.executors.dispatch import Dispatcher
from sweep.executors.environment import prepare
from sweep.executors.local import LocalExecutor
from sweep.ledger import IdentityTemplate, Ledger
from sweep.ledger.schema import TRIAL_COLUMNS
from sweep.pipeline import Ending, Halving, Pipeline, Rules
from sweep.pipeline.retry import retry_failed
from sweep.samplers import cmaes, grid, named, nsga2, qmc, tpe
from sweep.samplers import optuna as optuna_sampler
from sweep.samplers import random as random_sampler
from sweep.samplers.base import Named, Sampler, Settings
from tests.search.fakes import METRICS, objective, toy_space

SAMPLERS = {
    "random": random_sampler,
    "qmc": qmc,
    "grid": grid,
    "optuna_tpe": optuna_sampler,
    "tpe": tpe,
    "cmaes": cmaes,
    "nsga2": nsga2,
    "named": named,
}
NAMED = Named("optuna.samplers:NSGAIIISampler", {"population_size": 8})
BASE: dict[str, Any] = {"v": 1, "dataset": "ab" * 32, "engine": {"semantics": 1}, "seed": "42", "window": {}}
SPACE = {
    "fast": {"type": "int", "low": 5, "high": 20},
    "slow": {"type": "int", "low": 10, "high": 60, "step": 5},
    "ma": ["ema", "sma"],
    "noise": {"type": "float", "low": 0.5, "high": 4.5, "step": 0.5},
}
IDENTITIES = IdentityTemplate(BASE, {level: {"level": level, "parts": []} for level in (0, 1)})


class FakeEngine:
    """Results by parameters alone; `options` of the spec say how the process misbehaves."""

    def __init__(self, spec: EngineSpec) -> None:
        self.options = dict(spec.options)
        self.returns = spec.returns
        pa.array([1]).to_pylist()  # pyarrow imports pandas here, which takes longer than any deadline below
        if self.options.get("fail_to_start"):
            raise RuntimeError("this engine never starts")
        if self.options.get("other_market"):
            raise error(3008, "the worker's market has digest ff, the driver's ab", stage="data")

    def run_batch(
        self, params: pa.Table, *, returns: bool = False, threads: int = 1, level: int | None = None
    ) -> pa.Table:
        """One row per parameter set."""
        if self.options.get("delay"):
            time.sleep(random.uniform(0, self.options["delay"]))
        self.options.get("calls", []).append((level, params.num_rows))
        rows = [self._row(row, level) for row in params.to_pylist()]
        names = [
            "status",
            "kind",
            "reason",
            "params",
            "identity",
            "trades_digest",
            "daily_digest",
            "metrics_digest",
        ]
        names += ["result_digest", "seconds"]
        columns = {name: pa.array([row[name] for row in rows]) for name in names}
        columns |= {
            f"metrics.{m}": pa.array([row["metrics"].get(m) for row in rows], pa.float64()) for m in METRICS
        }
        if returns:
            columns["returns"] = pa.array([row["returns"] for row in rows], pa.list_(pa.float64()))
        return pa.table(columns)

    def _row(self, params: Mapping[str, Any], level: int | None = None) -> dict[str, Any]:
        self._misbehave(params, level)
        x = params["fast"] + 0.1 * params["slow"] + params["noise"] + (5 if params["ma"] == "sma" else 0)
        row: dict[str, Any] = {
            "params": None,
            "identity": None,
            "seconds": 1e-3,
            "metrics": {},
            "returns": None,
        }
        row |= dict.fromkeys(
            ("kind", "reason", "trades_digest", "daily_digest", "metrics_digest", "result_digest")
        )
        case = int(x * 7) % 12
        if case == 0 or self.options.get("all_fail"):
            return row | {"status": "FAILED", "kind": "ENGINE_ERROR", "reason": "boom"}
        if case == 1:
            return row | {"status": "FAILED", "kind": "INVALID_PARAMS", "reason": "refused"}
        score = math.nan if case == 4 else -((x - 14) ** 2) + math.sin(x if level is None else x + 40 * level)
        trades = {2: 0.0, 3: 12.0}.get(case, 100.0) / (1 if level is None else 9 // 3**level)
        row["metrics"] = dict.fromkeys(METRICS, 1.0) | {"total_trades": trades, "t_stat_r": score}
        for name in ("trades", "daily", "metrics", "result"):
            row[f"{name}_digest"] = hashlib.sha256(f"{name}{x!r}{level}".encode()).hexdigest()
        if case == 6 and level != 0 and self.options.get("ruin"):
            return row | {"status": "PRUNED", "kind": "RUIN", "reason": "ruined on a bar"}
        return row | {"status": "COMPLETE", "returns": [x, -x]}

    def _misbehave(self, params: Mapping[str, Any], level: int | None) -> None:
        if level not in self.options.get("levels", (level,)):
            return
        at = self.options.get("at", {})
        if any(params[name] != value for name, value in at.items()):
            return
        if (once := self.options.get("die_once")) and not Path(once).exists():
            Path(once).touch()
            os._exit(1)
        if self.options.get("die"):
            os._exit(1)
        if self.options.get("out_of_memory"):
            raise MemoryError("no memory for this one")
        if self.options.get("hang"):
            time.sleep(3600)


def spec(**options: Any) -> EngineSpec:
    """What a worker of the fake engine builds."""
    table = pa.table({"bid": pa.array([1.0, 2.0])})
    return EngineSpec(
        data=MarketData((MarketRows(table, {}, "ab" * 32),)),
        strategy="toy",
        options=options,
        semantics=1,
        returns=bool(options.get("returns")),
        factory=FakeEngine,
    )


def make_sampler(
    name: str, *, batch_size: int, lag: int, trials: int | None = None, **options: Any
) -> Sampler:
    """A real sampler over the toy's space."""
    if name == "grid":
        options.setdefault("grid", {"order": "shuffled"})
    if name == "named":
        options.setdefault("named", NAMED)
    options.setdefault("n_startup", 16)
    ordered = {"ma": {"choices": ["ema", "sma"], "ordered": True}} if name == "cmaes" else {}
    settings = Settings(
        space=toy_space(SPACE | ordered),
        objective=objective(),
        batch_size=batch_size,
        lag=lag,
        trials=trials,
        **options,
    )
    made: Sampler = SAMPLERS[name].build(settings)
    return made


def create(folder: Path, *, trials: int | None) -> None:
    """The folder and ledger of a study."""
    folder.mkdir(parents=True)
    frozen = {
        "name": folder.name,
        "metrics": list(METRICS),
        "objectives": ["t_stat_r"],
        "trials": trials,
        "identity_base": BASE,
    }
    Ledger.create(folder, frozen).close()


def drive(
    folder: Path,
    *,
    sampler: str = "random",
    trials: int | None = 60,
    batch_size: int = 8,
    lag: int = 2,
    workers: int = 1,
    chunk_size: int | None = None,
    executor: Executor | None = None,
    engine: Mapping[str, Any] | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    watch: Callable[[Ledger], None] = lambda ledger: None,
    sampler_options: Mapping[str, Any] | None = None,
    max_retries: int = 1,
    trial_timeout: float | None = None,
    retry: bool = False,
    pruner: Halving | None = None,
    **rules: Any,
) -> Ending:
    """Run a study of the fake engine from where its ledger ends."""
    if not (folder / "study.db").exists():
        create(folder, trials=trials)
    own = executor is None
    executor = executor or LocalExecutor(spec(**(engine or {})), workers=workers)
    limits = Rules(batch_size=batch_size, lag=lag, seed=42, trials=trials, **rules)
    proposer = make_sampler(sampler, batch_size=batch_size, lag=lag, trials=trials, **(sampler_options or {}))
    dispatcher = Dispatcher(
        executor,
        in_flight=limits.in_flight(proposer.adaptive),
        chunk_size=chunk_size,
        max_retries=max_retries,
        trial_timeout=trial_timeout,
    )
    try:
        with Ledger.open(folder, write=True) as ledger:
            watch(ledger)
            if retry:
                form = rules.get("keep_returns", "none")
                retry_failed(ledger, dispatcher, objective(), IDENTITIES, keep_returns=form)
            return Pipeline(
                ledger=ledger,
                sampler=proposer,
                dispatcher=dispatcher,
                objective=objective(),
                identities=IDENTITIES,
                pruner=pruner,
                rules=limits,
                interrupted=interrupted,
            ).run()
    finally:
        if own:
            executor.close()


def die_at(
    folder: Path, sampler: str, statement: str, count: int, study: Mapping[str, Any] | None = None
) -> None:
    """A driver that SIGKILLs itself when it is about to run the n-th statement of a kind on the ledger."""
    seen = itertools.count(1)

    def watch(ledger: Ledger) -> None:
        def trace(text: str) -> None:
            if text.startswith(statement) and next(seen) == count:
                os.kill(os.getpid(), signal.SIGKILL)

        ledger._db.set_trace_callback(trace)

    options = dict(study or {})
    engine = {**options.pop("engine", {}), "delay": 0.01}
    drive(
        folder,
        sampler=sampler,
        watch=watch,
        workers=2,
        chunk_size=3,
        engine=engine,
        spool_interval=0.0,
        **options,
    )


def digest(folder: Path) -> str:
    """Ledger digest, computed from the rows."""
    with Ledger.open(folder) as ledger:
        return ledger.digest(verify=True)


def canonical_digests(file: Path, metrics: Sequence[str] = METRICS) -> list[str]:
    """SHA-256 of each batch's rows as RFC 8785 lines, without the native encoder."""
    columns = [f't."{name}"' for name in TRIAL_COLUMNS] + [f'm."{name}"' for name in metrics]
    names = [*TRIAL_COLUMNS, *(f"metrics.{name}" for name in metrics)]
    with closing(sqlite3.connect(file)) as db:
        found = db.execute(
            f"SELECT {', '.join(columns)} FROM trials t JOIN trial_metrics m USING (number) ORDER BY t.number"
        ).fetchall()
    batches: dict[int, bytes] = {}
    for row in found:
        line = rfc8785.dumps(dict(zip(names, row, strict=True))) + b"\n"
        batches[row[2]] = batches.get(row[2], b"") + line
    return [hashlib.sha256(batches[k]).hexdigest() for k in sorted(batches)]


def threads() -> set[str]:
    """Names of the living worker threads."""
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("sweep-worker")}


@contextmanager
def ray_session(module: Any) -> Iterator[Any]:
    """Ray on four CPUs, whose workers are sent what they use of a module of the tests: they cannot import it."""
    prepare(None)
    import ray
    import ray.cloudpickle

    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.cloudpickle.register_pickle_by_value(module)
    try:
        yield ray
    finally:
        ray.cloudpickle.unregister_pickle_by_value(module)
        ray.shutdown()
