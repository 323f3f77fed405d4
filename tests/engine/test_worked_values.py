"""The worked numbers of commissions, slippage and metrics, through whole backtests and portfolios of the native engine."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sweep import Market, Portfolio
from tests.engine.support import bars_table, run_script
from tests.vectors.engine import FIELDS, MINUTE_US, START_US

DAY = 86_400_000_000
MONDAY = 1_704_067_200_000_000
"""2024-01-01."""
RATES = {"static": {"EURUSD": 1.25, "USDJPY": 150.0}}
MILLION = {"schema": "per_million_notional"}


def flat(symbol: str, price: float, pip: float | None = None) -> Market:
    """Four bars at a price, without a spread."""
    labels = [START_US + MINUTE_US * k for k in range(4)]
    side = bars_table(labels, {**{name: [price] * 4 for name in FIELDS}, "volume": [0.0] * 4})
    specs = {symbol: {"pip_size": pip}} if pip else None
    return Market.from_arrow(side, side, symbol=symbol, timeframe="M1", symbol_specs=specs)


def market_order(direction: str, price: float, **rest: Any) -> dict[str, Any]:
    """On the first bar, with a stop two percent away."""
    stop = price * (0.98 if direction == "long" else 1.02)
    return {"bar_index": 0, "direction": direction, "stop_loss": stop, **rest}


@pytest.mark.parametrize("direction", ["long", "short"])
@pytest.mark.parametrize(
    ("commission", "symbol", "currency", "lots", "price", "fee"),
    [
        ({"schema": "per_lot", "per_lot": 2.5}, "EURUSD", "EUR", 0.25, 1.1, 0.62),
        (
            {**MILLION, "rate_per_million": 6, "fee_ccy": "USD", "min_fee": 1},
            "USDJPY",
            "EUR",
            0.5,
            150.0,
            0.8,
        ),
        (
            {**MILLION, "rate_per_million": 6, "fee_ccy": "USD", "min_fee": 1},
            "USDJPY",
            "EUR",
            0.01,
            150.0,
            0.8,
        ),
        (
            {"schema": "percent_of_notional", "pct": 0.00015, "fee_ccy": "EUR", "min_fee": 1},
            *("EURUSD", "EUR", 0.2, 1.1, 2.64),
        ),
        ({**MILLION, "rate_per_million": 25, "decimals": None}, "EURUSD", "USD", 0.2, 1.1, 0.55),
        (
            {**MILLION, "rate_per_million": 30, "decimals": None},
            "EURUSD",
            "USD",
            1.0,
            1.1,
            3.3000000000000003,
        ),
    ],
)
def test_both_fills_of_a_trade_pay_the_worked_fee(
    commission: dict[str, Any],
    symbol: str,
    currency: str,
    lots: float,
    price: float,
    fee: float,
    direction: str,
) -> None:
    options = {
        "costs": {"commission": commission},
        "account": {"currency": currency, "sizing": {"mode": "fixed_lots", "lots": lots}},
        "rates": RATES,
    }
    result = run_script(flat(symbol, price), options, [market_order(direction, price)])
    (trade,) = result.trades.to_pylist()
    assert (trade["entry_price"], trade["exit_price"], trade["result"]) == (price, price, 0.0)
    assert (trade["size"], trade["entry_fee"], trade["exit_fee"]) == (lots, fee, fee)
    assert result.equity["balance"].to_pylist()[-1] == (10_000 - fee) - fee


SLIPPAGE = {"slippage": {"fixed_pips": 0.2, "random_pips": 0.3}}


@pytest.mark.parametrize(
    ("seed", "symbol", "directions", "prices"),
    [
        (42, "EURUSD", ["long", "long"], [1.1000430039828704, 1.1000283786365026]),
        (42, "EURUSD", ["short"], [1.0999608036616684]),
        (42, "EURUSD", ["short", "long"], [1.0999608036616684, 1.1000430039828704]),
        (42, "USDJPY", ["long"], [1.1000318718697508]),
        (7, "EURUSD", ["long"], [1.1000233610369692]),
    ],
)
def test_an_entry_slips_by_the_worked_draw(
    seed: int, symbol: str, directions: list[str], prices: list[float]
) -> None:
    """At the close of the bar whose label is the time of the worked draws."""
    options = {
        "execution": {"preset": "reference", "seed": seed, "max_positions": 2},
        "costs": SLIPPAGE,
        "rates": RATES,
    }
    signals = [market_order(direction, 1.1) for direction in directions]
    result = run_script(flat(symbol, 1.1, 0.0001), options, signals)
    assert [p["entry_price"] for p in result.open_positions] == prices


def test_a_draw_before_1970() -> None:
    """A tick one microsecond before it, the last of its bar."""
    times = pa.array([-30_000_000, -1, 1, 30_000_000]).cast(pa.timestamp("us", tz="UTC"))
    ticks = pa.table({"timestamp": times, "bid": [1.1] * 4, "ask": [1.1] * 4})
    market = Market.from_arrow(ticks=ticks, symbol="EURUSD", timeframe="M1")
    options = {"execution": "reference", "costs": SLIPPAGE}
    result = run_script(market, options, [market_order("long", 1.1)])
    assert [p["entry_price"] for p in result.open_positions] == [1.1000224391707283]


LOT = {"symbol": "EURUSD", "price": 1.1}


def test_the_worked_curve() -> None:
    """A tenth of a lot earns 1 for each pip."""
    account = Portfolio(1000, start_time=MONDAY)
    account.register_entry({**LOT, "direction": "long", "size": 0.1, "stop_loss": 1.05, "time": MONDAY})
    for day, price in enumerate([1.101, 1.099, 1.1005, 1.102]):
        account.update(MONDAY + day * DAY, {"EURUSD": (price, price)})
    equity = account.get_equity_curve()["equity"].to_pylist()
    assert equity == pytest.approx([1000, 1010, 990, 1005, 1020], rel=1e-12)
    expected = {
        "sharpe_ratio": 4.80379921502476,
        "sortino_ratio": 8.126818245243658,
        "ulcer_index": 1.0205706994103119,
        "max_drawdown": 20.0,
        "max_drawdown_pct": 1.9801980198019802,
        "recovery_factor": 1.0,
        "daily_return_skew": -1.0877885065082824,
        "daily_return_kurtosis": 2.2752815802943447,
        "periods_per_year": 252.0,
    }
    metrics = account.get_metrics()
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_the_worked_growth() -> None:
    """From 1000 to 1210 in two years."""
    account = Portfolio(1000, start_time=MONDAY)
    account.register_entry({**LOT, "direction": "long", "size": 0.1, "stop_loss": 1.05, "time": MONDAY})
    account.update(MONDAY + int(730.5 * DAY), {"EURUSD": (1.121, 1.121)})
    metrics = account.get_metrics()
    assert metrics["cagr_pct"] == pytest.approx(10.0, rel=1e-9)
    assert metrics["calmar_ratio"] is None, "no drawdown"


def test_the_worked_trades() -> None:
    """One lot of which the stop costs 100."""
    account = Portfolio(1000, start_time=MONDAY)
    for k, net in enumerate([100, -50, 0, -25, -30, 80]):
        opened = {"direction": "long", "size": 1.0, "stop_loss": 1.099, "time": MONDAY + 2 * k}
        id = account.register_entry({**LOT, **opened})
        account.register_exit(id, 1.1 + net / 100_000, MONDAY + 2 * k + 1)
    metrics = account.get_metrics()
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
    }
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_nothing_traded_is_undefined_and_not_zero() -> None:
    metrics = run_script(flat("EURUSD", 1.1), {}, []).metrics
    assert (metrics["net_profit"], metrics["total_trades"]) == (0.0, 0.0)
    undefined = ("sharpe_ratio", "profit_factor", "win_rate_pct", "expectancy", "calmar_ratio")
    assert [metrics[name] for name in undefined] == [None] * len(undefined)
