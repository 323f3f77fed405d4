"""The fixed-lag batch loop: batch k is proposed from the results of batches up to k - lag, and from nothing else.

The ledger therefore depends on configuration, seed, batch size, lag and versions only, never on workers, chunks,
timing or restarts. Reading order: `Pipeline.run`, then the steps in its order.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Final

from sweep.errors import SweepError, error
from sweep.executors.dispatch import Dispatcher, Task
from sweep.executors.results import RawResult
from sweep.ledger import IdentityTemplate, Ledger
from sweep.ledger import returns as daily_returns
from sweep.ledger.history import History, Keys
from sweep.ledger.transaction import disk_error
from sweep.pipeline.batch import (
    Objectives,
    OpenBatch,
    after,
    at_level,
    from_spool,
    graded,
    left_behind,
    returns_of,
)
from sweep.pipeline.garbage import rare_collections
from sweep.pipeline.halving import FRACTIONS, LAST, Halving
from sweep.pipeline.records import Records
from sweep.pipeline.rules import POLL_SECONDS, Ending, Reason, Rules
from sweep.pipeline.stops import JUDGED_BATCHES, stagnant, too_many_failures
from sweep.progress import Reporter, Silent, State
from sweep.samplers.base import Prefix, Sampler, View, position_after
from sweep.types import ParamValue, Proposal, Status, StudyStatus, Trial

DISK_SECONDS: Final = 0.005
"""Between two looks whether the disk is done, when a batch waits for it."""
AHEAD_SECONDS: Final = 0.05
"""Longest stretch of proposing ahead before results, interrupts and commits get a look."""
MOST_BATCHES: Final = 256
MOST_TRIALS: Final = 16_384
"""Open ahead of the lag: what waits behind one slow trial is kept in memory."""
MOST_ROWS: Final = 1024
"""Of one transaction: while it is written the workers wait for the driver."""
INTERRUPT_SECONDS: Final = 10.0
"""How long an interrupted study waits for what is in flight."""


class Pipeline:
    """One run of a study, from where its ledger ends.

    Args:
        identities: gives every proposal its identity before it runs.
        pruner: decides which trials of a batch run on the whole window; None = all.
        interrupted: asked between steps; True stops the run cleanly.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        sampler: Sampler,
        dispatcher: Dispatcher,
        objective: Objectives,
        identities: IdentityTemplate,
        rules: Rules,
        pruner: Halving | None = None,
        reporter: Reporter | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ledger, self._sampler, self._dispatcher, self._objective = (
            ledger,
            sampler,
            dispatcher,
            objective,
        )
        self._identities, self._rules, self._interrupted = identities, rules, interrupted
        self._pruner = pruner
        self._ahead = rules.in_flight(sampler.adaptive) is None
        self._reporter: Reporter = reporter or Silent()
        size = rules.batch_size
        self._history = History(ledger)
        """Committed trials, without metrics."""
        self._spool = ledger.spooled()
        self._open: dict[int, OpenBatch] = {}
        self._behind: list[OpenBatch] = []
        """The batches that were committed last, in one transaction, while the disk may still be at it."""
        self._next = self._begun = len(self._history) // size
        """The batch to propose next: the first one that the ledger lacks, in whole or in part."""
        self._records = Records(ledger.batches(), rules, self._next)
        self._seen = _with(self._history, ledger.seen_by(self._next))
        """What that batch is proposed from again: trials as they were before they were run again."""
        self._recent: dict[int, Sequence[Proposal]] = {}
        """Of the last `lag` batches that this run proposed: they need not be read from the ledger again."""
        self._used = Keys(self._all_keys)
        """Of all trials of the batches before the next one."""
        self._position = 0
        self._stop: Reason | None = None
        """Why nothing more is proposed; None while it is."""
        self._front: list[Trial] = []
        """The best trial; of several objectives all that no other dominates."""
        self._best_after: list[int | None] = []
        """Of each committed batch the latest trial that had improved the front by then."""
        self._failed = 0
        self._judged = False
        """Whether failures have been judged."""
        self._read(size)
        self._timing = dict.fromkeys(("propose", "wait", "grade", "commit", "spool"), 0.0)

    def _read(self, size: int) -> None:
        """Take in what earlier runs committed."""
        whole = self._next * size
        trials = iter(self._history)
        for k in range(math.ceil(len(self._history) / size)):
            batch = list(islice(trials, size))
            self._failed += _failed(batch)
            if k * size < whole:
                self._position = position_after([trial.proposal for trial in batch], self._position)
            self._note_best(k, batch)

    def _all_keys(self) -> Iterator[str]:
        """Keys of every batch before the next one: of what is committed and of what is open."""
        yield from self._ledger.keys(stop=self._next * self._rules.batch_size)
        for batch in self._open.values():
            yield from (proposal.key for proposal in batch.proposals)

    def run(self) -> Ending:
        """Propose, run, commit in order, until a stop rule, an interrupt or a fault that ends the study."""
        with rare_collections():
            return self._run()

    def _run(self) -> Ending:
        try:
            return self._steps(time.monotonic())
        except SweepError as problem:
            failure = problem
        except sqlite3.Error as problem:
            failure = disk_error(problem, self._ledger.path)
            failure.__cause__ = problem
        self._keep_what_can_be()
        return self._ended(StudyStatus.FAILED, "error", failure)

    def _steps(self, begun: float) -> Ending:
        while True:
            self._propose_what_may_be(begun)
            if not self._open:
                with self._clocked("commit"):
                    self._ledger.settle()
                return self._finished()
            if self._interrupted():
                return self._interrupt()
            self._accept(self._wait(at_once=self._may_propose()))
            self._commit_in_order()
            if (problem := self._failure()) is not None:
                self._spool_results(self._open.values())
                return self._ended(StudyStatus.FAILED, "failures", problem)
            self._keep_long_batches(time.monotonic())
            self._report()

    # -------------------------------------------------------------------------------------------------------- propose
    def _may_propose(self) -> bool:
        """Whether the lag allows a further batch; where no result enters it, whether workers want one.

        Ahead or not, the ledger is the same: what a batch saw by the lag is written down when it is committed.
        """
        return self._stop is None and (self._within_lag or self._may_run_ahead())

    @property
    def _within_lag(self) -> bool:
        return self._next < self._turn + self._rules.lag

    def _may_run_ahead(self) -> bool:
        if not self._ahead:
            return False
        trials = self._next * self._rules.batch_size - len(self._history)
        return len(self._open) < MOST_BATCHES and trials < MOST_TRIALS and self._dispatcher.wants(trials)

    def _propose_what_may_be(self, begun: float) -> None:
        """What the lag allows, then ahead of it for a while."""
        rules, first = self._rules, time.monotonic()
        while self._may_propose():
            now = time.monotonic()
            if not self._within_lag and now - first > AHEAD_SECONDS:
                return
            if (
                rules.trials is not None
                and max(self._next * rules.batch_size, len(self._history)) >= rules.trials
            ):
                self._stop = "trials"
            elif rules.timeout is not None and now - begun >= rules.timeout:
                self._stop = "timeout"
            elif stagnant(self._best_after, rules.known(self._next), rules.stagnation):
                self._stop = "stagnation"
            else:
                with self._clocked("propose"):
                    self._propose(self._next)

    def _propose(self, k: int) -> None:
        """Propose batch k in full, cut it to the budget, send what the ledger lacks to the workers."""
        size, first = self._rules.batch_size, k * self._rules.batch_size
        proposals = list(self._sampler.propose(k, first, size, self._view(k)))
        if len(proposals) < size:
            self._stop = "exhausted"
        if self._rules.trials is not None:
            proposals = proposals[: self._rules.trials - first]
        stored = self._history[first:]
        self._check_reproposal(k, proposals, stored)
        keys = [proposal.key for proposal in proposals]
        self._next = k + 1
        self._recent[k] = proposals
        self._recent.pop(k - self._rules.lag, None)
        if not self._used.update(keys):
            raise error(
                4004,
                f"batch {k} holds parameters that were proposed before",
                where=f"sampler {self._sampler.name}",
                remedy="a sampler proposes what View.used does not have; report it if it is one of ours",
                stage="engine",
            )
        self._position = position_after(proposals, self._position)
        self._records.proposed(k, keys)
        if len(proposals) > len(stored):
            self._dispatch(OpenBatch(k, first, proposals[len(stored) :], len(stored)))

    def _view(self, k: int) -> View:
        """What batch k may know: rows of the batches that are `known`, parameters of those from there to k.

        A batch in between that is committed already, as after a resume, is shown without its results too.
        """
        size, known = self._rules.batch_size, self._rules.known(k)
        history = self._seen if k == self._begun else self._history
        pending: list[Mapping[str, ParamValue]] = []
        for number in range(known, k):
            proposals = self._recent.get(number)
            if proposals is None:
                rows = history[number * size : (number + 1) * size]
                proposals = [trial.proposal for trial in rows]
            pending.extend(proposal.params for proposal in proposals)
        return View(
            finished=Prefix(history, min(known * size, len(history))),
            pending=pending,
            used=self._used,
            stream_pos=self._position,
        )

    def _check_reproposal(self, k: int, proposals: Sequence[Proposal], stored: Sequence[Trial]) -> None:
        """A partial batch that an extension proposes again must begin with the rows that are stored."""
        if [p.key for p in proposals[: len(stored)]] != [trial.proposal.key for trial in stored]:
            raise error(
                4004,
                f"batch {k} proposed again differs from what the ledger holds",
                where=f"sampler {self._sampler.name}",
                remedy="restore the versions that the study was started with",
                stage="engine",
            )

    # ------------------------------------------------------------------------------------------------------------ run
    def _dispatch(self, batch: OpenBatch) -> None:
        """Take what an earlier run finished from the spool, send the rest to the workers."""
        self._open[batch.k] = batch
        self._send(
            batch, LAST if self._pruner is None else self._pruner.first_level(batch.k), batch.proposals
        )

    def _send(self, batch: OpenBatch, step: int, proposals: Sequence[Proposal]) -> None:
        """Run trials of a batch at a pruning level, the last of which is the whole window."""
        level = None if step == LAST else step
        batch.running, batch.level = len(proposals), {}
        tasks, kept = [], []
        for proposal in proposals:
            identity = batch.identities[proposal.number] = self._identities.identity(proposal.key, level)
            known = self._spool.pop(identity, None)
            if known is None:
                tasks.append(Task(proposal.number, proposal.params, level, float(FRACTIONS[step])))
            else:
                batch.spooled.add(identity)
                kept.append(from_spool(proposal.number, known, level))
        self._dispatcher.add(tasks)
        self._accept(kept)

    def _wait(self, *, at_once: bool) -> list[RawResult]:
        at_once = at_once or self._dispatcher.idle
        timeout = 0.0 if at_once else DISK_SECONDS if self._due else POLL_SECONDS
        with self._clocked("wait"):
            return self._dispatcher.wait(timeout)

    def _accept(self, results: Sequence[RawResult]) -> None:
        with self._clocked("grade"):
            for raw in results:
                batch = self._open[raw.number // self._rules.batch_size]
                proposal = batch.proposal(raw.number)
                identity = batch.identities[raw.number]
                given = (proposal, raw, self._objective, identity, self._ledger.metrics)
                if raw.level is not None:
                    row, measured = at_level(*given)
                    batch.level[raw.number] = after(batch.earlier.get(raw.number), row), measured
                else:
                    row = after(batch.earlier.get(raw.number), graded(*given))
                    batch.results[raw.number] = row
                    batch.returns[raw.number] = returns_of(row, raw)
                batch.received[identity] = raw
                if batch.kept_at is None:
                    batch.kept_at = time.monotonic()
                if raw.level is not None and len(batch.level) == batch.running:
                    self._end_level(batch, raw.level)

    def _end_level(self, batch: OpenBatch, level: int) -> None:
        """Every trial of a level has come back: the best go on, the rows of the others are final."""
        assert self._pruner is not None
        measured = {number: one for number, (_, one) in batch.level.items()}
        promoted = self._pruner.promoted(level, measured.values())
        ranked = self._pruner.ranked(level, measured.values())
        for place, one in enumerate(ranked, 1):
            row = batch.level[one.number][0]
            if one.number in promoted:
                batch.earlier[one.number] = row
            else:
                batch.results[one.number] = left_behind(row, level, place, len(ranked), len(promoted))
        if promoted:
            self._send(batch, level + 1, [batch.proposal(number) for number in sorted(promoted)])

    # --------------------------------------------------------------------------------------------------------- commit
    @property
    def _turn(self) -> int:
        """Number of the first batch that is not committed whole."""
        return len(self._history) // self._rules.batch_size

    @property
    def _due(self) -> OpenBatch | None:
        """The batch whose turn it is, if it is complete."""
        batch = self._open.get(self._turn)
        return batch if batch is not None and batch.complete else None

    def _commit_in_order(self, *, at_once: bool = False, apart: bool = False) -> None:
        """Commit every batch whose turn it is, together up to `MOST_ROWS` unless `apart`.

        If they would have to wait until those before are on the disk they are left for later, if there is something else to
        do, unless `at_once`. None is committed behind those that `_failure` judges before it has.
        """
        while self._due is not None and not self._to_judge:
            busy = self._may_propose() or not self._dispatcher.idle
            if busy and not (at_once or self._ledger.settled):
                return
            with self._clocked("commit"):
                self._commit_together(1 if apart else MOST_ROWS)

    def _commit_together(self, rows: int) -> None:
        until = len(self._history) + rows
        while (batch := self._due) is not None and not self._to_judge and len(self._history) < until:
            self._commit(batch)
        self._ledger.send()

    def _commit(self, batch: OpenBatch) -> None:
        ended = batch.ended()
        rows = {trial.number: batch.returns.get(trial.number) for trial in ended}
        joins = self._ledger.waits_for_more
        digest = self._ledger.commit(
            self._records.of(batch),
            ended,
            spooled=batch.received,
            first=partial(
                daily_returns.write,
                self._ledger.folder,
                batch.k,
                rows,
                form=self._rules.keep_returns,
                stored=batch.stored,
            ),
            more=True,
        )
        if not joins:
            self._behind = []
        self._behind.append(self._open.pop(batch.k))
        self._records.committed(batch.k, digest)
        self._history.grow(ended, joins=joins)
        self._failed += _failed(ended)
        self._note_best(batch.k, ended)

    def _reopen(self) -> None:
        """Open the last batches again if they are not stored, of which whatever asked the ledger for something was told."""
        with suppress(SweepError):
            self._ledger.settle()
        behind, self._behind = self._behind, []
        if behind and self._ledger.count() < len(self._history):
            self._open.update((batch.k, batch) for batch in behind)
            self._history.shrink()
            self._failed -= sum(_failed(batch.ended()) for batch in behind)
            self._judged = self._judged and len(self._history) >= self._judged_trials

    def _note_best(self, k: int, trials: Sequence[Trial]) -> None:
        self._front = self._objective.front([*self._front, *trials])
        first: dict[object, int] = {}
        for trial in self._front:
            first.setdefault(trial.outcome.objectives, trial.number)
        self._best_after[k:] = [max(first.values(), default=None)]

    def _keep_long_batches(self, now: float) -> None:
        """Spool what came back of batches that take, or wait for their turn, longer than the interval; the others are
        committed soon. If the turn has come to one, the disk is what it waits for, and has enough to write.
        """
        if self._due is not None:
            return
        due, rows = [], 0
        for batch in self._open.values():
            late = batch.kept_at is not None and now - batch.kept_at >= self._rules.spool_interval
            if late and rows < MOST_ROWS:  # the rest at the next step
                batch.kept_at = now
                rows += len(batch.received) - len(batch.spooled)
                due.append(batch)
        self._spool_results(due)

    def _spool_results(self, batches: Iterable[OpenBatch]) -> None:
        """Make finished results durable before their batch's turn."""
        items = {batch.k: batch.unspooled() for batch in batches}
        if any(items.values()):
            with self._clocked("spool"):
                self._ledger.spool([item for some in items.values() for item in some])
            for k, some in items.items():
                self._open[k].spooled.update(item.identity for item in some)

    # -------------------------------------------------------------------------------------------------------- the end
    def _failure(self) -> SweepError | None:
        """Judged once, on the first batches, or on all there is when fewer are run; nothing is committed after too many."""
        if self._judged or not (self._to_judge or (self._stop is not None and not self._open)):
            return None
        problem = too_many_failures(
            self._history[: self._judged_trials], self._rules.max_failure_share, self._ledger.folder.name
        )
        self._judged = problem is None
        return problem

    @property
    def _judged_trials(self) -> int:
        return JUDGED_BATCHES * self._rules.batch_size

    @property
    def _to_judge(self) -> bool:
        """Whether all that is judged is there, and has not been judged."""
        return not self._judged and len(self._history) >= self._judged_trials

    def _finished(self) -> Ending:
        if self._history and (problem := self._failure()) is not None:
            return self._ended(StudyStatus.FAILED, "failures", problem)
        reason = self._stop or "trials"
        if reason == "trials" or (reason == "exhausted" and self._rules.trials is None):
            return self._ended(StudyStatus.FINISHED, reason)
        return self._ended(StudyStatus.EXHAUSTED if reason == "exhausted" else StudyStatus.STOPPED, reason)

    def _interrupt(self) -> Ending:
        """Nothing more is sent; what is in flight has ten seconds, then all that ended is kept."""
        self._dispatcher.drop_queue()
        until = time.monotonic() + INTERRUPT_SECONDS
        while self._dispatcher.outstanding and time.monotonic() < until:
            self._accept(self._wait(at_once=False))
        self._commit_in_order(at_once=True)
        self._ledger.settle()
        whole = self._rules.trials is not None and len(self._history) >= self._rules.trials
        if not self._open and (whole or self._stop is not None):
            return self._finished()
        self._spool_results(self._open.values())
        return self._ended(StudyStatus.STOPPED, "interrupted")

    def _keep_what_can_be(self) -> None:
        try:
            try:
                self._reopen()
                # What the disk refuses is one batch: those before it are committed without it.
                self._commit_in_order(at_once=True, apart=True)
            finally:
                self._reopen()
                self._spool_results(self._open.values())
        except (SweepError, sqlite3.Error) as problem:
            self._reporter.note(f"finished results could not be kept: {problem}")

    def _ended(self, status: StudyStatus, reason: Reason, problem: SweepError | None = None) -> Ending:
        self._report()
        return Ending(status, reason, problem, self._timing)

    def _report(self) -> None:
        waiting = sum(len(batch.results) for batch in self._open.values())
        names = self._objective.names
        best = self._front[0] if self._front and len(names) == 1 else None
        self._reporter.update(
            State(
                done=len(self._history) + waiting,
                total=self._rules.trials,
                best=best.outcome.objectives[0] if best else None,
                best_number=best.number if best else None,
                objective=", ".join(names),
                front=len(self._front),
                failed=self._failed,
                open_batches=len(self._open),
            )
        )

    @contextmanager
    def _clocked(self, step: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._timing[step] += time.perf_counter() - begun


def _failed(trials: Iterable[Trial]) -> int:
    return sum(trial.outcome.status is Status.FAILED for trial in trials)


def _with(history: Sequence[Trial], changed: Mapping[int, Trial]) -> Sequence[Trial]:
    """The history with other trials at some numbers; itself if there are none."""
    if not changed:
        return history
    return [changed.get(trial.number, trial) for trial in history]
