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

Anything = Annotated[list[str] | None, typer.Argument(metavar="...", help="Ignored.", hidden=True)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for name, (text, example) in COMMANDS.items():
        _add(app, name, f"{text} Not built in this version.", example)


def _add(owner: typer.Typer, name: str, text: str, example: str) -> None:
    def refuse(
        words: Anything = None, home: Home = None, as_json: Json = False, debug: Debug = False
    ) -> None:
        raise not_built(f"sweep {name}", remedy="see sweep --help for what is")

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    owner.command(name, help=text, epilog=f"Example: {example}", context_settings=settings)(refuse)
