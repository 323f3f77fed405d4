"""Build backend of plug-ins (PEP 517): maturin, once the crates of the installed sweep are linked into the folder.

A plug-in compiles the engine into its own native module. Where its sources lie differs from machine to machine, so the
manifest of a plug-in names them below `crates`, a link that every build makes anew.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sweep.errors import error

LINK: Final = "crates"
_LOCK: Final = "Cargo.lock"

Settings = Mapping[str, Any] | None


class UnsupportedOperation(Exception):  # noqa: N818 - the name that installers look for
    """There is no such build."""


def shipped() -> Path:
    """The sources of the crates that come with this sweep.

    Raises:
        SweepError: [3001] if they are absent.
    """
    folder = Path(__file__).parents[1] / "_crates"
    if not (folder / "core_rs" / "py" / "Cargo.toml").is_file():
        remedy = "install sweep from its wheel, or from a checkout"
        raise error(3001, "the sources of the crates are not there", where=str(folder), remedy=remedy)
    return folder


def link(folder: Path) -> None:
    """Links the shipped crates into the folder of a plug-in; a plug-in without `Cargo.lock` gets that of sweep.

    Raises:
        SweepError: [3001] the sources are absent, [1007] there is something else in the place of the link.
    """
    place, crates = folder / LINK, shipped()
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        raise error(1007, f"{LINK} is no link", where=str(place), remedy="remove it; the build makes it")
    place.symlink_to(crates, target_is_directory=True)
    if not (folder / _LOCK).exists():
        shutil.copyfile(crates / _LOCK, folder / _LOCK)


def build_wheel(directory: str, settings: Settings = None, metadata: str | None = None) -> str:
    """A wheel of the plug-in in the current folder."""
    return str(_maturin().build_wheel(directory, settings, metadata))


def build_editable(directory: str, settings: Settings = None, metadata: str | None = None) -> str:
    """Likewise for development: its Python files stay where they are."""
    return str(_maturin().build_editable(directory, settings, metadata))


def prepare_metadata_for_build_wheel(directory: str, settings: Settings = None) -> str:
    """Metadata of that wheel."""
    return str(_maturin().prepare_metadata_for_build_wheel(directory, settings))


def prepare_metadata_for_build_editable(directory: str, settings: Settings = None) -> str:
    """Likewise for development."""
    return str(_maturin().prepare_metadata_for_build_editable(directory, settings))


def build_sdist(directory: str, settings: Settings = None) -> str:
    """Not possible: the sources of the engine belong to sweep."""
    raise UnsupportedOperation("a plug-in has no source distribution: share its folder, or a wheel of it")


def _maturin() -> Any:
    """The builder, with the crates in place."""
    link(Path.cwd())
    try:
        return importlib.import_module("maturin")
    except ImportError as problem:
        remedy = "pip install maturin"
        raise error(6000, f"maturin cannot be imported: {problem}", remedy=remedy) from problem
