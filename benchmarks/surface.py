"""A strategy as a problem: `ma_cross` on one-minute bars, 8 parameters, −t_stat_r of at least 30 trades."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from benchmarks import samplers
from benchmarks.problems import Params, Problem
from sweep import Engine, Market, _core
from sweep.objective import Objective
from sweep.space import Space
from sweep.types import Kind, Outcome, Status

STRATEGY = "ma_cross"
BARS = 15_000


@dataclass(frozen=True)
class Surface(Problem):
    """What `sweep.Engine` says of parameter sets."""

    sides: tuple[Path, Path] | None = None
    """Bid and ask of GBPUSD; None for a generated market."""
    objective: Objective = field(
        default_factory=lambda: Objective.build(
            {"expr": "-t_stat_r", "direction": "minimize", "name": "loss"}
        )
    )

    @cached_property
    def engine(self) -> Engine:
        """Made on first use."""
        if self.sides is None:
            market = Market.synthetic(bars=BARS, seed=7, timeframe="M1")
        else:
            bid, ask = map(str, self.sides)
            market = Market.read(bid=bid, ask=ask, symbol="GBPUSD", timeframe="M1")
        return Engine(market, STRATEGY)

    def space(self, seed: int) -> Space:
        """See `Problem`."""
        declared = next(entry for entry in json.loads(_core.strategies()) if entry["id"] == STRATEGY)
        options = {"others": "default", "measured": False}
        return Space.build(
            declaration=declared, timeframe="M1", pinned={}, space=self.entries, seed=seed, **options
        )

    def outcome(self, params: Params) -> Outcome:
        """See `Problem`."""
        (row,) = self.engine.run_batch(
            pa.table({name: [value] for name, value in params.items()})
        ).to_pylist()
        metrics = {name[8:]: value for name, value in row.items() if name.startswith("metrics.")}
        kind = None if row["kind"] is None else Kind(row["kind"])
        return self.objective.grade(Status(row["status"]), kind, row["reason"], metrics)


def surface(sides: tuple[Path, Path] | None = None) -> Surface:
    """The problem on these files, or on a generated market."""
    name = f"{STRATEGY} on {'generated bars' if sides is None else 'GBPUSD'}"
    return Surface(name, samplers.SPACE, lambda _: 0.0, sides)
