"""The section `strategy`: which rules, and which of their parameters are pinned."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from sweep.config.base import Name, Section, Values
from sweep.config.problems import invalid

KINDS: Final = ("name", "signals", "python")


def _switch(value: Any) -> Any:
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


class StrategyConfig(Section):
    """A strategy: a native one by `name`, or one in a Python file; `params` pins parameters, the rest is searched."""

    name: Name | None = None
    signals: Name | None = None
    """`FILE.py:FUNCTION`, a function declared with `sweep.signals`."""
    python: Name | None = None
    """`FILE.py:CLASS`, a class derived from `sweep.PythonStrategy`."""
    source: str | None = None
    """Text of that file, read when the config is; a frozen config holds it, and the file is not read again."""
    params: Values = Field(default_factory=dict)
    lookahead_check: Annotated[Literal["on", "off"], BeforeValidator(_switch)] = "on"

    @model_validator(mode="after")
    def _one_kind(self) -> StrategyConfig:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if not given:
            remedy = "write one of name, signals: FILE.py:FUNCTION and python: FILE.py:CLASS"
            raise invalid(1008, "{path}.name is missing", remedy, "name")
        if len(given) > 1:
            what = f"{{path}} has {' and '.join(given)}"
            raise invalid(1006, what, "write one of them", given[1])
        return self

    @property
    def file(self) -> tuple[str, str] | None:
        """File and name in it, of a strategy in Python."""
        reference = self.signals or self.python
        return split(reference) if reference else None

    @property
    def told(self) -> str:
        """The name, or the file and the name in it."""
        return str(self.name or self.signals or self.python)


def split(reference: str) -> tuple[str, str]:
    """File and name of `FILE.py:NAME`; the name is empty if it is none."""
    path, _, name = reference.rpartition(":")
    return (path, name) if path.endswith(".py") and name.isidentifier() else (reference, "")


__all__ = ["StrategyConfig", "split"]
