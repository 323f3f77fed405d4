"""What MLflow shows of a study and of a trial: params, tags, metrics and notes, as plain values."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweep.trackers.view import Progress, StudyView
    from sweep.types import ParamValue, Trial

KEY_LIMIT: Final = 250
PARAM_LIMIT: Final = 6000
TAG_LIMIT: Final = 8000

FREE: Final = (
    "search.trials",
    "search.timeout",
    "search.spool_interval",
    "compute",
    "tracking",
    "validation",
)
"""Config keys that a resume may change; MLflow params are write-once, so these are tags."""

_REFUSED: Final = re.compile(r"[^\w\-. :/]")
_MOST_OF_FRONT: Final = 50
"""Rows of the note's table."""
_NOTE_METRICS: Final = (
    "total_trades",
    "net_profit",
    "profit_factor",
    "max_drawdown_pct",
    "sharpe_ratio",
    "win_rate_pct",
    "avg_net_r",
)


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Leaves of nested mappings as (dotted key, text); lists stay JSON, null leaves are left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    elif value is not None:
        yield safe_key(prefix), text(value)[:PARAM_LIMIT]


def safe_key(key: str) -> str:
    """`key` with what MLflow refuses in names replaced by `_`, at most 250 characters."""
    return _REFUSED.sub("_", key)[:KEY_LIMIT]


def text(value: Any) -> str:
    """A value as people read it: JSON for lists and booleans, the shortest digits for floats."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | int | float | list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def is_free(key: str) -> bool:
    """Whether a flattened config key may differ between two runs of one study."""
    return any(key == free or key.startswith(f"{free}.") for free in FREE)


def study_params(view: StudyView) -> dict[str, str]:
    """The config of the study, flattened, without the keys that may change."""
    flat = flatten(dict(view.config))
    return {key: value for key, value in flat if not is_free(key) and key != "strategy.source"}


def study_tags(view: StudyView) -> dict[str, str]:
    """Tags of the parent run."""
    free = {f"config.{key}": value for key, value in flatten(dict(view.config)) if key == "search.trials"}
    tags = {
        "role": "study",
        "study": view.name,
        "study_key": view.key,
        "study_status": view.status.value,
        "strategy": view.strategy,
        "symbol": view.symbol,
        "engine_version": view.engine_version,
        "semantics": view.semantics,
        "dataset_digest": view.dataset,
        "ledger_digest": view.digest,
        "environment_dependent": text(bool(view.facts.get("environment_dependent", False))),
        "mlflow.source.name": "sweep",
        "mlflow.note.content": study_note(view),
        **free,
    }
    if view.best is not None:
        tags |= {"best_trial": str(view.best.number)} | result_tags(view.best)
    return {key: value[:TAG_LIMIT] for key, value in tags.items() if value}


def result_tags(trial: Trial) -> dict[str, str]:
    """Identity and digests of a trial's result."""
    tags = {"identity": trial.identity or ""}
    if trial.digests is not None:
        tags |= {
            "digest": trial.digests.result,
            "trades_digest": trial.digests.trades,
            "daily_digest": trial.digests.daily,
            "metrics_digest": trial.digests.metrics,
            "signals_digest": trial.digests.signals or "",
        }
    return {key: value for key, value in tags.items() if value}


def study_note(view: StudyView) -> str:
    """Markdown at the top of the parent run: the best trial, the failures, the commands."""
    lines = [
        f"**{view.name}**: {view.strategy} on {view.symbol}, {len(view.trials)} trials, {view.status.value}.",
        "",
    ]
    best = view.best
    if not view.front:
        lines.append("No feasible trial.")
    if len(view.objectives) > 1 and view.front:
        lines += _front_table(view)
    if best is not None:
        goals = ", ".join(
            f"{n} {_short(v)}" for n, v in zip(view.objectives, best.outcome.objectives, strict=True)
        )
        lines += [
            f"Best: trial {best.number}, {goals}.",
            "",
            *_metric_table(best.metrics),
            "",
            "Rerun it:",
            "",
        ]
        lines.append(f"    sweep replay {view.name}:{best.number}")
    lines += ["", "| outcome | trials |", "|---|---|"]
    lines += [f"| {name} | {count} |" for name, count in view.counts.items()]
    lines += ["", f"Ranked child runs: search for `tags.study_key = '{view.key}' and tags.role = 'trial'`."]
    return "\n".join(lines)


def progress_metrics(progress: Progress) -> dict[str, float]:
    """Step metrics of the parent after one batch: best so far by objective, counts by outcome."""
    counts = {f"trials.{key}": float(count) for key, count in progress.counts.items()}
    best = {f"best.{name}": value for name, value in progress.best.items()}
    return {
        safe_key(key): value for key, value in {"trials.done": float(progress.done), **counts, **best}.items()
    }


def best_metrics(view: StudyView) -> dict[str, float]:
    """All defined metrics of the best trial, named like the step metrics of the objective.

    Of several objectives those are the best values of each by itself, and the metrics are called `candidate.<name>`.
    """
    if view.best is None:
        return {}
    prefix = "best" if len(view.objectives) == 1 else "candidate"
    return {f"{prefix}.{key}": value for key, value in defined(view.best.metrics).items()}


def trial_params(params: Mapping[str, ParamValue]) -> dict[str, str]:
    """The canonical parameter set; an inactive parameter is absent."""
    return {safe_key(key): text(value)[:PARAM_LIMIT] for key, value in params.items() if value is not None}


def trial_metrics(view: StudyView, trial: Trial) -> dict[str, float]:
    """Every defined metric by its name, and the objectives as `objective.<name>`.

    Of a trial that was stopped on purpose `partial.<name>`, and the objective at pruning levels as `level.<n>`.
    """
    goals = zip(view.objectives, trial.outcome.objectives, strict=False)
    objectives = {safe_key(f"objective.{name}"): value for name, value in goals if value is not None}
    stopped = {safe_key(f"partial.{name}"): value for name, value in trial.partial.items()}
    levels = {safe_key(f"level.{level}"): value for level, value in trial.intermediate.items()}
    return defined(trial.metrics) | objectives | stopped | levels


def _front_table(view: StudyView) -> list[str]:
    shown = view.front[:_MOST_OF_FRONT]
    more = "" if len(shown) == len(view.front) else f"; the first {len(shown)}"
    goals = ", ".join(f"{n} ({d})" for n, d in zip(view.objectives, view.directions, strict=True))
    rows = [[str(t.number), *(_short(value) for value in t.outcome.objectives)] for t in shown]
    return [
        f"Not dominated in {goals}: {len(view.front)} trials{more}.",
        "",
        f"| trial | {' | '.join(view.objectives)} |",
        "|---" * (len(view.objectives) + 1) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def trial_tags(view: StudyView, trial: Trial, rank: int | None) -> dict[str, str]:
    """Tags of a trial's child run; `rank` from 1."""
    outcome = trial.outcome
    tags = {
        "role": "trial",
        "study": view.name,
        "study_key": view.key,
        "rank": "" if rank is None else str(rank),
        "trial": str(trial.number),
        "batch": str(trial.proposal.batch),
        "source": str(trial.proposal.source),
        "status": outcome.status.value,
        "kind": outcome.kind.value if outcome.kind else "",
        "feasible": text(outcome.feasible),
        "non_dominated": text(any(each is trial for each in view.front)) if len(view.objectives) > 1 else "",
        "reason": outcome.reason or "",
        "strategy": view.strategy,
        "symbol": view.symbol,
        "engine_version": view.engine_version,
        "semantics": view.semantics,
        "dataset_digest": view.dataset,
        "mlflow.source.name": "sweep",
        "mlflow.note.content": f"Rerun this trial and compare its digests:\n\n    sweep replay {view.name}:{trial.number}\n",
        **result_tags(trial),
    }
    return {key: value[:TAG_LIMIT] for key, value in tags.items() if value}


def defined(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """The metrics that have a value."""
    return {safe_key(key): float(value) for key, value in metrics.items() if value is not None}


def _metric_table(metrics: Mapping[str, float | None]) -> list[str]:
    rows = [
        f"| {name} | {_short(metrics[name])} |" for name in _NOTE_METRICS if metrics.get(name) is not None
    ]
    return ["| metric | value |", "|---|---|", *rows] if rows else []


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
