"""A study's trials table as a file of another program."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sweep.errors import error, not_built
from sweep.ledger import Ledger
from sweep.trackers import parquet

_DATABASES: Final = ("sqlite:", "postgresql", "mysql", "journal:", "redis:")


def export(folder: Path, to: str) -> Path:
    """Write the trials table of the study in `folder` to a `.parquet` or `.csv` file.

    Args:
        folder: the study.
        to: the file; an existing one is replaced, a reader never sees half of it.

    Returns:
        the file, absolute.

    Raises:
        SweepError: [3001] no study, [1001] another kind of file, [4001] an Optuna storage, [3000] it cannot be written.
    """
    if "://" in to or to.startswith(_DATABASES):
        raise not_built("export to an Optuna storage", where=to, remedy="name a .parquet or .csv file")
    path = Path(to).absolute()
    if path.suffix not in (".parquet", ".csv"):
        raise error(
            1001, f"cannot export to {path.name!r}", remedy="name a file that ends in .parquet or .csv"
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
