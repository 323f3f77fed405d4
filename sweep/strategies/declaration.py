"""What a strategy in Python says about itself and its parameters: the same as a native one says in Rust."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from sweep.errors import error
from sweep.json_text import json_text

Kind = Literal["signals", "python"]
_TYPES: Final = {int: "int", float: "float", bool: "bool", str: "categorical", set: "set", frozenset: "set"}


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a strategy: its name, its type (int, float, bool, str or set) and its default.

    `low` and `high` are the range that is searched by default, with `step` or `log`; without them it is not searched.
    `least` and `most` are the smallest and the largest valid value. A text or a set has `choices`, and a text or a bool
    is searched over all of its values. With `optional`, None is a value too. Where the expression `when` is false, the
    parameter is inactive: it does not count, and the function is not given it. `unit` is bars, minutes, pips, price,
    ATR, R, percent or none; `group` is entry, filter, exit, risk or management; `doc` is a line for listings.

    Example:
        `sweep.Param("fast", int, 20, low=5, high=60, unit="bars", doc="period of the fast average")`
    """

    name: str
    type: type
    default: Any
    _: KW_ONLY
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    least: float | None = None
    most: float | None = None
    choices: Sequence[str] = ()
    optional: bool = False
    when: str | None = None
    unit: str = ""
    doc: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        place = f"parameter {self.name}"
        if not str(self.name).isidentifier():
            raise error(
                1009, f"{self.name!r} cannot name a parameter", where="Param", remedy="write snake_case"
            )
        if self.type not in _TYPES:
            raise error(
                1001, f"unknown type {self.type!r}", where=place, remedy="int, float, bool, str or set"
            )
        if (self.low is None) != (self.high is None):
            raise error(1008, "a range has two ends", where=place, remedy="give low and high")
        if (self.step is not None or self.log) and self.low is None:
            raise error(1008, "step and log belong to a range", where=place, remedy="give low and high")
        if _TYPES[self.type] in ("categorical", "set") and not self.choices:
            raise error(1008, "a text has choices", where=place, remedy='write choices=["a", "b"]')
        self._check_range(place)
        self._check_choices(place)

    def _check_range(self, place: str) -> None:
        if self.low is None or self.high is None:
            return
        if self.type not in (int, float):
            raise error(1006, "only a number has a range", where=place, remedy="leave low and high out")
        step = self.step if self.step is not None else 1
        if self.low > self.high or step <= 0 or (self.log and self.low <= 0):
            what = f"no range: low {self.low}, high {self.high}, step {self.step}, log {self.log}"
            remedy = "low is at most high, a step is above 0, and so is the low of a logarithm"
            raise error(1003, what, where=place, remedy=remedy)

    def _check_choices(self, place: str) -> None:
        if not all(isinstance(choice, str) for choice in self.choices):
            raise error(1004, "a choice is no text", where=place, remedy='write choices=["a", "b"]')
        if len(set(self.choices)) < len(self.choices):
            raise error(1001, "a choice is there twice", where=place, remedy="name each once")

    def told(self) -> dict[str, Any]:
        """The parameter as the engine reads it."""
        default = self.default
        if isinstance(default, set | frozenset):
            order = {choice: k for k, choice in enumerate(self.choices)}
            default = "+".join(sorted(default, key=lambda each: (order.get(each, len(order)), each)))
        told = {
            "name": self.name,
            "type": _TYPES[self.type],
            "default": default,
            "low": self.low,
            "high": self.high,
            "step": self.step,
            "log": self.log,
            "least": self.least,
            "most": self.most,
            "choices": list(self.choices),
            "optional": self.optional,
            "when": self.when,
            "unit": self.unit,
            "doc": self.doc,
            "group": self.group,
        }
        return {key: value for key, value in told.items() if value is not None or key == "default"}


@dataclass(frozen=True)
class UserStrategy:
    """A strategy in Python, ready for an engine."""

    kind: Kind
    name: str
    """Of the function or class."""
    made: Any
    """The function (market, ind, params) or the class."""
    version: str
    """As the user declared it."""
    parameters: tuple[Param, ...]
    constraints: Sequence[str | Mapping[str, Any]]
    path: str
    """The module's file, for messages."""
    text: str
    """The module's source: a change of it is another version."""
    line: int = 1
    """Where it begins in the file."""
    same_bar_reentry: bool = True
    title: str = ""

    @property
    def id(self) -> str:
        """Of identities: kind and name."""
        return f"{self.kind}:{self.name}"

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.path}:{self.line}"

    @cached_property
    def declaration(self) -> str:
        """JSON that the engine makes its declaration of."""
        digest = sha256(self.text.encode()).hexdigest()
        return json_text(
            {
                "id": self.id,
                "version": f"{self.version}+sha256.{digest}",
                "title": self.title,
                "parameters": [parameter.told() for parameter in self.parameters],
                "constraints": _constraints(self.constraints, self.place),
                "same_bar_reentry": self.same_bar_reentry,
            }
        )

    @cached_property
    def declared(self) -> dict[str, Any]:
        """The whole declaration, in the form of `sweep.build.declaration`, position rules included.

        Raises:
            SweepError: what is wrong with parameters, defaults or constraints, with file and line.
        """
        from sweep import _core
        from sweep.errors import SweepError

        try:
            whole: dict[str, Any] = json.loads(_core.declare(self.declaration))
        except SweepError as problem:
            raise error(
                problem.code, problem.what, where=f"{self.place}: {problem.where}", remedy=problem.remedy
            ) from None
        return whole

    def typed(self, canonical: Mapping[str, Any]) -> dict[str, Any]:
        """Canonical parameters in their declared types: canonical JSON writes 2.0 as 2, and sets as text."""
        floats = {p["name"] for p in self.declared["parameters"] if p["type"] == "float"}
        return {
            name: float(value) if name in floats and value is not None else value
            for name, value in canonical.items()
        }


def source_of(made: Any) -> tuple[str, str, int]:
    """File, source text and first line of a function or class that was made outside of `Code`.

    The text is that of its whole module, in an interactive session that of the object alone. Raises [1006] if there is
    none: without it nobody could say which strategy a result is of.
    """
    import inspect

    try:
        file = inspect.getsourcefile(made)
        own, line = inspect.getsourcelines(made)
    except (OSError, TypeError):
        raise error(
            1006, f"the source of {made!r} cannot be found", remedy="write the strategy into a file"
        ) from None
    path = Path(file) if file else None
    if path is not None and path.is_file():
        return str(path), path.read_text(encoding="utf-8"), max(line, 1)
    return file or "<interactive>", "".join(own), max(line, 1)


def _constraints(given: Sequence[str | Mapping[str, Any]], place: str) -> list[dict[str, Any]]:
    if isinstance(given, str):
        raise error(1004, "constraints is one text", where=place, remedy=f"write [{given!r}]")
    return [{"expr": one} if isinstance(one, str) else dict(one) for one in given]
