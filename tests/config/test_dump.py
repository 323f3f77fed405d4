"""What is frozen loads back equal; the schema agrees with the reader."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sweep.config import Config, dump, json_schema, load, resolved
from sweep.config.document import Mark, parse
from tests.config.support import minimal

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(
        ["on", "1e5", "0x1", "2012-02-01", "12:30:00", "~", "null", "<<", "- a", "a: b", "#", "é\u2028"]
    )
)
names = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
)


def again(config: Config) -> Config:
    return Config.model_validate(parse(dump(config), Mark("dump")).tree)


@settings(max_examples=40)
@given(params=st.dictionaries(names, values, max_size=4))
def test_any_parameters_survive_the_round_trip(params: dict[str, Any]) -> None:
    config = load({**minimal(), "strategy": {"name": "x", "params": params}})
    assert again(config) == config
    assert repr(again(config).strategy.params) == repr(config.strategy.params)


moments = st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))


@settings(max_examples=40)
@given(
    window=st.tuples(st.none() | moments, st.none() | moments).filter(
        lambda w: w[0] is None or w[1] is None or w[0] < w[1]
    ),
    trials=st.integers(1, 10**9),
    timeout=st.none() | st.floats(1e-3, 1e9),
    workers=st.just("auto") | st.integers(1, 999),
    preset=st.sampled_from(["realistic", "reference"]),
    slots=st.none() | st.integers(1, 9),
    top=st.just("all") | st.fixed_dictionaries({"top": st.integers(0, 99)}),
    mlflow=st.none() | st.just("http://h:1"),
)
def test_any_config_survives_the_round_trip(**drawn: Any) -> None:
    data = minimal()
    data["market"]["window"] = list(drawn["window"])
    data["search"].update(trials=drawn["trials"], timeout=drawn["timeout"])
    data["compute"] = {"workers": drawn["workers"]}
    data["execution"] = {"preset": drawn["preset"], "max_positions": drawn["slots"]}
    data["tracking"] = {"runs": drawn["top"], "mlflow": drawn["mlflow"]}
    config = load(data)
    assert again(config) == config
    assert dump(again(config)) == dump(config)


def test_every_default_is_written_out() -> None:
    tree = YAML(typ="safe", pure=True).load(dump(load(minimal())))
    assert tree["search"]["lag"] == 2
    assert tree["search"]["history"] == 300
    assert tree["market"]["synthetic"]["volatility"] == 0.1
    assert tree["objective"] == [{"metric": "t_stat_r", "expr": None, "direction": "maximize", "name": None}]
    assert tree["min_trades"] == 30
    assert tree["market"]["csv"] == {"separator": ",", "decimal": ".", "header": True}
    assert tree["gates"] == {}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"execution": "reference"},
        {"execution": {"preset": "reference", "max_positions": None, "seed": 2**64 - 1}},
        {
            "costs": {
                "commission": {
                    "defaults": {"schema": "per_lot", "per_lot": 2},
                    "per_symbol": {"EURUSD": {"decimals": None}},
                }
            }
        },
        {"account": {"currency": "EUR", "sizing": {"mode": "risk_percent", "percent": 1}}},
        {"rates": {"static": {"EURUSD": 1.25}}, "metrics": {"calendar": "continuous"}},
        {
            "rates": {
                "series": {
                    "EURUSD": {"bid": "/b", "ask": "/a", "timeframe": "H1", "window": ["2020-01-02", None]},
                    "USDJPY": {"synthetic": {"bars": 9, "start": "2020-01-03T01:00:00Z"}},
                },
                "max_rate_age_hours": 24,
            }
        },
    ],
)
def test_resolved_options_survive_the_round_trip_and_resolve_to_themselves(change: dict[str, Any]) -> None:
    config = load({**minimal(), **change})
    full = resolved(config)
    assert again(full) == full
    assert resolved(full) == full
    assert full.execution["preset"] == config.execution["preset"]
    assert {"market_fill", "gap_fills", "seed", "end_of_data"} <= full.execution.keys()
    for key, value in config.execution.items():
        assert full.execution[key] == value
    assert full.costs["slippage"] == {"fixed_pips": 0.0, "random_pips": 0.0}


def test_equality_looks_at_content_and_not_at_origin(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(dump(load(minimal())))
    assert load(path) == load(minimal())
    assert load(path, ["search.seed=1"]) != load(minimal())


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_load_and_satisfy_the_schema(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    tree = YAML(typ="safe", pure=True).load(path.read_text())
    validator.validate(tree)
    config = load(path)
    if config.strategy.name == "mean_reversion_z_score":
        assert len(config.strategy.params["enabled_scenarios"]) == 1


def test_there_are_shipped_configs() -> None:
    assert {path.stem for path in CONFIGS} >= {"quickstart", "gbpusd", "ma_cross"}


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"execution": "reference"}, True),
        ({"execution": "x"}, False),
        ({"costs": "costs.yaml"}, True),
        ({"min_trades": None}, True),
        ({"min_trades": -1}, False),
        ({"min_trades": True}, False),
        ({"compute": {"workers": "auto", "trial_timeout": "20 s"}}, True),
        ({"compute": {"workers": "many"}}, False),
        ({"unknown": 1}, False),
        ({"holdout": "none"}, True),
        ({"gates": {"x": 1}}, False),
        ({"objective": {"metric": "a", "direction": "maximize"}}, True),
        ({"constraints": ["a < 1", {"metric": "a", "op": "<", "value": 1}]}, True),
        ({"costs": {"commission": {"schema": "per_lot", "per_lot": 2.5}}}, True),
        ({"symbol_specs": {"GBPUSD": {"pip_size": 0.1}}}, True),
        ({"rates": {"series": {"EURUSD": {"synthetic": {"bars": 5}}}, "max_rate_age_hours": 1}}, True),
        ({"rates": {"series": {"EURUSD": {"synthetics": {"bars": 5}}}}}, False),
        ({"symbol_specs": {"GBPUSD": {"pip": 0.1}}}, False),
    ],
)
def test_schema_and_reader_agree(
    change: dict[str, Any],
    valid: bool,
    validator: jsonschema.Draft202012Validator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "costs.yaml").write_text("slippage: {fixed_pips: 1}\n")
    data = {**minimal(), **change}
    assert validator.is_valid(data) is valid
    try:
        load(data)
        accepted = True
    except ValueError:
        accepted = False
    except RuntimeError:
        accepted = False
    assert accepted is valid
