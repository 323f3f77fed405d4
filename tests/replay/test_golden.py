"""Golden results: recorded once, checked to the bit, and every tampering is found."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from sweep import golden
from sweep.errors import SweepError, exit_code
from sweep.trackers.mlflow import MlflowStore
from tests.tracking import stores, studies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweep.study import Study


@pytest.fixture(scope="session")
def recorded(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three golden cases; read only."""
    folder = tmp_path_factory.mktemp("golden") / "small"
    golden.record(study.folder, folder, top=3)
    return folder


@pytest.fixture
def cases(recorded: Path, tmp_path: Path) -> Path:
    """A copy to tamper with."""
    return shutil.copytree(recorded, tmp_path / "golden")


def _edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def _first(cases: Path) -> Path:
    return sorted(path for path in cases.iterdir() if path.is_dir())[0]


def test_the_best_are_recorded_and_check(study: Study, recorded: Path) -> None:
    best = [trial.number for trial in study.objective.rank(study.trial(n) for n in range(96))[:3]]
    index = json.loads((recorded / "golden.json").read_text())
    assert index["cases"] == [f"{rank:02d}-small-{number}" for rank, number in enumerate(best, 1)]
    trial = study.trial(best[0])
    expected = json.loads((_first(recorded) / "expected.json").read_text())
    case = json.loads((_first(recorded) / "case.json").read_text())
    assert trial.digests is not None
    assert (case["identity"], expected["result_digest"]) == (trial.identity, trial.digests.result)
    assert expected["metrics"] == dict(trial.metrics)
    assert len(expected["trades"]) == trial.metrics["total_trades"]
    done = golden.check(recorded)
    assert (done.exit_code, done.cases, done.differences) == (0, 3, ())
    assert golden.check(recorded, backend="python", tolerance=1e-8).exit_code == 0


def test_a_recorded_folder_may_move(recorded: Path, tmp_path: Path) -> None:
    assert golden.check(shutil.copytree(recorded, tmp_path / "far" / "away")).exit_code == 0


@pytest.mark.parametrize(
    ("place", "change", "size"),
    [
        (
            "metrics.net_profit",
            lambda e: e["metrics"].update(net_profit=e["metrics"]["net_profit"] + 0.25),
            0.25,
        ),
        (
            "trades[0].entry_price",
            lambda e: e["trades"][0].update(entry_price=e["trades"][0]["entry_price"] + 2.0),
            2.0,
        ),
        ("trades length", lambda e: e["trades"].pop(), 1.0),
        ("equity_digest", lambda e: e.update(equity_digest="0" * 64), 0.0),
        ("summary.Wins", lambda e: e["summary"].update(Wins=e["summary"]["Wins"] + 1), 1.0),
    ],
)
def test_any_difference_fails(
    cases: Path, place: str, change: Callable[[dict[str, Any]], object], size: float
) -> None:
    _edit(_first(cases) / "expected.json", change)
    done = golden.check(cases)
    assert done.exit_code == 1
    assert place in [item.place for _, item in done.differences]
    assert done.max_abs_diff == pytest.approx(size)
    assert _first(cases).name in done.lines()[1]


def test_a_tolerance_forgives_small_numbers_only(cases: Path) -> None:
    _edit(
        _first(cases) / "expected.json",
        lambda e: e["metrics"].update(max_drawdown=e["metrics"]["max_drawdown"] + 1e-9),
    )
    assert golden.check(cases).exit_code == 1
    assert golden.check(cases, tolerance=1e-6).exit_code == 0
    _edit(_first(cases) / "expected.json", lambda e: e["trades"][0].update(reason="other"))
    assert golden.check(cases, tolerance=1e-6).exit_code == 1


@pytest.mark.parametrize(
    "tamper",
    [
        lambda c: (_first(c) / "expected.json").unlink(),
        lambda c: (_first(c) / "notes.txt").write_text("x"),
        lambda c: (c / "extra").mkdir(),
        lambda c: shutil.rmtree(_first(c)),
        lambda c: _edit(_first(c) / "case.json", lambda v: v.pop("gates")),
        lambda c: _edit(_first(c) / "case.json", lambda v: v.update(more=1)),
        lambda c: _edit(_first(c) / "expected.json", lambda v: v.pop("rejected")),
        lambda c: _edit(_first(c) / "expected.json", lambda v: v.update(more=1)),
    ],
)
def test_a_missing_or_extra_file_or_key_fails(cases: Path, tamper: Callable[[Path], object]) -> None:
    tamper(cases)
    with pytest.raises(SweepError) as caught:
        golden.check(cases)
    assert caught.value.code == 1012


def test_a_missing_or_extra_metric_is_a_difference(cases: Path) -> None:
    _edit(_first(cases) / "expected.json", lambda e: e["metrics"].update(luck=1.0))
    assert "metrics.luck: expected 1.0, found nothing" in "\n".join(golden.check(cases).lines())


def test_other_data_exit_3_and_another_engine_exits_4(cases: Path) -> None:
    _edit(_first(cases) / "expected.json", lambda e: e.update(semantics=e["semantics"] + 1))
    with pytest.raises(SweepError) as engine:
        golden.check(cases)
    assert (engine.value.code, exit_code(engine.value)) == (4005, 4)
    _edit(_first(cases) / "case.json", lambda c: c["market"]["source"]["synthetic"].update(seed=8))
    with pytest.raises(SweepError) as data:
        golden.check(cases)
    assert (data.value.code, exit_code(data.value)) == (3008, 3)


def test_only_golden_folders_are_replaced(study: Study, cases: Path, tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.mkdir()
    (other / "thesis.tex").write_text("x")
    with pytest.raises(SweepError) as caught:
        golden.record(study.folder, other)
    assert caught.value.code == 1007
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]
    assert len(golden.record(study.folder, cases, top=1)) == 1
    assert golden.check(cases).cases == 1


def test_a_check_is_a_run_with_its_figures(study: Study, cases: Path) -> None:
    _edit(
        _first(cases) / "expected.json",
        lambda e: e["metrics"].update(net_profit=e["metrics"]["net_profit"] + 0.5),
    )
    uri = stores.uri(studies.home_of(study))
    assert golden.log_check(golden.check(cases), uri=uri) is None
    store = MlflowStore(uri)
    run = store.search(store.experiment("small"), {"role": "golden"})[0]
    assert run.metrics == {"golden.mismatches": 1, "golden.max_abs_diff": 0.5}
    assert run.tags["same"] == "false"
    assert store.artifacts(run) == {"golden.json"}


def test_compare_shows_what_moved(study: Study, recorded: Path, cases: Path) -> None:
    assert golden.compare(study.folder, top=3).exit_code == 0
    assert (
        golden.compare(study.folder, top=2, engine_a="rust", engine_b="python", tolerance=1e-8).exit_code == 0
    )
    assert golden.compare_folders(recorded, cases).exit_code == 0
    _edit(_first(cases) / "expected.json", lambda e: e["summary"].update(Wins=-1))
    moved = golden.compare_folders(recorded, cases)
    assert [item.place for _, item in moved.differences] == ["summary.Wins"]
