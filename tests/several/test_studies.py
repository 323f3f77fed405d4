"""Studies of two symbols and of ticks: the same ledger on every executor, replayed from everywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sweep import golden
from sweep.config import load
from sweep.errors import SweepError, exit_code
from sweep.executors.worker import native_engine
from sweep.market import Market
from sweep.market.cache import DatasetCache
from sweep.market.market import dataset_of
from sweep.recorded import of_run, of_study
from sweep.replay import replay
from sweep.study import Study
from sweep.study.plan import prepare
from sweep.trackers.mlflow import MlflowStore
from tests.several.data import SYMBOLS, generated, sections, sides, tick_file
from tests.tracking import stores

KINDS = ("pair", "ticks")
TRIALS = 24
CONFIGS = Path(__file__).parents[2] / "configs"


def config(kind: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """A study over the files in a folder, which are made."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "pair":
        market: Any = sections(folder)
        market[0]["window"] = ["2020-01-10", None]
        market[1]["window"] = ["2020-01-12", "2020-03-01"]
    else:
        window = ["2020-01-07", "2020-01-08T12:00:30Z"]
        market = {"symbol": "EURUSD", "timeframe": "M1", "ticks": tick_file(folder), "window": window}
    return {
        "study": kind,
        "market": market,
        "strategy": {"name": "ma_cross"},
        "search": {"sampler": "random", "trials": TRIALS, "batch_size": 8, "seed": 3},
        "costs": {
            "slippage": {"random_pips": 0.3},
            "commission": {
                "defaults": {"schema": "per_lot", "per_lot": 2.5},
                "per_symbol": {"GBPUSD": {"per_lot": 3.0}},
            },
        },
        "min_trades": 5,
        "compute": {"backend": "local", "workers": 1},
        "tracking": {"mlflow": None},
        **changes,
    }


@pytest.fixture(scope="module", params=KINDS)
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A finished study with MLflow; read only."""
    home: Path = tmp_path_factory.mktemp(f"several_{request.param}")
    written = config(
        request.param, home / "data", tracking={"mlflow": stores.fresh(home), "runs": {"top": 3}}
    )
    return Study.run(written, home=home)


def home_of(study: Study) -> Path:
    return study.folder.parents[1]


def best_of(study: Study) -> int:
    best = study.best
    assert best is not None
    return best.number


def again(study: Study, home: Path, **compute: Any) -> Study:
    """The same study on other workers."""
    folder = home_of(study) / "data"
    return Study.run(config(study.name, folder, compute=compute), home=home)


def test_it_traded(study: Study) -> None:
    table = study.trials()
    assert table["status"].to_pylist().count("COMPLETE") > TRIALS / 2
    assert set(table["kind"].drop_null().to_pylist()) <= {"NO_TRADES", "TOO_FEW_TRADES"}
    assert len(set(table["identity"].to_pylist())) == TRIALS
    assert study.trial(best_of(study)).metrics["total_trades"] >= 5  # type: ignore[operator]


@pytest.mark.parametrize(("backend", "workers"), [("local", 2), ("ray", 2)])
def test_every_executor_gives_the_same_ledger(
    study: Study, tmp_path: Path, backend: str, workers: int
) -> None:
    assert again(study, tmp_path, backend=backend, workers=workers).digest == study.digest


def test_a_trial_replays_from_the_ledger_and_from_mlflow(study: Study) -> None:
    for number in (0, best_of(study)):
        assert study.replay(number).lines()[0].startswith(f"{study.name}:{number}: same")
    uri = stores.uri(home_of(study))
    store = MlflowStore(uri)
    for role in ("trial", "study"):
        run = store.search(store.experiment(study.name), {"role": role})[0]
        recorded = of_run(run.id, uri=uri)
        assert recorded.trades is None or recorded.trades.num_rows > 0
        assert replay(recorded).same


def test_a_replay_finds_each_dataset_by_digest(study: Study, tmp_path: Path) -> None:
    home = shutil.copytree(home_of(study), tmp_path / "moved")
    shutil.rmtree(home / "datasets" / "index")
    text = (home / "studies" / study.name / "config.yaml").read_text()
    recorded = of_study(home / "studies" / study.name, 0)
    gone = recorded.__class__(
        **{
            name: getattr(recorded, name)
            for name in ("name", "identity", "document", "digests", "metrics", "trades", "tags")
        },
        config=text.replace(str(home_of(study) / "data"), str(tmp_path / "absent")),
    )
    with pytest.raises(SweepError) as caught:
        replay(gone)
    assert (caught.value.code, exit_code(caught.value)) == (3001, 3)
    assert replay(gone, cache=DatasetCache(home)).same
    for path in (home / "datasets").glob("*.arrow"):
        path.unlink()
        break
    with pytest.raises(SweepError) as caught:
        replay(gone, cache=DatasetCache(home))
    assert caught.value.code == 3001


def test_bars_and_ticks_that_came_later_change_nothing(study: Study, tmp_path: Path) -> None:
    if study.name == "ticks":
        overrides = [f"market.ticks={tick_file(tmp_path, again=True)}"]
    else:
        longer = [sides(generated(symbol, bars=4500), tmp_path, symbol) for symbol in SYMBOLS]
        overrides = [
            f"market.{n}.{side}={path}" for n, files in enumerate(longer) for side, path in files.items()
        ]
    assert study.replay(0, overrides=overrides).same


def test_other_data_are_refused(study: Study, tmp_path: Path) -> None:
    if study.name == "pair":
        other = sides(generated(SYMBOLS[1], seed=6), tmp_path, "other")
        overrides = [f"market.1.{side}={path}" for side, path in other.items()]
    else:
        overrides = ["market.window=[2020-01-07, 2020-01-08]"]
    with pytest.raises(SweepError) as caught:
        study.replay(0, overrides=overrides)
    assert (caught.value.code, exit_code(caught.value)) == (3008, 3)


def test_mlflow_names_one_dataset_per_symbol(study: Study) -> None:
    store = MlflowStore(stores.uri(home_of(study)))
    run = store.search(store.experiment(study.name), {"role": "study"})[0]
    inputs = MlflowClient(stores.uri(home_of(study))).get_run(run.id).inputs.dataset_inputs
    markets = prepare(load(study.folder / "config.yaml")).markets
    wanted = {market.symbol: market.dataset for market in markets}
    assert {each.dataset.name: each.dataset.digest for each in inputs} == {
        k: v[:36] for k, v in wanted.items()
    }
    for each in inputs:
        profile = json.loads(each.dataset.profile)
        assert profile["digest"] == wanted[each.dataset.name]
        if study.name == "pair":
            assert (
                profile["window"]["trade_from"]
                == {
                    "GBPUSD": "2020-01-10T00:00:00Z",
                    "EURUSD": "2020-01-12T00:00:00Z",
                }[each.dataset.name]
            )
            assert all(each.dataset.name in path for path in json.loads(each.dataset.source).values())
    assert run.tags["dataset_digest"] == dataset_of(wanted)
    assert run.tags["symbol"] == "+".join(sorted(wanted))


def test_golden_cases_hold(study: Study, tmp_path: Path) -> None:
    golden.record(study.folder, tmp_path / "golden", top=2)
    assert golden.check(tmp_path / "golden").lines() == [f"{tmp_path / 'golden'}: 2 cases, nothing differs"]
    assert golden.compare(study.folder, top=2).exit_code == 0
    [first, _] = sorted((tmp_path / "golden").glob("*/case.json"))
    case = json.loads(first.read_text())
    assert case["kind"] == ("ticks" if study.name == "ticks" else "bars")
    expected = first.with_name("expected.json")
    text = json.loads(expected.read_text())
    text["trades"][0]["symbol"] = "USDJPY"
    expected.write_text(json.dumps(text))
    assert "symbol" in "\n".join(golden.check(tmp_path / "golden").lines())


def test_a_study_that_is_whole_resumes_and_extends(study: Study, tmp_path: Path) -> None:
    home = shutil.copytree(home_of(study), tmp_path / "home")
    more = Study.extend(study.name, 8, ["tracking.mlflow="], home=home)
    assert more.status().done == TRIALS + 8
    assert more.trials()["result_digest"].to_pylist()[:TRIALS] == study.trials()["result_digest"].to_pylist()


def test_a_resume_names_what_changed_of_which_symbol(tmp_path: Path) -> None:
    Study.run(config("pair", tmp_path / "data"), ["search.trials=8"], home=tmp_path)
    text = (tmp_path / "studies" / "pair" / "config.yaml").read_text()

    def refusal(*overrides: str) -> SweepError:
        with pytest.raises(SweepError) as caught:
            Study.resume("pair", overrides, home=tmp_path)
        return caught.value

    other = sides(generated(SYMBOLS[1], seed=6), tmp_path, "other")
    problem = refusal(*(f"market.1.{side}={path}" for side, path in other.items()))
    assert (problem.code, problem.stage) == (1012, "data")
    assert "market.EURUSD.digest" in problem.what
    assert "GBPUSD" not in problem.what
    problem = refusal("market.0.duplicates=drop_identical")
    assert (problem.code, problem.stage) == (1012, "config")
    assert "1 difference: market.GBPUSD.options.duplicates reject → drop_identical" in problem.what
    first, second = load(tmp_path / "studies" / "pair" / "config.yaml").model_dump(mode="json")["market"]
    problem = refusal(f"market={json.dumps([second, first])}")
    assert (problem.code, problem.stage) == (1012, "config")
    assert '1 difference: symbols ["GBPUSD","EURUSD"] → ["EURUSD","GBPUSD"]' in problem.what
    assert (tmp_path / "studies" / "pair" / "config.yaml").read_text() == text


def test_what_a_study_of_one_symbol_stores_has_not_changed(tmp_path: Path) -> None:
    one = config("pair", tmp_path / "data", tracking={"mlflow": None})
    listed = {**one, "market": one["market"][:1], "study": "listed"}
    studies = [Study.run({**one, "market": one["market"][0], "study": "one"}, home=tmp_path)]
    studies.append(Study.run(listed, home=tmp_path))
    facts = []
    for made in studies:
        with made.ledger as ledger:
            facts.append(ledger.study)
    market = one["market"][0]
    for each in facts:
        compared = each["snapshot"]["compared"]
        assert each["market"]["spec"]["symbol"] == "GBPUSD"
        assert set(compared["market"]) == {"digest", "meta", "options"}
        assert each["sources"] == {"market.bid": market["bid"], "market.ask": market["ask"]}
        assert not {"symbols", "datasets"} & {*compared, *each}
        assert set(each["identity_base"]["window"]) == {"history_from", "trade_from", "trade_until"}
    assert facts[0]["identity_base"] == facts[1]["identity_base"]
    texts = [made.folder.joinpath("config.yaml").read_text() for made in studies]
    assert texts[0].startswith("study: one\nmarket:\n  symbol: GBPUSD\n  timeframe: M15\n")
    assert texts[1].removeprefix("study: listed") == texts[0].removeprefix("study: one")
    assert studies[0].digest == studies[1].digest


def test_workers_get_the_rows_of_every_symbol_and_its_higher_bars(tmp_path: Path) -> None:
    written = config("pair", tmp_path / "data")
    hours = Market.synthetic(symbol="EURUSD", timeframe="H1", bars=1200, seed=5)
    written["market"][1]["higher"] = {"H1": sides(hours, tmp_path, "hours")}
    plan = prepare(load(written))
    spec = plan.engine_spec(returns=False)
    assert spec.data is not None
    assert [len(rows.higher) for rows in spec.data.markets] == [0, 1]
    tables = [rows.table for rows in (*spec.data.markets, *spec.data.markets[1].higher)]
    assert spec.data.nbytes == sum(table.nbytes for table in tables)
    document = native_engine(spec).identity_document({})  # type: ignore[attr-defined]
    assert document == plan.engine.identity_document({})
    assert json.loads(document)["dataset"] == dataset_of(plan.datasets)


def test_a_worker_refuses_other_rows_of_any_symbol(tmp_path: Path) -> None:
    from dataclasses import replace

    spec = prepare(load(config("pair", tmp_path / "data"))).engine_spec(returns=False)
    assert spec.data is not None
    first, second = spec.data.markets
    data = replace(spec.data, markets=(first, replace(second, digest="0" * 64)))
    with pytest.raises(SweepError) as caught:
        native_engine(spec.with_data(data))
    assert caught.value.code == 3008


def test_the_example_of_two_symbols_runs(tmp_path: Path) -> None:
    overrides = ["search.trials=6", "search.batch_size=3", "tracking.mlflow="]
    made = Study.dry_run(CONFIGS / "two_symbols.yaml", overrides, home=tmp_path)
    assert (made.trials, made.seconds_per_trial > 0) == (6, True)
    study = Study.run(CONFIGS / "two_symbols.yaml", overrides, home=tmp_path)
    assert study.status().counts == {"COMPLETE": 6}
    [trade, *_] = study.replay(best_of(study)).result.trades["symbol"].unique().to_pylist()
    assert trade in ("EURUSD", "GBPUSD")
    assert study.replay(0).same
