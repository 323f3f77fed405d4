"""Where studies are, and how a new one comes to be: whole or not at all."""

from __future__ import annotations

import difflib
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sweep.config import home_folder
from sweep.errors import SweepError, error
from sweep.ledger import Ledger

STUDIES: Final = "studies"
LEDGER: Final = "study.db"
CONFIG: Final = "config.yaml"
_REMOVE: Final = f"it has no {LEDGER}: remove the folder, or choose another name (study=NAME)"


def studies_folder(home: Path | None = None) -> Path:
    """`studies/` of a home, or of SWEEP_HOME."""
    return home_folder(home) / STUDIES


def names(home: Path | None = None) -> list[str]:
    """Names of the studies in a home."""
    return sorted(
        path.parent.name for path in studies_folder(home).glob(f"*/{LEDGER}") if path.parent.name[0] != "."
    )


def find(study: str | Path, home: Path | None = None) -> Path:
    """Folder of a study given by name or as a folder.

    Raises:
        SweepError: [3001], stage config, naming the nearest studies.
    """
    if not isinstance(study, str | Path):
        raise error(
            1004, f"the name or folder of a study is needed, not {type(study).__name__}", where="study"
        )
    folder = studies_folder(home) / str(study)
    for candidate in (Path(study), folder):
        if (candidate / LEDGER).is_file():
            return candidate.resolve()
    if str(study) and folder.is_dir():
        raise error(3001, f"no study in {str(study)!r}", where=str(folder), remedy=_REMOVE)
    known = names(home)
    near = difflib.get_close_matches(str(study), known, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(near)}?" if near else "`sweep status` lists the studies"
    raise error(3001, f"no study {str(study)!r}", where=str(folder), remedy=remedy)


def refuse_existing(folder: Path) -> None:
    """A study is never overwritten.

    Raises:
        SweepError: [1007] naming `resume` if the folder exists.
    """
    if folder.exists() and not (folder / LEDGER).is_file():
        raise error(1007, f"{folder.name!r} exists and holds no study", where=str(folder), remedy=_REMOVE)
    if folder.exists():
        raise error(
            1007,
            f"study {folder.name!r} exists",
            where=str(folder),
            remedy=f"go on with `sweep resume {folder.name}`, or choose another name (study=NAME)",
        )


def create(folder: Path, config: str, frozen: Mapping[str, Any]) -> None:
    """Make the folder with `config.yaml` and an empty ledger, under its name only when it is complete.

    Raises:
        SweepError: [1007] if it exists, [3000] [3002] [3007] for the disk.
    """
    draft = folder.with_name(f".{folder.name}.{socket.gethostname()}.{os.getpid()}.new")
    try:
        draft.mkdir(parents=True)
        (draft / CONFIG).write_text(config, encoding="utf-8")
        Ledger.create(draft, frozen).close()
        draft.rename(folder)
    except SweepError:
        raise
    except OSError as problem:
        refuse_existing(folder)
        raise _disk(problem, folder) from problem
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def replace_config(folder: Path, config: str) -> None:
    """Write another `config.yaml`; a reader sees the old one or the new one.

    Raises:
        SweepError: [3000] [3002] [3007] for the disk.
    """
    draft = folder / f".{CONFIG}.{os.getpid()}"
    try:
        draft.write_text(config, encoding="utf-8")
        draft.replace(folder / CONFIG)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        raise _disk(problem, folder) from problem


def _disk(problem: OSError, folder: Path) -> SweepError:
    code = {13: 3002, 28: 3007, 30: 3002}.get(problem.errno or 0, 3000)
    return error(
        code,
        f"the study's folder cannot be written: {problem.strerror or problem}",
        where=str(folder),
        remedy="check rights and space, or choose another --home",
        stage="infrastructure",
    )
