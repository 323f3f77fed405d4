"""Metrics against worked values, on curves and trades made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sweep.reference.metrics import CATALOGUE, Inputs, compute
from sweep.reference.metrics.calendar import calendar_of, daily_series, periods_per_year, trading_day
from sweep.reference.position import Position

DAY = 86_400_000_000
MONDAY = 1_704_067_200_000_000
"""2024-01-01."""


def inputs(equity: Sequence[float], nets: Sequence[float] = (), **changes: Any) -> Inputs:
    """A business-day curve with one sample a day from a Monday on, and trades with these nets, 100 at risk each."""
    times = [MONDAY, *(MONDAY + k * DAY for k in range(len(equity) - 1))]
    end = changes.pop("end", times[-1] + DAY)
    base = Inputs.of_run(
        times=times,
        equity=equity,
        daily=equity[1:],
        end=end,
        periods_per_year=252.0,
        risk_free_annual=0.0,
        trades=[trade(net) for net in nets],
        exposed_bars=0,
        total_fees=0.0,
        total_lots=0.0,
        turnover=0.0,
        optimistic_gain=0.0,
        rejected=0,
    )
    return replace(base, **changes)


def trade(net: float) -> Position:
    position = Position(
        position_id=1, symbol="EURUSD", direction=1, order_time=MONDAY, entry_bar=0, filled_at_open=True,
        entry_time=MONDAY, entry_price=1.1, initial_stop_loss=1.099, initial_take_profit=None, size=1.0,
        risk_per_trade=100.0, entry_fee=0.0, scenario=None, tag=None, meta={},
    )  # fmt: skip
    position.result, position.r_multiple, position.money_at_risk = net, net / 100, 100.0
    position.exit_time = MONDAY + DAY
    return position


def test_the_worked_curve() -> None:
    x = inputs([1000, 1010, 990, 1005, 1020])
    metrics = compute(x)
    assert x.returns == pytest.approx([0.01, -0.019801980198, 0.015151515152, 0.014925373134], abs=1e-12)
    expected = {
        "sharpe_ratio": 4.80379921502476,
        "sortino_ratio": 8.126818245243658,
        "ulcer_index": 1.0205706994103119,
        "max_drawdown": 20.0,
        "max_drawdown_pct": 1.9801980198019802,
        "drawdown_duration": 3.0,
        "drawdown_duration_bars": 3.0,
        "recovery_factor": 1.0,
        "daily_return_skew": -1.0877885065082824,
        "daily_return_kurtosis": 2.2752815802943447,
    }
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert compute(replace(x, periods_per_year=365.0))["sharpe_ratio"] == pytest.approx(
        5.781373250207268, rel=1e-12
    )


def test_compound_growth_over_two_years() -> None:
    days = 730.5
    metrics = compute(inputs([1000, 1210], end=MONDAY + int(days * DAY)))
    assert metrics["cagr_pct"] == pytest.approx(10.0, rel=1e-12)
    assert metrics["calmar_ratio"] is None, "no drawdown"
    assert compute(inputs([1000, -1]))["cagr_pct"] is None


def test_the_worked_trades() -> None:
    metrics = compute(inputs([1000, 1075], [100, -50, 0, -25, -30, 80]))
    expected = {
        "profit_factor": 1.7142857142857142,
        "win_rate_pct": 33.333333333333336,
        "avg_win": 90.0,
        "avg_loss": -35.0,
        "payoff_ratio": 2.5714285714285716,
        "expectancy": 12.5,
        "longest_losing_streak": 2.0,
        "t_stat_r": 0.4904475577750567,
        "sqn": 0.4904475577750567,
        "total_trades": 6.0,
        "wins": 2.0,
        "losses": 3.0,
        "active_days": 2.0,
    }
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_trade_ratios_of_the_portfolio_example() -> None:
    metrics = compute(inputs([1000, 1050], [150, -150, 150]))
    assert metrics["sharpe_trade"] == pytest.approx(0.288675134595, abs=1e-12)
    assert metrics["sortino_trade"] == pytest.approx(0.577350269190, abs=1e-12)


def test_nothing_traded_is_undefined_and_not_zero() -> None:
    metrics = compute(inputs([1000, 1000, 1000]))
    assert (metrics["net_profit"], metrics["total_trades"], metrics["exposure_pct"]) == (0.0, 0.0, 0.0)
    undefined = (
        "sharpe_ratio",
        "profit_factor",
        "win_rate_pct",
        "expectancy",
        "calmar_ratio",
        "sortino_ratio",
    )
    assert [metrics[name] for name in undefined] == [None] * len(undefined)


def test_a_ruined_curve_has_no_infinite_metric() -> None:
    metrics = compute(inputs([1000, 0, 0, 10, -5]))
    assert metrics["sharpe_ratio"] is None
    assert metrics["max_drawdown_pct"] == 100.5


def test_the_catalogue_is_in_canonical_order() -> None:
    assert [m.name for m in CATALOGUE] == list(compute(inputs([1000, 1001])))
    assert len(CATALOGUE) == 43
    assert [m.name for m in CATALOGUE[:3]] == [
        "net_profit",
        "net_profit_pessimistic",
        "net_profit_optimistic",
    ]
    assert CATALOGUE[-1].name == "rejected_signals"


def test_the_longest_stretch_below_a_peak_starts_at_its_last_sample() -> None:
    metrics = compute(inputs([1000, 1010, 1010, 1000, 1010, 1005, 1000]))
    assert metrics["drawdown_duration_bars"] == 2.0
    assert compute(inputs([1000, 990, 980]))["drawdown_duration_bars"] == 2.0
    assert compute(inputs([1000, 1001]))["drawdown_duration"] == 0.0


def test_the_weekend_belongs_to_monday_in_a_business_day_market() -> None:
    friday, saturday, sunday, monday = (MONDAY + k * DAY for k in (4, 5, 6, 7))
    assert [trading_day(t, "business_day") * DAY for t in (friday, saturday, sunday)] == [
        friday,
        monday,
        monday,
    ]
    labels = [friday, sunday, monday]
    assert daily_series(labels, [1.0, 2.0, 3.0], "business_day") == [(friday, 1.0), (monday, 3.0)]
    assert len(daily_series(labels, [1.0, 2.0, 3.0], "continuous")) == 3


@pytest.mark.parametrize(
    ("days", "calendar"),
    [
        (range(14), "continuous"),
        ([k for k in range(14) if k % 7 != 5], "business_day"),
        ([k for k in range(14) if k != 5], "continuous"),
        ([k for k in range(21) if k not in (5, 12)], "business_day"),
        (range(4), "business_day"),
    ],
)
def test_a_market_is_continuous_if_half_of_its_saturdays_have_bars(
    days: Sequence[int], calendar: str
) -> None:
    assert calendar_of([MONDAY + k * DAY for k in days]) == calendar


@pytest.mark.parametrize(
    ("calendar", "timeframe", "expected"),
    [
        ("business_day", "M5", 252.0),
        ("continuous", "H4", 365.0),
        ("business_day", "D1", 252.0),
        ("continuous", "D5", 73.0),
        ("business_day", "W2", 26.0),
    ],
)
def test_periods_per_year(calendar: str, timeframe: str, expected: float) -> None:
    assert periods_per_year(calendar, timeframe) == expected
