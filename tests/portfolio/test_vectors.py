"""The worked numbers of the specification, on the native portfolio and on its twin."""

from __future__ import annotations

from typing import Any

import pytest

from sweep.errors import SweepError
from sweep.reference import portfolio_report as report
from tests.portfolio.support import NOON, assert_same, entry, leave, pair, table, update

R = {"pnl": "r_multiple", "equity": "realised"}


def three_positions() -> list[dict[str, Any]]:
    """P1: one after another, an update after every operation, all on one day."""
    rows: list[dict[str, Any]] = []
    prices = ((1.1, 1.099, 1.1015), (1.102, 1.101, 1.1005), (1.25, 1.251, 1.2485))
    for i, (price, stop, out) in enumerate(prices):
        at = NOON + 4 * i
        rows += [entry(price, stop, at, risk_per_trade=100.0, fee=3.0), update(at + 1)]
        rows += [leave(i + 1, out, at + 2, fee=2.5), update(at + 3)]
    return rows


def test_three_positions() -> None:
    """P1."""
    native, twin = pair(100_000, **R)
    done = native.batch(table(three_positions()))
    twin.batch(three_positions())
    assert (done["operations_processed"], done["fees"], done["ids"]) == (12, 6, [1, 2, 3])
    for values in (native.get_summary(), report.summary(twin)):
        assert values == {
            "Initial Balance": 100_000.0,
            "Final Balance": 100_133.5,
            "Equity": 100_133.5,
            "Max Drawdown": 158.5,
            "Drawdown Initial Balance": 14.0,
            "Total Fees": 16.5,
            "Total Lots": 3.0,
            "Total Trades": 3,
            "Expired Orders": 0,
            "Partial Closed Orders": 0,
            "Orders closed at Break Even": 0,
            "Avg R-Multiple": 0.5,
            "Winrate": 66.67,
            "Wins": 2,
            "Losses": 1,
        }
    for metrics in (native.get_metrics(), report.metrics(twin)):
        assert metrics["sharpe_trade"] == pytest.approx(0.288675134595, abs=1e-9)
        assert metrics["sortino_trade"] == pytest.approx(0.577350269190, abs=1e-9)
        assert metrics["active_days"] == 1
    assert_same(native, twin)


def test_the_same_moment_for_everything_changes_no_drawdown() -> None:
    """Updates of one time share a row of the curve; each of them counts for maxima and drawdowns."""
    rows = [{**row, "time": NOON} for row in three_positions()]
    native, twin = pair(100_000, **R)
    native.batch(rows)
    twin.batch(rows)
    summary = native.get_summary()
    assert (summary["Max Drawdown"], summary["Drawdown Initial Balance"]) == (158.5, 14.0)
    assert native.get_equity_curve().num_rows == 2
    assert_same(native, twin)


@pytest.mark.parametrize("shape", [list, table])
def test_a_batch_with_two_bad_rows(shape: Any) -> None:
    """P2."""
    rows = [
        entry(1.1, 1.099, NOON, risk_per_trade=100.0, fee=3.0),
        leave(1, 1.101, NOON + 1, fee=2.0),
        leave(99, 1.101, NOON + 1),
        {"op": "register_something"},
        {"op": "register_fee", "amount": 1.0, "time": NOON + 2},
        update(NOON + 3),
    ]
    native, twin = pair(1000, **R)
    done = native.batch(shape(rows))
    assert (done["operations_processed"], done["fees"]) == (4, 3)
    assert [error[:2] for error in done["errors"]] == [(2, 1007), (3, 1001)]
    assert all(message.startswith(f"[{code}] ") for _, code, message in done["errors"])
    assert native.cash == pytest.approx(1094, abs=1e-9)
    twin.batch(rows)
    assert_same(native, twin)


def test_a_second_exit() -> None:
    """P3."""
    native, twin = pair(1000, **R)
    for portfolio in (native, twin):
        portfolio.batch([entry(1.1, 1.099, NOON), leave(1, 1.101, NOON + 1)])
        cash = portfolio.cash
        with pytest.raises(SweepError, match=r"^\[1007\] "):
            portfolio.register_exit(1, 1.102, NOON + 2)
        assert portfolio.cash == cash
    assert_same(native, twin)


def test_a_partial_exit_shares_risk_and_fee() -> None:
    """A quarter of the lots takes a quarter of risk and entry fee; the parent loses them."""
    native, _ = pair(10_000, **R)
    one = native.register_entry(
        {
            "symbol": "EURUSD",
            "direction": "long",
            "price": 1.1,
            "stop_loss": 1.09,
            "size": 0.8,
            "risk_per_trade": 100,
            "time": NOON,
        },
        fee=4,
    )
    part = native.partial_exit(one, 0.2, 1.12, NOON + 1, fee=1)
    records = {row["position_id"]: row for row in native.get_positions().to_pylist()}
    assert (records[part]["parent_id"], records[part]["reason"]) == (one, "partial_exit")
    shared = ("size", "risk_per_trade", "entry_fee", "exit_fee")
    assert [records[part][name] for name in shared] == pytest.approx([0.2, 25, 1, 1])
    assert [records[one][name] for name in shared] == pytest.approx([0.6, 75, 3, 0])
    # 2 R of 25, fees of 4 and 1.
    assert native.cash == pytest.approx(10_000 + 50 - 5)
    for lots in (0.0, -0.1, 0.6, 0.7, float("nan")):
        with pytest.raises(SweepError, match=r"^\[1003\] "):
            native.partial_exit(one, lots, 1.12, NOON + 2)


def test_marks() -> None:
    """Longs at the bid, shorts at the ask of the last quote; entries before the first quote; exit costs apart."""
    native, twin = pair(10_000)
    rows = [entry(1.1, 1.09, NOON), entry(1.1, 1.11, NOON), update(NOON)]
    rows.append(update(NOON + 1, EURUSD=(1.101, 1.102)))
    for row, equity in zip(rows, (10_000, 10_000, 10_000, 9_900), strict=True):
        assert native.batch([row])["errors"] == []
        assert native.equity == pytest.approx(equity)
        twin.apply(row)
    assert native.get_state()["unrealised_pnl"][0].as_py() == pytest.approx(-100)
    # The mark stays, and equity follows every operation without an update.
    native.register_exit(1, 1.101, NOON + 2)
    twin.apply(leave(1, 1.101, NOON + 2))
    assert native.cash == pytest.approx(10_100)
    assert native.equity == pytest.approx(9_900)
    assert_same(native, twin)


def test_margins() -> None:
    """((size * contract) * price) / leverage in the account's currency, fixed at the fill."""
    native, twin = pair(10_000, currency="EUR", leverage=30)
    assert native.calculate_margin("EURUSD", 0.2, 1.1) == pytest.approx(586.666_666_666_666_7, abs=1e-9)
    assert native.calculate_margin("EURUSD", 0.2, 1.1) == twin.calculate_margin("EURUSD", 0.2, 1.1)
    for row in (entry(1.1, 1.09, NOON, size=0.2), update(NOON, EURUSD=(1.2, 1.2))):
        native.batch([row])
        twin.apply(row)
    assert native.get_state()["margin_used"][0].as_py() == pytest.approx(586.666_666_666_666_7, abs=1e-9)
    assert_same(native, twin)


def test_what_a_portfolio_cannot_know_is_null() -> None:
    """Bars and signals are none of its business: null, not 0."""
    native, _ = pair(100_000, **R)
    native.batch(three_positions())
    metrics = native.get_metrics()
    unknown = ("exposure_pct", "rejected_signals", "net_profit_pessimistic", "net_profit_optimistic")
    assert [metrics[name] for name in unknown] == [None] * 4
    assert metrics["total_trades"] == 3


def test_nothing_has_happened_yet() -> None:
    """True zeros of nothing, nulls of what is undefined, and one row of the curve."""
    native, twin = pair(5000.0, start_time=NOON)
    assert native.get_equity_curve().to_pydict()["equity"] == [5000.0]
    assert native.get_summary()["Final Balance"] == 5000.0
    metrics = native.get_metrics()
    assert (metrics["net_profit"], metrics["total_trades"], metrics["total_fees"]) == (0.0, 0.0, 0.0)
    assert metrics["win_rate_pct"] is metrics["sharpe_ratio"] is metrics["calmar_ratio"] is None
    assert_same(native, twin)


def test_curves_start() -> None:
    """At start_time, else at the first operation."""
    for start, first in ((None, NOON + 5), (NOON, NOON)):
        native, twin = pair(1000, start_time=start)
        for row in (entry(1.1, 1.09, NOON + 5), leave(1, 1.1, NOON + 6), update(NOON + 7)):
            native.batch([row])
            twin.apply(row)
        times = native.get_equity_curve()["timestamp"].cast("int64").to_pylist()
        assert times == [first, NOON + 7]
        assert native.get_equity_curve("per_trade")["timestamp"].cast("int64").to_pylist() == [
            first,
            NOON + 6,
        ]
        assert_same(native, twin)
