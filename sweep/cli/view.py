"""`status`, `show`, `export`, `sync`, `ui`: commands that look at a study."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from sweep.cli import output, words
from sweep.cli.options import Debug, Home, Json, StudyName
from sweep.errors import SweepError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: sweep status quickstart")(status)
    app.command(epilog="Example: sweep show quickstart 17")(show)
    app.command(epilog="Example: sweep export quickstart --to trials.csv")(export)
    app.command(epilog="Example: sweep sync quickstart")(sync)
    app.command(epilog="Example: sweep ui quickstart")(ui)


def status(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="Name or folder; all studies without it.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Progress, rate, best trials and failures of a study, also while it runs."""
    from sweep.study import Study, names

    if study is not None:
        state = Study.open(study, home=home).status()
        if as_json:
            output.as_json(state.to_dict())
        else:
            output.report(state)
        return
    told: list[dict[str, Any]] = []
    rows: list[list[Any]] = []
    broken: list[str] = []
    for name in names(home):
        try:
            state = Study.open(name, home=home).status(top=1)
        except SweepError as problem:
            told.append({"name": name, "status": "BROKEN", "problem": problem.to_dict()})
            rows.append([name, "BROKEN", None, None, None])
            broken.append(f"{name}: {problem.message}")
            continue
        best: float | str | None = state.best[0].value if state.best else None
        if best is None and state.front:
            best = f"{state.front} not dominated"
        told.append(state.to_dict())
        rows.append([state.name, state.status, state.done, state.requested, best])
    if as_json:
        output.as_json(told)
    elif not rows:
        output.line("no studies here; start one with: sweep run configs/quickstart.yaml")
    else:
        output.table(["study", "status", "done", "asked for", "best"], rows)
        for text in broken:
            output.line(text)


def show(
    study: StudyName,
    trial: Annotated[
        int | None, typer.Argument(metavar="TRIAL", help="Trial number.", show_default=False)
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="The failed trials with their reasons.")] = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """One study, or one of its trials, in full."""
    from sweep.study import Study

    opened = Study.open(study, home=home)
    if trial is not None:
        found = opened.trial(trial)
        if as_json:
            output.as_json(found)
        else:
            output.trial(found)
    elif failed:
        trials = opened.failed
        rows = [[t.number, t.outcome.kind, t.outcome.reason] for t in trials]
        if as_json:
            keys = ("number", "kind", "reason")
            output.as_json([dict(zip(keys, row, strict=True)) for row in rows])
        else:
            output.table(["trial", "kind", "reason"], rows)
    elif as_json:
        output.as_json(
            {"report": opened.status(top=20).to_dict(), "config": opened.config.model_dump(mode="json")}
        )
    else:
        from sweep.config import dump

        state = opened.status(top=20)
        output.report(state)
        output.line(f"identity: {state.identity}")
        for text in words.cost(state):
            output.line(text)
        output.line(dump(opened.config))


def export(
    study: StudyName,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FILE|URL",
            help="A .parquet or .csv file, or an Optuna storage: sqlite:///trials.db, journal:trials.log, …",
            show_default=False,
        ),
    ],
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Writes the trials table, failed trials included; into an Optuna storage only what is new there."""
    from sweep.export import export as write
    from sweep.export import is_storage
    from sweep.study import Study, find

    if is_storage(to):
        done = Study.open(study, home=home).to_optuna(to)
        if as_json:
            output.as_json(asdict(done))
        else:
            output.line(f"{done.url}: study {done.study}, {done.trials:,} trials, {done.new:,} of them new")
        return
    path = write(find(study, home), to)
    if as_json:
        output.as_json({"file": path})
    else:
        output.line(str(path))


def sync(study: StudyName, home: Home = None, as_json: Json = False, debug: Debug = False) -> None:
    """Brings trials.parquet and MLflow up to date with the ledger."""
    from sweep.study import Study
    from sweep.trackers.process import sync as project

    opened = Study.open(study, home=home)
    tracking = opened.config.tracking
    state = project(opened.folder, uri=tracking.mlflow, top=tracking.top)
    if as_json:
        output.as_json(state)
    else:
        output.line(f"{opened.name}: {state.shown} trials shown")


def ui(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="Study to open the page at.", show_default=False)
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port [5000, else a free one].")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Serves MLflow on loopback, opened at the study, until Ctrl-C."""
    from sweep.config import home_folder
    from sweep.study import Study
    from sweep.ui import Server

    opened = None if study is None else Study.open(study, home=home)
    default = f"sqlite:///{home_folder(home) / 'mlflow.db'}"
    uri = (
        default if opened is None or opened.config.tracking.mlflow is None else opened.config.tracking.mlflow
    )
    with Server(uri, port=port) as server:
        url = server.address(None if opened is None else server.find(opened.folder))
        if as_json:
            output.as_json({"url": url})
        else:
            output.line(f"MLflow at {url}  (Ctrl-C ends it)")
        if browser:
            typer.launch(url)
        server.wait()
