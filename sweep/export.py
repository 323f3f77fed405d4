"""A study's trials table as a file of another program, or as a study in an Optuna storage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import error
from sweep.ledger import Ledger
from sweep.trackers import parquet

if TYPE_CHECKING:
    from sweep.space import Space
    from sweep.trackers.optuna import Exported


def is_storage(to: str) -> bool:
    """Whether `to` names an Optuna storage and no file."""
    return "://" in to or to.startswith("journal:")


def to_optuna(folder: Path, space: Space, to: str) -> Exported:
    """Bring the study of an Optuna storage up to date with the study in `folder`; see `sweep.trackers.optuna.write`."""
    from sweep.trackers.optuna import write

    with Ledger.open(folder) as ledger:
        return write(ledger, space, to)


def export(folder: Path, to: str) -> Path:
    """Write the trials table of the study in `folder` to a `.parquet` or `.csv` file.

    Args:
        folder: the study.
        to: the file; an existing one is replaced, a reader never sees half of it.

    Returns:
        the file, absolute.

    Raises:
        SweepError: [3001] no study, [1001] another kind of file, [3000] it cannot be written.
    """
    path = Path(to).absolute()
    if path.suffix not in (".parquet", ".csv"):
        raise error(
            1001,
            f"cannot export to {path.name!r}",
            remedy="name a file that ends in .parquet or .csv, or an Optuna storage such as sqlite:///trials.db",
        )
    from pyarrow import csv

    with Ledger.open(folder) as ledger:
        table = ledger.table()
    if not path.parent.is_dir():
        raise error(
            3001,
            "the folder does not exist",
            where=str(path.parent),
            remedy="make it first",
            stage="infrastructure",
        )
    if path.suffix == ".parquet":
        parquet.write(table, path)
    else:
        # Floats in the shortest digits that read back equal, null as nothing.
        parquet.whole(path, lambda partial: csv.write_csv(table, partial))
    return path
