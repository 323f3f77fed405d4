"""The application, its entry point, and what an error looks like from outside."""

from __future__ import annotations

import atexit
import json
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

import typer

from sweep.cli import catalogue, data, golden, later, output, replay, search, single, view
from sweep.errors import SweepError, error, exit_code

_INTERRUPTED: Final = 130
"""What the parser makes of Ctrl-C."""

app = typer.Typer(
    name="sweep",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Backtest parameter sweeps that are fast, reproducible and honest.",
    epilog="Start with: sweep run configs/quickstart.yaml",
)
for group in (search, view, replay, single, golden, data, catalogue, later):
    group.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from sweep import __version__

        typer.echo(f"sweep {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Backtest parameter sweeps that are fast, reproducible and honest."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command and exits: 0 done, 1 a comparison differs, 2 usage or config, 3 data, 4 engine, 5 infrastructure, 130
    interrupted.

    An error is one readable line on standard error, with its code; `--json` puts it on standard output too.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=words, prog_name="sweep", standalone_mode=False)
    except SweepError as problem:
        _report(problem, words)
    except Exception as problem:  # noqa: BLE001  the last line of defence: a bug must not look like a difference
        _report(_foreign(problem), words)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    finally:
        # Registered last, run first: Ctrl-C from here on does not show through the exit handlers of the libraries.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    if code == _INTERRUPTED:
        output.interrupted("interrupted")
    sys.exit(code if isinstance(code, int) else 0)


def _foreign(problem: Exception) -> SweepError:
    """Usage errors of the parser and bugs, as ours."""
    describe = getattr(problem, "format_message", None)
    if type(problem).__name__ == "NoArgsIsHelpError":
        output.line(str(describe() if describe else ""), err=True)
        sys.exit(2)
    if type(problem).__module__ == "sqlite3":
        return error(3004, f"the ledger cannot be read: {problem}", where="study.db", stage="infrastructure")
    if describe is None:
        what = f"unexpected {type(problem).__name__}: {problem}"
        return error(4000, what, remedy="run it again with --debug and report it", stage="engine")
    context = getattr(problem, "ctx", None)
    command = context.command_path if context is not None else "sweep"
    what = " ".join(str(describe()).split()).rstrip(".")
    return error(1001, what, where=command, remedy=f"see {command} --help")


def _report(problem: SweepError, words: Sequence[str]) -> NoReturn:
    if "--debug" in words:
        output.line(traceback.format_exc().rstrip(), err=True)
    if "--json" in words:
        typer.echo(json.dumps(problem.to_dict(), default=str))
    output.line(problem.message, err=True)
    sys.exit(exit_code(problem))
