"""Studies with entry gates: what is stored of them, and what replays, resumes and golden cases make of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sweep import artifacts, golden
from sweep.config import load
from sweep.errors import SweepError, exit_code
from sweep.executors.worker import native_engine
from sweep.recorded import of_run, of_study
from sweep.replay import replay
from sweep.study import Study
from sweep.study.plan import prepare
from sweep.trackers.mlflow import MlflowStore
from tests.several.test_studies import best_of, config, home_of
from tests.tracking import stores

KINDS = ("pair", "ticks")
ORDER = ["sessions", "news", "cooldown", "anchored"]
"""Of no alphabet."""
EVENTS = [
    f"2020-01-{day:02}T{hour:02}:30:00Z,{currency},{impact}"
    for day in range(7, 32)
    for hour, currency, impact in ((9, "EUR", "high"), (13, "USD", "medium"), (11, "GBP", "low"))
]


def calendar(folder: Path, events: list[str] = EVENTS) -> str:
    """A file of events."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "events.csv"
    file.write_text("\n".join(["time,currency,impact", *events]) + "\n")
    return str(file)


def gates(events: str) -> dict[str, Any]:
    """Gates that leave some of every day."""
    return {
        "sessions": [{"start": "06:00", "end": "20:00", "zone": "Europe/London"}],
        "news": {"events": events, "min_impact": "medium"},
        "cooldown": {"after_exit_bars": 3},
        "anchored": [{"anchor": "tokyo", "from": "-08:00", "to": "+10:00"}],
    }


@pytest.fixture(scope="module", params=KINDS)
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A finished study with MLflow; read only."""
    home: Path = tmp_path_factory.mktemp(f"gates_{request.param}")
    changes: dict[str, Any] = {"tracking": {"mlflow": stores.fresh(home), "runs": {"top": 3}}}
    changes["gates"] = gates(calendar(home / "data"))
    return Study.run(config(request.param, home / "data", **changes), home=home)


def test_every_gate_blocks_and_the_order_is_kept(study: Study) -> None:
    done = study.replay(best_of(study))
    assert done.same, done.lines()
    causes = list(done.result.blocked_bars)
    assert causes == ["warmup", "ruined", "no_slot", *ORDER]
    assert all(done.result.blocked_bars[name] > 0 for name in ORDER)
    assert [name for name, _ in json.loads(done.result.identity_document or "")["gates"]] == ORDER
    assert list(load(study.folder / "config.yaml").gates) == ORDER


def test_both_engines_and_every_executor_agree(study: Study, tmp_path: Path) -> None:
    assert study.replay(best_of(study), backend="python").same
    changes = {
        "gates": gates(calendar(home_of(study) / "data")),
        "compute": {"backend": "local", "workers": 2},
    }
    again = Study.run(config(study.name, home_of(study) / "data", **changes), home=tmp_path)
    assert again.digest == study.digest


def test_without_gates_it_is_another_study(study: Study, tmp_path: Path) -> None:
    ungated = Study.run(config(study.name, home_of(study) / "data"), home=tmp_path)
    assert ungated.digest != study.digest
    pairs = zip(ungated.trials()["identity"].to_pylist(), study.trials()["identity"].to_pylist(), strict=True)
    assert all(one != other for one, other in pairs)


def test_workers_get_the_events(study: Study) -> None:
    plan = prepare(load(study.folder / "config.yaml"))
    spec = plan.engine_spec(returns=False)
    assert len(spec.options["gates"]["news"]["events"]) == len(EVENTS)
    assert native_engine(spec).identity_document({}) == plan.engine.identity_document({})  # type: ignore[attr-defined]


def test_a_run_of_mlflow_replays(study: Study) -> None:
    uri = stores.uri(home_of(study))
    store = MlflowStore(uri)
    run = store.search(store.experiment(study.name), {"role": "trial"})[0]
    assert replay(of_run(run.id, uri=uri)).same


def test_a_replay_names_the_file_of_events_anew(study: Study, tmp_path: Path) -> None:
    recorded = of_study(study.folder, best_of(study))
    text = recorded.config.replace("events.csv", "gone.csv")
    gone = recorded.__class__(
        **{
            name: getattr(recorded, name)
            for name in ("name", "identity", "document", "digests", "metrics", "trades", "tags")
        },
        config=text,
    )
    with pytest.raises(SweepError) as caught:
        replay(gone)
    assert (caught.value.code, exit_code(caught.value)) == (3001, 3)
    moved = calendar(tmp_path, EVENTS[::-1])
    assert replay(gone, overrides=[f"gates.news.events={moved}"]).same
    other = calendar(tmp_path, EVENTS[1:])
    done = replay(gone, overrides=[f"gates.news.events={other}"])
    assert done.exit_code == 1
    assert "gates" in "\n".join(done.lines())
    with pytest.raises(SweepError, match="override"):
        replay(recorded, overrides=["gates.cooldown.after_exit_bars=1"])


def test_artifacts_count_what_each_gate_blocked(study: Study, tmp_path: Path) -> None:
    plan = prepare(load(study.folder / "config.yaml"))
    folder = tmp_path / "studies" / study.name
    folder.mkdir(parents=True)
    shutil.copy(study.folder / "config.yaml", folder)
    [written] = artifacts.write(folder, plan.engine, [study.trial(best_of(study))])
    result = json.loads((written / "result.json").read_text())
    assert list(result["blocked_bars"])[3:] == ORDER


def test_golden_cases_keep_gates_their_order_and_their_events(study: Study, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(home_of(study) / "data", data)
    folder = tmp_path / "golden"
    golden.record(study.folder, folder, top=2)
    assert golden.check(folder).lines() == [f"{folder}: 2 cases, nothing differs"]
    assert golden.check(folder, backend="python", tolerance=1e-8).exit_code == 0
    [first, _] = sorted(folder.glob("*/case.json"))
    case = json.loads(first.read_text())
    assert list(case["gates"]) == ORDER
    assert not Path(case["gates"]["news"]["events"]).is_absolute()
    # One case with its gates in another order, beside one in the old: other counts, though the same set of keys.
    case["gates"] = {name: case["gates"][name] for name in reversed(ORDER)}
    first.write_text(json.dumps(case))
    for backwards in (False, True):
        index = json.loads((folder / "golden.json").read_text())
        index["cases"] = sorted(index["cases"], reverse=backwards)
        (folder / "golden.json").write_text(json.dumps(index))
        lines = "\n".join(golden.check(folder).lines())
        assert "identity" in lines
        assert index["cases"][1 - backwards] not in lines.replace(str(folder), "")


def test_a_resume_refuses_other_gates_and_other_events(study: Study, tmp_path: Path) -> None:
    home = shutil.copytree(home_of(study), tmp_path / "home")
    other = calendar(tmp_path, EVENTS[1:])
    for change in (f"gates.news.events={other}", "gates.cooldown.after_exit_bars=4", "gates.cooldown="):
        with pytest.raises(SweepError) as caught:
            Study.resume(study.name, [change, "tracking.mlflow="], home=home)
        assert caught.value.code == 1012, change
        assert "gates" in caught.value.what
    same = calendar(tmp_path, EVENTS[::-1])
    overrides = [f"gates.news.events={same}", "tracking.mlflow="]
    assert Study.resume(study.name, overrides, home=home).digest == study.digest
