"""What a user sees of searches that find nothing, fail in part, fail for the most part, or run out of space."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sweep.study import Study
from tests.cli.support import Outcome, Sweep

STRATEGY = '''
import numpy as np
import sweep


@sweep.signals(
    parameters=[
        sweep.Param("fast", int, 20, low=5, high=60, least=1, doc="period of the fast EMA"),
        sweep.Param("slow", int, 90, low=70, high=250, step=5, least=1, doc="period of the slow EMA"),
    ],
    constraints=["fast < slow"],
)
def crossing(market, ind, params):
    """Buys and sells at crosses of two averages."""
    {guard}
    delta = ind("ema", period=params["fast"]) - ind("ema", period=params["slow"])
    bar = np.flatnonzero((delta[1:] > 0) != (delta[:-1] > 0)) + 1
    bar = bar[bar >= params["slow"]]
    side = np.where(delta[bar] > 0, 1, -1)
    price = np.where(side > 0, market.ask.close[bar], market.bid.close[bar])
    entries = {{"bar_index": bar, "direction": side, "stop_loss": market.round(price - side * 0.005)}}
    exits = {{"bar_index": bar, "direction": -side, "action": np.full(len(bar), "close")}}
    return entries, exits
'''
RAISES = 'if params["fast"] % 10 == 0: raise ValueError(f"cannot use {params[\'fast\']}")'
CONFIG = """\
market: {{synthetic: {{bars: 6000, seed: 7}}}}
strategy: {{signals: {file}:crossing}}
search: {{sampler: {sampler}, trials: 96, batch_size: 16, others: default, n_startup: 16,
         space: {{fast: {{low: 5, high: 60}}, slow: {{low: 70, high: 250, step: 5}}}}}}
min_trades: 3
compute: {{backend: local, workers: 1}}
tracking: {{mlflow: null}}
"""


@pytest.fixture
def strategies(home: Path) -> Path:
    """A folder with a strategy that raises on a tenth of its sets, and its twin that never does."""
    (home / "raising.py").write_text(STRATEGY.format(guard=RAISES))
    (home / "calm.py").write_text(STRATEGY.format(guard="pass"))
    return home


def write(home: Path, name: str, *, sampler: str = "random", file: str = "raising.py") -> Path:
    path = home / f"{name}.yaml"
    path.write_text(CONFIG.format(sampler=sampler, file=file))
    return path


def rows(home: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Study.open(name, home=home).trials().to_pylist()
    return found


def searched(sweep: Sweep, config: Path, sampler: str, space: str, trials: int) -> Outcome:
    """`sweep run` over a space of two parameters, the others at their defaults."""
    changes = (f"search.sampler={sampler}", space, "search.others=default", f"search.trials={trials}")
    return sweep("run", config, *changes)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "cmaes"])
def test_where_nothing_trades_there_is_no_winner(
    sampler: str, sweep: Sweep, config: Path, home: Path
) -> None:
    """Periods longer than the market."""
    space = "search.space={fast_period: {low: 2900, high: 2960}, slow_period: [2990, 2995, 2998]}"
    ended = searched(sweep, config, sampler, space, 40)
    assert ended.code == 0
    assert "\nno feasible trial\n" in ended.out
    assert "FAILED/NO_TRADES" in ended.out
    assert "t_stat_r" not in ended.out
    state = json.loads(sweep("status", "small", "--json").out)
    assert (state["best"], state["counts"]) == ([], {"FAILED/NO_TRADES": 40})
    assert Study.open("small", home=home).best is None
    assert {row["obj0"] for row in rows(home, "small")} == {None}


def test_the_better_of_losing_sets_wins_over_one_that_does_not_trade(
    sweep: Sweep, config: Path, home: Path
) -> None:
    """Costs that every trade loses by; some sets never trade."""
    words = [
        "costs.spread_multiplier=300",
        "search.trials=60",
        "search.others=default",
        "search.batch_size=20",
    ]
    space = "search.space={fast_period: [5, 10, 2500], slow_period: {low: 20, high: 2900, step: 20}}"
    assert sweep("run", config, *words, space).code == 0
    found = rows(home, "small")
    kinds = Counter(row["kind"] for row in found)
    assert kinds["NO_TRADES"] > 0
    traded = [row["obj0"] for row in found if row["obj0"] is not None]
    assert max(traded) < 0
    best = Study.open("small", home=home).best
    assert best is not None
    assert best.outcome.objectives == (max(row["obj0"] for row in found if row["feasible"]),)


def test_sets_on_which_a_strategy_raises_fail_alone(sweep: Sweep, strategies: Path) -> None:
    assert sweep("run", write(strategies, "raising")).code == 0
    assert sweep("run", write(strategies, "calm", file="calm.py")).code == 0
    failed, kept = 0, 0
    for row, calm in zip(rows(strategies, "raising"), rows(strategies, "calm"), strict=True):
        assert row["params.fast"] == calm["params.fast"]
        if row["params.fast"] % 10 == 0:
            failed += 1
            assert (row["status"], row["kind"], row["obj0"]) == ("FAILED", "ENGINE_ERROR", None)
            assert f"ValueError: cannot use {row['params.fast']}" in row["reason"]
        else:
            kept += 1
            assert (row["status"], row["kind"]) == (calm["status"], calm["kind"])
            assert (row["obj0"], row["trades_digest"]) == (calm["obj0"], calm["trades_digest"])
    assert 0 < failed < 20 < kept
    shown = json.loads(sweep("show", "raising", "--failed", "--json").out)
    assert sum(row["kind"] == "ENGINE_ERROR" for row in shown) == failed


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "cmaes"])
def test_learning_goes_on_beside_failures(sampler: str, sweep: Sweep, strategies: Path) -> None:
    ended = sweep("run", write(strategies, "raising", sampler=sampler))
    assert ended.code == 0
    found = rows(strategies, "raising")
    assert len(found) == 96
    raised = [row["params.fast"] % 10 == 0 for row in found]
    assert raised == [row["kind"] == "ENGINE_ERROR" for row in found]


def test_too_many_failures_of_a_kind_end_the_study(sweep: Sweep, strategies: Path) -> None:
    """Five of six values of `fast` raise, in the first two batches; it ends in one line that names the cause."""
    config = write(strategies, "most")
    space = "search.space={fast: [10, 20, 30, 40, 50, 25], slow: {low: 70, high: 250, step: 1}}"
    ended = sweep("run", config, space, "search.trials=200")
    assert ended.code == 4
    problem = [line for line in ended.err.splitlines() if line.startswith("[2000]")]
    assert len(problem) == 1
    assert "of the first 32 trials ended in ENGINE_ERROR" in problem[0]
    assert "cannot use" in problem[0]
    assert "`sweep show most --failed`" in problem[0]
    assert "Traceback" not in ended.err
    done = rows(strategies, "most")
    assert 32 <= len(done) < 200
    state = json.loads(sweep("status", "most", "--json").out)
    assert (state["status"], state["reason"]) == ("FAILED", "failures")

    assert (
        sweep("run", config, space, "study=all", "search.trials=64", "search.max_failure_share=1").code == 0
    )
    assert len(rows(strategies, "all")) == 64


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe", "optuna_tpe", "nsga2", "cmaes"])
def test_an_exhausted_space_ends_early_and_says_so(
    sampler: str, sweep: Sweep, config: Path, home: Path
) -> None:
    space = "search.space={fast_period: [5, 6, 7, 8], slow_period: [70, 80, 90]}"
    ended = searched(sweep, config, sampler, space, 64)
    assert ended.code == 0
    assert "study small: EXHAUSTED" in ended.out
    assert "trials: 12 of 64" in ended.out
    assert "every valid parameter set has been run" in ended.out
    assert len({(row["params.fast_period"], row["params.slow_period"]) for row in rows(home, "small")}) == 12


def test_what_a_strategy_says_does_not_steer_the_terminal(
    sweep: Sweep, strategies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message turns the text red, rings, deletes, and clears the screen by an 8-bit command."""
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)  # as on a terminal
    steering = 'raise ValueError("on\\x1b[31mred\\x07\\x7f\\x9b2J")'
    (strategies / "always.py").write_text(STRATEGY.format(guard=steering))
    (strategies / "raising.py").write_text(STRATEGY.format(guard=f'if params["fast"] % 10 == 0: {steering}'))
    ended = sweep("run", write(strategies, "always", file="always.py"), "--debug")
    assert ended.code == 4
    assert sweep("run", write(strategies, "some")).code == 0
    told = sweep("show", "some", "--failed", "--json")
    number = next(row["number"] for row in json.loads(told.out) if row["kind"] == "ENGINE_ERROR")
    reason = Study.open("some", home=strategies).trial(number).outcome.reason or ""
    failed, shown = sweep("show", "some", "--failed"), sweep("show", "some", str(number))
    for text in (ended.err, failed.out, shown.out):
        # A cell of a table may be folded in the middle.
        assert r"on\x1b[31mred\x07\x7f\x9b2J" in "".join(text.split())
    for printed in (ended, failed, shown, told):
        assert not re.search(r"[^\t\n -~\xa0-\U0010ffff]", printed.out + printed.err)
    assert "on\x1b[31mred\x07\x7f\x9b2J" in reason
    assert reason in [row["reason"] for row in json.loads(told.out)], "a machine gets the text itself"
