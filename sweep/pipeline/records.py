"""The records of batches: what each was proposed from, and what it proposed, as digests."""

from __future__ import annotations

from collections.abc import Sequence

from sweep.ledger import BatchRecord
from sweep.ledger.canonical import Chain, lines_digest
from sweep.pipeline.batch import OpenBatch
from sweep.pipeline.rules import Rules
from sweep.seeds import seed


class Records:
    """Digests of a study's batches in order: of those in the ledger, then of those that are proposed and committed now.

    Args:
        stored: what `Ledger.batches` gives.
        again: the batch that is proposed first; if the ledger has a part of it, it saw what it saw then.
    """

    def __init__(self, stored: Sequence[tuple[BatchRecord, str, str]], rules: Rules, again: int) -> None:
        self._rules = rules
        self._keys = [record.params_digest for record, _, _ in stored]
        self._rows = [digest for _, digest, _ in stored]
        self._partial = stored[again][0] if len(stored) > again else None
        self._chain = Chain()
        """Over the rows of the batches that the last one was proposed from."""

    def proposed(self, k: int, keys: Sequence[str]) -> None:
        """Batch k has parameters with these keys."""
        self._keys[k:] = [lines_digest(keys)]

    def committed(self, k: int, digest: str) -> None:
        """Batch k has rows with this digest."""
        self._rows[k:] = [digest]

    def of(self, batch: OpenBatch) -> BatchRecord:
        """The record of a batch whose turn it is, the same when it is committed again."""
        if batch.record is None:
            batch.record = BatchRecord(
                k=batch.k,
                first=batch.first,
                count=batch.stored + len(batch.proposals),
                proposer_seed=seed(self._rules.seed, "sampler", batch.k),
                view_digest=self._view(batch.k),
                params_digest=self._keys[batch.k],
            )
        return batch.record

    def _view(self, k: int) -> str:
        """Digest of what batch k saw."""
        if self._partial is not None and k == self._partial.k:
            return self._partial.view_digest
        known = self._rules.known(k)
        self._chain.extend(self._rows[self._chain.length : known])
        return lines_digest([self._chain.value, *self._keys[known:k]])
