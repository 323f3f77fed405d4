"""The section `search`: sampler, budget, space."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from sweep.config.base import (
    Count,
    Duration,
    Name,
    Natural,
    NotBuilt,
    Positive,
    Section,
    Seed,
    Values,
    as_tuple,
)
from sweep.config.problems import invalid, shown
from sweep.config.results import ObjectiveConfig

_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_DIMENSION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["int", "float", "categorical", "bool"]},
        "distribution": {
            "enum": ["uniform", "log_uniform_values", "int_uniform", "q_uniform", "categorical"]
        },
        **{key: {"type": "number"} for key in ("low", "high", "min", "max", "step")},
        "log": {"type": "boolean"},
        "points": {"type": "integer", "minimum": 2},
        **{key: {"type": "array", "items": _SCALAR} for key in ("choices", "values")},
        "ordered": {"type": "boolean"},
        "value": {},
        "when": {"type": "string"},
    },
}
_SPACE = {
    "type": "object",
    "description": "parameter to a range, a list of choices or one pinned value; the strategy's declared ranges otherwise",
    "additionalProperties": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}, _DIMENSION]},
}


_LONG = {"min": "low", "max": "high", "values": "choices"}


def _spellings(space: dict[str, Any]) -> dict[str, Any]:
    """Writes low, high and choices for min, max and values; where both stand, the space refuses them later."""
    return {name: _long(entry) if isinstance(entry, dict) else entry for name, entry in space.items()}


def _long(entry: dict[str, Any]) -> dict[str, Any]:
    return {key if _LONG.get(key, key) in entry else _LONG[key]: item for key, item in entry.items()}


def _start_points(points: tuple[Any, ...]) -> tuple[Any, ...]:
    for index, point in enumerate(points):
        if point != "default" and not isinstance(point, dict):
            raise invalid(1004, "expected a mapping or default", "write {name: value}", str(index))
    return points


class GridConfig(Section):
    """Options of the sampler grid."""

    order: Literal["lexicographic", "shuffled"] = "lexicographic"
    thin: Count | None = None
    """Most points of a thinned grid; null: the whole grid."""


def _import_path(path: str) -> str:
    if re.fullmatch(r"\w+(\.\w+)*:\w+", path) is None:
        raise invalid(
            1009, f"{{path}} must be module:Class, got {shown(path)}", "write optuna.samplers:TPESampler"
        )
    return path


class OptunaSamplerConfig(Section):
    """A sampler of Optuna by import path."""

    optuna: Annotated[str, AfterValidator(_import_path)]
    """module:Class."""
    options: Values = Field(default_factory=dict)
    """Arguments of the class, save the seed."""


def _form(value: Any) -> str:
    return "name" if isinstance(value, str) else "import path"


Sampler = Annotated[
    Annotated[Literal["grid", "random", "qmc", "tpe", "optuna_tpe", "cmaes", "nsga2", "gp"], Tag("name")]
    | Annotated[OptunaSamplerConfig, Tag("import path")],
    Discriminator(_form),
]
"""A name, or a mapping for a sampler by import path."""


class StagnationConfig(Section):
    """Stops a study whose best value stands still."""

    batches: Count


class EarlyStopConfig(Section):
    """Limits at which a trial's backtest is given up, judged at the close of every bar."""

    ruin_pct: Annotated[float, Field(gt=0, lt=100)] | None = None
    """Equity at or below this percentage of the initial balance."""
    max_drawdown_pct: Positive | None = None
    """Drawdown from the running peak above this percentage of it."""
    min_trades_by_midpoint: Annotated[float, Field(gt=0, le=1)] | None = None
    """Fraction of min_trades that must be closed by the middle of the window."""

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set."""
        return self.model_dump(exclude_none=True)


class PrunerConfig(Section):
    """Which trials run on the whole window, decided on a part of it."""

    type: Literal["none", "halving", "hyperband"] = "none"
    eta: Annotated[Count, Field(ge=2)] = 3
    """At each level the best 1/eta go on."""
    resource: Literal["tail", "segments"] = "tail"
    """What the levels before the last run: the end of the window, or parts from all over it."""


def _named(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


def _off(value: Any) -> Any:
    return {} if value == "off" else value


class SearchConfig(Section):
    """How parameter sets are proposed, and how many."""

    sampler: Sampler = "tpe"
    trials: Annotated[Count, Field(le=10**12)] | None = None
    """Null: the whole grid; every other sampler needs a number."""
    seed: Seed = 42
    batch_size: Count = 64
    lag: Count = 2
    space: Annotated[Values, AfterValidator(_spellings), WithJsonSchema(_SPACE)] = Field(default_factory=dict)
    where: Annotated[tuple[Name, ...], BeforeValidator(as_tuple)] = ()
    others: Literal["search", "default"] = "search"
    start_points: Annotated[
        tuple[Any, ...],
        BeforeValidator(as_tuple),
        AfterValidator(_start_points),
        WithJsonSchema({"type": ["array", "string"], "items": {"type": ["object", "string"]}}),
    ] = ()
    n_startup: Natural = 32
    startup: Literal["qmc", "random"] = "qmc"
    history: Count = 300
    grid: GridConfig = GridConfig()
    max_rejects: Count = 100_000
    max_failure_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    timeout: Duration | None = None
    """Seconds of wall clock after which no batch is proposed."""
    stagnation: StagnationConfig | None = None
    rank_by: ObjectiveConfig | None = None
    """Which of the non-dominated trials of several objectives is the candidate; null: none is."""
    spool_interval: Duration = 5.0
    keep_returns: Literal["all", "blocks", "none"] | None = None
    """Null: all, or blocks where all would be too many."""
    pruner: Annotated[PrunerConfig, BeforeValidator(_named)] = PrunerConfig()
    early_stop: Annotated[EarlyStopConfig, BeforeValidator(_off)] = EarlyStopConfig()
    keep_positions: Annotated[Any, NotBuilt(("none",))] = Field(default=None, exclude=True)

    def whole_batches(self, trials: int) -> int:
        """A number of trials, rounded up to whole batches where there is a pruner."""
        size = 1 if self.pruner.type == "none" else self.batch_size
        return -(-trials // size) * size

    @model_validator(mode="after")
    def _budget(self) -> SearchConfig:
        if self.trials is None and self.sampler != "grid":
            remedy = "say how many trials; only a grid has an end of its own"
            raise invalid(1008, "{path}.trials is missing", remedy, "trials")
        return self
