"""`golden record|check|compare`: results that must not change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sweep.cli import output
from sweep.cli.options import Debug, Home, Json, StudyName, Verify, dataset_cache
from sweep.errors import not_built

if TYPE_CHECKING:
    from sweep.golden import Check

golden = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Golden results: frozen once, compared ever after.",
    epilog="Example: sweep golden check golden/quickstart",
)

Places = Annotated[
    list[str] | None,
    typer.Argument(metavar="market.bid=PATH", help="Where the data lie now.", show_default=False),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Golden folder.", show_default=False)]
Tolerance = Annotated[
    float | None,
    typer.Option("--tolerance", help="Numbers may differ by this much, absolute or relative [to the bit]."),
]
Backend = Literal["rust", "python"]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(golden, name="golden")
    golden.command(
        "record", epilog="Example: sweep golden record quickstart --top 10 --to golden/quickstart"
    )(record)
    golden.command("check", epilog="Example: sweep golden check golden/quickstart")(check)
    golden.command(
        "compare", epilog="Example: sweep golden compare quickstart --engine-a python --engine-b rust"
    )(compare)


def record(
    study: StudyName,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to write.", show_default=False)],
    places: Places = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many of the best trials.")] = 10,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Freezes the best trials of a study: identity, digests, metrics, trades."""
    from sweep.golden import record as write
    from sweep.study import find

    if study.endswith((".yaml", ".yml")):
        raise not_built("golden record CONFIG", where=study, remedy="run it, then name the study")
    cases = write(find(study, home), to, top=top, overrides=places or (), cache=dataset_cache(home, verify))
    if as_json:
        output.as_json({"folder": to, "cases": [case.name for case in cases]})
    else:
        output.line(f"{to}: golden cases: {len(cases)}; check them with: sweep golden check {to}")


def check(
    folder: Folder,
    places: Places = None,
    tolerance: Tolerance = None,
    engine: Annotated[Backend, typer.Option("--engine", help="Which engine runs them.")] = "rust",
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", help="Tracking URL for the result [mlflow.db in --home].")
    ] = None,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Runs golden cases again. Exit 1 if anything differs."""
    from sweep.config import home_folder
    from sweep.golden import check as rerun
    from sweep.golden import log_check

    done = rerun(
        folder,
        tolerance=tolerance,
        overrides=places or (),
        backend=engine,
        cache=dataset_cache(home, verify),
    )
    problem = log_check(done, uri=mlflow or f"sqlite:///{home_folder(home) / 'mlflow.db'}")
    if problem is not None:
        output.line(f"warning: {problem}", err=True)
    _finish(done, as_json)


def compare(
    study: Annotated[
        str,
        typer.Argument(help="Study, or the first of two golden folders.", show_default=False),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DIR|market.bid=PATH",
            help="The second golden folder; where the data lie now.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many of the best trials.")] = 10,
    engine_a: Annotated[
        Backend | None, typer.Option("--engine-a", help="First engine [what the ledger holds].")
    ] = None,
    engine_b: Annotated[Backend, typer.Option("--engine-b", help="Second engine.")] = "rust",
    tolerance: Tolerance = None,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Shows what moved: a study's best trials on this engine, two engines, or two golden folders."""
    from sweep.golden import compare as rerun
    from sweep.golden import compare_folders
    from sweep.study import find

    folders = [Path(word) for word in words or () if "=" not in word]
    places = [word for word in words or () if "=" in word]
    if folders:
        done = compare_folders(Path(study), folders[0], tolerance=tolerance)
    else:
        done = rerun(
            find(study, home),
            top=top,
            engine_a=engine_a,
            engine_b=engine_b,
            tolerance=tolerance,
            overrides=places,
            cache=dataset_cache(home, verify),
        )
    _finish(done, as_json)


def _finish(done: Check, as_json: bool) -> None:
    if as_json:
        output.as_json(done.to_dict())
    else:
        for text in done.lines():
            output.line(text)
    raise typer.Exit(done.exit_code)
