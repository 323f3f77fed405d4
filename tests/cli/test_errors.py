"""One readable line with its code, on standard error, and the exit code of its stage; nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import STUDY, Sweep, sweep_process

BARS = "market={symbol: GBPUSD, timeframe: M1, bid: BID, ask: ASK}"


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "mentions"),
    [
        (["run", "absent.yaml"], 2, 3001, "absent.yaml"),
        (["run", "small.yaml", "serch.trials=3"], 2, 1001, "did you mean search?"),
        (["run", "small.yaml", "search.trials=ten"], 2, 1004, "search.trials"),
        (["run", "small.yaml", "strategy.name=ma_croos"], 2, 1001, "ma_cross"),
        (["run", "small.yaml", "strategy.params.fast_perod=3"], 2, 1001, "fast_period"),
        (["run", "small.yaml", "strategy.params.fast_period=three"], 2, 1004, "fast_period"),
        (["run", "small.yaml", "search.space.fast_perod=[3, 4]"], 2, 1001, "fast_period"),
        (["run", "small.yaml", "search.where=[fast_perod < 3]"], 2, 1001, "fast_perod"),
        (["run", "small.yaml", "search.sampler=cmae"], 2, 1001, "cmaes"),
        (["run", "small.yaml", "compute.memory_limit=2 GiB"], 2, 4001, "compute.memory_limit"),
        (["run", "small.yaml", "holdout=90 d"], 2, 4001, "holdout"),
        (["run", "small.yaml", "market.symbol=EURUSDX"], 2, 1001, "EURUSDX"),
        (
            ["run", "small.yaml", "objective={metric: sharp_ratio, direction: maximize}"],
            2,
            1001,
            "sharpe_ratio",
        ),
        (
            ["run", "small.yaml", "market={symbol: GBPUSD, timeframe: M1, file: no.parquet, spread_pips: 0}"],
            3,
            3001,
            "no.parquet",
        ),
        (
            ["run", "small.yaml", "market={symbol: GBPUSD, timeframe: M1, file: small.yaml, spread_pips: 0}"],
            2,
            1009,
            "small.yaml",
        ),
        (["run"], 2, 1001, "sweep run --help"),
        (["run", "small.yaml", "--trials", "many"], 2, 1001, "--trials"),
        (["run", "small.yaml", "--fast"], 2, 1001, "--fast"),
        (["rnu"], 2, 1001, "rnu"),
        (["status", "nothing"], 2, 3001, "nothing"),
        (["show", "nothing"], 2, 3001, "nothing"),
        (["resume", "nothing"], 2, 3001, "nothing"),
        (["export", "nothing", "--to", "x.csv"], 2, 3001, "nothing"),
        (["sync", "nothing"], 2, 3001, "nothing"),
        (["replay", "nothing:3"], 2, 3001, "nothing"),
        (["replay", "nothing"], 2, 1009, "STUDY:TRIAL"),
        (["replay"], 2, 1008, "--run-id"),
        (["golden", "check", "nothing"], 2, 3001, "nothing"),
        (["strategies", "show", "ma_cros"], 2, 1001, "ma_cross"),
        (["backtest", "small.yaml", "-p", "fast_period"], 2, 1009, "fast_period"),
        (["backtest", "small.yaml", "-p", "fast_perod=3"], 2, 1001, "fast_period"),
        (["report", "small"], 2, 4001, "sweep report"),
        (["walkforward", "small.yaml"], 2, 4001, "sweep walkforward"),
        (["validate", "small", "--open-holdout", "--reason", "x"], 2, 4001, "sweep validate"),
        (["indicators", "rsx"], 2, 1001, "did you mean rsi?"),
        (["indicators", "nope"], 2, 1001, "known: ema, ema_stepwise, sma"),
        (["data", "check", "x.parquet"], 3, 3001, "x.parquet"),
        (["run", "small.yaml", "study=" + "x" * 101, "--dry-run"], 2, 1009, "at most 100"),
        (["run", "small.yaml", "study=-x"], 2, 1009, "'-x'"),
        (["run", "small.yaml", f"market={'[' * 5000}{']' * 5000}"], 2, 1009, "nested"),
        (["run", "small.yaml", f"market={'[' * 60}{']' * 60}"], 2, 1009, "nested"),
        (["backtest", "small.yaml", "-p", "fast_period=1", "-p", "fast_period=2"], 2, 1001, "twice"),
        (["run", "small.yaml", "search.trials=1000000000001"], 2, 1003, "search.trials"),
        (["ui", "--port", "99999"], 2, 1003, "65535"),
        (["ui", "--port", "0"], 2, 1003, "65535"),
        (["replay", "--run-id", "abc"], 3, 3001, "mlflow.db"),
    ],
)
def test_a_mistake_is_one_line_with_its_code(
    words: list[str], exit_code: int, code: int, mentions: str, sweep: Sweep, config: Path, home: Path
) -> None:
    outcome = sweep(*words)
    assert outcome.code == exit_code, outcome
    lines = [line for line in outcome.err.splitlines() if line.strip()]
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith(f"[{code}] "), outcome.err
    assert mentions in outcome.err
    assert outcome.out == ""
    assert sorted(path.name for path in home.iterdir()) == ["small.yaml"]


@pytest.mark.parametrize(
    ("defect", "code"), [("unsorted", 1006), ("nan", 1006), ("null", 1005), ("misaligned", 1011)]
)
def test_bad_data_exit_with_3_and_leave_nothing_behind(
    defect: str, code: int, sweep: Sweep, config: Path, home: Path
) -> None:
    from tests.market.support import bars, poke, write

    bid, ask = bars(400), bars(400, offset=0.0002)
    if defect == "unsorted":
        bid = bid.take([1, 0, *range(2, 400)])
    elif defect == "nan":
        bid = poke(bid, "close", 7, float("nan"))
    elif defect == "null":
        import pyarrow as pa

        bid = bid.set_column(1, "open", pa.array([None, *bid["open"].to_pylist()[1:]], pa.float64()))
    else:
        ask = ask.slice(50)
    market = BARS.replace("BID", write(home, bid, "bid.parquet")).replace(
        "ASK", write(home, ask, "ask.parquet")
    )
    outcome = sweep("run", config, market)
    assert (outcome.code, outcome.err[:6]) == (3, f"[{code}]"), outcome
    assert not (home / "studies").exists()
    assert not (home / "mlflow.db").exists()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "exit_code", "code"),
    [
        ("01_unsorted.parquet", 3, 1006),
        ("31b_corrupt_page_crc.parquet", 3, 3004),
        ("54_short_row.csv", 3, 3004),
    ],
)
def test_bad_shared_files_exit_by_stage(
    file: str, exit_code: int, code: int, sweep: Sweep, config: Path, home: Path, shared_data: Path
) -> None:
    path = shared_data / "bad" / file
    outcome = sweep("run", config, f"market={{symbol: GBPUSD, timeframe: M1, file: {path}, spread_pips: 0}}")
    assert (outcome.code, outcome.err[:6]) == (exit_code, f"[{code}]")
    assert not (home / "studies").exists()


def test_several_mistakes_are_listed_one_per_line(sweep: Sweep, config: Path) -> None:
    outcome = sweep("run", config, "search.trials=ten", "serch.seed=1")
    lines = outcome.err.splitlines()
    assert outcome.code == 2
    assert lines[0].startswith("[1000] 2 problems")
    assert [line[:6] for line in lines[1:]] == ["[1004]", "[1001]"]


def test_errors_for_machines(sweep: Sweep, config: Path) -> None:
    outcome = sweep("run", config, "serch.trials=3", "--json")
    told = json.loads(outcome.out)
    assert (outcome.code, told["ok"], told["error_code"], told["category"]) == (2, False, 1001, "VALIDATION")
    assert told["message"] == outcome.err.strip()


def test_debug_shows_the_traceback(sweep: Sweep) -> None:
    assert "Traceback" not in sweep("run", "absent.yaml").err
    assert "Traceback" in sweep("run", "absent.yaml", "--debug").err


def test_a_bug_is_neither_a_difference_nor_silent(
    sweep: Sweep, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("sweep.study.Study.run", broken)
    outcome = sweep("run", config)
    assert outcome.code == 4
    assert outcome.err.startswith("[4000] unexpected ZeroDivisionError: oops")


def test_an_interrupt_exits_with_130_and_says_how_to_go_on(
    sweep: Sweep, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sweep.study import Interrupted

    def stopped(*arguments: object, **options: object) -> None:
        raise Interrupted("small", 4)

    monkeypatch.setattr("sweep.study.Study.run", stopped)
    outcome = sweep("run", config)
    assert outcome.code == 130
    assert "sweep resume small" in outcome.err


def test_an_interrupt_before_a_study_says_that_nothing_was_written(
    sweep: Sweep, config: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sweep.study.study.prepare", stopped)
    outcome = sweep("run", config)
    assert (outcome.code, outcome.err) == (130, "interrupted; nothing was written\n")
    outcome = sweep("run", config, "--dry-run")
    assert (outcome.code, outcome.err) == (130, "interrupted\n")
    assert not (home / "studies").exists()


def test_an_interrupt_during_the_imports_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    outcome = sweep_process(["status"], tmp_path)
    assert (outcome.code, outcome.err) == (130, "interrupted\n")


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(STUDY)
    bad = sweep_process(["run", "c.yaml", "search.trials=true"], tmp_path)
    assert (bad.code, bad.out) == (2, "")
    assert bad.err == "[1004] search.trials must be a whole number, got true; override search.trials=true\n"
    good = sweep_process(["--version"], tmp_path)
    assert (good.code, good.out.split()[0]) == (0, "sweep")
