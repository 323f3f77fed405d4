"""Standard test functions as search spaces: continuous, stepped, log, categorical and conditional parameters, to minimise.

Formulas: Surjanovic and Bingham, Virtual Library of Simulation Experiments, https://www.sfu.ca/~ssurjano/optimization.html.
Optima are moved off the middle of the ranges, which is where a sampler's prior stands.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.space import Space
from sweep.types import Outcome, Status

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """A function of named parameters and the space they are searched in."""

    name: str
    entries: Mapping[str, Any]
    loss: Callable[[Params], float]

    def space(self, seed: int) -> Space:
        """The space as a study would build it."""
        return Space.build(
            declaration=self._declaration(),
            timeframe="M5",
            pinned={},
            space=self.entries,
            seed=seed,
            canonicalise=_canonicalise,
            measured=False,
        )

    def outcome(self, params: Params) -> Outcome:
        """What the objective `loss` makes of a parameter set."""
        return Outcome(Status.COMPLETE, None, True, None, (self.loss(params),), {"total_trades >= 30": -1.0})

    def _declaration(self) -> dict[str, Any]:
        parameters = [_parameter(name, entry) for name, entry in self.entries.items()]
        form = {"id": self.name, "version": "1.0.0", "title": "", "doc": "", "derived": [], "constraints": []}
        return {**form, "order_types": ["market"], "timeframes": [], "warmup": "0", "parameters": parameters}


def _parameter(name: str, entry: Any) -> dict[str, Any]:
    domain = {"low": None, "high": None, "low_open": False, "high_open": False, "choices": None}
    if "choices" in entry:
        kind, default = "categorical", entry["choices"][0]
        domain["choices"] = entry["choices"]
    else:
        kind, default = ("int" if isinstance(entry["low"], int) else "float"), entry["low"]
    form = {"name": name, "type": kind, "optional": False, "default": default, "when": None, "ranges": []}
    return {**form, "unit": "none", "doc": name, "group": "entry", "domain": domain}


def _canonicalise(_: str, __: str, rows: Sequence[Params]) -> list[tuple[Any, ...]]:
    return [(row, json.dumps(row, sort_keys=True), {}, (), ()) for row in rows]


def _floats(count: int, low: float, high: float, **more: Any) -> dict[str, Any]:
    return {f"x{i:02d}": {"low": low, "high": high, **more} for i in range(count)}


def _vector(params: Params) -> np.ndarray:
    return np.array([params[name] for name in sorted(params) if name.startswith("x")], dtype=np.float64)


def _branin(params: Params) -> float:
    x, y = _vector(params)
    a = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(a**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def _rosenbrock(params: Params) -> float:
    x = _vector(params)
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)  # fmt: skip


def _hartmann(params: Params) -> float:
    x = _vector(params)
    return float(-(np.array([1.0, 1.2, 3.0, 3.2]) * np.exp(-(_A * (x - _P) ** 2).sum(axis=1))).sum())


def _ackley(x: np.ndarray) -> float:
    root, mean = math.sqrt((x**2).mean()), np.cos(2 * math.pi * x).mean()
    return float(-20 * math.exp(-0.2 * root) - math.exp(mean) + 20 + math.e)


def _rastrigin(x: np.ndarray) -> float:
    return float((x**2 - 10 * np.cos(2 * math.pi * x) + 10).sum())


def _levy(x: np.ndarray) -> float:
    w = 1 + (x - 1) / 4
    inner = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)).sum()
    return float(
        math.sin(math.pi * w[0]) ** 2 + inner + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    )


def _styblinski(x: np.ndarray) -> float:
    return float(0.5 * (x**4 - 16 * x**2 + 5 * x).sum() + 39.16617 * len(x))


def _griewank(x: np.ndarray) -> float:
    return float((x**2).sum() / 4000 - np.cos(x / np.sqrt(np.arange(1, len(x) + 1))).prod() + 1)


def _log_sphere(params: Params) -> float:
    aims = {"x00": 3e-4, "x01": 0.2, "n00": 300, "n01": 7}
    return sum(math.log10(params[name] / aim) ** 2 for name, aim in aims.items())


_SHIFT = {"a": 0.0, "b": 0.6, "c": 1.7, "d": 1.1}


def _categorical(params: Params) -> float:
    x = _vector(params)
    shift, other = _SHIFT[params["kind"]], 1.5 - _SHIFT[params["other"]]
    return float(((x - 0.7 - shift) ** 2).sum() + shift + abs(other) + 0.3 * (params["flag"] == "yes"))


def _conditional(params: Params) -> float:
    x, branch = params["x00"], params["branch"]
    if branch == "linear":
        rest = abs(params["slope"] - 2.2) + 0.5
    elif branch == "square":
        rest = (params["centre"] - 3.1) ** 2 + (params["width"] - 0.4) ** 2
    else:
        rest = 0.2 + abs(params["count"] - 17) / 10
    return float((x - 0.8) ** 2 + rest)


def _moved(function: Callable[[np.ndarray], float], by: float) -> Callable[[Params], float]:
    def moved(params: Params) -> float:
        x = _vector(params)
        return function(x - by * np.cos(1.0 + np.arange(len(x))))

    return moved


def _mixed(count: int, low: int, high: int) -> dict[str, Any]:
    """A third each of continuous, integer and stepped parameters."""
    forms: Sequence[Mapping[str, Any]] = (
        {"low": float(low), "high": float(high)},
        {"low": low, "high": high},
        {"low": float(low), "high": float(high), "step": 0.25},
    )
    return {f"x{i:02d}": forms[i % 3] for i in range(count)}


PROBLEMS = (
    Problem("branin", {"x00": {"low": -5.0, "high": 10.0}, "x01": {"low": 0.0, "high": 15.0}}, _branin),
    Problem(
        "log_sphere",
        {
            "x00": {"low": 1e-6, "high": 10.0, "log": True},
            "x01": {"low": 1e-3, "high": 1e3, "log": True},
            "n00": {"low": 1, "high": 5000, "log": True},
            "n01": {"low": 1, "high": 200, "log": True},
        },
        _log_sphere,
    ),
    Problem("rosenbrock", _floats(5, -2.0, 2.0), _rosenbrock),
    Problem("hartmann", _floats(6, 0.0, 1.0), _hartmann),
    Problem(
        "categorical",
        {
            **_floats(3, 0.0, 3.0, step=0.05),
            "kind": {"choices": ["c", "a", "d", "b"]},
            "other": {"choices": ["d", "c", "b", "a"]},
            "flag": {"choices": ["yes", "no"]},
        },
        _categorical,
    ),
    Problem(
        "conditional",
        {
            "x00": {"low": 0.0, "high": 2.0},
            "branch": {"choices": ["linear", "square", "count"]},
            "slope": {"low": 0.0, "high": 5.0, "when": "branch == 'linear'"},
            "centre": {"low": 0.0, "high": 10.0, "when": "branch == 'square'"},
            "width": {"low": 0.0, "high": 2.0, "step": 0.1, "when": "branch == 'square'"},
            "count": {"low": 1, "high": 60, "when": "branch == 'count'"},
        },
        _conditional,
    ),
    Problem("rastrigin", _floats(8, -5.0, 5.0, step=0.1), _moved(_rastrigin, 2.0)),
    Problem("ackley", _mixed(10, -20, 30), _moved(_ackley, 6.0)),
    Problem("styblinski", _mixed(12, -5, 5), _moved(_styblinski, 0.5)),
    Problem("griewank", _mixed(15, -50, 80), _moved(_griewank, 11.0)),
    Problem("levy", _floats(20, -10.0, 10.0), _moved(_levy, 2.0)),
)
