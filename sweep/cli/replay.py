"""`replay`: one trial again, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sweep.cli import output
from sweep.cli.options import Debug, Home, Json, Verify, dataset_cache
from sweep.errors import error

if TYPE_CHECKING:
    from sweep.recorded import Recorded


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: sweep replay quickstart:17")(replay)


def replay(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STUDY:TRIAL|market.bid=PATH",
            help="The trial, and where its data lie now.",
            show_default=False,
        ),
    ] = None,
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="MLflow run of the trial, instead of STUDY:TRIAL.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", help="Tracking URL for --run-id [mlflow.db in --home].")
    ] = None,
    engine: Annotated[
        Literal["rust", "python"], typer.Option("--engine", help="Which engine runs it.")
    ] = "rust",
    diff: Annotated[
        int | None, typer.Option("--diff", metavar="TRIAL", help="Compare with another trial of the study.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Folder for trades, equity, metrics, chart."),
    ] = None,
    engine_change: Annotated[
        bool, typer.Option("--engine-change", help="Compare although engine semantics differ.")
    ] = False,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Runs a trial again from the ledger, or from MLflow alone, and compares identity and digests.

    Exit 0 same, 1 different, 3 data absent or changed, 4 other engine semantics.
    """
    from sweep.replay import diff as compare
    from sweep.replay import log_replay
    from sweep.replay import replay as rerun

    target, overrides = _target(words or [], run_id)
    tracking = _tracking(target, mlflow, home)
    recorded = _recorded(target, run_id, tracking or "", home)
    if diff is not None:
        if target is None:
            raise error(1001, "--diff needs STUDY:TRIAL", where="sweep replay")
        other = _of_study(f"{target.rpartition(':')[0]}:{diff}", home)
        lines = compare(recorded, other, overrides=overrides, cache=dataset_cache(home, verify))
        output.as_json(lines) if as_json else output.line("\n".join(lines))
        raise typer.Exit(1 if len(lines) > 2 or "part at" in lines[-1] else 0)
    done = rerun(
        recorded,
        overrides=overrides,
        backend=engine,
        engine_change=engine_change,
        output=to,
        cache=dataset_cache(home, verify),
    )
    problem = None if tracking is None else log_replay(done, uri=tracking)
    if as_json:
        output.as_json(done.to_dict())
    else:
        for text in done.lines():
            output.line(text)
    if problem is not None:
        output.line(f"warning: {problem}", err=True)
    raise typer.Exit(done.exit_code)


def _target(words: list[str], run_id: str | None) -> tuple[str | None, list[str]]:
    targets = [word for word in words if "=" not in word]
    overrides = [word for word in words if "=" in word]
    if (len(targets) != 1) if run_id is None else bool(targets):
        what = "name one trial as STUDY:TRIAL, or --run-id ID"
        raise error(
            1008 if not targets else 1001, what, where="sweep replay", remedy="sweep replay quickstart:17"
        )
    return (targets[0] if targets else None), overrides


def _recorded(target: str | None, run_id: str | None, tracking: str, home: Path | None) -> Recorded:
    from sweep.recorded import of_run

    return _of_study(target, home) if target is not None else of_run(run_id or "", uri=tracking)


def _of_study(target: str, home: Path | None) -> Recorded:
    from sweep.recorded import of_study
    from sweep.study import find

    study, colon, number = target.rpartition(":")
    if not colon or not number.isdigit():
        raise error(
            1009, f"{target!r} is not STUDY:TRIAL", where="sweep replay", remedy="sweep replay quickstart:17"
        )
    return of_study(find(study, home), int(number))


def _tracking(target: str | None, mlflow: str | None, home: Path | None) -> str | None:
    """Tracking URL: the one named, else the study's, else the database in the home folder."""
    from sweep.config import home_folder
    from sweep.study import Study

    if mlflow is not None:
        return mlflow
    if target is not None and ":" in target:
        return Study.open(target.rpartition(":")[0], home=home).config.tracking.mlflow
    return f"sqlite:///{home_folder(home) / 'mlflow.db'}"
