"""Collects every mistake of a search space, so that one run of the checks names them all."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from sweep.errors import error

Locate = Callable[[str], str]
"""Turns the path of a key (`search.space.fast_period.step`) into a place to look, such as `config.yaml:12`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, in the words of the error that names it."""

    code: int
    parameter: str
    what: str
    where: str
    remedy: str

    def __str__(self) -> str:
        return f"[{self.code}] " + "; ".join(text for text in (self.what, self.where, self.remedy) if text)


@dataclass(slots=True)
class Problems:
    """The mistakes found so far."""

    locate: Locate = field(default=lambda path: path)
    found: list[Problem] = field(default_factory=list)

    def add(self, code: int, parameter: str, what: str, *, path: str, remedy: str) -> None:
        """Notes a mistake at `path`."""
        self.found.append(Problem(code, parameter, what, self.locate(path), remedy))

    def raise_if_any(self) -> None:
        """Raises one SweepError with all mistakes; its code is that of the first, its context lists them."""
        if not self.found:
            return
        first = self.found[0]
        context = {"problems": [asdict(problem) for problem in self.found]}
        if len(self.found) == 1:
            raise error(first.code, first.what, where=first.where, remedy=first.remedy, context=context)
        lines = "".join(f"\n  {problem}" for problem in self.found)
        raise error(first.code, f"{len(self.found)} problems in the search space:{lines}", context=context)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Remedy that names the nearest known names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}" if names else "there are none"
