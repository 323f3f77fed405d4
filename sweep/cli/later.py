"""Commands of the interface that this version lacks: they exist, and say so with [4001] and exit code 2."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from sweep.cli.options import Debug, Home, Json
from sweep.errors import not_built

COMMANDS: Final = {
    "report": ("A self-contained HTML report of a study.", "sweep report quickstart"),
    "walkforward": ("Walk-forward search.", "sweep walkforward configs/gbpusd.yaml"),
    "validate": ("Overfitting statistics, stress battery and verdict.", "sweep validate quickstart"),
}
DATA: Final = {
    "import": ("Takes files into the dataset cache.", "sweep data import bars.csv"),
    "check": ("Checks files against the data contract.", "sweep data check bars.parquet"),
    "describe": ("Span, gaps, spreads of a dataset.", "sweep data describe bars.parquet"),
    "resample": ("Bars of a higher timeframe.", "sweep data resample bars.parquet H1"),
    "synth": ("Writes a synthetic market to files.", "sweep data synth --bars 100000"),
}

Anything = Annotated[list[str] | None, typer.Argument(metavar="...", help="Ignored.", hidden=True)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    data = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Datasets. Not built in this version.",
        epilog="Example: sweep data check bars.parquet",
    )
    app.add_typer(data, name="data")
    for owner, prefix, commands in ((app, "", COMMANDS), (data, "data ", DATA)):
        for name, (text, example) in commands.items():
            _add(owner, name, f"{prefix}{name}", f"{text} Not built in this version.", example)


def _add(owner: typer.Typer, name: str, full: str, text: str, example: str) -> None:
    def refuse(
        words: Anything = None, home: Home = None, as_json: Json = False, debug: Debug = False
    ) -> None:
        raise not_built(f"sweep {full}", remedy="see sweep --help for what is")

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    owner.command(name, help=text, epilog=f"Example: {example}", context_settings=settings)(refuse)
