"""Problems of a config: collected, placed, and reported together in one error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from sweep.errors import SweepError, error


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what, where and what to do."""

    code: int
    what: str
    where: str = ""
    remedy: str = ""

    def error(self) -> SweepError:
        """The problem as an exception of stage config."""
        return error(self.code, self.what, where=self.where, remedy=self.remedy)


def together(problems: Sequence[Problem], name: str) -> SweepError:
    """One exception for all problems of the document `name`: a single one as itself, several one per line."""
    if len(problems) == 1:
        return problems[0].error()
    lines = "\n".join(problem.error().message for problem in problems)
    return error(
        1000,
        f"{len(problems)} problems in {name}",
        remedy=f"mend them:\n{lines}",
        context={"problems": [vars(problem) for problem in problems]},
    )


def invalid(code: int, what: str, remedy: str = "", key: str = "") -> PydanticCustomError:
    """What a validator raises; `key` names a value inside the one validated, `{path}` in `what` its full name."""
    context = {"code": code, "what": what, "remedy": remedy, "key": key}
    return PydanticCustomError("sweep", "{what}", context)


def nearest(name: str, known: Iterable[str]) -> str:
    """Remedy that names the closest of the known names, or lists them if they are few."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 24 else ""


def shown(value: Any) -> str:
    """A refused value as YAML would show it, containers by kind only."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
