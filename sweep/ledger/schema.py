"""Tables of `study.db`. Only `trial_runtime`, `study.events` and `batches.committed_at` hold what is not deterministic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sweep.errors import error

SCHEMA_VERSION: Final = 2
OBJECTIVE_COLUMNS: Final = ("obj0", "obj1", "obj2")

TRIAL_COLUMNS: Final = (
    "window",
    "number",
    "batch",
    "source",
    "stream_pos",
    "params",
    "params_key",
    "identity",
    "status",
    "kind",
    "feasible",
    *OBJECTIVE_COLUMNS,
    "violations",
    "intermediate",
    "partial",
    "reason",
    "trades_digest",
    "daily_digest",
    "metrics_digest",
    "result_digest",
    "signals_digest",
)
"""Deterministic columns of table `trials`, in the order of the table."""

RUNTIME_COLUMNS: Final = ("worker", "host", "attempts", "seconds", "rss_bytes", "started_at")

_METRIC_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# No index holds the parameter keys: they come in random order, and would make every commit write as many pages again as
# it has rows. The loop that proposes knows every key, and refuses a second one before it runs.
_TABLES: Final = """
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE batches (
  "window" INTEGER NOT NULL, k INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
  proposer_seed TEXT NOT NULL, view_digest TEXT NOT NULL, params_digest TEXT NOT NULL, rows_digest TEXT NOT NULL,
  committed_at TEXT NOT NULL, PRIMARY KEY ("window", k)
) WITHOUT ROWID;
CREATE TABLE trials (
  "window" INTEGER NOT NULL, number INTEGER NOT NULL, batch INTEGER NOT NULL, source TEXT NOT NULL,
  stream_pos INTEGER, params TEXT NOT NULL, params_key TEXT NOT NULL, identity TEXT,
  status TEXT NOT NULL, kind TEXT, feasible INTEGER NOT NULL, obj0 REAL, obj1 REAL, obj2 REAL,
  violations TEXT NOT NULL, intermediate TEXT NOT NULL, partial TEXT NOT NULL, reason TEXT,
  trades_digest TEXT, daily_digest TEXT, metrics_digest TEXT, result_digest TEXT, signals_digest TEXT,
  PRIMARY KEY ("window", number)
);
CREATE TABLE trial_runtime (
  "window" INTEGER NOT NULL, number INTEGER NOT NULL, worker TEXT NOT NULL, host TEXT NOT NULL,
  attempts INTEGER NOT NULL, seconds REAL NOT NULL, rss_bytes INTEGER, started_at TEXT,
  PRIMARY KEY ("window", number)
) WITHOUT ROWID;
CREATE TABLE windows (
  "window" INTEGER PRIMARY KEY, train_from TEXT NOT NULL, train_until TEXT NOT NULL, test_from TEXT NOT NULL,
  test_until TEXT NOT NULL, seed TEXT NOT NULL, selected INTEGER, oos_identity TEXT, oos_metrics TEXT
);
CREATE TABLE stress (
  candidate TEXT NOT NULL, test TEXT NOT NULL, variant TEXT NOT NULL, identity TEXT NOT NULL, metrics TEXT,
  trades_digest TEXT, daily_digest TEXT, metrics_digest TEXT, result_digest TEXT,
  PRIMARY KEY (candidate, test, variant)
) WITHOUT ROWID;
CREATE TABLE holdout_access (
  seq INTEGER PRIMARY KEY, event TEXT NOT NULL, at TEXT NOT NULL, user TEXT NOT NULL, host TEXT NOT NULL,
  dataset TEXT NOT NULL, interval TEXT NOT NULL, strategy TEXT NOT NULL, identity TEXT NOT NULL,
  purpose TEXT NOT NULL, result_digest TEXT, prev_hash TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE spool (identity TEXT PRIMARY KEY, result TEXT NOT NULL, arrow BLOB) WITHOUT ROWID;
"""


def quoted(names: Sequence[str]) -> str:
    """Column list of an SQL statement; every name is quoted, since `window` is also a keyword."""
    return ", ".join(f'"{name}"' for name in names)


def ddl(metrics: Sequence[str]) -> str:
    """Statements that make an empty ledger whose `trial_metrics` has one column per metric.

    Raises:
        SweepError: [1001] if a metric name is not an identifier or occurs twice.
    """
    for name in metrics:
        if not _METRIC_NAME.fullmatch(name) or name in ("window", "number"):
            raise error(1001, f"metric name {name!r} cannot be a column of the ledger", stage="engine")
    if len(set(metrics)) != len(metrics):
        raise error(1001, "metric names repeat", where=", ".join(metrics), stage="engine")
    columns = "".join(f', "{name}" REAL' for name in metrics)
    table = (
        f'CREATE TABLE trial_metrics ("window" INTEGER NOT NULL, number INTEGER NOT NULL{columns}, '
        'PRIMARY KEY ("window", number)) WITHOUT ROWID;'
    )
    return _TABLES + table
