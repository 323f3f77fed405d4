"""Studies of the driver's benchmarks: 8 parameters of ma_cross on a small market, and any executor."""

from __future__ import annotations

from typing import Any


def plan_of(sampler: str, batch: int, trials: int) -> Any:
    """A planned study, without tracking."""
    from benchmarks.samplers import SPACE, STEPPED
    from sweep.config import load
    from sweep.study.plan import prepare

    config = {
        "study": "bench",
        "market": {"synthetic": {"bars": 3000, "seed": 7}, "timeframe": "M5", "symbol": "EURUSD"},
        "strategy": {"name": "ma_cross"},
        "search": {
            "sampler": sampler,
            "batch_size": batch,
            "trials": trials,
            "space": STEPPED if sampler == "grid" else SPACE,
            "others": "default",
        },
        "compute": {"backend": "local", "workers": 1},
        "tracking": {"mlflow": None},
    }
    if sampler == "grid":
        config["search"] |= {"grid": {"order": "shuffled"}}
    return prepare(load(config))


def frozen(plan: Any, trials: int) -> dict[str, Any]:
    """What its ledger begins with."""
    return {
        "name": "bench",
        "metrics": list(plan.metric_names),
        "objectives": list(plan.objective.names),
        "trials": trials,
    }


def pipeline(
    plan: Any,
    ledger: Any,
    executor: Any,
    trials: int,
    *,
    chunk_size: int | None = None,
    reporter: Any = None,
) -> Any:
    """The pipeline of the study between its ledger and an executor; no daily returns are kept."""
    from sweep.executors.dispatch import Dispatcher
    from sweep.ledger import IdentityTemplate
    from sweep.pipeline import Pipeline

    rules = plan.rules(trials, keep_returns="none")
    in_flight = rules.in_flight(plan.sampler.adaptive)
    return Pipeline(
        ledger=ledger,
        sampler=plan.sampler,
        dispatcher=Dispatcher(executor, in_flight=in_flight, chunk_size=chunk_size),
        objective=plan.objective,
        identities=IdentityTemplate(plan.identity_base),
        rules=rules,
        reporter=reporter,
    )
