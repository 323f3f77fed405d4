"""YAML 1.2 text to plain values, and where each of them stands.

Read `parse` first. Values come out as plain Python objects (no scalar subclasses), so that they can be hashed and
compared; every key keeps its line, so that an error can name it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSet, TaggedScalar
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from sweep.errors import SweepError, error

Path_ = tuple[str | int, ...]
"""Keys and list indices from the root to a value."""

_MAX_NODES: Final = 200_000
_MAX_DEPTH: Final = 50
_DIRECTIVE: Final = re.compile(r"^%YAML[ \t]+(?!1\.2\b)(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Mark:
    """Origin of a value: a file and a line counted from 1, or an override as it was typed."""

    origin: str
    line: int | None = None
    folder: Path | None = None
    """Folder that relative paths in this value refer to."""

    def __str__(self) -> str:
        return self.origin if self.line is None else f"{self.origin}:{self.line}"


@dataclass
class Document:
    """A tree of plain values with the mark of every key in it."""

    tree: dict[str, Any]
    root: Mark
    marks: dict[Path_, Mark] = field(default_factory=dict)

    def mark(self, path: Path_) -> Mark:
        """Mark of the value at `path`, else of the nearest value around it."""
        for end in range(len(path), 0, -1):
            found = self.marks.get(path[:end])
            if found is not None:
                return found
        return self.root

    def graft(self, path: Path_, other: Document) -> None:
        """Takes over the marks of `other` below `path`; the caller places its tree."""
        for key in [key for key in self.marks if key[: len(path)] == path and len(key) > len(path)]:
            del self.marks[key]
        self.marks.update({path + key: mark for key, mark in other.marks.items()})


def read(path: Path) -> Document:
    """The document in a file.

    Errors: [3001] absent, [3002] not readable, [1009] not one mapping of YAML 1.2 in UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise error(3001, "file not found", where=str(path), remedy="check the path") from None
    except IsADirectoryError:
        raise error(3001, "a folder, not a file", where=str(path), remedy="name the YAML file") from None
    except PermissionError:
        raise error(3002, "file is not readable", where=str(path), remedy="check its permissions") from None
    except UnicodeDecodeError as problem:
        raise error(
            1009, f"not UTF-8 text (byte {problem.start})", where=str(path), remedy="save it as UTF-8"
        ) from None
    return parse(text, Mark(str(path), folder=path.resolve().parent))


def parse(text: str, root: Mark) -> Document:
    """The document in a text; `root` names it in errors. Errors: [1009], [1004] for keys that are not text."""
    directive = _DIRECTIVE.search(text)
    if directive is not None:
        raise error(
            1009, f"YAML {directive.group(1)} is not supported", where=root.origin, remedy="remove %YAML"
        )
    loaded = _load(text, root)
    if loaded is None:
        raise error(1010, "no keys in it", where=root.origin, remedy="see configs/ for examples")
    if not isinstance(loaded, CommentedMap):
        raise error(1009, "not a mapping of keys", where=root.origin, remedy="write `key: value` lines")
    document = Document(tree={}, root=root)
    document.tree = _Plain(document).value(loaded, ())
    return document


def parse_value(text: str, root: Mark) -> Any:
    """One plain value as typed on the command line: a scalar, a flow list or a flow mapping. Errors: [1009]."""
    holder = Document(tree={}, root=root)
    return _Plain(holder).value(_load(text, root), ())


def of_mapping(tree: Mapping[str, Any], root: Mark) -> Document:
    """A document from a mapping in memory; tuples become lists."""
    document = Document(tree={}, root=root)
    document.tree = _Plain(document).value(tree, ())
    return document


def _load(text: str, root: Mark) -> Any:
    yaml = YAML(typ="rt", pure=True)
    try:
        return yaml.load(text)
    except MarkedYAMLError as problem:
        at = problem.problem_mark or problem.context_mark
        what = " ".join((problem.problem or "not valid YAML").split())
        where = Mark(root.origin, at.line + 1) if at is not None and root.folder is not None else root
        raise error(1009, what, where=str(where), remedy="mend the YAML there") from None
    except RecursionError:
        raise _too_deep(root) from None
    except (YAMLError, ValueError) as problem:
        what = " ".join(str(problem).split()) or "not valid YAML"
        raise error(1009, what, where=str(root), remedy="mend the YAML there") from None


def _too_deep(root: Mark) -> SweepError:
    return error(1009, "nested too deeply", where=str(root), remedy="no key needs more than a few levels")


class _Plain:
    """Turns what ruamel.yaml gives into plain values, noting the lines of keys and items."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: set[int] = set()
        self.nodes = 0

    def value(self, node: Any, path: Path_) -> Any:
        self.nodes += 1
        if self.nodes > _MAX_NODES:
            raise self.problem(f"more than {_MAX_NODES} values, aliases expanded", path)
        if len(path) > _MAX_DEPTH:
            raise _too_deep(self.document.root)
        tag = getattr(getattr(node, "tag", None), "value", None)
        if isinstance(node, TaggedScalar | CommentedSet) or tag is not None:
            raise self.problem(f"the tag {tag or '!!set'} is not accepted", path)
        if isinstance(node, Mapping | list | tuple):
            return self.container(node, path)
        return _scalar(node)

    def container(self, node: Mapping[Any, Any] | list[Any] | tuple[Any, ...], path: Path_) -> Any:
        if id(node) in self.open:
            raise self.problem("an alias that contains itself", path)
        self.open.add(id(node))
        out: Any
        if isinstance(node, Mapping):
            out = {}
            for key, child in node.items():
                plain = self.key(node, key, path)
                out[plain] = self.value(child, (*path, plain))
        else:
            out = []
            for index, child in enumerate(node):
                self.note((*path, index), node, index)
                out.append(self.value(child, (*path, index)))
        self.open.discard(id(node))
        return out

    def key(self, node: Mapping[Any, Any], key: Any, path: Path_) -> str:
        if not isinstance(key, str):
            raise self.problem(f"the key {_scalar(key)!r} is not text", path, code=1004)
        plain = str(key)
        self.note((*path, plain), node, key)
        return plain

    def note(self, path: Path_, node: Any, key: Any) -> None:
        positions = getattr(node, "lc", None)
        place = (getattr(positions, "data", None) or {}).get(key)
        root = self.document.root
        if place is not None and root.folder is not None:
            self.document.marks[path] = Mark(root.origin, place[0] + 1, root.folder)

    def problem(self, what: str, path: Path_, code: int = 1009) -> SweepError:
        where = f"{self.document.mark(path)}: {dotted(path)}" if path else str(self.document.root)
        return error(code, what, where=where, remedy="write a plain value")


def _scalar(node: Any) -> Any:
    if isinstance(node, bool | ScalarBoolean):
        return bool(node)
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    if isinstance(node, datetime):
        return datetime(
            node.year,
            node.month,
            node.day,
            node.hour,
            node.minute,
            node.second,
            node.microsecond,
            tzinfo=node.tzinfo,
        )
    if isinstance(node, Path):
        return str(node)
    if node is None or isinstance(node, date):
        return node
    raise error(
        1004, f"a value of type {type(node).__name__}", remedy="give text, numbers, lists or mappings"
    )


def dotted(path: Path_) -> str:
    """The path as it is written in overrides and messages: `search.space.window_length.step`."""
    return ".".join(str(part) for part in path)
