"""`study.db`: the durable record of a study and its source of truth.

Reading order: `schema` (tables), `store` (the ledger), `rows` and `canonical` (bytes and digests),
`history` (what the batch loop sees of it), `transaction`
(disk errors), `lock` (one driver), `table` (the trials table), `returns` (daily returns beside the ledger).
"""

from __future__ import annotations

from sweep.ledger.canonical import IdentityTemplate
from sweep.ledger.lock import StudyLock, driver
from sweep.ledger.store import BatchRecord, Ledger, Spooled

__all__ = ["BatchRecord", "IdentityTemplate", "Ledger", "Spooled", "StudyLock", "driver"]
