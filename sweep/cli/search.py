"""`run`, `resume`, `extend`: commands that drive a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli import output
from sweep.cli.options import (
    Address,
    Config,
    Debug,
    Home,
    Json,
    Overrides,
    StudyName,
    Verify,
    Workers,
    compute_overrides,
)
from sweep.cli.words import cost, dry_run, further

if TYPE_CHECKING:
    from sweep.progress import Reporter
    from sweep.study import Study


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: sweep run configs/quickstart.yaml search.trials=500 --workers 2")(run)
    app.command(epilog="Example: sweep resume quickstart")(resume)
    app.command(epilog="Example: sweep extend quickstart --trials 500")(extend)


def run(
    config: Config,
    overrides: Overrides = None,
    check_only: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, estimate time and memory, write nothing.")
    ] = False,
    workers: Workers = None,
    address: Address = None,
    trials: Annotated[
        int | None, typer.Option("--trials", help="Number of trials.", show_default=False)
    ] = None,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Runs a study to its end. Ctrl-C stops it cleanly; `sweep resume` goes on."""
    changes = [*(overrides or ()), *compute_overrides(workers, address)]
    if trials is not None:
        changes.append(f"search.trials={trials}")
    if check_only:
        from sweep.study import Study

        plan = Study.dry_run(config, changes, home=home)
        if as_json:
            output.as_json(plan.to_dict())
        else:
            output.findings(plan.findings, plan.warnings)
            for text in dry_run(plan):
                output.line(text)
        return

    def start(reporter: Reporter) -> Study:
        from sweep.study import Study

        return Study.run(config, changes, home=home, reporter=reporter, verify=verify)

    _drive(start, as_json)


def resume(
    study: StudyName,
    overrides: Overrides = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run environment failures again.")
    ] = False,
    workers: Workers = None,
    address: Address = None,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Goes on with a study after a stop or a crash."""
    changes = [*(overrides or ()), *compute_overrides(workers, address)]

    def start(reporter: Reporter) -> Study:
        from sweep.study import Study

        return Study.resume(
            study, changes, home=home, reporter=reporter, retry_failed=retry_failed, verify=verify
        )

    _drive(start, as_json)


def extend(
    study: StudyName,
    trials: Annotated[int, typer.Option("--trials", help="How many more.", show_default=False)],
    overrides: Overrides = None,
    workers: Workers = None,
    address: Address = None,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Asks for more trials; the result is that of having asked for all of them at once."""
    changes = [*(overrides or ()), *compute_overrides(workers, address)]

    def start(reporter: Reporter) -> Study:
        from sweep.study import Study

        return Study.extend(study, trials, changes, home=home, reporter=reporter, verify=verify)

    _drive(start, as_json)


def _drive(start: Callable[[Reporter], Study], as_json: bool) -> None:
    """Runs a study under a progress bar and prints what came out; an interrupt exits with 130."""
    study: Study | None = None
    try:
        from sweep.progress import terminal_reporter

        with terminal_reporter() as reporter:
            study = start(reporter)
        _show(study, as_json)
    except KeyboardInterrupt as stopped:
        if study is not None:
            output.interrupted(f"interrupted when {study.name} had ended; see: sweep status {study.name}")
        output.interrupted(str(stopped) or "interrupted; nothing was written")


def _show(study: Study, as_json: bool) -> None:
    state = study.status()
    if as_json:
        output.as_json({**state.to_dict(), "findings": study.findings})
        return
    output.report(state)
    output.line(f"folder: {_short(study.folder)}")
    for text in (*cost(state), *further(state)):
        output.line(text)


def _short(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
