"""`sweep run` beside the usual loop: `study.optimize` of Optuna with SQLite storage and one MLflow run per trial.

Both search the same space of the same strategy at random and run every trial on our engine, on the same market; both keep
every trial in a file of SQLite, and show runs in an MLflow store of SQLite. The usual loop takes the cheapest call of the
engine, a batch of one without trades and equity, and logs the parameters and all metrics of a trial with MLflow's fluent
functions, or in one `log_batch` of its client, which is quicker. `sweep run` is as it comes: two workers of Ray, the best
50 trials as runs of MLflow. It gets more trials, so that its rate can be told.

Rates are of the loops alone, from the first trial on; the command's start and end are in `whole command`.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.command import config, python, sweep_run
from benchmarks.measure import spread

BARS: Final = 50_000
"""Of the market, so that a trial takes about a millisecond."""
TRIALS: Final = 100
OURS: Final = 5000
ROUNDS: Final = 3
WANTED: Final = 50
LOGS: Final = ("fluent", "client")


def run() -> Iterator[str]:
    """Medians of the rounds, with the least and the most; every ratio is of one round."""
    rates: dict[str, list[float]] = {name: [] for name in (*LOGS, "sweep", "whole")}
    inside: list[float] = []
    engine: list[float] = []
    for _ in range(ROUNDS):
        for log in LOGS:
            with tempfile.TemporaryDirectory() as home:
                found = json.loads(python("-m", "benchmarks.rival", home, log))
            rates[log].append(found["rate"])
            inside.append(found["seconds"])
        with tempfile.TemporaryDirectory() as home:
            ran = sweep_run(_config(Path(home)), Path(home))
        rates["sweep"].append(ran.rate)
        engine.append(1e3 * ran.spent["worker"]["engine"] * ran.spent["workers"] / ran.rate)
        rates["whole"].append(OURS / (ran.ended - ran.begun))
    yield f"a trial's backtest: {1e3 * median(inside):.2f} ms in the usual loop, {median(engine):.2f} ms of a worker in sweep run"
    for log in LOGS:
        yield f"usual loop, {log}: {spread(rates[log], '.1f')} trials/s"
    yield f"sweep run: {spread(rates['sweep'], '.0f')} trials/s; whole command of {OURS:,} trials {spread(rates['whole'], '.0f')}"
    for name, ours in (("sweep run", "sweep"), ("whole command", "whole")):
        for log in LOGS:
            ratios = [our / their for our, their in zip(rates[ours], rates[log], strict=True)]
            bar = f" (bar: {WANTED})" if ours == "sweep" else ""
            yield f"{name} / usual loop, {log}: {spread(ratios, '.0f')}{bar}"


def _config(home: Path) -> dict[str, Any]:
    return config(
        bars=BARS,
        sampler="random",
        trials=OURS,
        batch=256,
        compute={"backend": "ray", "workers": 2},
        tracking={"mlflow": f"sqlite:///{home}/mlflow.db"},
    )


def _optimize(home: Path, log: str) -> dict[str, float]:
    """Trials per second of the usual loop, and the seconds of a backtest."""
    import mlflow
    import optuna

    from sweep import Engine, Market
    from sweep.executors.worker import table_of

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    asked = _config(home)
    market = {key: value for key, value in asked["market"].items() if key != "synthetic"}
    engine = Engine(
        Market.synthetic(**market, **asked["market"]["synthetic"]),
        asked["strategy"]["name"],
        costs=asked["costs"],
        account=asked["account"],
    )
    mlflow.set_tracking_uri(f"sqlite:///{home}/runs.db")
    keep = {"fluent": _fluent, "client": _client}[log](mlflow.set_experiment("bench").experiment_id)
    study = optuna.create_study(
        storage=f"sqlite:///{home}/optuna.db",
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=7),
    )
    inside: list[float] = []

    def objective(trial: optuna.Trial) -> float:
        params = {name: _suggest(trial, name, form) for name, form in asked["search"]["space"].items()}
        begun = time.perf_counter()
        row = engine.run_batch(table_of([params])).to_pylist()[0]
        inside.append(time.perf_counter() - begun)
        metrics = {name[8:]: value for name, value in row.items() if name.startswith("metrics.")}
        keep(params, {name: value for name, value in metrics.items() if value is not None})
        return metrics["t_stat_r"] or 0.0

    study.optimize(objective, n_trials=1)
    begun = time.perf_counter()
    study.optimize(objective, n_trials=TRIALS)
    return {"rate": TRIALS / (time.perf_counter() - begun), "seconds": median(inside)}


def _suggest(trial: Any, name: str, form: Any) -> Any:
    if isinstance(form, list):
        return trial.suggest_categorical(name, form)
    low, high, options = form["low"], form["high"], {key: form[key] for key in ("step", "log") if key in form}
    suggest = trial.suggest_int if isinstance(low, int) else trial.suggest_float
    return suggest(name, low, high, **options)


Keep = Callable[[Mapping[str, Any], Mapping[str, float]], None]


def _fluent(experiment: str) -> Keep:
    import mlflow

    def keep(params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        with mlflow.start_run(experiment_id=experiment):
            mlflow.log_params(dict(params))
            mlflow.log_metrics(dict(metrics))

    return keep


def _client(experiment: str) -> Keep:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    client = MlflowClient()

    def keep(params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        run = client.create_run(experiment).info.run_id
        now = int(time.time() * 1000)
        client.log_batch(
            run,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            params=[Param(name, str(value)) for name, value in params.items()],
        )
        client.set_terminated(run)

    return keep


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_optimize(Path(sys.argv[1]), sys.argv[2])))
