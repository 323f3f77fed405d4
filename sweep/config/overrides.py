"""Overrides `a.b=c` laid over a document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sweep.config.document import Document, Mark, Path_, dotted, of_mapping, parse_value
from sweep.errors import SweepError, error

_SPELLINGS: Final = {
    "low": "min",
    "min": "low",
    "high": "max",
    "max": "high",
    "choices": "values",
    "values": "choices",
}


def apply(document: Document, overrides: Sequence[str], folder: Path) -> None:
    """Lays overrides over the document, in order; paths in them refer to `folder`.

    Values are YAML scalars, `[a, b]` or `{a: b}`; an empty value is null. Errors, naming the override: [1009] no `=`
    or not YAML, [1006] a key inside something that is not a mapping.
    """
    for text in overrides:
        _apply(document, text, Mark(f"override {text}", folder=folder))


def _apply(document: Document, text: str, mark: Mark) -> None:
    key, separator, typed = text.partition("=")
    if not separator or not key.strip() or not all(part.strip() for part in key.split(".")):
        raise error(
            1009, "an override without key=value", where=mark.origin, remedy="write search.trials=500"
        )
    value = parse_value(typed, Mark(mark.origin))
    path: Path_ = ()
    node: Any = document.tree
    parts = [part.strip() for part in key.split(".")]
    for part in parts[:-1]:
        node, path = _child(document, node, path, part, mark)
    _place(document, node, path, parts[-1], value, mark)


def _child(document: Document, node: Any, path: Path_, part: str, mark: Mark) -> tuple[Any, Path_]:
    if isinstance(node, list):
        index = _index(node, part, path, mark)
        return node[index], (*path, index)
    child = node.get(part)
    if child is None:
        child = node[part] = {}
        document.marks[*path, part] = mark
    elif (*path, part) == ("execution",) and isinstance(child, str):
        child = node[part] = {"preset": child}
    if not isinstance(child, dict | list):
        raise _not_a_mapping(child, (*path, part), mark)
    return child, (*path, part)


def _place(document: Document, node: Any, path: Path_, last: str, value: Any, mark: Mark) -> None:
    if isinstance(node, list):
        index = _index(node, last, path, mark)
        place: Path_ = (*path, index)
        node[index] = value
    elif isinstance(node, dict):
        place = (*path, last)
        if path[:2] == ("search", "space") and len(path) == 3:
            node.pop(_SPELLINGS.get(last), None)
        node[last] = value
    else:
        raise _not_a_mapping(node, path, mark)
    document.marks[place] = mark
    document.graft(place, of_mapping({}, mark))


def _index(node: list[Any], part: str, path: Path_, mark: Mark) -> int:
    if part.isdigit() and int(part) < len(node):
        return int(part)
    what = f"{dotted(path)} is a list of {len(node)}, it has no {part}"
    raise error(1003, what, where=mark.origin, remedy="give an index from 0, or the whole list")


def _not_a_mapping(node: Any, path: Path_, mark: Mark) -> SweepError:
    return error(
        1006, f"{dotted(path)} is {node!r}, not a mapping", where=mark.origin, remedy="override it as a whole"
    )
