"""What the rules of every strategy keep: no look-ahead, mirror symmetry, the traces of break-even and trailing stops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sweep import Engine, Market, _core
from tests.engine.support import bars_table
from tests.vectors.golden_g import Golden, golden_g
from tests.vectors.strategies import GOLDEN_SIGNALS, OVERLAY_H1, mean_reversion

LEFT_OPEN = {"preset": "realistic", "end_of_data": "leave_open"}
OVERLAY = {"scenario": 6, "scenario6_timeframes": "H1+H4", "scenario6_mode": "any"}
MANAGED = [
    mean_reversion(scenario=1, z_exit=0.0, max_holding_minutes=0),
    mean_reversion(scenario=4, z_score_long=-0.3, z_score_short=0.3, z_exit=-0.2),
    mean_reversion(**OVERLAY, scenario6_params={"H1": OVERLAY_H1}, tp_mode="dynamic", trail_atr=2.0),
]
CASES = [(g.strategy, dict(g.params)) for g in GOLDEN_SIGNALS] + [
    ("mean_reversion_z_score", params) for params in MANAGED
]
CASES += [
    ("donchian_breakout", {}),
    ("donchian_breakout", {"trend_ema": 50, "order_valid_bars": 3, "tp_r": 2}),
]
"""Every strategy, scenario and filter, and what manages its positions."""
IDS = [f"{g.strategy}: {g.name}" for g in GOLDEN_SIGNALS] + ["z_exit", "garch z_exit", "overlay, dynamic"]
IDS += ["donchian_breakout", "donchian_breakout: with the trend"]

CUTS = [416, 417, 419, 420, 421, 431, 432, 433]
"""G is M15 from midnight on: an H4 bar ends with bar 415 and with 431, an H1 bar with 419 besides."""


def market_of(g: Golden) -> Market:
    labels = g.label.tolist()
    return Market.from_arrow(
        bars_table(labels, g.bid), bars_table(labels, g.ask), symbol="EURUSD", timeframe="M15"
    )


def poisoned(at: int) -> Market:
    """G with everything from bar `at` on far away and wild."""
    g = golden_g()
    rng = np.random.default_rng(at)
    n = len(g.label) - at
    close = 1.6 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n)))
    opened = np.r_[close[0], close[:-1]]
    wild = {"open": opened, "high": np.maximum(opened, close) * 1.01, "low": np.minimum(opened, close) * 0.99}
    wild |= {"close": close, "volume": np.ones(n)}
    sides = []
    for side, shift in ((g.bid, 0.0), (g.ask, 5e-4)):
        columns = {
            name: np.r_[np.asarray(side[name][:at], dtype=float), values + (shift if name != "volume" else 0)]
            for name, values in wild.items()
        }
        sides.append(bars_table(g.label.tolist(), columns))
    return Market.from_arrow(*sides, symbol="EURUSD", timeframe="M15")


def rows_before(table: pa.Table, at: int) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if row["bar_index"] < at]


def test_cuts_lie_around_the_ends_of_higher_bars() -> None:
    start = golden_g().label[0] // 60_000_000
    ends = {minutes: [c for c in CUTS if (start + 15 * c) % minutes == 0] for minutes in (60, 240)}
    assert ends == {60: [416, 420, 432], 240: [416, 432]}


@pytest.mark.parametrize(("strategy", "params"), CASES, ids=IDS)
def test_signals_do_not_see_the_future(strategy: str, params: dict[str, Any]) -> None:
    """Deleted or poisoned data after a bar change nothing up to it, across the ends of higher bars as well."""
    whole = Engine(market_of(golden_g()), strategy).signals(params)
    for at in CUTS:
        expected = rows_before(whole, at)
        assert Engine(market_of(golden_g(at)), strategy).signals(params).to_pylist() == expected
        assert rows_before(Engine(poisoned(at), strategy).signals(params), at) == expected


@pytest.mark.parametrize("preset", ["realistic", "reference"])
@pytest.mark.parametrize(("strategy", "params"), CASES, ids=IDS)
def test_positions_are_not_managed_with_the_future(
    strategy: str, params: dict[str, Any], preset: str
) -> None:
    """What was closed by a bar stays closed as it was if the data end there."""
    execution = {**LEFT_OPEN, "preset": preset}
    label = golden_g().label

    def closed(bars: int, before: int) -> list[dict[str, Any]]:
        result = Engine(market_of(golden_g(bars)), strategy, execution=execution).run(params)
        exits = result.trades["exit_time"].cast(pa.int64()).to_pylist()
        rows = zip(exits, result.trades.to_pylist(), strict=True)
        return [row for exit_time, row in rows if exit_time <= label[before]]

    for at in CUTS:
        # A decision at the last bar fills at the open of the next one, which the cut data do not have.
        assert closed(at, at - 1) == closed(600, at - 1)


@pytest.mark.parametrize(("strategy", "params"), CASES[-5:], ids=IDS[-5:])
def test_the_twins_signals_do_not_see_the_future(strategy: str, params: dict[str, Any]) -> None:
    """Those that `tests/reference` does not ask."""
    whole = Engine(market_of(golden_g()), strategy, backend="python").signals(params)
    for at in (416, 420):
        cut = Engine(market_of(golden_g(at)), strategy, backend="python").signals(params)
        assert cut.to_pylist() == rows_before(whole, at)


TICK = 100_000
BARS = 1_500
SYMMETRIC: list[tuple[str, dict[str, Any]]] = [
    ("ma_cross", {"fast_period": 5, "slow_period": 20, "ma_type": "sma"}),
    ("ma_cross", {"fast_period": 4, "slow_period": 30, "ma_type": "ema", "confirm_bars": 1}),
    ("donchian_breakout", {"entry_lookback": 20, "exit_lookback": 7}),
    ("rsi_reversal_limit", {"rsi_period": 7, "mean_period": 21, "min_rr": 0.4567}),
    ("rsi_reversal_limit", {"rsi_period": 9, "tp_mode": "r", "rsi_seed": "first"}),
    ("mtf_trend_pullback", {"htf": "H1", "htf_ema": 8, "ltf_ema": 10}),
    *(
        ("mean_reversion_z_score", {"scenario": k, "z_score_long": -1.2, "z_score_short": 1.2, **extra})
        for k, extra in (
            (1, {}),
            (2, {"kalman_r": 0.5, "kalman_q": 0.1}),
            (3, {"kalman_r": 0.5, "kalman_q": 0.1}),
            (5, {"kalman_r": 0.5, "kalman_q": 0.1, "intraday_vol_feature": "atr_points"}),
            (
                6,
                {
                    "kalman_r": 0.5,
                    "kalman_q": 0.1,
                    "scenario6_timeframes": "M15+H1",
                    "scenario6_params": {"M15": OVERLAY_H1, "H1": {**OVERLAY_H1, "window_length": 9}},
                },
            ),
        )
    ),
]


def walk(seed: int, mirrored: bool) -> Market:
    """Whole ticks without a spread, reflected about 1.1 if `mirrored`."""
    rng = np.random.default_rng(seed)
    close = 11 * TICK // 10 + np.cumsum(rng.integers(-30, 31, BARS) - np.sign(rng.normal(size=BARS)))
    close = close.astype(np.int64)
    opened = np.r_[close[0], close[:-1]]
    high = np.maximum(opened, close) + rng.integers(0, 15, BARS)
    low = np.minimum(opened, close) - rng.integers(0, 15, BARS)
    low -= (
        high + low + np.arange(BARS)
    ) % 2  # no bar moves up as far as it moves down: exact ties have no mirror
    if mirrored:
        opened, high, low, close = (22 * TICK // 10 - x for x in (opened, low, high, close))
    columns = {"open": opened, "high": high, "low": low, "close": close}
    side = {name: ticks / TICK for name, ticks in columns.items()} | {"volume": np.ones(BARS)}
    labels = (1_704_067_200_000_000 + 300_000_000 * np.arange(BARS)).tolist()
    return Market.from_arrow(
        bars_table(labels, side), bars_table(labels, side), symbol="EURUSD", timeframe="M5"
    )


def mirrored_signals(
    strategy: str, params: dict[str, Any], seed: int, backend: Any
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The signals of a walk beside those of its reflection."""
    plain, mirror = (
        Engine(walk(seed, mirrored), strategy, backend=backend).signals(params).to_pylist()
        for mirrored in (False, True)
    )
    # Both orders of a bar, if a strategy gives two, come longs first.
    mirror.sort(key=lambda row: (row["bar_index"], row["direction"] == "long"))
    assert [row["bar_index"] for row in plain] == [row["bar_index"] for row in mirror]
    yield from zip(plain, mirror, strict=True)


@pytest.mark.parametrize("backend", ["rust", "python"])
@pytest.mark.parametrize(
    ("strategy", "params"), SYMMETRIC, ids=[f"{n}-{p.get('scenario', p)}" for n, p in SYMMETRIC]
)
def test_reflected_prices_mirror_the_signals(strategy: str, params: dict[str, Any], backend: str) -> None:
    """Longs become shorts at the same bars, and every level is reflected, to a tick where halves round away from zero."""
    count = 0
    for seed in range(6 if backend == "rust" else 2):
        for one, other in mirrored_signals(strategy, params, seed, backend):
            count += 1
            assert {one["direction"], other["direction"]} == {"long", "short"}
            for name in ("entry", "stop_loss", "take_profit"):
                assert (one[name] is None) == (other[name] is None)
                if one[name] is not None:
                    assert one[name] + other[name] == pytest.approx(2.2, abs=1.01 / TICK), name
    assert count >= 20


SHORT_STOPS = {
    79: 1.10306, 83: 1.10109169, 87: 1.10093177, 88: 1.10049366, 89: 1.10041651, 90: 1.10016394, 91: 1.09903864,
    92: 1.09892015, 93: 1.09885914, 94: 1.09841225, 95: 1.09768157, 96: 1.09765007, 97: 1.09756820, 98: 1.09734569,
    99: 1.09714232, 101: 1.09711381, 102: 1.09709588, 103: 1.09702050, 110: 1.09701128,
}  # fmt: skip
LONG_STOPS = {
    163: 1.09624, 171: 1.09920272, 174: 1.09982500, 175: 1.10001762, 176: 1.10020260, 177: 1.10065721, 178: 1.10159466,
    179: 1.10168390, 180: 1.10179694, 181: 1.10215274, 182: 1.10272330, 183: 1.10272457, 184: 1.10288572,
    185: 1.10295236, 186: 1.10311702, 188: 1.10313365, 193: 1.10317343,
}  # fmt: skip
TRACED = {"htf": "H1", "htf_ema": 20, "be_r": 1.0, "trail_atr": 3.0, "trail_start_r": 1.0}


@pytest.mark.parametrize("backend", ["rust", "python"])
@pytest.mark.parametrize("preset", ["realistic", "reference"])
@pytest.mark.parametrize(
    ("stops", "fill", "last"), [(SHORT_STOPS, 1.10109169, 111), (LONG_STOPS, 1.09920272, 198)]
)
def test_break_even_and_trailing_stops_are_those_of_the_worked_example(
    stops: dict[int, float], fill: float, last: int, preset: str, backend: str
) -> None:
    """The stop decided at each close, read from data that end a bar later, when it stands."""
    execution = {**LEFT_OPEN, "preset": preset}
    first = min(stops)
    if (preset, first) == ("reference", 163):
        fill = 1.09920304
        stops = {**stops, 171: fill}
    decided = stops[first]
    for i in range(first, last):
        market = market_of(golden_g(i + 2))
        result = Engine(market, "mtf_trend_pullback", backend=backend, execution=execution).run(TRACED)
        decided = stops.get(i, decided)
        if i < last - 1:
            (position,) = result.open_positions
            assert position["stop_loss"] == pytest.approx(decided, abs=6e-9), i
            assert position["entry_price"] == pytest.approx(fill, abs=6e-9)
    assert not result.open_positions
    closed = result.trades.to_pylist()[-1]
    assert (closed["reason"], closed["stop_loss"]) == ("trailing_stop_loss", pytest.approx(decided, abs=6e-9))


@pytest.mark.parametrize("backend", ["rust", "python"])
def test_the_golden_orders_of_donchian_breakout(backend: Any) -> None:
    """As if flat at every bar: a pair of stop orders at each, and which the very next bar reaches."""
    g = golden_g()
    rows = Engine(market_of(g), "donchian_breakout", backend=backend).signals({}).to_pylist()
    assert all(row["order_type"] == "stop" and row["valid_bars"] == 1 for row in rows)
    buys, sells = ([row for row in rows if row["direction"] == side] for side in ("long", "short"))
    assert [row["bar_index"] for row in buys] == [row["bar_index"] for row in sells] == [*range(20, 600)]
    assert [row["oco_group"] for row in buys] == [row["oco_group"] for row in sells]
    assert [(row["entry"], row["stop_loss"]) for row in buys[:2]] == [(1.10772, 1.10487), (1.10772, 1.10483)]
    assert [(row["entry"], row["stop_loss"]) for row in sells[:2]] == [(1.10182, 1.10467), (1.10203, 1.10492)]
    sums = [sum(row[name] for row in side) for side in (buys, sells) for name in ("entry", "stop_loss")]
    assert sums == pytest.approx([640.15332, 638.45528, 636.07162, 637.76966], abs=6e-6)
    reached = [
        [i for i in range(20, 599) if g.ask["high"][i + 1] >= buys[i - 20]["entry"]],
        [i for i in range(20, 599) if g.bid["low"][i + 1] <= sells[i - 20]["entry"]],
    ]
    assert [len(bars) for bars in reached] == [80, 88]
    assert [bars[:6] for bars in reached] == [[55, 58, 59, 62, 63, 66], [24, 27, 28, 30, 31, 34]]
    assert not set(reached[0]) & set(reached[1])


def test_every_strategy_is_asked() -> None:
    known = {entry["id"] for entry in json.loads(_core.strategies())} - {"faults"}
    assert {strategy for strategy, _ in CASES} == {strategy for strategy, _ in SYMMETRIC} == known
