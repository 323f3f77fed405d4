"""A strategy in a file: read once, carried to workers as text, imported there under a private name."""

from __future__ import annotations

import ast
import linecache
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sweep.errors import SweepError, error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.config.strategy import StrategyConfig
    from sweep.strategies.declaration import Kind, UserStrategy

_loading: list[Code] = []
"""The modules that are being imported, the innermost last."""


@dataclass(frozen=True, slots=True)
class Code:
    """The text of a module, and the name in it."""

    kind: Kind
    path: str
    """Where it was read, for messages."""
    name: str
    """Of the function or class."""
    text: str

    @property
    def module_name(self) -> str:
        """Private to this text."""
        return f"_sweep_strategy_{sha256(self.text.encode()).hexdigest()[:16]}"

    def load(self) -> UserStrategy:
        """Imports the text and finds the strategy in it.

        Raises:
            SweepError: [1009] the text is no Python, [2000] it fails when it is imported, [1001] there is no such name,
                [1004] it is no strategy of this kind; with file and line.
        """
        found = getattr(self._module(), self.name, None)
        if found is None:
            remedy = "name a function or class of the file"
            raise error(1001, f"{self.path} has no {self.name}", where=f"strategy.{self.kind}", remedy=remedy)
        if self.kind == "signals":
            from sweep.strategies.function import SignalsFunction

            if isinstance(found, SignalsFunction):
                return found.strategy
            what, remedy = "is not decorated with @sweep.signals", "decorate it, with its parameters"
        else:
            from sweep.strategies.bar import PythonStrategy, strategy_of

            if isinstance(found, type) and issubclass(found, PythonStrategy):
                return strategy_of(found)
            what, remedy = "is no class derived from sweep.PythonStrategy", "derive it"
        raise error(1004, f"{self.name} {what}", where=f"{self.path}: strategy.{self.kind}", remedy=remedy)

    def _module(self) -> ModuleType:
        name = self.module_name
        if name in sys.modules:
            return sys.modules[name]
        # Tracebacks quote the text that runs, on every machine, whatever the file holds by now.
        linecache.cache[self.path] = (len(self.text), None, self.text.splitlines(keepends=True), self.path)
        module = ModuleType(name)
        module.__file__ = self.path
        sys.modules[name] = module
        try:
            with _being_loaded(self):
                exec(compile(self.text, self.path, "exec"), module.__dict__)  # noqa: S102
        except BaseException as problem:
            del sys.modules[name]
            if isinstance(problem, SyntaxError):
                where = f"{problem.filename}:{problem.lineno}"
                raise error(1009, f"this is no Python: {problem.msg}", where=where) from None
            if isinstance(problem, SweepError) or not isinstance(problem, (Exception, SystemExit)):
                raise
            from sweep.strategies.failure import failed

            raise failed(problem, self.path, "the file", stage="config") from problem
        return module


def strategy_of(section: StrategyConfig) -> str | Code:
    """What `Engine` takes for a section `strategy`: the name of a native one, or the code of one in Python."""
    if section.file is None:
        return str(section.name)
    path, name = section.file
    return Code("signals" if section.signals else "python", path, name, section.source or "")


def text_being_loaded(made: Any) -> tuple[str, str, int] | None:
    """File, text and first line of what is defined while a `Code` is imported; None outside of that."""
    if not _loading:
        return None
    code = _loading[-1]
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    lines = [
        node.lineno
        for node in ast.walk(ast.parse(code.text))
        if isinstance(node, named) and node.name == made.__name__
    ]
    return code.path, code.text, lines[-1] if lines else 1


@contextmanager
def _being_loaded(code: Code) -> Iterator[None]:
    _loading.append(code)
    try:
        yield
    finally:
        _loading.pop()
