"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sweep.market.cache import DatasetCache

Home = Annotated[
    Path | None,
    typer.Option(
        "--home", help="Folder of studies/ and mlflow.db [SWEEP_HOME, else here].", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Debug = Annotated[bool, typer.Option("--debug", help="Print the whole traceback of an error.")]
Verify = Annotated[bool, typer.Option("--verify", help="Hash data of the dataset cache again.")]
Config = Annotated[str, typer.Argument(metavar="CONFIG", help="Config file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="a.b=c", help="Overrides of keys of the config.", show_default=False),
]
StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="Name under studies/, or a folder.", show_default=False)
]
Workers = Annotated[
    str | None, typer.Option("--workers", help="Number of workers, or auto.", show_default=False)
]
Address = Annotated[
    str | None, typer.Option("--address", help="Running Ray cluster to join.", show_default=False)
]


def dataset_cache(home: Path | None, verify: bool) -> DatasetCache:
    """The dataset cache of a home."""
    from sweep.config import home_folder
    from sweep.market.cache import DatasetCache

    return DatasetCache(home_folder(home), verify=verify)


def compute_overrides(workers: str | None, address: str | None) -> list[str]:
    """The overrides that `--workers` and `--address` stand for."""
    given = {"compute.workers": workers, "compute.address": address}
    return [f"{key}={value}" for key, value in given.items() if value is not None]
