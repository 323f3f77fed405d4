"""Environment failures run again on request: their rows change, what was proposed since stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sweep.executors.dispatch import Dispatcher, Task
from sweep.executors.results import RawResult
from sweep.ledger import IdentityTemplate, Ledger
from sweep.ledger import returns as daily_returns
from sweep.pipeline.batch import Objectives, after, graded, is_environment_failure, returns_of
from sweep.pipeline.rules import POLL_SECONDS
from sweep.types import ENVIRONMENT_FAILURES, Trial


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of it."""

    failed: int
    """Environment failures that there were."""
    tried: int
    mended: int
    """Those that have a result now."""

    @property
    def whole(self) -> bool:
        """Whether all were tried."""
        return self.tried == self.failed


def retry_failed(
    ledger: Ledger,
    dispatcher: Dispatcher,
    objective: Objectives,
    identities: IdentityTemplate,
    *,
    keep_returns: daily_returns.Form,
    interrupted: Callable[[], bool] = lambda: False,
) -> Retried:
    """Run every trial again that ended in an environment failure.

    A result takes the place of the failure as soon as all failures of its batch have been tried; a trial that fails in
    the same way keeps its row. An interrupt leaves the rest as it is. A trial that failed at a pruning level runs on
    the whole window: the places at that level were given away without it. Failures in the spool are forgotten, so that
    the batch loop runs their trials again.

    Raises:
        SweepError: a fault that ends the study.
    """
    ledger.unspool(identity for identity, kept in ledger.spooled().items() if is_environment_failure(kept))
    failed = {t.number: t for t in ledger.history() if t.outcome.kind in ENVIRONMENT_FAILURES}
    if not failed:
        return Retried(0, 0, 0)
    ledger.log("retry", trials=list(failed))
    dispatcher.add([Task(number, trial.proposal.params) for number, trial in failed.items()])
    waiting: dict[int, dict[int, tuple[Trial, RawResult] | None]] = {}
    for number, trial in failed.items():
        waiting.setdefault(trial.proposal.batch, {})[number] = None
    tried = mended = 0
    while not dispatcher.idle and not interrupted():
        for raw in dispatcher.wait(POLL_SECONDS):
            before = failed[raw.number]
            batch = waiting[before.proposal.batch]
            identity = identities.identity(before.proposal.key)
            row = graded(before.proposal, raw, objective, identity, ledger.metrics)
            batch[raw.number] = after(before, row), raw
            tried += 1
            if None not in batch.values():
                mended += _replace(ledger, [ended for ended in batch.values() if ended], keep_returns)
    return Retried(len(failed), tried, mended)


def _replace(ledger: Ledger, ended: list[tuple[Trial, RawResult]], keep_returns: daily_returns.Form) -> int:
    """Store those of a batch that have a result now."""
    better = [(trial, raw) for trial, raw in ended if trial.outcome.kind not in ENVIRONMENT_FAILURES]
    if better:
        found = {trial.number: returns_of(trial, raw) for trial, raw in better}
        daily_returns.replace(ledger.folder, found, form=keep_returns)
        ledger.replace([trial for trial, _ in better])
    return len(better)
