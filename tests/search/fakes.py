"""A small strategy declared in Python, with a canonicalise of its own, and a study that needs no engine."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sweep.objective import Objective
from sweep.samplers.base import Prefix, Sampler, View, position_after
from sweep.space import Space
from sweep.types import Kind, Outcome, ParamValue, Proposal, Status, Trial


def parameter(name: str, kind: str, default: Any, **fields: Any) -> dict[str, Any]:
    """One declared parameter; `ranges` is a list, every other field as in the contract."""
    domain = {"low": None, "high": None, "low_open": False, "high_open": False, "choices": None}
    form = {"name": name, "type": kind, "optional": False, "default": default, "when": None, "ranges": []}
    form |= {"unit": "none", "doc": name, "group": "entry"} | fields
    return form | {"domain": domain | fields.get("domain", {})}


TOY: dict[str, Any] = {
    "id": "toy",
    "version": "1.0.0",
    "title": "Toy",
    "doc": "",
    "order_types": ["market"],
    "timeframes": [],
    "warmup": "slow",
    "parameters": [
        parameter("enabled", "set", "1+2+3", domain={"choices": ["1", "2", "3"]}),
        parameter("scenario", "int", None, optional=True, domain={"low": 1, "high": 3}),
        parameter("fast", "int", 10, domain={"low": 1}, ranges=[{"low": 5, "high": 20}]),
        parameter("slow", "int", 30, domain={"low": 2}, ranges=[{"low": 10, "high": 60, "step": 5}]),
        parameter(
            "ma",
            "categorical",
            "ema",
            domain={"choices": ["ema", "sma"]},
            ranges=[{"choices": ["ema", "sma"]}],
        ),
        parameter(
            "level",
            "float",
            2.0,
            domain={"low": 0, "low_open": True},
            when="s1 or s2",
            ranges=[
                {"when": "s1 and not s2", "low": 0.1, "high": 0.5, "step": 0.1},
                {"low": 0.74, "high": 0.82, "step": 0.02},
            ],
        ),
        parameter("band", "int", 3, domain={"low": 0}, when="s3", ranges=[{"low": 1, "high": 4}]),
        parameter("noise", "float", 1.0, domain={"low": 0, "low_open": True}),
        parameter("reverse", "bool", False, ranges=[{"choices": [False, True]}]),
        parameter("frame", "timeframe", "AUTO"),
        parameter("exit", "float", None, optional=True),
    ],
    "derived": [{"name": f"s{i}", "doc": ""} for i in (1, 2, 3)] + [{"name": "ratio", "doc": ""}],
    "constraints": [
        {"expr": "fast < slow", "severity": "error", "message": "fast must be below slow"},
        {"expr": "slow < 60", "severity": "warning", "message": "slow of 60 is very slow"},
    ],
}
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "categorical": (str,),
}


def canonicalise(strategy: str, timeframe: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """The toy's canonical forms, problems and derived names, written independently of sweep.space."""
    assert strategy == "toy"
    keys = ("params", "key", "derived", "problems", "warnings")
    return [tuple(map(_canonical(row, timeframe).get, keys)) for row in rows]


def _canonical(row: Mapping[str, Any], timeframe: str) -> dict[str, Any]:
    problems = []
    declared = {p["name"]: p for p in TOY["parameters"]}
    for name, value in row.items():
        if name not in declared:
            problems.append(
                {"code": 1001, "what": f"unknown parameter {name}", "place": name, "remedy": "remove it"}
            )
            continue
        problems += _check(declared[name], value)
    values = {name: p["default"] for name, p in declared.items()} | dict(row)
    enabled = values["enabled"] if values["scenario"] is None else values["scenario"]
    members = enabled if isinstance(enabled, list) else str(enabled).split("+")
    values["enabled"] = "+".join(sorted(str(member) for member in members))
    if values["frame"] == "AUTO":
        values["frame"] = {"M5": "H1", "M15": "H4"}.get(timeframe, "NONE")
    s1, s2, s3 = (str(i) in values["enabled"].split("+") for i in (1, 2, 3))
    if problems:
        return {"params": None, "key": None, "derived": {}, "problems": problems, "warnings": []}
    derived = {"s1": s1, "s2": s2, "s3": s3, "ratio": values["slow"] / values["fast"]}
    if not values["fast"] < values["slow"]:
        what = "`fast < slow`: fast must be below slow"
        problems.append(
            {"code": 1006, "what": what, "place": "constraint `fast < slow`", "remedy": "raise slow"}
        )
    del values["scenario"]
    if not (s1 or s2):
        del values["level"]
    if not s3:
        del values["band"]
    for name in ("level", "noise"):
        if name in values:
            values[name] = float(values[name])
    key = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return {
        "params": None if problems else values,
        "key": None if problems else key,
        "derived": derived,
        "problems": problems,
        "warnings": [] if values["slow"] < 60 else ["slow of 60 is very slow"],
    }


def _check(declared: Mapping[str, Any], value: Any) -> list[dict[str, Any]]:
    name, kind, domain = declared["name"], declared["type"], declared["domain"]

    def problem(code: int, what: str) -> list[dict[str, Any]]:
        return [{"code": code, "what": what, "place": name, "remedy": "change it"}]

    if value is None:
        return [] if declared["optional"] else problem(1004, f"{name} needs a value")
    expected = _TYPES.get(kind)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and kind != "bool")):
        return problem(1004, f"{name} is no {kind}")
    if kind == "categorical" and value not in domain["choices"]:
        return problem(1001, f"{name} cannot be {value}")
    if kind in ("int", "float"):
        low = domain["low"]
        if low is not None and (value < low or (domain["low_open"] and value == low)):
            return problem(1003, f"{name} {value} is outside its domain")
    return []


def toy_space(
    space: Mapping[str, Any] | None = None,
    *,
    pinned: Mapping[str, Any] | None = None,
    where: Sequence[str] = (),
    others: str = "default",
    **options: Any,
) -> Space:
    """A space of the toy strategy on M5."""
    return Space.build(
        declaration=TOY,
        timeframe=options.pop("timeframe", "M5"),
        pinned=pinned or {},
        space=space or {},
        where=where,
        others=others,
        canonicalise=options.pop("canonicalise", canonicalise),
        **options,
    )


METRICS = (
    "net_profit", "total_return_pct", "cagr_pct", "max_drawdown", "max_drawdown_pct", "sharpe_ratio", "sortino_ratio",
    "calmar_ratio", "n_days", "total_trades", "wins", "losses", "profit_factor", "payoff_ratio", "avg_r_multiple", "t_stat_r",
    "sortino_trade", "recovery_factor",
)  # fmt: skip


def objective(
    constraints: Sequence[Any] = (), *, direction: str = "maximize", min_trades: int = 30
) -> Objective:
    """t_stat_r under constraints."""
    form = {"metric": "t_stat_r", "direction": direction}
    return Objective.build([form], constraints, min_trades, metrics=METRICS)


def metrics(**given: float | None) -> dict[str, float | None]:
    """A complete row of metrics: 100 trades, everything else 1, save what is given."""
    return dict.fromkeys(METRICS, 1.0) | {"total_trades": 100.0} | given


def evaluate(params: Mapping[str, ParamValue], graded: Objective) -> Outcome:
    """A landscape with every kind of outcome in it, a pure function of the parameters."""
    x = float(params["fast"] or 0) + 0.1 * float(params["slow"] or 0) + (5 if params["ma"] == "sma" else 0)  # type: ignore[arg-type]
    kind = int(x * 7) % 12
    if kind == 0:
        return graded.grade("FAILED", "ENGINE_ERROR", "boom", {})
    if kind == 1:
        return graded.grade("FAILED", "INVALID_PARAMS", "no", {})
    trades = {2: 0.0, 3: 12.0}.get(kind, 100.0)
    score = None if kind == 4 else -((x - 14) ** 2) + math.sin(x)
    drawdown = 30.0 if kind == 5 else 10.0
    return graded.grade(
        "COMPLETE", None, None, metrics(total_trades=trades, t_stat_r=score, max_drawdown_pct=drawdown)
    )


def simulate(
    sampler: Sampler,
    graded: Objective,
    *,
    trials: int,
    batch_size: int,
    lag: int = 2,
    stored: Sequence[Trial] = (),
    landscape: Callable[[Mapping[str, ParamValue], Objective], Outcome] | None = None,
    growing: bool = False,
) -> list[Trial]:
    """The fixed-lag loop; `stored` are the rows of a study that is extended, and must be reproduced.

    With `growing` the finished rows are prefixes of one ledger, as in the pipeline, else copies.
    """
    landscape = landscape or evaluate
    rows: list[Trial] = []
    position, k = 0, 0
    while k * batch_size < trials:
        known = max(0, k - lag + 1) * batch_size
        finished = Prefix(rows, min(known, len(rows))) if growing else rows[:known]
        pending = [trial.proposal.params for trial in rows[known:]]
        used = {trial.proposal.key for trial in rows}
        first = k * batch_size
        count = min(batch_size, trials - first)
        proposals = sampler.propose(k, first, count, View(finished, pending, used, position))
        position = position_after(proposals, position)
        batch = [Trial(p, landscape(p.params, graded), {}, None, None) for p in proposals]
        for trial in batch:
            if trial.number < len(stored):
                assert trial == stored[trial.number]
        rows += batch
        if len(proposals) < count:
            break
        k += 1
    return rows


def row(number: int, outcome: Outcome, params: Mapping[str, ParamValue], **fields: Any) -> Trial:
    """A ledger row with this outcome."""
    key = json.dumps(dict(params), sort_keys=True)
    return Trial(Proposal(number, 0, "sampler", None, params, key), outcome, {}, None, None, **fields)


def failed(kind: Kind, status: Status = Status.FAILED) -> Outcome:
    """An outcome without values."""
    return Outcome(status, kind, False, kind.value, (None,), {})


Canonicalise = Callable[[str, str, str], str]
