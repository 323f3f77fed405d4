"""The twins of the shipped strategies: golden signals on dataset G, purity, position rules."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.reference.context import Context, Frame, Indicators
from sweep.reference.engine import run, signals
from sweep.reference.market import ReferenceMarket, SymbolSpec
from sweep.reference.registry import twin
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import ReferenceStrategy, Rules
from tests.reference.support import market_of, market_of_golden
from tests.vectors.golden_g import golden_g
from tests.vectors.strategies import (
    GOLDEN_SIGNALS,
    MA_CROSS,
    MEAN_REVERSION,
    GoldenSignals,
    ma_cross,
    mean_reversion,
)


@pytest.mark.parametrize(
    ("golden", "digits"),
    [(g, None) for g in GOLDEN_SIGNALS] + [(g, 5) for g in MEAN_REVERSION],
    ids=lambda g: f"{g.strategy}: {g.name}" if isinstance(g, GoldenSignals) else str(g),
)
def test_a_golden_signal_table(golden: GoldenSignals, digits: int | None) -> None:
    rows = signals(market_of_golden(), twin(golden.strategy), {**golden.params, "round_digits": digits})
    sides = [row["direction"] for row in rows]
    assert (sides.count("long"), sides.count("short")) == (golden.long, golden.short)
    for name, expected in (
        ("entry", golden.entry),
        ("stop_loss", golden.stop),
        ("take_profit", golden.target),
    ):
        assert sum(row[name] or 0.0 for row in rows) == pytest.approx(expected, abs=6e-6)
    exact = golden.strategy == "mean_reversion_z_score"
    for row, (bar, name, entry, stop, target) in zip(rows, golden.first, strict=False):
        assert (row["bar_index"], row["tag"] or row["direction"]) == (bar, name)
        assert row["entry"] == pytest.approx(entry, abs=6e-9 if exact else 6e-6)
        assert (row["stop_loss"], row["take_profit"]) == (stop, target)


def prepared(market: ReferenceMarket, strategy: ReferenceStrategy, params: dict[str, Any]) -> Frame:
    frame = Frame(market, SymbolSpec.of(market.spec), params)
    strategy.prepare(frame.view, Indicators(market), params)
    return frame


def test_the_scenario_2_snapshot() -> None:
    """Values at bars 59 and 80, and the two signals that follow from them."""
    strategy: Any = twin("mean_reversion_z_score")
    frame = prepared(market_of_golden(), strategy, mean_reversion(scenario=2))
    at = Context(frame, 59)
    assert (at.bid().close, at.ask().close, at.bid().high) == pytest.approx(
        (1.1008773661, 1.1010011746, 1.1012660294)
    )
    seen = [at.value(s) for s in (strategy.z_kalman, strategy.upper, strategy.mid, strategy.atr_bid)]
    assert seen == pytest.approx([1.31026506, 1.10012412, 1.09832852, 0.00146777853], rel=1e-8)
    at = Context(frame, 80)
    seen = [at.value(s) for s in (strategy.z_kalman, strategy.lower, strategy.mid, strategy.atr_bid)]
    assert seen == pytest.approx([-1.76606269, 1.10078310, 1.10209498, 0.00149456513], rel=1e-8)
    (signal,) = strategy.evaluate(at)
    assert (signal.tag, signal.stop_loss, signal.take_profit) == ("long_2", 1.09719, 1.10209)


@pytest.mark.parametrize("golden", GOLDEN_SIGNALS, ids=lambda g: f"{g.strategy}: {g.name}")
def test_signals_do_not_depend_on_what_was_asked_before(golden: GoldenSignals) -> None:
    market, strategy = market_of_golden(), twin(golden.strategy)
    frame = prepared(market, strategy, dict(golden.params))
    bars = list(range(strategy.warmup(golden.params), 600))
    everywhere = {i: list(strategy.evaluate(Context(frame, i))) for i in bars}
    shuffled = np.random.default_rng(1).permutation(bars)[:200].tolist()
    assert {i: list(strategy.evaluate(Context(frame, i))) for i in shuffled} == {
        i: everywhere[i] for i in shuffled
    }


@pytest.mark.parametrize("golden", GOLDEN_SIGNALS, ids=lambda g: f"{g.strategy}: {g.name}")
def test_signals_do_not_see_the_future(golden: GoldenSignals) -> None:
    whole = signals(market_of_golden(), twin(golden.strategy), golden.params)
    cut = signals(market_of_golden(golden_g(431)), twin(golden.strategy), golden.params)
    assert cut == [row for row in whole if row["bar_index"] < 431]


@pytest.mark.parametrize("direction", ["long", "short"])
@pytest.mark.parametrize(
    ("strategy", "params"), [("ma_cross", ma_cross()), ("mean_reversion_z_score", mean_reversion(scenario=2))]
)
def test_a_direction_filter_leaves_the_other_direction(
    strategy: str, params: dict[str, Any], direction: str
) -> None:
    both = signals(market_of_golden(), twin(strategy), params)
    one = signals(market_of_golden(), twin(strategy), {**params, "direction_filter": direction})
    assert one == [row for row in both if row["direction"] == direction]


def test_scenarios_are_tried_in_order_and_the_first_hit_wins() -> None:
    rows = signals(
        market_of_golden(), twin("mean_reversion_z_score"), mean_reversion(enabled_scenarios="1+2+3")
    )
    bars = [row["bar_index"] for row in rows]
    assert len(bars) == len(set(bars))
    alone = {
        k: signals(market_of_golden(), twin("mean_reversion_z_score"), mean_reversion(scenario=k))
        for k in (1, 2)
    }
    first = {row["bar_index"]: row for row in alone[1]}
    later = {row["bar_index"]: row for row in alone[2]}
    for row in rows:
        wanted = first.get(row["bar_index"]) or later[row["bar_index"]]
        assert row == wanted


def test_scenario_3_is_hidden_by_scenario_2() -> None:
    rows = signals(
        market_of_golden(), twin("mean_reversion_z_score"), mean_reversion(enabled_scenarios="2+3")
    )
    assert {row["tag"] for row in rows} == {"long_2", "short_2"}


def test_no_target_if_tp_r_is_zero() -> None:
    rows = signals(market_of_golden(), twin("ma_cross"), ma_cross(tp_r=0.0))
    assert {row["take_profit"] for row in rows} == {None}
    assert len(rows) == 20


@pytest.mark.parametrize("preset", ["realistic", "reference"])
@pytest.mark.parametrize("golden", [*MEAN_REVERSION, *MA_CROSS], ids=lambda g: f"{g.strategy}: {g.name}")
def test_a_signal_table_gives_the_trades_of_its_strategy(golden: GoldenSignals, preset: str) -> None:
    """Raw signals played back as a table: same digests, if the strategy itself closes nothing."""
    if golden.strategy == "ma_cross":
        golden = replace(golden, params={**golden.params, "exit_on_cross": False, "reverse": False})
    market, strategy = market_of_golden(), twin(golden.strategy)
    options = {"execution": preset, "costs": {"slippage": {"fixed_pips": 0.2, "random_pips": 0.3}}}
    native = run(market, options, strategy, golden.params)
    rules = strategy.prepare(
        Frame(market, SymbolSpec.of(market.spec), golden.params).view, Indicators(market), golden.params
    )
    rows = [
        {k: v for k, v in row.items() if k not in ("valid_bars", "good_till", "oco_group")}
        for row in signals(market, strategy, golden.params)
    ]
    table = run(market, options, SignalTable(rows, (), rules), {})
    assert native.trades or not golden.long
    assert table.digests["trades"] == native.digests["trades"]
    assert table.digests["equity"] == native.digests["equity"]


def test_the_time_stop_of_mean_reversion() -> None:
    params = mean_reversion(scenario=2, max_holding_minutes=45)
    result = run(market_of_golden(), {}, twin("mean_reversion_z_score"), params)
    timeouts = [t for t in result.trades if t["reason"] == "timeout"]
    assert timeouts
    assert {t["exit_time"] - t["entry_time"] for t in timeouts} == {45 * 60_000_000}
    off = run(
        market_of_golden(), {}, twin("mean_reversion_z_score"), {**params, "use_position_manager": False}
    )
    assert not [t for t in off.trades if t["reason"] == "timeout"]


def test_reverse_enters_at_the_decision_that_closes() -> None:
    """With reverse the opposite entry follows the close at once; without it that bar opens none."""
    params = ma_cross(tp_r=0.0, sl_atr=50.0)
    market = market_of_golden()
    on = run(market, {}, twin("ma_cross"), params).trades
    assert [t["reason"] for t in on[:-1]] == ["signal"] * (len(on) - 1)
    for earlier, later in pairwise(on):
        assert later["entry_time"] == earlier["exit_time"]
        assert later["direction"] != earlier["direction"]
    off = run(market, {}, twin("ma_cross"), {**params, "reverse": False})
    assert len(off.trades) == len(on) // 2
    under_reference = run(market, {"execution": "reference"}, twin("ma_cross"), params)
    assert len(under_reference.trades) == len(off.trades), "reentry_on_exit_bar is false there"


def test_max_holding_bars_of_ma_cross() -> None:
    params = ma_cross(tp_r=0.0, sl_atr=50.0, max_holding_bars=5, exit_on_cross=False, reverse=False)
    result = run(market_of_golden(), {}, twin("ma_cross"), params)
    timeouts = [t for t in result.trades if t["reason"] == "timeout"]
    assert len(timeouts) >= len(result.trades) - 1 > 0, "all but one that the end of data closed"
    assert {t["exit_time"] - t["entry_time"] for t in timeouts} == {5 * 900_000_000}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), confirm=st.integers(0, 3))
def test_reflected_prices_mirror_the_signals(seed: int, confirm: int) -> None:
    """Without a spread, prices reflected about a tick turn longs into shorts at the same bars."""
    rng = np.random.default_rng(seed)
    close = np.cumsum(rng.integers(-8, 9, 300)) + 110_000
    high, low = close + rng.integers(0, 9, 300), close - rng.integers(0, 9, 300)
    opens = np.clip(np.concatenate([[close[0]], close[:-1]]), low, high)

    def market(sign: int) -> ReferenceMarket:
        def ticks(x: np.ndarray) -> list[float]:
            return [t / 100_000 for t in (x if sign > 0 else 220_000 - x).tolist()]

        side = {"open": ticks(opens), "high": ticks(high), "low": ticks(low), "close": ticks(close)}
        if sign < 0:
            side["high"], side["low"] = side["low"], side["high"]
        return market_of([60_000_000 * k for k in range(300)], side, side)

    params = ma_cross(fast_period=5, slow_period=20, ma_type="sma", confirm_bars=confirm, tp_r=0.0)
    plain, mirrored = (signals(market(sign), twin("ma_cross"), params) for sign in (1, -1))
    flip = {"long": "short", "short": "long"}
    sides = [(row["bar_index"], flip[row["direction"]]) for row in plain]
    assert sides == [(row["bar_index"], row["direction"]) for row in mirrored]


def test_without_a_checkout_a_twin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SweepError, match="checkout") as caught:
        twin("no_such_strategy")
    assert caught.value.code == 4001
    for name in [n for n in sys.modules if n.split(".")[0] == "strategies"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(SweepError) as caught:
        twin("ma_cross")
    assert caught.value.code == 4001


def test_rules_are_off_by_default() -> None:
    assert Rules() == Rules(timeout_minutes=None, timeout_bars=None, same_bar_reentry=True)
    assert MA_CROSS[0].params["max_holding_bars"] == 0
