"""`sweep strategies new`: a folder with a small strategy that works, to be changed into one's own."""

from __future__ import annotations

import importlib.util
import keyword
import re
from pathlib import Path
from typing import Final

from sweep.errors import error
from sweep.strategies import natives
from sweep.strategies.backend import link

KINDS: Final = ("signals", "python", "rust")
_TEMPLATES: Final = Path(__file__).parent / "skeletons"
_RUST_WORDS: Final = re.compile(
    "abstract|alloc|become|box|const|core|crate|do|dyn|enum|extern|final|fn|gen|impl|let|lib|loop|macro|main|match|mod|move|mut"
    "|override|priv|proc_macro|pub|ref|self|static|std|struct|super|trait|true|false|type|typeof|unsafe|unsized|use|virtual"
    "|where"
)
"""Names that no crate, or no file of one, may have."""


def write(name: str, kind: str, parent: Path) -> list[Path]:
    """Writes the skeleton of a strategy into a new folder of its name.

    Args:
        name: Of the strategy, snake_case.
        kind: signals (a vectorised function), python (a class that decides bar by bar) or rust (a package with a native
            module of its own).
        parent: Where the folder is made.

    Returns:
        The files, in order.

    Raises:
        SweepError: [1001] an unknown kind or a name that is taken, [1009] a name that cannot be one, [1007] a folder that
            is not empty, [3001] `_crates` is not there (rust).
    """
    if kind not in KINDS:
        raise error(1001, f"unknown kind {kind!r}", where="--kind", remedy=f"use one of {', '.join(KINDS)}")
    _check_name(name, kind)
    folder = parent / name
    if folder.is_symlink() or folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise error(
            1007, "the folder exists already", where=str(folder), remedy="remove it, or take another name"
        )
    words = {"my_strategy": name, "MyStrategy": _camel(name), "MY_STRATEGY": name.upper()}
    template = _TEMPLATES / kind
    files = []
    for source in sorted(template.rglob("*")):
        if source.is_dir() or "__pycache__" in source.parts:
            continue
        path = folder / _replaced(str(source.relative_to(template)), words)
        path = path.with_name(".gitignore") if path.name == "gitignore" else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_replaced(source.read_text(encoding="utf-8"), words), encoding="utf-8")
        files.append(path)
    if kind == "rust":
        link(folder)
    return files


def _check_name(name: str, kind: str) -> None:
    taken = keyword.iskeyword(name) or keyword.issoftkeyword(name)
    if kind == "rust":
        taken = taken or _RUST_WORDS.fullmatch(name) is not None
    if taken or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        remedy = "write snake_case, for example my_rules"
        raise error(1009, f"{name!r} cannot name a strategy", where="NAME", remedy=remedy)
    if name in natives.names():
        remedy = "take another name"
        raise error(1001, f"there is a strategy {name!r} already", where="NAME", remedy=remedy)
    found = importlib.util.find_spec(name)
    if name.startswith("sweep") or (found is not None and found.origin is not None):
        remedy = "take another name"
        raise error(1001, f"there is a package {name!r} already", where="NAME", remedy=remedy)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _replaced(text: str, words: dict[str, str]) -> str:
    """All words at once, so that a name that contains one of them is not replaced again."""
    return re.sub("|".join(words), lambda found: words[found[0]], text)
