"""A real ledger with a few batches of made-up results, for tests that need no engine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sweep.config import dump, load
from sweep.ledger import BatchRecord, IdentityTemplate, Ledger
from sweep.ledger.canonical import dumps
from sweep.objective import Objective
from sweep.types import Digests, Kind, Proposal, Runtime, Status, StudyStatus, Trial

if TYPE_CHECKING:
    from pathlib import Path

METRICS = ("net_profit", "total_trades", "t_stat_r", "max_drawdown_pct", "profit_factor")
DATASET = "ab" * 32
BATCH = 4

BASE: dict[str, Any] = {
    "v": 1,
    "dataset": DATASET,
    "engine": {"semantics": 1},
    "strategy": {"id": "ma_cross", "version": "1.0.0"},
    "symbols": {"EURUSD": {"contract_size": 100000}},
    "window": {"history_from": "2020-01-02T00:00:00Z"},
}
CONFIG: dict[str, Any] = {
    "study": "demo",
    "market": {"synthetic": {"bars": 2000, "seed": 7}},
    "strategy": {"name": "ma_cross"},
    "search": {"sampler": "random", "trials": 12, "batch_size": BATCH},
    "constraints": ["max_drawdown_pct <= 20"],
    "min_trades": 10,
}


def make(home: Path, batches: int = 3) -> Path:
    """A study `demo` under `home` with that many batches of four trials; its status is FINISHED."""
    folder = home / "studies" / "demo"
    folder.mkdir(parents=True)
    config = load(CONFIG, home=home)
    (folder / "config.yaml").write_text(dump(config))
    frozen = {
        "name": "demo",
        "config": dump(config),
        "identity_base": BASE,
        "metrics": METRICS,
        "objectives": ["t_stat_r"],
        "directions": ["maximize"],
        "snapshot": {"engine": {"semantics": 1, "version": "0.1.0"}},
    }
    with Ledger.create(folder, frozen) as ledger:
        for k in range(batches):
            commit(ledger, k)
        ledger.set_status(StudyStatus.FINISHED)
    return folder


def commit(ledger: Ledger, k: int) -> None:
    """Batch k: one of its four trials does not trade, one breaks the constraint."""
    record = BatchRecord(k, k * BATCH, BATCH, 1, "0" * 64, "0" * 64)
    ledger.commit(record, [_trial(k * BATCH + i, k) for i in range(BATCH)])
    ledger.settle()


def _trial(number: int, batch: int) -> Trial:
    params = {"fast_period": 5 + number, "ma_type": "ema", "sl_atr": 2.5}
    key = dumps(params)
    trades = 0.0 if number % 4 == 3 else 40.0
    metrics: dict[str, float | None] = {
        "net_profit": 0.1 * number,
        "total_trades": trades,
        "t_stat_r": ((number * 7) % 11) / 3.0 if trades else None,
        "max_drawdown_pct": 30.0 if number % 4 == 2 else 5.0,
        "profit_factor": None,
    }
    objective = Objective.build([], CONFIG["constraints"], CONFIG["min_trades"], metrics=METRICS)
    identity = IdentityTemplate(BASE).identity(key)
    return Trial(
        proposal=Proposal(number, batch, "sampler", number, params, key),
        outcome=objective.grade(Status.COMPLETE, None, None, metrics),
        metrics=metrics,
        identity=identity,
        digests=Digests(*(hashlib.sha256(f"{name}{number}".encode()).hexdigest() for name in "tdmr")),
        runtime=Runtime("local-0", "here", 1, 0.01),
    )


def expected_ranking(folder: Path) -> list[int]:
    """Numbers of the trials that have an objective, by a second, independent rule."""
    with Ledger.open(folder) as ledger:
        done = [t for t in ledger.trials() if t.outcome.kind is not Kind.NO_TRADES]
    feasible = [t for t in done if (t.metrics["max_drawdown_pct"] or 0) <= 20]
    broken = [t for t in done if t not in feasible]
    return [t.number for t in sorted(feasible, key=lambda t: (-(t.metrics["t_stat_r"] or 0), t.number))] + [
        t.number for t in sorted(broken, key=lambda t: t.number)
    ]
