"""Every command does what it says on a small local study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML
from typer.main import get_command

from sweep.cli import app
from tests.cli.support import STUDY, Sweep


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words."""
    for name, command in group.commands.items():
        yield (*words, name), command
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))


COMMANDS = dict(commands(get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_has_an_example_of_the_command(words: tuple[str, ...], sweep: Sweep) -> None:
    outcome = sweep(*words, "--help")
    assert outcome.code == 0
    assert f"Example: sweep {' '.join(words)}" in " ".join(outcome.out.split())


def test_every_command_has_json_and_debug() -> None:
    for words, command in COMMANDS.items():
        if not hasattr(command, "commands"):
            options = {name for parameter in command.params for name in parameter.opts}
            assert "--debug" in options, words
            assert "--json" in options or words == ("strategies", "new"), words


def test_the_commands_of_the_interface_exist() -> None:
    named = {
        "run resume extend status show replay backtest export sync report walkforward validate ui schema indicators",
        "golden strategies data",
    }
    wanted = {(word,) for line in named for word in line.split()}
    wanted |= {("golden", word) for word in ("record", "check", "compare")}
    wanted |= {("strategies", word) for word in ("list", "show", "new")}
    wanted |= {("data", word) for word in ("import", "check", "describe", "resample", "synth")}
    assert wanted <= COMMANDS.keys()
    assert isinstance(app, typer.Typer)


@pytest.fixture
def studied(sweep: Sweep, config: Path, home: Path) -> Sweep:
    """A home with the finished study `small`."""
    outcome = sweep("run", config, "--json")
    assert outcome.code == 0, outcome.err
    state = json.loads(outcome.out)
    assert (state["name"], state["status"], state["done"]) == ("small", "FINISHED", 12)
    return sweep


def test_a_study_from_run_to_export(studied: Sweep, config: Path, home: Path) -> None:
    again = studied("run", config)
    assert again.code == 2
    assert "sweep resume small" in again.err
    state = json.loads(studied("status", "small", "--json").out)
    assert sum(state["counts"].values()) == state["done"] == 12
    assert [item["name"] for item in json.loads(studied("status", "--json").out)] == ["small"]
    assert "small" in studied("status").out

    shown = studied("show", "small")
    assert "sampler: random" in shown.out
    trial = json.loads(studied("show", "small", "3", "--json").out)
    assert trial["proposal"]["number"] == 3
    assert set(trial["proposal"]["params"]) >= {"fast_period", "slow_period"}
    assert "fast_period" in studied("show", "small", "3").out
    failed = json.loads(studied("show", "small", "--failed", "--json").out)
    assert len(failed) == sum(n for kind, n in state["counts"].items() if kind.startswith("FAILED"))
    assert studied("show", "small", "99").code == 2

    assert studied("export", "small", "--to", "t.csv").code == 0
    assert len((home / "t.csv").read_text().splitlines()) == 13
    assert json.loads(studied("export", "small", "--to", "t.parquet", "--json").out) == {
        "file": str(home / "t.parquet")
    }
    assert studied("export", "small", "--to", "t.xlsx").code == 2
    shown = studied("export", "small", "--to", "journal:t.log", "--json")
    assert json.loads(shown.out) == {
        "study": "small",
        "url": "journal:t.log",
        "trials": 12,
        "new": 12,
    }
    assert "12 trials, 0 of them new" in studied("export", "small", "--to", "journal:t.log").out
    assert studied("sync", "small").code == 0


def test_a_broken_study_hides_no_other(studied: Sweep, home: Path) -> None:
    bad = home / "studies" / "bad"
    bad.mkdir()
    (bad / "study.db").write_text("junk")
    assert {item["name"]: item["status"] for item in json.loads(studied("status", "--json").out)} == {
        "bad": "BROKEN",
        "small": "FINISHED",
    }
    listed = studied("status")
    assert listed.code == 0
    assert "bad: [3004]" in listed.out
    for words in (["status", "bad"], ["show", "bad"], ["resume", "bad"], ["export", "bad", "--to", "x.csv"]):
        outcome = studied(*words)
        assert (outcome.code, outcome.err[:6]) == (5, "[3004]"), words


def test_a_folder_without_a_study_is_to_be_removed(sweep: Sweep, config: Path, home: Path) -> None:
    (home / "studies" / "small").mkdir(parents=True)
    for words in (["run", config], ["run", config, "--dry-run"], ["resume", "small"], ["status", "small"]):
        outcome = sweep(*words)
        assert outcome.code == 2
        assert "remove the folder" in outcome.err, words


def test_resume_of_a_finished_study_and_extension(studied: Sweep) -> None:
    assert json.loads(studied("resume", "small", "--json").out)["done"] == 12
    extended = studied("extend", "small", "--trials", "5")
    assert extended.code == 0, extended.err
    assert "trials: 17 of 17" in extended.out
    refused = studied("resume", "small", "search.seed=9")
    assert refused.code == 2
    assert refused.err.startswith("[1012]") or "[1012]" in refused.err


def test_the_end_of_a_run_says_where_to_look(sweep: Sweep, config: Path) -> None:
    outcome = sweep("run", config, "--trials", "8", "--workers", "1")
    assert outcome.code == 0, outcome.err
    for words in ("study small: FINISHED", "trials: 8 of 8", "sweep show small", "sweep ui small"):
        assert words in outcome.out


def test_a_dry_run_prints_and_writes_nothing(sweep: Sweep, config: Path, home: Path) -> None:
    outcome = sweep("run", config, "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "fast_period" in outcome.out
    assert "ms per trial" in outcome.out
    told = json.loads(sweep("run", config, "--dry-run", "--trials", "7", "--json").out)
    assert told["trials"] == 7
    assert [path.name for path in home.iterdir()] == ["small.yaml"]


def test_replay_is_the_same_and_its_verdict_is_the_exit_code(studied: Sweep) -> None:
    state = json.loads(studied("status", "small", "--json").out)
    best = state["best"][0]["number"]
    outcome = studied("replay", f"small:{best}", "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["same"] is True
    assert "same" in studied("replay", f"small:{best}", "--verify").out
    compared = studied("replay", f"small:{best}", "--diff", str((best + 1) % 12))
    assert compared.code == 1, compared.err
    assert "params." in compared.out
    assert studied("replay", f"small:{best}", "--diff", str(best)).code == 0
    assert studied("replay", f"small:{best}", "search.seed=3").code == 2


def test_golden_results_hold(studied: Sweep, home: Path) -> None:
    recorded = studied("golden", "record", "small", "--top", "2", "--to", "golden/small")
    assert recorded.code == 0, recorded.err
    assert studied("golden", "check", "golden/small", "--mlflow", f"sqlite:///{home}/m.db").code == 0
    assert studied("golden", "compare", "golden/small", "golden/small").code == 0
    expected = next((home / "golden" / "small").glob("*/expected.json"))
    value = json.loads(expected.read_text())
    value["result_digest"] = "0" * 64
    expected.write_text(json.dumps(value))
    assert studied("golden", "check", "golden/small", "--mlflow", f"sqlite:///{home}/m.db").code == 1


def test_a_backtest_without_a_study(sweep: Sweep, config: Path, home: Path) -> None:
    words = ("backtest", config, "-p", "fast_period=10", "-p", "slow_period=40")
    told = json.loads(sweep(*words, "--json").out)
    assert told["metrics"]["total_trades"] > 0
    shown = sweep(*words, "--output", "out")
    assert (
        f"digest: {told['digests']['result']}" in shown.out
        if "result" in told["digests"]
        else "digest: " in shown.out
    )
    assert (home / "out" / "trades.parquet").is_file()
    assert not (home / "studies").exists()


def test_a_backtest_needs_no_search(sweep: Sweep, config: Path, tmp_path: Path) -> None:
    whole = YAML(typ="safe").load(config)
    del whole["search"]
    YAML().dump(whole, tmp_path / "plain.yaml")
    alone, with_search = (
        sweep("backtest", tmp_path / "plain.yaml", "--json"),
        sweep("backtest", config, "--json"),
    )
    assert json.loads(alone.out)["identity"] == json.loads(with_search.out)["identity"]
    assert sweep("run", tmp_path / "plain.yaml").code == 2


def test_a_backtest_shows_the_warnings_of_its_result(sweep: Sweep, config: Path) -> None:
    changed = sweep("backtest", config, "symbol_specs={EURUSD: {tick_value: 0.9}}")
    assert (changed.code, changed.err) == (0, "")
    assert "warning: EURUSD: tick_value / tick_size = 90000.0 differs" in changed.out
    assert "warning" not in sweep("backtest", config).out


def test_the_catalogue_comes_from_the_declarations(sweep: Sweep) -> None:
    known = {item["id"]: item for item in json.loads(sweep("strategies", "list", "--json").out)}
    assert {"ma_cross", "mean_reversion_z_score"} <= known.keys()
    assert "ma_cross" in sweep("strategies", "list").out
    shown = sweep("strategies", "show", "mean_reversion_z_score").out
    for parameter in known["mean_reversion_z_score"]["parameters"]:
        assert parameter["name"] in shown
    assert "scenario6_{tf}_{side}_kalman_r" in shown
    assert "{side}: long, short" in shown
    assert json.loads(sweep("strategies", "show", "ma_cross", "--json").out) == known["ma_cross"]


def test_indicators_are_listed_and_shown_in_full(sweep: Sweep) -> None:
    known = json.loads(sweep("indicators", "--json").out)
    listed = sweep("indicators").out
    for item in known:
        row = next(line for line in listed.splitlines() if line.split()[:1] == [item["id"]])
        assert item["outputs"][0] in row
        assert row.split()[-1] == item["on"]
        shown = sweep("indicators", item["id"]).out
        for text in (item["title"], item["formula"], item["source"], f"first value at: {item['first']}"):
            assert text in shown
        assert f"on={item['on']}" in shown
        for parameter in item["parameters"]:
            for choice in parameter["choices"] or ():
                assert choice in shown
    assert "bars of its timeframe" in sweep("indicators", "ema_stepwise").out
    assert "primary bars" in sweep("indicators", "ema").out
    assert "int 2 to 1000000" in sweep("indicators", "kalman_zscore").out
    assert "float above 0" in sweep("indicators", "kalman_mean").out
    assert "alpha + beta below 1" in sweep("indicators", "garch_vt").out


def test_the_schema_knows_the_strategies(sweep: Sweep, config: Path) -> None:
    import jsonschema
    from ruamel.yaml import YAML

    schema = json.loads(sweep("schema").out)
    validator = jsonschema.Draft202012Validator(schema)
    tree = YAML(typ="safe", pure=True).load(STUDY)
    validator.validate(tree)
    assert not validator.is_valid({**tree, "strategy": {"name": "ma_croos"}})
    assert not validator.is_valid({**tree, "serch": {}})


def test_home_may_be_named(sweep: Sweep, config: Path, tmp_path: Path) -> None:
    assert sweep("run", config, "--home", tmp_path / "other", "--trials", "4").code == 0
    assert (tmp_path / "other" / "studies" / "small" / "study.db").is_file()
    assert sweep("status", "small").code == 2
    assert sweep("status", "small", "--home", tmp_path / "other").code == 0


@pytest.mark.parametrize("name", ["quickstart", "ma_cross"])
def test_shipped_configs_pass_their_checks(name: str, sweep: Sweep) -> None:
    path = Path(__file__).parents[2] / "configs" / f"{name}.yaml"
    outcome = sweep("run", path, "--dry-run")
    assert outcome.code == 0, outcome.err


@pytest.mark.shared
def test_the_config_of_real_data_passes_its_checks(sweep: Sweep, shared_data: Path) -> None:
    path = Path(__file__).parents[2] / "configs" / "gbpusd.yaml"
    sides = [f"market.{side}={shared_data}/GBPUSD_M5_{side}.parquet" for side in ("bid", "ask")]
    outcome = sweep("run", path, *sides, "--dry-run")
    assert outcome.code == 0, outcome.err
    absent = sweep("run", path, "--dry-run")
    assert (absent.code, absent.err[:6]) == (3, "[3001]")
