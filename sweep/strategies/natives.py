"""Native strategies by name: those of sweep, and those of plug-ins, which are packages with a native module of their own.

A plug-in names its strategies in the entry point group `sweep.strategies`, each with the package it is in. That package
holds the native module as `_core`, with the surface of `sweep._core`, and may hold `TWINS`: the classes of its
strategies for the reference engine, by name.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sweep.errors import SweepError, error

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from sweep.reference.strategy import ReferenceStrategy

GROUP: Final = "sweep.strategies"
"""Entry points of strategies: a name, and the package that it is in."""
_PLACE: Final = "strategy.name"


@dataclass(frozen=True, slots=True)
class Native:
    """A native strategy."""

    core: Any
    """The native module that runs it: `sweep._core`, or that of a plug-in."""
    declaration: Mapping[str, Any]
    package: Any = None
    """The plug-in; None for a strategy of sweep."""

    def twin(self) -> ReferenceStrategy:
        """A new instance of its twin for the reference engine.

        Raises:
            SweepError: [4001] if there is none.
        """
        name = str(self.declaration["id"])
        if self.package is None:
            from sweep.reference.registry import twin

            return twin(name)
        made = getattr(self.package, "TWINS", {}).get(name)
        if made is None:
            what = f"the package {self.package.__name__} has no twin of strategy {name!r}"
            raise error(4001, what, where="TWINS", remedy="add one, or use the engine rust")
        twin_of_plugin: ReferenceStrategy = made()
        return twin_of_plugin


def find(name: str) -> Native:
    """The strategy of this name.

    Raises:
        SweepError: [1001] with the nearest names if there is none, or if there are two; what `plugin` raises.
    """
    own, entries = _own(), _entries().get(name, ())
    owners = [*(["sweep"] if name in own else []), *(_owner(entry) for entry in entries)]
    if not owners:
        names = sorted({*own, *_entries()})
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        remedy = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(names)}"
        raise error(1001, f"unknown strategy {name!r}", where=_PLACE, remedy=remedy)
    if len(owners) > 1:
        what = f"{len(owners)} strategies are called {name!r}: those of {' and '.join(owners)}"
        raise error(1001, what, where=_PLACE, remedy="rename one of them, or uninstall its package")
    if name in own:
        from sweep import _core

        return Native(_core, own[name])
    return plugin(entries[0])


def names() -> list[str]:
    """All names, also those of plug-ins that cannot be loaded."""
    return sorted({*_own(), *_entries()})


def declarations() -> tuple[list[Mapping[str, Any]], list[SweepError]]:
    """What the strategies declare, by name, and why others cannot be used."""
    found, problems = [], []
    for name in names():
        try:
            found.append(find(name).declaration)
        except SweepError as problem:
            problems.append(problem)
    return found, problems


def plugin(entry: EntryPoint) -> Native:
    """The strategy of an entry point.

    Raises:
        SweepError: [2000] its package cannot be imported, [1004] it has no native module, [4005] it was built of another
            version of the engine, [1001] it has no strategy of that name.
    """
    owner = _owner(entry)
    package = _imported(entry, owner)
    core: Any = getattr(package, "_core", None)
    if not (hasattr(core, "build_info") and hasattr(core, "strategies")):
        remedy = "see docs/own-strategy.md, or uninstall it"
        raise error(1004, f"{owner} has no native module `_core`", where=entry.value, remedy=remedy)
    _check_semantics(core, owner, where=entry.value)
    known = {str(item["id"]): item for item in json.loads(core.strategies())}
    if entry.name not in known:
        what = f"{owner} names a strategy {entry.name!r} and has {', '.join(sorted(known)) or 'none'}"
        remedy = "let its entry point have the id of its declaration"
        raise error(1001, what, where=entry.value, remedy=remedy)
    return Native(core, known[entry.name], package)


def _imported(entry: EntryPoint, owner: str) -> Any:
    try:
        return entry.load()
    except Exception as problem:
        raise error(
            2000,
            f"{owner}, which has strategy {entry.name!r}, cannot be imported: {type(problem).__name__}: {problem}",
            where=entry.value,
            remedy="build it again, or uninstall it",
        ) from problem


def _check_semantics(core: Any, owner: str, *, where: str) -> None:
    from sweep import _core

    theirs, ours = (json.loads(module.build_info())["semantics"] for module in (core, _core))
    if theirs != ours:
        raise error(
            4005,
            f"{owner} was built of an engine with semantics {theirs}, sweep has semantics {ours}",
            where=where,
            remedy="build it again: pip install --no-build-isolation, in its folder",
            stage="engine",
        )


def _owner(entry: EntryPoint) -> str:
    return f"package {entry.dist.name if entry.dist is not None else entry.value}"


@cache
def _own() -> dict[str, Mapping[str, Any]]:
    from sweep import _core

    return {str(item["id"]): item for item in json.loads(_core.strategies())}


@cache
def _entries() -> dict[str, tuple[EntryPoint, ...]]:
    """Entry points of plug-ins by name. Packages that are installed later are seen by the next process."""
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=GROUP):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found
