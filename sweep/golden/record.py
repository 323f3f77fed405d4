"""Freeze the best trials of a study as golden cases."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from sweep.artifacts import engine_of
from sweep.config import load
from sweep.errors import error
from sweep.golden.case import CASE, EXPECTED, FORMAT, INDEX, case_of, expected_of, write_json
from sweep.ledger import Ledger
from sweep.recorded import check_versions, load_data, of_study
from sweep.trackers.view import StudyView, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.market.cache import DatasetCache

TOP: Final = 10


def record(
    study: Path,
    to: Path,
    *,
    top: int = TOP,
    overrides: Sequence[str] = (),
    cache: DatasetCache | None = None,
) -> list[Path]:
    """Write the best `top` trials of the study in folder `study` as golden cases into the folder `to`.

    Args:
        study: folder of the study.
        to: folder to write; golden results that are there are replaced, anything else is not touched.
        top: number of trials; fewer if fewer have an objective.
        overrides: where the data lie now, `market.bid=PATH`.
        cache: the dataset cache, searched by digest unless `overrides` name the data.

    Returns:
        the folders of the cases, the best first.

    Raises:
        SweepError: [1010] no trial has an objective; [1007] `to` holds something else; [3001] [3008] the data;
            [4001] a study with early stops; [4005] recorded under other engine semantics; [4004] a result is not the ledger's.
    """
    _refuse_foreign(to)
    with Ledger.open(study) as ledger:
        view = StudyView.of(ledger)
    chosen = view.ranked[:top]
    if not chosen:
        raise error(
            1010, "no trial of this study has an objective", where=str(study), remedy="record another study"
        )
    plain = parse_yaml(view.config_text)
    config = load(plain, overrides)
    if config.search.early_stop.limits:
        raise error(
            4001,
            "golden cases of a study with search.early_stop are not built in this version",
            where=str(study),
            remedy="record a study without limits",
        )
    data = load_data(config, view.dataset, named=bool(overrides), cache=cache)
    engine = engine_of(config, data.markets, data.rates)
    partial = to.with_name(f".{to.name}.{os.getpid()}.partial")
    names = []
    try:
        for rank, trial in enumerate(chosen, 1):
            known = of_study(study, trial.number)
            check_versions(known.facts, engine_change=False)
            result = engine.run(known.facts["params"])
            if result.identity != known.identity or result.digest != known.digests["result"]:
                raise error(
                    4004,
                    f"trial {trial.number} does not give the result in the ledger",
                    where=str(study),
                    remedy=f"see `sweep replay {known.name}`",
                    stage="engine",
                )
            names.append(f"{rank:02d}-{view.name}-{trial.number}")
            folder = partial / names[-1]
            folder.mkdir(parents=True)
            options = {
                **config.model_dump(mode="json", by_alias=True),
                "symbol_specs": known.facts["symbols"],
            }
            # Paths are relative to where the case will be, not to where it is written first.
            case = case_of(names[-1], options, known.facts, known.identity, to.absolute() / names[-1])
            write_json(folder / CASE, case)
            write_json(folder / EXPECTED, expected_of(result, known.facts["engine"]["semantics"]))
        write_json(partial / INDEX, {"format": FORMAT, "study": view.name, "cases": names})
        if to.exists():
            shutil.rmtree(to)
        to.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(to)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return [to / name for name in names]


def _refuse_foreign(to: Path) -> None:
    """Only golden results may be replaced."""
    if to.exists() and (not to.is_dir() or (any(to.iterdir()) and not (to / INDEX).is_file())):
        raise error(
            1007, "the folder holds something else", where=str(to), remedy="name a new or a golden folder"
        )
