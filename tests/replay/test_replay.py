"""A trial runs again from the ledger or from MLflow alone, and whatever is not the same is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from sweep.errors import SweepError, exit_code
from sweep.ledger import Ledger
from sweep.market import Market
from sweep.recorded import Recorded, of_run, of_study
from sweep.replay import diff, log_replay, replay
from sweep.study import Study
from sweep.trackers.mlflow import MlflowStore, StoredRun
from tests.tracking import stores, studies

if TYPE_CHECKING:
    from pathlib import Path


def _best(study: Study) -> int:
    best = study.best
    assert best is not None
    return best.number


def _runs(study: Study, role: str) -> list[StoredRun]:
    store = MlflowStore(stores.uri(studies.home_of(study)))
    return store.search(store.experiment(study.name), {"role": role})


def _tampered(recorded: Recorded, name: str) -> Recorded:
    return replace(recorded, digests={**recorded.digests, name: "0" * 64})


def test_trials_of_the_ledger_are_the_same(study: Study) -> None:
    for number in (0, 17, 40, _best(study), 95):
        done = study.replay(number)
        assert done.same, done.lines()
        assert done.exit_code == 0
        assert "same" in done.lines()[0]


def test_runs_of_mlflow_need_nothing_of_the_study(study: Study, tmp_path: Path) -> None:
    elsewhere = tmp_path / "store"
    elsewhere.mkdir()
    for run in [*_runs(study, "trial")[:2], *_runs(study, "study")]:
        recorded = of_run(run.id, uri=stores.uri(studies.home_of(study)))
        assert recorded.digests["result"] == run.tags["digest"]
        done = replay(recorded)
        assert done.same, done.lines()
    child = of_run(_runs(study, "trial")[0].id, uri=stores.uri(studies.home_of(study)))
    assert set(child.digests) == {"trades", "daily", "metrics", "result", "equity"}
    assert child.trades is not None


def test_the_python_engine_agrees(study: Study) -> None:
    assert study.replay(_best(study), backend="python").same


@pytest.mark.parametrize("name", ["trades", "daily", "metrics", "result", "equity"])
def test_a_changed_digest_is_a_difference(study: Study, name: str) -> None:
    done = replay(_tampered(of_study(study.folder, _best(study)), name))
    assert done.exit_code == 1
    assert f"digest {name}" in "\n".join(done.lines())


def test_a_digest_changed_in_the_ledger_itself_is_found(study: Study, tmp_path: Path) -> None:
    copy = tmp_path / "studies" / "small"
    shutil.copytree(study.folder, copy)
    with sqlite3.connect(copy / "study.db") as database:
        database.execute("UPDATE trials SET result_digest = ? WHERE number = 3", ("1" * 64,))
    assert replay(of_study(copy, 3)).exit_code == 1
    assert replay(of_study(copy, 4)).exit_code == 0


def test_the_first_differing_metric_and_trade_are_named(study: Study) -> None:
    recorded = of_study(study.folder, _best(study))
    assert recorded.trades is not None
    results = recorded.trades.column("result").to_pylist()
    results[1] += 0.5
    index = recorded.trades.column_names.index("result")
    trades = recorded.trades.set_column(index, "result", pa.array(results, pa.float64()))
    metrics = {**recorded.metrics, "net_profit": 1.0, "wins": -1.0}
    done = replay(replace(_tampered(recorded, "result"), trades=trades, metrics=metrics))
    told = "\n".join(done.lines())
    assert "first differing metric net_profit: expected 1.0" in told
    assert "(and 1 more)" in told
    assert "first differing trade 1, result" in told


def test_other_data_are_3008_and_exit_3(study: Study) -> None:
    with pytest.raises(SweepError) as caught:
        study.replay(0, overrides=["market.synthetic.seed=8"])
    assert (caught.value.code, exit_code(caught.value)) == (3008, 3)


def test_an_override_takes_the_place_of_data_only(study: Study) -> None:
    with pytest.raises(SweepError) as caught:
        study.replay(0, overrides=["account.risk_per_trade=5"])
    assert (caught.value.code, exit_code(caught.value)) == (1001, 2)


def test_another_engine_is_4005_and_exit_4_unless_asked(study: Study) -> None:
    recorded = of_study(study.folder, 0)
    facts = recorded.facts
    facts["engine"]["semantics"] += 1
    other = replace(recorded, document=json.dumps(facts))
    with pytest.raises(SweepError) as caught:
        replay(other)
    assert (caught.value.code, exit_code(caught.value)) == (4005, 4)
    done = replay(other, engine_change=True)
    assert done.same
    assert "engine semantics" in done.notes[0]
    facts = recorded.facts
    facts["strategy"]["version"] = "0.0.1"
    with pytest.raises(SweepError, match="strategy ma_cross"):
        replay(replace(recorded, document=json.dumps(facts)))


def test_an_identity_that_differs_says_where(study: Study) -> None:
    recorded = of_study(study.folder, 0)
    config = YAML(typ="safe", pure=True).load(recorded.config)
    config["account"]["risk_per_trade"] = 250.0
    done = replay(replace(recorded, config=json.dumps(config, default=str)))
    assert done.exit_code == 1
    assert any("identity.account.risk_per_trade: expected 100" in line for line in done.lines())


def test_a_trial_that_never_ran_cannot_be_replayed(study: Study) -> None:
    with pytest.raises(SweepError) as caught:
        replay(replace(of_study(study.folder, 0), digests={}))
    assert caught.value.code == 1007


def test_the_output_folder_holds_the_result(study: Study, tmp_path: Path) -> None:
    done = study.replay(_best(study), output=tmp_path / "out")
    trades = pq.read_table(tmp_path / "out" / "trades.parquet")
    assert trades.num_rows == done.result.metrics["total_trades"]
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["digests"]["result"] == done.result.digest
    assert result["metrics"] == dict(done.result.metrics)
    chart = (tmp_path / "out" / "equity.svg").read_text()
    assert chart.startswith("<svg ")
    assert chart.endswith("</svg>")


def test_two_trials_side_by_side(study: Study) -> None:
    lines = diff(of_study(study.folder, 0), of_study(study.folder, 1))
    one, two = study.trial(0), study.trial(1)
    name = next(k for k, v in one.proposal.params.items() if two.proposal.params.get(k) != v)
    assert any(line.startswith(f"params.{name}: ") for line in lines)
    assert "trades" in lines[-1]


def test_a_replay_is_a_child_run(study: Study) -> None:
    uri = stores.uri(studies.home_of(study))
    done = study.replay(5)
    before = len(_runs(study, "replay"))
    assert log_replay(done, uri=uri) is None
    after = _runs(study, "replay")
    assert len(after) == before + 1
    assert after[0].tags["mlflow.parentRunId"] == _runs(study, "study")[0].id
    assert (after[0].tags["trial"], after[0].tags["same"]) == ("5", "true")
    assert after[0].metrics["replay.differences"] == 0
    assert (after[0].tags["status"], after[0].tags["engine_version"]) == (
        study.trial(5).outcome.status,
        _runs(study, "study")[0].tags["engine_version"],
    )
    assert {"trades.parquet", "equity.parquet"} <= set(MlflowStore(uri).artifacts(after[0]))
    assert replay(of_run(after[0].id, uri=uri)).same
    assert "[3005]" in str(log_replay(done, uri="http://127.0.0.1:9"))


def _bars(market: Market, side: str) -> pa.Table:
    table = market.to_table()
    columns = {name: table.column(f"{side}_{name}") for name in ("open", "high", "low", "close", "volume")}
    return pa.table({"timestamp": table.column("timestamp"), **columns})


def test_data_that_moved_are_named_and_data_that_changed_are_refused(home: Path) -> None:
    market = Market.synthetic(bars=2000, seed=7)
    for side in ("bid", "ask"):
        pq.write_table(_bars(market, side), home / f"{side}.parquet")
    source = {"symbol": "EURUSD", "timeframe": "M5", "bid": "bid.parquet", "ask": "ask.parquet"}
    small = {"search": {"sampler": "random", "trials": 4, "batch_size": 4}, "tracking": {"mlflow": None}}
    study = Study.run({**studies.CONFIG, **small, "study": "files", "market": source})
    assert study.replay(0).same

    moved = home / "moved"
    moved.mkdir()
    for side in ("bid", "ask"):
        (home / f"{side}.parquet").rename(moved / f"{side}.parquet")
    with pytest.raises(SweepError) as absent:
        study.replay(0)
    assert (absent.value.code, exit_code(absent.value)) == (3001, 3)
    named = ["market.bid=moved/bid.parquet", "market.ask=moved/ask.parquet"]
    assert study.replay(0, overrides=named).same

    table = pq.read_table(moved / "ask.parquet")
    highs = pc.add(table.column("high"), pa.scalar(0.001))
    pq.write_table(table.set_column(2, "high", highs), moved / "ask.parquet")
    with pytest.raises(SweepError) as changed:
        study.replay(0, overrides=named)
    assert (changed.value.code, exit_code(changed.value)) == (3008, 3)


def test_artifacts_are_those_of_the_ranking_and_complete(study: Study) -> None:
    with Ledger.open(study.folder) as ledger:
        trials = ledger.trials()
    best = study.objective.rank(trials)[:50]
    assert {folder.name for folder in (study.folder / "artifacts").iterdir()} == {t.identity for t in best}
    for trial in best[:5]:
        folder = study.folder / "artifacts" / str(trial.identity)
        assert (folder / "config.yaml").read_text() == (study.folder / "config.yaml").read_text()
        assert pq.read_table(folder / "trades.parquet").num_rows == trial.metrics["total_trades"]
        assert pq.read_table(folder / "equity.parquet").column("equity")[0].as_py() == 10_000
