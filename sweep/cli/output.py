"""Tables for people, JSON for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

from sweep.terminal import printable

if TYPE_CHECKING:
    from sweep.study import Report
    from sweep.types import Trial


_WIDE: Final = 160
"""Columns where the output is not a terminal."""
_JSON_LEAVES: Final = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
"""Control characters that JSON need not escape."""


def as_json(value: Any) -> None:
    """Prints a value as JSON; dataclasses as objects, times as ISO 8601."""
    typer.echo(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False).translate(_JSON_LEAVES))


def line(text: str = "", *, err: bool = False) -> None:
    """Prints a line of text, unwrapped, to standard output or standard error."""
    typer.echo(printable(text), err=err)


def interrupted(text: str) -> NoReturn:
    """Says so on standard error and exits with 130."""
    line(text, err=True)
    raise SystemExit(130)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints rows under headings, numbers to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = [[printable(number(cell)) for cell in row] for row in rows]
    grid = Table(*map(printable, columns), box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(grid.columns):
        column.overflow = "fold"
        if shown and all(_numeric(row[index]) for row in shown):
            column.justify = "right"
    for row in shown:
        grid.add_row(*row)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(grid)


def number(value: Any) -> str:
    """A cell: numbers to six significant digits, none as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def report(state: Report) -> None:
    """Prints how far a study is, its best trials and its failures."""
    from sweep.cli.words import summary

    for text in summary(state):
        line(text)
    if state.best:
        alike = _alike([best.params for best in state.best])
        several = len(state.objectives) > 1
        ranked = several and bool(state.objective) and state.objective not in state.objectives
        columns = [*([state.objective] if ranked else []), *state.objectives]
        rows = [
            [best.number, *([best.value] if ranked else []), *best.values, _params(best.params, alike)]
            for best in state.best
        ]
        table(["trial", *columns, "parameters that differ" if alike else "parameters"], rows)
    if state.counts:
        table(["outcome", "trials"], sorted(state.counts.items()))
    for warning in state.warnings:
        line(f"warning: {warning}")


def findings(lines: Iterable[str], warnings: Iterable[str]) -> None:
    """Prints what is remarkable about data, and what contradicts what was said of them."""
    for text in lines:
        line(f"data: {text}")
    for text in warnings:
        line(f"warning: {text}")


def trial(found: Trial) -> None:
    """Prints one trial in full."""
    outcome = found.outcome
    kind = "" if outcome.kind is None else f" {outcome.kind}"
    line(f"trial {found.number}: {outcome.status}{kind}{'' if outcome.feasible else ', not feasible'}")
    if outcome.reason:
        line(f"reason: {outcome.reason}")
    line(f"source: {found.proposal.source}, batch {found.proposal.batch}")
    if found.identity is not None:
        line(f"identity: {found.identity}")
    if found.digests is not None:
        line(f"digest: {found.digests.result}")
    table(["parameter", "value"], found.proposal.params.items())
    if outcome.violations:
        table(["constraint", "violation"], outcome.violations.items())
    if found.intermediate:
        table(["level", "objective"], found.intermediate.items())
    if found.partial:
        table(["metric, where it stopped", "value"], found.partial.items())
    elif found.metrics:
        table(["metric", "value"], found.metrics.items())


def _alike(sets: Sequence[Mapping[str, Any]]) -> set[str]:
    """Names with one value in all of several sets: what is pinned, mostly."""
    if len(sets) < 2:
        return set()
    return {name for name in sets[0] if all(name in other and other[name] == sets[0][name] for other in sets)}


def _params(params: Mapping[str, Any], hidden: set[str]) -> str:
    return " ".join(f"{name}={number(value)}" for name, value in params.items() if name not in hidden)


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == "-"
    return True


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
