"""`Study`: run, open, resume, extend, look at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep import build
from sweep.config import Config, dump, home_folder, load
from sweep.config.files import data_paths
from sweep.errors import error
from sweep.ledger import Ledger, StudyLock
from sweep.ledger.returns import Form, form_of
from sweep.ledger.transaction import disk_error
from sweep.market.cache import DatasetCache
from sweep.progress import Reporter, Silent
from sweep.study import folder as folders
from sweep.study.drive import Driver
from sweep.study.dry_run import DryRun, measure
from sweep.study.interrupts import Interrupted
from sweep.study.plan import Plan, prepare, space_of
from sweep.study.report import Report, front_of, report
from sweep.study.snapshot import refusal, snapshot
from sweep.types import Status, Trial

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.objective import Objective
    from sweep.replay import Replay
    from sweep.trackers.optuna import Exported

Source = str | Path | Mapping[str, Any] | Config


class Study:
    """One search and its folder `studies/<name>/`.

    Opening it reads; `run`, `resume` and `extend` make this process its driver until they return.
    """

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder = folder
        self.config = config
        self.warnings: tuple[str, ...] = ()
        """Of the last run by this object."""
        self.findings: tuple[str, ...] = ()
        """What is remarkable about the data of the last run by this object, a line each."""

    # ------------------------------------------------------------------------------------------------- make and go on
    @classmethod
    def run(
        cls,
        config: Source,
        overrides: Sequence[str] = (),
        *,
        home: Path | None = None,
        reporter: Reporter | None = None,
        verify: bool = False,
    ) -> Study:
        """Make a study and run it to its end.

        Args:
            config: a YAML file, a mapping or a loaded config.
            overrides: `a.b=c`.
            home: where `studies/` is; SWEEP_HOME or the working directory by default.
            reporter: gets the progress; silent by default.
            verify: hash data of the dataset cache again.

        Raises:
            SweepError: nothing is written if it is of stage config or data, or if no worker starts; [1007] if the
                study exists; otherwise what ended the study.
            Interrupted: after Ctrl-C or SIGTERM, when what ended is kept.
        """
        reporter = reporter or Silent()
        loaded = _load(config, overrides, home)
        folder = folders.studies_folder(home) / loaded.study
        folders.refuse_existing(folder)
        cache = DatasetCache(home_folder(home), verify=verify)
        plan = prepare(loaded, cache=cache)
        for note in (
            *plan.space.brief(),
            *getattr(plan.sampler, "notes", ()),
            *plan.pruning,
            *cache.warnings,
        ):
            reporter.note(note)
        reporter.note(plan.returns_note(plan.keep_returns))
        driver = _driver(plan, reporter, keep_returns=plan.keep_returns)
        study = cls(folder, plan.config)
        study.findings = tuple(plan.findings[0])
        with _stoppable(folder):
            try:
                folders.create(folder, plan.config_text, _frozen(plan))
                with StudyLock(folder):
                    study._drive(driver)
            finally:
                driver.close()
        return study

    @classmethod
    def dry_run(cls, config: Source, overrides: Sequence[str] = (), *, home: Path | None = None) -> DryRun:
        """Check everything and estimate time and memory, without writing anything."""
        loaded = _load(config, overrides, home)
        folders.refuse_existing(folders.studies_folder(home) / loaded.study)
        return measure(prepare(loaded, cache=DatasetCache(home_folder(home), frozen=True)))

    @classmethod
    def open(cls, study: str | Path, *, home: Path | None = None) -> Study:
        """Open a study by name or folder, for reading; its driver may be running.

        Raises:
            SweepError: [3001] if there is none; [3004] [4005], stage infrastructure, if its ledger cannot be read.
        """
        folder = _found(study, home)
        return cls(folder, load(folder / folders.CONFIG, home=home))

    @classmethod
    def resume(
        cls,
        study: str | Path,
        overrides: Sequence[str] = (),
        *,
        home: Path | None = None,
        reporter: Reporter | None = None,
        more: int = 0,
        retry_failed: bool = False,
        verify: bool = False,
    ) -> Study:
        """Go on with a study after a stop or a crash; a finished one is returned as it is.

        Args:
            overrides: of keys that enter no result: `compute`, `tracking`, `search.timeout`, `search.trials` upwards.
            more: trials to ask for beyond the budget.
            retry_failed: run trials again that ended in TIMEOUT, WORKER_LOST or OUT_OF_MEMORY. Their rows change, and
                with them the ledger digest; batches that were proposed from them stay, as the mark of the study does.
            verify: hash data of the dataset cache again.

        Raises:
            SweepError: [6003] if another driver runs it, [1012] with all differences if it would not be the same
                study, exit code by cause; otherwise what ended the study.
            Interrupted: after Ctrl-C or SIGTERM.
        """
        reporter = reporter or Silent()
        folder = _found(study, home)
        with _stoppable(folder), StudyLock(folder):
            cache = DatasetCache(home_folder(home), verify=verify)
            plan = prepare(load(folder / folders.CONFIG, overrides, home=home), cache=cache)
            opened = cls(folder, plan.config)
            with Ledger.open(folder, write=True) as ledger:
                facts = ledger.study
                problem = refusal(facts["name"], facts["snapshot"]["compared"], snapshot(plan)["compared"])
                if problem is not None:
                    raise problem
                trials = _budget(facts, plan.config, more, ledger.count())
                if trials != facts["trials"]:
                    opened._raise_budget(ledger, trials)
            opened.findings = tuple(plan.findings[0])
            driver = _driver(plan, reporter, keep_returns=form_of(facts["keep_returns"]))
            driver.retry = retry_failed
            opened._drive(driver)
        return opened

    @classmethod
    def extend(
        cls,
        study: str | Path,
        trials: int,
        overrides: Sequence[str] = (),
        *,
        home: Path | None = None,
        reporter: Reporter | None = None,
        verify: bool = False,
    ) -> Study:
        """Ask for more trials: the ledger becomes that of a study that had asked for all of them at once."""
        if trials < 1:
            raise error(1003, f"{trials} more trials", where="--trials", remedy="ask for at least 1")
        return cls.resume(study, overrides, home=home, reporter=reporter, more=trials, verify=verify)

    # -------------------------------------------------------------------------------------------------------- look at
    @property
    def name(self) -> str:
        """Name of the study."""
        return self.folder.name

    @property
    def ledger(self) -> Ledger:
        """A new connection for reading; use it as a context manager."""
        return Ledger.open(self.folder)

    @property
    def objective(self) -> Objective:
        """What the study looks for."""
        return build.objective(self.config)

    def trials(self) -> pa.Table:
        """The trials table, failed trials and their reasons included."""
        with self.ledger as ledger:
            return ledger.table()

    def trial(self, number: int) -> Trial:
        """One trial in full; [1003] if there is none."""
        with self.ledger as ledger:
            return ledger.trial(number)

    @property
    def best(self) -> Trial | None:
        """The feasible trial with the best value, tie: lower number; None if no trial is feasible.

        Of several objectives the trial of the front that `search.rank_by` puts first; None without it.
        """
        return self.objective.best(self.front)

    @property
    def front(self) -> list[Trial]:
        """The feasible trials that no other dominates, by number; of one objective the best one alone."""
        with self.ledger as ledger:
            return [ledger.trial(trial.number) for trial in front_of(ledger, self.objective)]

    @property
    def failed(self) -> list[Trial]:
        """Trials that FAILED, in order, each with its kind and reason."""
        with self.ledger as ledger:
            return [trial for trial in ledger.history() if trial.outcome.status is Status.FAILED]

    @property
    def digest(self) -> str:
        """Ledger digest: equal digests, identical studies."""
        with self.ledger as ledger:
            return ledger.digest()

    def status(self, *, top: int = 5) -> Report:
        """How far it is, its rate, best trials and failures; also while another process runs it."""
        with self.ledger as ledger:
            return report(ledger, self.objective, top=top)

    def replay(self, number: int, **options: Any) -> Replay:
        """Run one trial again in this process and compare digests; see `sweep.replay.replay`."""
        from sweep.recorded import of_study
        from sweep.replay import replay

        return replay(of_study(self.folder, number), **options)

    def to_optuna(self, url: str) -> Exported:
        """Bring a study of the same name in an Optuna storage up to date; see `sweep.trackers.optuna.write`.

        Raises:
            SweepError: [4005] if the strategy at hand declares another space than the study searched.
        """
        from sweep.export import to_optuna
        from sweep.ledger.canonical import dumps

        with self.ledger as ledger:
            searched = ledger.get("space")
        space = space_of(self.config, searched["timeframe"], measured=False)
        if dumps(space.to_dict()) != dumps(searched):
            raise error(
                4005,
                "the strategy declares another space than the study searched",
                where=f"study {self.name}",
                remedy="install the version of the strategy that the study was started with",
                stage="engine",
            )
        return to_optuna(self.folder, space, url)

    def __repr__(self) -> str:
        """Name and place."""
        return f"Study({self.name!r}, {str(self.folder)!r})"

    # ------------------------------------------------------------------------------------------------------ internals
    def _drive(self, driver: Driver) -> None:
        """Run as the driver; the caller holds the lock."""
        try:
            with Ledger.open(self.folder, write=True) as ledger:
                ending = driver.run(ledger)
                done = ledger.count()
        finally:
            driver.close()
            self.warnings = tuple(driver.warnings)
        if ending.problem is not None:
            raise ending.problem
        if ending.interrupted:
            raise Interrupted(self.name, done)

    def _raise_budget(self, ledger: Ledger, trials: int | None) -> None:
        search = self.config.search.model_copy(update={"trials": trials})
        self.config = self.config.model_copy(update={"search": search})
        text = dump(self.config)
        ledger.put({"trials": trials, "config": text})
        ledger.log("extended", trials=trials)
        folders.replace_config(self.folder, text)


@contextmanager
def _stoppable(folder: Path) -> Iterator[None]:
    """An interrupt that the driver did not catch says how to go on, if there is a study by then; a ledger that cannot be
    read says so.
    """
    try:
        yield
    except sqlite3.Error as problem:
        raise disk_error(problem, folder / folders.LEDGER) from problem
    except KeyboardInterrupt as stopped:
        if isinstance(stopped, Interrupted) or not (folder / folders.LEDGER).is_file():
            raise
        with Ledger.open(folder) as ledger:
            raise Interrupted(folder.name, ledger.count()) from None


def _found(study: str | Path, home: Path | None) -> Path:
    """Folder of a study whose ledger can be read."""
    folder = folders.find(study, home)
    Ledger.open(folder).close()
    return folder


def _load(config: Source, overrides: Sequence[str], home: Path | None) -> Config:
    if isinstance(config, Config):
        if overrides:
            raise error(1001, "overrides of a loaded config", remedy="load it with them")
        return config
    if not isinstance(config, str | Path | Mapping):
        raise error(
            1004, f"a config file or a mapping is needed, not {type(config).__name__}", where="config"
        )
    return load(config, overrides, home=home)


def _driver(plan: Plan, reporter: Reporter, *, keep_returns: Form) -> Driver:
    warnings: list[str] = []

    def warn(text: str) -> None:
        warnings.append(text)
        reporter.note(text)

    findings, contradictions = plan.findings
    for text in findings:
        reporter.note(f"data: {text}")
    for text in (*contradictions, *plan.warnings):
        warnings.append(text)
        reporter.note(f"warning: {text}")
    projection = build.projection(plan.config)
    try:
        executor = build.executor(plan.config, plan.engine_spec(returns=keep_returns != "none"), warn=warn)
    except BaseException:
        if projection is not None:
            projection.abandon()
        raise
    return Driver(plan, reporter, executor, projection, warnings)


def _budget(facts: Mapping[str, Any], config: Config, more: int, done: int) -> int | None:
    """Trials to reach: the stored budget or a larger one of the config, and `more` beyond.

    Raises:
        SweepError: [1012] for a smaller one.
    """
    stored, asked = facts["trials"], config.search.trials
    if stored is None or asked is None:
        if more:
            raise error(1003, "the study runs its whole space already", where="--trials")
        return None
    if asked < stored:
        raise error(
            1012,
            f'cannot resume "{facts["name"]}": 1 difference: search.trials {stored} → {asked}',
            where=f"{done} trials are done",
            remedy="trials can only grow",
        )
    return config.search.whole_batches(int(asked) + more)


def _frozen(plan: Plan) -> dict[str, Any]:
    """Rows of table `study` for a new study."""
    config = plan.config
    return {
        "name": config.study,
        "seed": config.search.seed,
        "batch_size": config.search.batch_size,
        "lag": config.search.lag,
        "trials": config.search.trials,
        "sampler": {"name": plan.sampler.name, "version": plan.sampler.version},
        "objectives": list(plan.objective.names),
        "directions": list(plan.objective.directions),
        "metrics": list(plan.metric_names),
        "keep_returns": plan.keep_returns,
        "config": plan.config_text,
        "space": plan.space.to_dict(),
        "snapshot": snapshot(plan),
        "identity_base": plan.identity_base,
        **({"levels": plan.level_windows} if plan.levels else {}),
        "dataset": plan.identity_base["dataset"],
        "sources": _sources(config),
        **_of_markets(plan),
    }


def _of_markets(plan: Plan) -> dict[str, Any]:
    """Rows on the markets: one symbol's description; of several all of them in order, and the digest of each."""
    metas = [market.meta for market in plan.markets]
    return {"market": metas[0]} if len(metas) == 1 else {"market": metas, "datasets": plan.datasets}


def _sources(config: Config) -> dict[str, str]:
    """Absolute paths of the data by key of the config."""
    named = data_paths(config.model_dump(mode="json", by_alias=True))
    return {".".join(map(str, key)): path for key, path in named}
