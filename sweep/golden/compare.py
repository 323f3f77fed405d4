"""What moved: a study's best trials on two engines, or two golden folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.artifacts import engine_of
from sweep.config import load
from sweep.differences import EXACT, Difference, Tolerance, between
from sweep.golden.case import expected_of
from sweep.golden.check import Check, load_cases
from sweep.ledger import Ledger
from sweep.recorded import check_versions, load_data, of_study
from sweep.trackers.view import StudyView

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.engine import Backend
    from sweep.market.cache import DatasetCache


def compare(
    study: Path,
    *,
    top: int = 10,
    engine_a: Backend | None = None,
    engine_b: Backend = "rust",
    tolerance: float | None = None,
    overrides: Sequence[str] = (),
    cache: DatasetCache | None = None,
) -> Check:
    """Run a study's best `top` trials again and show what moved.

    Args:
        study: folder of the study.
        top: number of trials.
        engine_a: the first engine; None: the ledger's metrics and digests.
        engine_b: the second engine.
        tolerance: numbers may differ by this much, absolute or relative; digests are then not compared.
        overrides: where the data lie now, `market.bid=PATH`.
        cache: the dataset cache, searched by digest unless `overrides` name the data.

    Raises:
        SweepError: [3001] [3008] the data; [4005] other engine semantics or strategy version.
    """
    with Ledger.open(study) as ledger:
        view = StudyView.of(ledger)
    config = load(dict(view.config), overrides)
    data = load_data(config, view.dataset, named=bool(overrides), cache=cache)
    second = engine_of(config, data.markets, data.rates, backend=engine_b)
    first = None if engine_a is None else engine_of(config, data.markets, data.rates, backend=engine_a)
    bound = EXACT if tolerance is None else Tolerance(absolute=tolerance, relative=tolerance)
    found: list[tuple[str, Difference]] = []
    for trial in view.ranked[:top]:
        known = of_study(study, trial.number)
        check_versions(known.facts, engine_change=False)
        now = expected_of(second.run(known.facts["params"]), known.facts["engine"]["semantics"])
        if first is None:
            before = {"metrics": known.metrics, **{f"{k}_digest": v for k, v in known.digests.items()}}
            now = {
                "metrics": {k: now["metrics"].get(k) for k in known.metrics},
                **{k: now[k] for k in before if k != "metrics"},
            }
        else:
            before = expected_of(first.run(known.facts["params"]), known.facts["engine"]["semantics"])
        if tolerance is not None:
            before, now = (
                {k: v for k, v in side.items() if not k.endswith("_digest")} for side in (before, now)
            )
        found += [(known.name, item) for item in between(before, now, tolerance=bound)]
    if found:
        data.check()
    return Check(study, view.name, len(view.ranked[:top]), tuple(found), tolerance)


def compare_folders(a: Path, b: Path, *, tolerance: float | None = None) -> Check:
    """What two golden folders expect differently, case by case; a case that only one has is a difference.

    Raises:
        SweepError: [3001] not a golden folder, [1012] a missing or extra file or key.
    """
    bound = EXACT if tolerance is None else Tolerance(absolute=tolerance, relative=tolerance)
    left, right = ({case.name: case for case in load_cases(folder)} for folder in (a, b))
    found: list[tuple[str, Difference]] = []
    for name in [*left, *(name for name in right if name not in left)]:
        if name not in left or name not in right:
            side = {True: "present", False: "absent"}
            found.append((name, Difference("case", side[name in left], side[name in right])))
            continue
        found += [
            (name, item) for item in between(left[name].expected, right[name].expected, tolerance=bound)
        ]
    return Check(a, "", len({*left, *right}), tuple(found), tolerance)
