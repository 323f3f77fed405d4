"""Overrides, and what paths are relative to."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweep.config import load, located
from sweep.errors import SweepError, error
from tests.config.support import MINIMAL, minimal, write

TWO_SIDES = """\
market: {symbol: GBPUSD, timeframe: M5, bid: data/b.parquet, ask: /abs/a.parquet}
strategy: {name: ma_cross}
search: {sampler: random, trials: 10, where: ["a < b"]}
"""


def test_values_are_yaml(tmp_path: Path) -> None:
    config = load(
        write(tmp_path, MINIMAL),
        [
            "search.trials=500",
            "search.space.fast_period={type: int, low: 5, high: 9}",
            "search.where=[a < b]",
            "strategy.params.ma_type=sma",
            "costs.slippage.random_pips=1e-1",
            "market.window=[2020-01-02, null]",
        ],
    )
    assert config.search.trials == 500
    assert config.search.space == {"fast_period": {"type": "int", "low": 5, "high": 9}}
    assert config.search.where == ("a < b",)
    assert config.strategy.params == {"ma_type": "sma"}
    assert config.costs == {"slippage": {"random_pips": 0.1}}
    assert config.market.window[0] is not None
    assert config.market.window[1] is None


def test_the_last_override_wins() -> None:
    assert load(minimal(), ["search.trials=5", "search={sampler: qmc, trials: 6}"]).search.trials == 6


def test_an_override_of_max_replaces_high() -> None:
    data = minimal()
    data["search"]["space"] = {"w": {"type": "int", "low": 1, "high": 9}}
    assert load(data, ["search.space.w.max=20"]).search.space["w"] == {"type": "int", "low": 1, "high": 20}


def test_an_item_of_a_list_is_named_by_its_index(tmp_path: Path) -> None:
    assert load(write(tmp_path, TWO_SIDES), ["search.where.0=a < 3"]).search.where == ("a < 3",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("trials", 1009),
        ("=3", 1009),
        ("search..trials=3", 1009),
        ("search.trials=[1", 1009),
        ("study.name=x", 1006),
        ("strategy.name.x.y=1", 1006),
    ],
)
def test_a_bad_override_is_quoted(text: str, code: int) -> None:
    with pytest.raises(SweepError) as caught:
        load(minimal(), [text])
    assert caught.value.code == code
    assert f"override {text}" in str(caught.value)


def test_an_index_beyond_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"\[1003\].*list of 1"):
        load(write(tmp_path, TWO_SIDES), ["search.where.4=a"])


def test_paths_start_in_the_files_folder_and_in_overrides_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    path = write(tmp_path, TWO_SIDES)
    config = load(Path("..") / path.name)
    assert config.market.bid == str(tmp_path / "data" / "b.parquet")
    assert config.market.ask == "/abs/a.parquet"
    assert load(path, ["market.bid=b.parquet"]).market.bid == str(here / "b.parquet")
    whole = load(path, ["market={symbol: GBPUSD, timeframe: M5, bid: x, ask: ../y}"]).market
    assert (whole.bid, whole.ask) == (str(here / "x"), str(tmp_path / "y"))


def test_a_section_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "GBPUSD: {pip_size: 0.001}\n", "specs.yaml")
    costs = write(tmp_path / "sub", "slippage:\n  fixed: 0.2\n", "costs.yaml")
    path = write(tmp_path, MINIMAL + "symbol_specs: sub/specs.yaml\ncosts: sub/costs.yaml\n")
    with pytest.raises(SweepError) as caught:
        load(path)
    assert f"{costs}:2" in str(caught.value)
    costs.write_text("slippage: {fixed_pips: 0.2}\n")
    config = load(path)
    assert config.symbol_specs == {"GBPUSD": {"pip_size": 0.001}}
    assert config.costs == {"slippage": {"fixed_pips": 0.2}}
    costs.unlink()
    with pytest.raises(SweepError, match=r"\[3001\].*costs"):
        load(path)


def test_the_tracking_database_stands_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEP_HOME", str(tmp_path / "a"))
    assert load(minimal()).tracking.mlflow == f"sqlite:///{tmp_path}/a/mlflow.db"
    assert load(minimal(), home=tmp_path / "b").tracking.mlflow == f"sqlite:///{tmp_path}/b/mlflow.db"
    assert load(minimal(), ["tracking.mlflow=http://host:5000"]).tracking.mlflow == "http://host:5000"
    monkeypatch.chdir(tmp_path)
    assert load(minimal(), ["tracking.mlflow=sqlite:///x.db"]).tracking.mlflow == f"sqlite:///{tmp_path}/x.db"


def test_later_checks_learn_the_line_of_a_key(tmp_path: Path) -> None:
    path = write(tmp_path, "study: s\n" + MINIMAL + "  \n")
    config = load(path, ["search.space.w=[1, 2]"])
    assert config.locate("search.trials") == f"{path}:4: search.trials"
    assert config.locate("search.space.w.0") == "override search.space.w=[1, 2]: search.space.w.0"
    assert config.locate("nowhere") == "nowhere"
    with pytest.raises(SweepError) as caught, located(config):
        raise error(1001, "unknown strategy", where="strategy.name", remedy="see the list")
    assert str(caught.value) == f"[1001] unknown strategy; {path}:3: strategy.name; see the list"
    with pytest.raises(SweepError) as caught, located(config):
        raise error(1006, "unsorted", where="strategy.name", stage="data")
    assert caught.value.where == "strategy.name"
