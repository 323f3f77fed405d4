"""MLflow shows the ledger: the same runs however often it is asked, rebuilt when the store is gone. Real stores."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from sweep.errors import SweepError
from sweep.ledger import IdentityTemplate, Ledger
from sweep.trackers.process import sync
from sweep.trackers.projection import MlflowTracker
from sweep.types import StudyStatus
from tests.tracking import ledgers, stores

if TYPE_CHECKING:
    from mlflow.entities import Run

ROOT = Path(__file__).parents[2]


def _runs(home: Path, role: str) -> list[Run]:
    client = MlflowClient(stores.uri(home))
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], f"tags.role = '{role}'")
    return sorted(runs, key=lambda run: int(run.data.tags.get("rank", 0)))


def _seen(runs: list[Run]) -> list[tuple[object, ...]]:
    """All that a person could compare, without ids."""
    return [
        (
            r.info.status,
            r.data.params,
            r.data.metrics,
            {k: v for k, v in r.data.tags.items() if k != "mlflow.parentRunId"},
        )
        for r in runs
    ]


def test_the_children_are_the_ranking_and_carry_what_a_replay_needs(home: Path) -> None:
    folder = ledgers.make(home)
    sync(folder, uri=stores.uri(home), top=5)
    [parent] = _runs(home, "study")
    children = _runs(home, "trial")

    assert [int(run.data.tags["trial"]) for run in children] == ledgers.expected_ranking(folder)[:5]
    assert [run.data.tags["rank"] for run in children] == ["1", "2", "3", "4", "5"]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    with Ledger.open(folder) as ledger:
        first = ledger.trial(int(children[0].data.tags["trial"]))
        base, digest = ledger.get("identity_base"), ledger.digest()
    assert first.digests is not None
    tags = children[0].data.tags
    assert (tags["identity"], tags["digest"], tags["status"]) == (
        first.identity,
        first.digests.result,
        "COMPLETE",
    )
    assert tags["semantics"] == "1"
    assert tags["engine_version"] == "0.1.0"
    assert children[0].data.params == {
        "fast_period": str(first.proposal.params["fast_period"]),
        "ma_type": "ema",
        "sl_atr": "2.5",
    }
    defined = {name: value for name, value in first.metrics.items() if value is not None}
    assert children[0].data.metrics == defined | {"objective.t_stat_r": defined["t_stat_r"]}

    client = MlflowClient(stores.uri(home))
    document = Path(
        client.download_artifacts(children[0].info.run_id, "identity.json", str(home))
    ).read_text()
    assert document == IdentityTemplate(base).document(first.proposal.key)
    config = Path(client.download_artifacts(children[0].info.run_id, "config.yaml", str(home))).read_text()
    assert config == (folder / "config.yaml").read_text()
    assert parent.data.tags["ledger_digest"] == digest
    assert f"sweep replay demo:{first.number}" in parent.data.tags["mlflow.note.content"]


def test_the_parent_has_one_step_per_batch_the_counts_and_the_dataset(home: Path) -> None:
    folder = ledgers.make(home)
    sync(folder, uri=stores.uri(home))
    [parent] = _runs(home, "study")
    client = MlflowClient(stores.uri(home))
    history = client.get_metric_history(parent.info.run_id, "best.t_stat_r")
    with Ledger.open(folder) as ledger:
        feasible = [(t.number, t.outcome.objectives[0]) for t in ledger.trials() if t.outcome.feasible]
    expected = [max(v for n, v in feasible if n < done and v is not None) for done in (4, 8, 12)]
    assert [(m.step, m.value) for m in history] == list(zip((4, 8, 12), expected, strict=True))
    metrics = parent.data.metrics
    assert (metrics["trials.done"], metrics["trials.COMPLETE"], metrics["trials.FAILED.NO_TRADES"]) == (
        12,
        9,
        3,
    )
    assert parent.info.status == "FINISHED"
    [dataset] = parent.inputs.dataset_inputs
    assert dataset.dataset.digest == ledgers.DATASET[:36]
    assert parent.data.tags["dataset_digest"] == ledgers.DATASET
    table = pq.read_table(client.download_artifacts(parent.info.run_id, "trials.parquet", str(home)))
    assert table.num_rows == 12
    assert "search.trials" not in parent.data.params  # may grow, and MLflow params are write-once
    assert parent.data.params["search.sampler"] == "random"


def test_twice_is_once_and_a_deleted_store_comes_back(home: Path) -> None:
    folder = ledgers.make(home)
    sync(folder, uri=stores.uri(home), top=4)
    before = [_runs(home, role) for role in ("study", "trial")]
    sync(folder, uri=stores.uri(home), top=4)
    after = [_runs(home, role) for role in ("study", "trial")]
    ids = [[run.info.run_id for run in runs] for runs in before]
    assert [[run.info.run_id for run in runs] for runs in after] == ids
    assert [_seen(runs) for runs in after] == [_seen(runs) for runs in before]

    (home / "mlflow.db").unlink()
    shutil.rmtree(home / "mlartifacts")
    with pytest.raises(SweepError, match="was deleted"):
        sync(folder, uri=stores.uri(home), top=4)
    rebuild = f"from sweep.trackers.process import sync; sync(Path({str(folder)!r}), uri={stores.uri(home)!r}, top=4)"
    subprocess.run([sys.executable, "-c", f"from pathlib import Path; {rebuild}"], check=True, cwd=ROOT)
    seen = home / "seen"  # this process has the old file open
    seen.mkdir()
    shutil.copy(home / "mlflow.db", seen)
    rebuilt = [_runs(seen, role) for role in ("study", "trial")]
    assert [_seen(runs) for runs in rebuilt] == [_seen(runs) for runs in before]
    assert [run.info.run_id for run in rebuilt[0]] != ids[0]


def test_a_study_that_grows_keeps_its_runs_and_ranks_anew(home: Path) -> None:
    folder = ledgers.make(home, batches=1)
    tracker = MlflowTracker(stores.uri(home), top=2)
    with Ledger.open(folder, write=True) as ledger:
        tracker.project(ledger, final=True)
        first = {run.data.tags["trial"] for run in _runs(home, "trial")}
        ledger.set_status(StudyStatus.RUNNING)
        ledgers.commit(ledger, 1)
        tracker.project(ledger, final=False)
        assert _runs(home, "study")[0].info.status == "RUNNING"
        ledgers.commit(ledger, 2)
        ledger.set_status(StudyStatus.FINISHED)
        tracker.project(ledger, final=True)
    [parent] = _runs(home, "study")
    best = [str(number) for number in ledgers.expected_ranking(folder)[:2]]
    assert first != set(best)  # else nothing is shown by what follows
    assert [run.data.tags["trial"] for run in _runs(home, "trial")] == best
    history = MlflowClient(stores.uri(home)).get_metric_history(parent.info.run_id, "trials.done")
    assert [m.step for m in history] == [4, 8, 12]


def test_all_runs_are_offered_and_only_the_best_carry_a_rank(home: Path) -> None:
    folder = ledgers.make(home)
    sync(folder, uri=stores.uri(home), top="all")
    runs = _runs(home, "trial")
    assert sorted(int(run.data.tags["trial"]) for run in runs) == list(range(12))
    assert sum("rank" in run.data.tags for run in runs) == 9
    failed = [run for run in runs if run.info.status == "FAILED"]
    assert {run.data.tags["kind"] for run in failed} == {"NO_TRADES"}
    assert all("objective.t_stat_r" not in run.data.metrics for run in failed)


def test_artifacts_of_a_trial_go_with_it(home: Path) -> None:
    folder = ledgers.make(home)
    best = ledgers.expected_ranking(folder)[0]
    with Ledger.open(folder) as ledger:
        identity = ledger.trial(best).identity
    kept = folder / "artifacts" / str(identity)
    kept.mkdir(parents=True)
    (kept / "trades.parquet").write_bytes(b"trades")
    (kept / "result.json").write_text(json.dumps({"equity_digest": "e" * 64}))
    sync(folder, uri=stores.uri(home), top=2)
    runs = _runs(home, "trial")
    client = MlflowClient(stores.uri(home))
    names = {item.path for item in client.list_artifacts(runs[0].info.run_id)}
    assert names == {"trades.parquet", "result.json", "identity.json", "config.yaml"}
    assert runs[0].data.tags["equity_digest"] == "e" * 64
    assert "equity_digest" not in runs[1].data.tags


def test_without_mlflow_the_table_is_written_all_the_same(home: Path) -> None:
    folder = ledgers.make(home)
    (home / "mlflow.db").unlink()
    assert sync(folder, uri=None).done
    assert pq.read_table(folder / "trials.parquet").num_rows == 12
    assert not (home / "mlflow.db").exists()


def test_a_dead_server_is_3005_and_leaves_the_ledger_alone(home: Path) -> None:
    folder = ledgers.make(home)
    with Ledger.open(folder) as ledger:
        before = ledger.digest(verify=True)
    with pytest.raises(SweepError) as caught:
        sync(folder, uri="http://user:secret@127.0.0.1:9")
    assert caught.value.code == 3005
    assert "secret" not in str(caught.value)
    assert "sweep sync" in str(caught.value)
    with Ledger.open(folder) as ledger:
        assert ledger.digest(verify=True) == before
