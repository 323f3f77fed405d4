"""Studies that stop trials on purpose, on the real engine: early stops and pruning levels."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sweep import Engine, Market
from sweep.errors import SweepError
from sweep.ledger import Ledger
from sweep.recorded import of_study
from sweep.replay import replay
from sweep.study import Study
from sweep.study.levels import levels_of
from sweep.types import EARLY_STOPS, LEVELS, Kind, Status, Trial
from tests.runtime.test_study import config, refused

HALVING = {"type": "halving", "resource": "segments"}
EARLY = {"ruin_pct": 97, "max_drawdown_pct": 4.5, "min_trades_by_midpoint": 0.5}


def run(home: Path, **sections: Any) -> Study:
    return Study.run(config(**sections), home=home)


def trials_of(study: Study) -> list[Trial]:
    with study.ledger as ledger:
        return list(ledger.trials())


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Six batches under a pruner that cycles through the levels."""
    search = {"trials": 45, "pruner": {**HALVING, "type": "hyperband"}}
    return run(tmp_path_factory.mktemp("home"), search=search)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study whose trials run into limits; `total_trades >= 12` is its least number of trades."""
    return run(
        tmp_path_factory.mktemp("home"),
        search={"early_stop": EARLY},
        constraints=["total_trades >= 12"],
    )


def test_trials_are_rounded_up_to_whole_batches(pruned: Study) -> None:
    state = pruned.status()
    assert (state.requested, state.done) == (48, 48)
    assert pruned.config.search.trials == 48


def test_survivors_equal_plain_backtests_and_the_others_their_level(pruned: Study) -> None:
    market = Market.synthetic(symbol="EURUSD", timeframe="M5", bars=3000, seed=7)
    engine = Engine(market, "ma_cross", levels=levels_of([market], "segments", 42))
    seen: Counter[str] = Counter()
    for trial in trials_of(pruned):
        kind = trial.outcome.kind
        level = LEVELS.index(kind) if kind in LEVELS else None
        alone = engine.run(trial.proposal.params, level=level)
        assert trial.digests is not None
        assert (alone.identity, alone.digest) == (trial.identity, trial.digests.result)
        measured = trial.metrics if level is None else trial.partial
        assert {k: v for k, v in measured.items() if v is not None} == {
            k: v for k, v in alone.metrics.items() if v is not None
        }
        for name, value in trial.intermediate.items():
            assert engine.run(trial.proposal.params, level=int(name)).metrics["t_stat_r"] == value
        seen[str(kind)] += 1
    assert min(seen[str(kind)] for kind in LEVELS) > 0
    # 8 → 3 → 1; 8 at level 1 → 3; all 8 of the third batch: twice.
    assert sum(t.outcome.kind not in LEVELS for t in trials_of(pruned)) == 2 * (1 + 3 + 8)


def test_every_limit_stops_some_trial_and_is_told(limited: Study) -> None:
    trials = trials_of(limited)
    kinds = {t.outcome.kind for t in trials if t.outcome.status is Status.PRUNED}
    assert kinds == EARLY_STOPS
    with Ledger.open(limited.folder) as ledger:
        limits = ledger.get("identity_base")["early_stop"]
    assert limits == {**EARLY, "min_trades": 12}
    for trial in trials:
        if trial.outcome.kind is Kind.MAX_DRAWDOWN:
            assert trial.partial["max_drawdown_pct"] > 4.5
        if trial.outcome.kind is Kind.TOO_FEW_BY_MIDPOINT:
            assert trial.partial["total_trades"] < 12
    table = limited.trials()
    row = next(row for row in table.to_pylist() if row["status"] == "PRUNED")
    assert json.loads(row["partial"])["total_trades"] >= 0
    assert row["intermediate"] is None


def test_stopped_trials_replay(pruned: Study, limited: Study) -> None:
    for study in (pruned, limited):
        for kind in {t.outcome.kind for t in trials_of(study)}:
            trial = next(t for t in trials_of(study) if t.outcome.kind is kind)
            found = study.replay(trial.number)
            assert found.exit_code == 0, found.lines()


def test_a_changed_record_of_a_stopped_trial_does_not_replay(limited: Study) -> None:
    from dataclasses import replace

    trial = next(t for t in trials_of(limited) if t.outcome.status is Status.PRUNED)
    recorded = of_study(limited.folder, trial.number)
    assert replay(recorded).exit_code == 0
    other = replay(replace(recorded, digests={**recorded.digests, "daily": "0" * 64}))
    assert other.exit_code == 1
    later = replay(replace(recorded, stopped="drawdown above 4.5 % on the bar 2020-01-02T00:00:00Z"))
    assert later.exit_code == 1
    assert any("stopped" in line for line in later.lines())


def test_extending_keeps_whole_batches_and_the_ledger(pruned: Study, tmp_path: Path) -> None:
    search = {"trials": 9, "pruner": {**HALVING, "type": "hyperband"}}
    short = run(tmp_path, search=search)
    assert short.status().done == 16
    longer = Study.extend(short.folder, 30)
    assert longer.status().requested == 48
    assert longer.digest == pruned.digest


def test_two_workers_write_the_same(pruned: Study, limited: Study, tmp_path: Path) -> None:
    search = {"trials": 45, "pruner": {**HALVING, "type": "hyperband"}}
    two = run(tmp_path / "a", search=search, compute={"workers": 2})
    assert two.digest == pruned.digest
    two = run(
        tmp_path / "b",
        search={"early_stop": EARLY},
        constraints=["total_trades >= 12"],
        compute={"workers": 2},
    )
    assert two.digest == limited.digest


@pytest.mark.parametrize(
    "override", ["search.pruner=none", "search.pruner.eta=4", "search.early_stop.ruin_pct=5"]
)
def test_another_pruner_or_limit_is_another_study(pruned: Study, override: str) -> None:
    problem = refused(pruned.folder, [override])
    assert problem.code == 1012
    assert "pruner" in str(problem) or "early_stop" in str(problem)


def test_a_dry_run_counts_in_backtests_of_the_whole_window(tmp_path: Path) -> None:
    search = {"trials": 640, "batch_size": 64, "pruner": "halving"}
    found = Study.dry_run(config(search=search), home=tmp_path)
    assert found.full_runs == pytest.approx(10 * (64 / 9 + 22 / 3 + 8))
    assert Study.dry_run(config(), home=tmp_path).full_runs == 40
    assert any("pruner halving" in note for note in found.notes)


def test_levels_are_parts_of_the_window_by_bars() -> None:
    market = Market.synthetic(symbol="EURUSD", timeframe="M5", bars=1003, seed=1)
    labels = market.to_table()["timestamp"].cast(pa.int64()).to_numpy()
    until = market.meta["trade_until"]
    tail = levels_of([market], "tail", 42)
    assert [sum(labels >= tail[k][0][0]) for k in (0, 1)] == [112, 335]  # 1003/9 and 1003/3, rounded up
    assert all(tail[k][0][1] == until for k in (0, 1))
    parts = levels_of([market], "segments", 42)
    # The drawn order is 5, 4, 6, 8, 0, 3, 2, 1, 7; each has 111 bars, the last one also the remaining 4.
    bounds = [int(labels[111 * k]) for k in range(9)] + [until]
    assert list(parts[0]) == [(bounds[5], bounds[6])]
    assert list(parts[1]) == [(bounds[k], bounds[k + 1]) for k in (4, 5, 6)]
    assert levels_of([market], "segments", 43) != parts
    few = Market.synthetic(symbol="EURUSD", timeframe="M5", bars=8, seed=1)
    with pytest.raises(SweepError, match="1003"):
        levels_of([few], "tail", 42)


def test_a_pruner_needs_one_objective(tmp_path: Path) -> None:
    goals = [
        {"metric": "cagr_pct", "direction": "maximize"},
        {"metric": "max_drawdown_pct", "direction": "minimize"},
    ]
    with pytest.raises(SweepError) as problem:
        run(tmp_path, search={"pruner": "halving"}, objective=goals)
    assert problem.value.code == 1006


@pytest.mark.parametrize("resource", ["tail", "segments"])
def test_both_engines_agree_at_every_level(resource: Any) -> None:
    rng = np.random.default_rng(3)
    for seed in range(3):
        markets = [
            Market.synthetic(symbol=symbol, timeframe="M5", bars=1500, seed=seed)
            for symbol in ["EURUSD", "GBPUSD"][: 1 + seed % 2]
        ]
        levels = levels_of(markets, resource, seed)
        options: dict[str, Any] = {"execution": ["realistic", "reference"][seed % 2]}
        if seed == 2:
            options["early_stop"] = {
                "max_drawdown_pct": 2.0,
                "min_trades_by_midpoint": 1.0,
                "min_trades": 1000,
            }
        periods = {"fast_period": int(rng.integers(3, 9)), "slow_period": int(rng.integers(20, 60))}
        name, params = [
            ("ma_cross", {**periods, "be_r": 1}),
            ("rsi_reversal_limit", {}),
            ("donchian_breakout", {}),
        ][seed]
        native = Engine(markets, name, levels=levels, **options)
        twin = Engine(markets, name, levels=levels, backend="python", **options)
        for level in (0, 1):
            ours, theirs = native.run(params, level=level), twin.run(params, level=level)
            assert ours.digests == theirs.digests
            assert ours.summary == theirs.summary
            assert ours.stopped == theirs.stopped
            assert ours.rejections == theirs.rejections
            assert ours.blocked_bars == theirs.blocked_bars
            assert ours.equity.equals(theirs.equity)


def test_a_level_is_its_parts_together() -> None:
    """Trades of the parts, run as windows of their own, are those of the level; so are daily returns and profit."""
    market = Market.synthetic(symbol="EURUSD", timeframe="M5", bars=3000, seed=7)
    levels = levels_of([market], "segments", 42)
    params = {"fast_period": 5, "slow_period": 40}
    whole = Engine(market, "ma_cross", levels=levels).run(params, level=1)
    parts = [Engine(market, "ma_cross", levels={0: [part]}).run(params, level=0) for part in levels[1]]
    assert whole.metrics["total_trades"] == sum(part.metrics["total_trades"] or 0 for part in parts)
    profit = sum(part.metrics["net_profit"] or 0 for part in parts)
    assert whole.metrics["net_profit"] == pytest.approx(profit)
    assert whole.metrics["max_drawdown"] == max(part.metrics["max_drawdown"] or 0 for part in parts)
    columns = ["entry_time", "exit_time", "result", "r_multiple"]
    pooled = pa.concat_tables([part.trades.select(columns) for part in parts])
    assert whole.trades.select(columns).equals(pooled)
    ids = whole.trades["position_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    inside = [
        any(start <= entry < end for start, end in levels[1])
        for entry in whole.trades["entry_time"].cast(pa.int64()).to_pylist()
    ]
    assert all(inside)
    r = np.array(whole.trades["r_multiple"].to_pylist())
    assert whole.metrics["t_stat_r"] == pytest.approx(r.mean() / r.std(ddof=1) * len(r) ** 0.5)
