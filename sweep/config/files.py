"""Paths and files that a config names: made absolute, and sections in files of their own read in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sweep.config.document import Document, Path_, read
from sweep.config.problems import Problem
from sweep.config.strategy import split
from sweep.errors import SweepError

_DATA: Final = ("bid", "ask", "file", "ticks")
_EVENTS: Final[Path_] = ("gates", "news", "events")
_SECTIONS: Final[tuple[Path_, ...]] = (("symbol_specs",), ("costs",))
_SQLITE: Final = "sqlite:///"


def resolve(document: Document, home: Path) -> list[Problem]:
    """Makes every path absolute: relative to the config's folder, in overrides to the working directory.

    Reads `symbol_specs` and `costs` where they name a file, and the file of a strategy in Python, and fills in the default of `tracking.mlflow`, a database
    in `home`. Gives the problems of the files it read.
    """
    for path, value in data_paths(document.tree):
        _set(document, path, absolute(value, document.mark(path).folder))
    _tracking(document, home)
    problems = []
    for path in _SECTIONS:
        value = _get(document, path)
        if isinstance(value, str):
            problems.extend(_inline(document, path, value))
    for kind in ("signals", "python"):
        problems.extend(_code(document, ("strategy", kind)))
    return problems


def data_paths(config: Any) -> list[tuple[Path_, str]]:
    """Every file of data that a config names, checked or not: where it is named, and its path.

    They are in `market`, or in each of its list, per timeframe in `higher` of it, and per pair in `rates.series`;
    and `gates.news.events`.
    """
    market = _at(config, ("market",))
    several: list[Path_] = [("market", number) for number in range(len(market))] if _is_list(market) else []
    owners = several or [("market",)]
    for parent in (*((*owner, "higher") for owner in owners), ("rates", "series")):
        children = _at(config, parent)
        owners += [(*parent, str(name)) for name in (children if isinstance(children, Mapping) else ())]
    places: list[Path_] = [*((*owner, key) for owner in owners for key in _DATA), _EVENTS]
    named = [(path, _at(config, path)) for path in places]
    return [(path, value) for path, value in named if isinstance(value, str) and value]


def with_paths(config: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """A config, changed in place, whose paths of data are what `change` makes of them."""
    for path, value in data_paths(config):
        owner = _at(config, path[:-1])
        owner[path[-1]] = change(value)
    return config


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


def _code(document: Document, path: Path_) -> list[Problem]:
    """Reads the file of `FILE.py:NAME` into the key `source`, unless that is there, as in a frozen config."""
    reference = _get(document, path)
    if not isinstance(reference, str):
        return []
    file, name = split(reference)
    at = document.mark(path)
    where = f"{at}: {'.'.join(map(str, path))}"
    if not name:
        return [Problem(1009, f"{reference!r} names no object of a file", where, "write FILE.py:NAME")]
    file = absolute(file, at.folder)
    _set(document, path, f"{file}:{name}")
    if _get(document, (path[0], "source")) is not None:
        return []
    try:
        _set(document, (path[0], "source"), Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [Problem(3001, f"{file} does not exist", where, "name a Python file")]
    except UnicodeDecodeError:
        return [Problem(3004, f"{file} is no UTF-8 text", where, "save it as UTF-8")]
    except OSError as problem:
        return [Problem(3002, f"{file} cannot be read: {problem.strerror}", where, "name a Python file")]
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
    return _at(document.tree, path)


def _at(node: Any, path: Path_) -> Any:
    for part in path:
        if isinstance(part, int):
            node = node[part] if _is_list(node) and part < len(node) else None
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _is_list(node: Any) -> bool:
    return isinstance(node, list | tuple)


def _set(document: Document, path: Path_, value: Any) -> None:
    node: Any = document.tree
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
