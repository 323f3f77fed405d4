"""One run of a study: workers, the pipeline between them and the ledger, and what is made of the result."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Final

from sweep.errors import SweepError
from sweep.executors.base import CacheCounts, Executor
from sweep.executors.dispatch import Dispatcher
from sweep.ledger import IdentityTemplate, Ledger
from sweep.ledger.returns import form_of
from sweep.pipeline import Ending, Pipeline, Rules
from sweep.pipeline.retry import retry_failed
from sweep.progress import Reporter
from sweep.study.interrupts import Interrupts
from sweep.study.plan import Plan
from sweep.study.report import leading
from sweep.study.spent import Spent
from sweep.types import StudyStatus

if TYPE_CHECKING:
    from sweep.trackers.process import Projection

MOST_ARTIFACTS: Final = 50
"""Trials whose trades and equity are kept when every trial gets an MLflow run."""
ADVICE_SHARE: Final = 0.2
"""Share of refused parameter sets above which a missing constraint is likely."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a study took."""

    seconds: float
    trials: int
    cache: CacheCounts | None
    """Of all workers together."""
    spent: Spent


@dataclass(slots=True)
class Driver:
    """Runs a planned study on its workers; one instance per run. The executor is closed at its end."""

    plan: Plan
    reporter: Reporter
    executor: Executor
    projection: Projection | None = None
    """Shows the study in MLflow."""
    warnings: list[str] = field(default_factory=list)
    retry: bool = False
    """Whether environment failures are run again first."""

    def run(self, ledger: Ledger) -> Ending:
        """Run the pipeline to its end, record it, keep the best trials' artifacts, finish the projections.

        A projection never fails a study: what goes wrong there is a warning. An interrupt after the end is recorded
        cuts short what follows it, and nothing else.
        """
        ending = None
        try:
            with Interrupts(self.reporter.note) as interrupts:
                begun, before = time.monotonic(), ledger.count()
                ledger.set_status(StudyStatus.RUNNING, event="started", workers=self.executor.workers)
                if self.projection is not None:
                    self.projection.follow(ledger.folder)
                dispatcher = self._dispatcher(ledger)
                found = self._retried(ledger, dispatcher, interrupts)
                found = found or self._pipeline(ledger, dispatcher, interrupts).run()
                self._advise(ledger)
                seconds = time.monotonic() - begun
                spent = self._spent(seconds, found, dispatcher)
                cost = Cost(seconds, ledger.count() - before, dispatcher.cache, spent)
                self._record(ledger, found, cost)
                ending = found
            if interrupts.requested and not ending.interrupted:
                raise KeyboardInterrupt
            closing = Thread(target=self.executor.close, name="sweep-close")
            closing.start()
            try:
                self._project(ledger, done=ending.problem is None and not ending.interrupted)
            finally:
                closing.join()
        except BaseException as stopped:
            if ending is None or not isinstance(stopped, KeyboardInterrupt):
                raise
            self._warn(
                f"interrupted when the study had ended; to complete its files: sweep resume {ledger.folder.name}"
            )
        finally:
            self.close()
        return ending

    def close(self) -> None:
        """Free the workers and let the projection go; harmless when that is done."""
        if self.projection is not None:
            self.projection.abandon()
        self.executor.close()

    def _rules(self, ledger: Ledger) -> Rules:
        return self.plan.rules(ledger.get("trials"), keep_returns=form_of(ledger.get("keep_returns")))

    def _dispatcher(self, ledger: Ledger) -> Dispatcher:
        compute, rules = self.plan.config.compute, self._rules(ledger)
        return Dispatcher(
            self.executor,
            in_flight=rules.in_flight(self.plan.sampler.adaptive),
            max_retries=compute.max_retries,
            trial_timeout=None if compute.trial_timeout == "auto" else float(compute.trial_timeout),
        )

    def _retried(self, ledger: Ledger, dispatcher: Dispatcher, interrupts: Interrupts) -> Ending | None:
        """Environment failures run again if that was asked for; how the study ended if that went wrong or was stopped."""
        if not self.retry:
            return None
        try:
            done = retry_failed(
                ledger,
                dispatcher,
                self.plan.objective,
                IdentityTemplate(ledger.get("identity_base")),
                keep_returns=self._rules(ledger).keep_returns,
                interrupted=lambda: interrupts.requested,
            )
        except SweepError as problem:
            return Ending(StudyStatus.FAILED, "error", problem)
        self.reporter.note(f"environment failures run again: {done.tried}, with a result now: {done.mended}")
        if done.whole:
            return None
        dispatcher.drop_queue()
        return Ending(StudyStatus.STOPPED, "interrupted")

    def _pipeline(self, ledger: Ledger, dispatcher: Dispatcher, interrupts: Interrupts) -> Pipeline:
        plan = self.plan
        return Pipeline(
            ledger=ledger,
            sampler=plan.sampler,
            dispatcher=dispatcher,
            objective=plan.objective,
            identities=IdentityTemplate(ledger.get("identity_base"), plan.level_windows),
            rules=self._rules(ledger),
            pruner=plan.pruner,
            reporter=self.reporter,
            interrupted=lambda: interrupts.requested,
        )

    def _spent(self, seconds: float, ending: Ending, dispatcher: Dispatcher) -> Spent:
        return Spent.of(
            seconds,
            ending.timing,
            dispatcher.tally,
            workers=self.executor.workers,
            threads=self.plan.config.compute.threads,
            bars=self.plan.traded_bars,
        )

    def _record(self, ledger: Ledger, ending: Ending, cost: Cost) -> None:
        details = {
            "reason": ending.reason,
            "seconds": round(cost.seconds, 3),
            "trials": cost.trials,
            "cache": None if cost.cache is None else asdict(cost.cache),
            "spent": cost.spent.to_dict(),
            "warnings": self.warnings,
        }
        try:
            problem = {} if ending.problem is None else {"problem": ending.problem.message}
            ledger.set_status(ending.status, event="ended", **details, **problem)
        except SweepError as failure:
            if ending.problem is None:
                raise
            self._warn(f"the end of the study could not be recorded: {failure}")

    def _advise(self, ledger: Ledger) -> None:
        counts: Mapping[str, int] = {}
        with suppress(SweepError, sqlite3.Error):  # a ledger that cannot be read has its own error
            counts = ledger.counts()
        refused, total = counts.get("FAILED/INVALID_PARAMS", 0), sum(counts.values())
        if total and refused > ADVICE_SHARE * total:
            self._warn(
                f"{refused} of {total} parameter sets were refused by the strategy: declare the missing constraint "
                f"in search.where (`sweep show {ledger.folder.name} --failed` has the reasons)"
            )

    # ----------------------------------------------------------------------------------------------------- projections
    def _project(self, ledger: Ledger, *, done: bool) -> None:
        """Artifacts of the best trials, `trials.parquet`, MLflow; an interrupted study is not kept waiting."""
        if not done:
            return
        from sweep.trackers.parquet import ParquetTracker

        try:
            ParquetTracker(ledger.folder).project(ledger, final=True)
            if self.projection is not None:
                self.projection.ended()
            self._keep_best(ledger)
        except SweepError as problem:
            self._warn(f"a projection of the study is incomplete: {problem}")
        if self.projection is None:
            return
        from sweep.trackers.process import lag

        self.reporter.note("MLflow: logging the study (Ctrl-C leaves that to the background)")
        state = self.projection.finish()
        if state.problem is not None:
            self._warn(state.problem)
        behind = lag(state, ledger.count(), ledger.folder.name)
        if behind is not None:
            self._warn(behind)

    def _keep_best(self, ledger: Ledger) -> None:
        from sweep import artifacts

        top = self.plan.config.tracking.top
        best = leading(ledger, self.plan.objective, MOST_ARTIFACTS if top == "all" else top)
        artifacts.write(ledger.folder, self.plan.engine, best)

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.reporter.note(text)
