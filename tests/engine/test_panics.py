"""A panic inside a trial is [5005] of that trial alone: shown with a module that holds a strategy which panics on demand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROBE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("sweep._core", sys.argv[1])
core = importlib.util.module_from_spec(spec)
sys.modules["sweep._core"] = core
spec.loader.exec_module(core)

import pyarrow as pa
from sweep import Engine, Market
from sweep.errors import SweepError
from sweep.study import Study

engine = Engine(Market.synthetic(bars=2000, seed=1), "faults")
faults = ["none", "evaluate", "none", "prepare", "error", "none"]
sets = pa.table({"fault": faults, "bar": [700] * len(faults)})
answer = {}
for threads in (1, 2):
    answer[f"threads {threads}"] = engine.run_batch(sets, threads=threads).select(
        ["status", "reason", "result_digest"]).to_pylist()
try:
    engine.run({"fault": "evaluate", "bar": 700})
except SweepError as caught:
    answer["alone"] = [caught.code, str(caught)]
study = Study.run({
    "study": "faults",
    "market": {"symbol": "EURUSD", "timeframe": "M5", "synthetic": {"bars": 2000, "seed": 1}},
    "strategy": {"name": "faults"},
    "search": {"sampler": "grid", "max_failure_share": 1.0, "space": {"fault": {"choices": ["none", "evaluate", "prepare", "error"]}}},
    "objective": {"metric": "net_profit", "direction": "maximize"},
    "min_trades": 0,
    "compute": {"backend": "local", "workers": 1},
    "tracking": {"mlflow": None},
}, home=sys.argv[2])
answer["study"] = study.trials().to_pylist()
print(json.dumps(answer, default=str))
"""


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the probe tells, run on a module with the strategy `faults`."""
    folder = tmp_path_factory.mktemp("faults")
    target = folder / "target"  # what is compiled on the way is shared, the module is not
    build = ["cargo", "build", "--locked", "--quiet", "--profile", "fast", "--features", "faults"]
    shared = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    paths = {"CARGO_BUILD_BUILD_DIR": shared, "CARGO_TARGET_DIR": str(target)}
    environment = {**os.environ, **paths, "PYO3_PYTHON": sys.executable}
    subprocess.run([*build, "--package", "sweep-module"], cwd=ROOT, check=True, env=environment)
    module = folder / "_core.abi3.so"
    shutil.copy(target / "fast" / "lib_core.so", module)
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, str(module), str(folder / "home")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, Any] = json.loads(probe.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("threads", [1, 2])
def test_the_other_trials_of_a_batch_are_not_touched(answer: dict[str, Any], threads: int) -> None:
    rows = answer[f"threads {threads}"]
    states = ["COMPLETE", "FAILED", "COMPLETE", "FAILED", "FAILED", "COMPLETE"]
    assert [row["status"] for row in rows] == states
    for row, text in ((1, "[5005] panic: injected at bar"), (3, "[5005] panic: injected in prepare")):
        assert text in rows[row]["reason"]
    assert "[5004] injected error" in rows[4]["reason"]
    assert len({row["result_digest"] for row in rows if row["status"] == "COMPLETE"}) == 1


def test_a_single_run_raises_it(answer: dict[str, Any]) -> None:
    code, text = answer["alone"]
    assert code == 5005
    assert "injected at bar" in text


def test_a_study_goes_on_and_gives_no_score(answer: dict[str, Any]) -> None:
    rows = {row["params.fault"]: row for row in answer["study"]}
    assert rows["none"]["status"] == "COMPLETE"
    assert rows["none"]["obj0"] is not None
    for fault, code in (("evaluate", 5005), ("prepare", 5005), ("error", 5004)):
        row = rows[fault]
        assert (row["status"], row["kind"], row["obj0"]) == ("FAILED", "ENGINE_ERROR", None)
        assert row["reason"].startswith(f"[{code}]")
