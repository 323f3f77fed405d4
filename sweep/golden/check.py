"""Run golden cases again and say what differs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.artifacts import engine_of
from sweep.config import load
from sweep.differences import EXACT, Difference, Tolerance, between
from sweep.errors import error
from sweep.golden.case import INDEX, Case, expected_of, read_json
from sweep.recorded import check_versions, load_data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.engine import Backend, Backtest, Engine
    from sweep.market.cache import DatasetCache
    from sweep.recorded import Data


@dataclass(frozen=True, slots=True)
class Check:
    """What came out of a golden folder."""

    folder: Path
    study: str
    cases: int
    differences: tuple[tuple[str, Difference], ...]
    """(case, difference), in the order of the cases."""
    tolerance: float | None = None
    """What numbers were allowed to differ by; None: to the bit."""

    @property
    def exit_code(self) -> int:
        """0 nothing differs, 1 something does."""
        return 1 if self.differences else 0

    @property
    def max_abs_diff(self) -> float:
        """Largest |expected − found| over the numbers that differ; 0 if none does."""
        sizes = [item.size for _, item in self.differences]
        return max((size for size in sizes if size != float("inf")), default=0.0)

    def lines(self, *, most: int = 20) -> list[str]:
        """The verdict for people, with the first differences."""
        cases = "1 case" if self.cases == 1 else f"{self.cases} cases"
        if self.tolerance is not None:
            cases += f" (within {self.tolerance:g}; digests were not compared)"
        if not self.differences:
            return [f"{self.folder}: {cases}, nothing differs"]
        count = len(self.differences)
        noun = "difference" if count == 1 else "differences"
        lines = [f"{self.folder}: {count} {noun} in {cases}, the largest {self.max_abs_diff:g}"]
        lines += [f"  {case}: {item}" for case, item in self.differences[:most]]
        return lines if count <= most else [*lines, f"  … and {count - most} more"]

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "folder": str(self.folder),
            "cases": self.cases,
            "tolerance": self.tolerance,
            "mismatches": len(self.differences),
            "max_abs_diff": self.max_abs_diff,
            "differences": [f"{case}: {item}" for case, item in self.differences],
        }


def check(
    folder: Path,
    *,
    tolerance: float | None = None,
    overrides: Sequence[str] = (),
    backend: Backend = "rust",
    cache: DatasetCache | None = None,
) -> Check:
    """Run every case of a golden folder and compare.

    Args:
        folder: from `record`.
        tolerance: numbers may differ by this much, absolute or relative; digests are then not compared. None: to the bit.
        overrides: where the data lie now, `market.bid=PATH`.
        backend: which engine runs them.
        cache: the dataset cache, searched by digest unless `overrides` name the data.

    Raises:
        SweepError: [1012] a missing or extra file or key; [3001] [3008] the data; [4005] recorded under other
            engine semantics or another version of the strategy.
    """
    cases = load_cases(folder)
    engines: dict[str, tuple[Engine, Data]] = {}
    found: list[tuple[str, Difference]] = []
    for case in cases:
        engine, data = _engine(case, overrides, backend, engines, cache)
        items = case_differences(case, engine.run(case.case["params"]), tolerance)
        if items:
            data.check()
        found += [(case.name, item) for item in items]
    study = str(read_json(folder / INDEX)["study"])
    return Check(folder, study, len(cases), tuple(found), tolerance)


def load_cases(folder: Path) -> list[Case]:
    """The cases of a golden folder, which must hold those of its index and nothing else.

    Raises:
        SweepError: [3001] not a golden folder, [1012] a missing or extra file or key.
    """
    if not folder.is_dir():
        raise error(3001, "no such folder", where=str(folder), remedy="name a golden folder")
    index = read_json(folder / INDEX)
    wanted, there = {INDEX, *index["cases"]}, {entry.name for entry in folder.iterdir()}
    parts = [f"missing {name}" for name in sorted(wanted - there)]
    parts += [f"extra {name}" for name in sorted(there - wanted)]
    if parts:
        raise error(
            1012, "; ".join(parts), where=str(folder), remedy="restore it, or record the golden results anew"
        )
    return [Case.load(folder / name) for name in index["cases"]]


def _engine(
    case: Case,
    overrides: Sequence[str],
    backend: Backend,
    engines: dict[str, tuple[Engine, Data]],
    cache: DatasetCache | None,
) -> tuple[Engine, Data]:
    """The engine of a case and its data; `engines` keeps those of earlier cases with the same market and options."""
    plain = case.config()
    key = json.dumps(plain, default=str)  # the order of gates counts
    if key not in engines:
        config = load(plain, overrides)
        data = load_data(config, case.case["market"]["digest"], named=bool(overrides), cache=cache)
        check_versions(case.facts, engine_change=False)
        engines[key] = engine_of(config, data.markets, data.rates, backend=backend), data
    return engines[key]


def case_differences(case: Case, result: Backtest, tolerance: float | None) -> list[Difference]:
    """Everything in which a result differs from a case: identity, digests, summary, metrics, trades, counts."""
    bound = EXACT if tolerance is None else Tolerance(absolute=tolerance, relative=tolerance)
    wanted, got = dict(case.expected), expected_of(result, case.expected["semantics"])
    if tolerance is not None:
        for side in (wanted, got):
            for key in [key for key in side if key.endswith("_digest")]:
                del side[key]
    found = list(between(wanted, got, tolerance=bound))
    if case.case["identity"] != result.identity:
        found.insert(0, Difference("identity", case.case["identity"], result.identity))
    return found


def log_check(done: Check, *, uri: str) -> str | None:
    """Show a check as a run in MLflow, beside its study; what went wrong, None if nothing did."""
    from sweep.trackers.events import log_event

    return log_event(
        uri,
        study=done.study,
        role="golden",
        name=f"golden check {done.folder.name}",
        tags={"folder": str(done.folder), "same": str(not done.differences).lower()},
        params={"cases": str(done.cases)},
        metrics={"golden.mismatches": float(len(done.differences)), "golden.max_abs_diff": done.max_abs_diff},
        documents={"golden.json": json.dumps(done.to_dict(), indent=1)},
    )
