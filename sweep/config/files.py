"""Paths and files that a config names: made absolute, and sections in files of their own read in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sweep.config.document import Document, Path_, read
from sweep.config.problems import Problem
from sweep.errors import SweepError

_DATA: Final[tuple[Path_, ...]] = (("market", "bid"), ("market", "ask"), ("market", "file"))
_SECTIONS: Final[tuple[Path_, ...]] = (("symbol_specs",), ("costs",))
_SQLITE: Final = "sqlite:///"


def resolve(document: Document, home: Path) -> list[Problem]:
    """Makes every path absolute: relative to the config's folder, in overrides to the working directory.

    Reads `symbol_specs` and `costs` where they name a file, and fills in the default of `tracking.mlflow`, a database
    in `home`. Gives the problems of the files it read.
    """
    for path in (*_DATA, *_rate_files(document)):
        value = _get(document, path)
        if isinstance(value, str) and value:
            _set(document, path, absolute(value, document.mark(path).folder))
    _tracking(document, home)
    problems = []
    for path in _SECTIONS:
        value = _get(document, path)
        if isinstance(value, str):
            problems.extend(_inline(document, path, value))
    return problems


def _rate_files(document: Document) -> list[Path_]:
    """Where the markets of rate series name files."""
    series = _get(document, ("rates", "series"))
    pairs = series if isinstance(series, dict) else {}
    return [("rates", "series", pair, *path[1:]) for pair in pairs for path in _DATA]


def absolute(text: str, folder: Path | None) -> str:
    """Absolute form of a path, `~` expanded; relative ones start in `folder`, else in the working directory."""
    return str(((folder or Path.cwd()) / Path(text).expanduser()).resolve())


def _inline(document: Document, path: Path_, name: str) -> list[Problem]:
    at = document.mark(path)
    try:
        other = read(Path(absolute(name, at.folder)))
    except SweepError as problem:
        where = f"{at}: {'.'.join(map(str, path))}; {problem.where}"
        _set(document, path, None)
        return [Problem(problem.code, problem.what, where, problem.remedy)]
    _set(document, path, other.tree)
    document.graft(path, other)
    return []


def _tracking(document: Document, home: Path) -> None:
    section = document.tree.get("tracking")
    if section is None:
        section = document.tree["tracking"] = {}
    if not isinstance(section, dict):
        return
    if "mlflow" not in section:
        section["mlflow"] = f"{_SQLITE}{home / 'mlflow.db'}"
    url = section["mlflow"]
    if isinstance(url, str) and url.startswith(_SQLITE) and not url.startswith(f"{_SQLITE}/"):
        name = url.removeprefix(_SQLITE)
        if name and not name.startswith(":memory:"):
            section["mlflow"] = _SQLITE + absolute(name, document.mark(("tracking", "mlflow")).folder)


def _get(document: Document, path: Path_) -> Any:
    node: Any = document.tree
    for part in path:
        if not isinstance(node, dict):
            return None
        node = node.get(str(part))
    return node


def _set(document: Document, path: Path_, value: Any) -> None:
    node: Any = document.tree
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
