"""Portfolio from Python: what operations mean, what is refused and how, times, currencies, tables."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import sweep
from sweep import Market, Portfolio
from sweep.arrow import schema
from sweep.errors import SweepError
from sweep.reference import portfolio_report as report
from sweep.reference.market import ReferenceMarket
from sweep.reference.portfolio import ReferencePortfolio
from tests.engine.support import bars_table
from tests.portfolio.support import MINUTE, NOON, SPECS, assert_same, entry, leave, table, update

POSITION = {
    "symbol": "EURUSD",
    "direction": "long",
    "price": 1.1,
    "stop_loss": 1.09,
    "size": 1.0,
    "time": NOON,
}
ORDER = POSITION | {"status": "pending"}


def record(portfolio: Portfolio, id: int) -> dict[str, Any]:
    """A record by its id."""
    rows: list[dict[str, Any]] = portfolio.get_positions().to_pylist()
    return next(row for row in rows if row["position_id"] == id)


def refused(code: int) -> Any:
    """What begins with its code."""
    return pytest.raises(SweepError, match=rf"^\[{code}\] ")


def test_an_order_waits_is_filled_and_closed() -> None:
    """A pending order costs nothing and has no size; a fill makes it a position with the same id."""
    portfolio = Portfolio(1000.0)
    one = portfolio.register_entry(ORDER | {"risk_per_trade": 50, "size": 0.3, "tag": "t"})
    waiting = record(portfolio, one)
    assert (waiting["status"], waiting["size"], waiting["order_type"]) == ("pending", 0.0, "limit")
    assert (waiting["entry_price"], waiting["order_price"], waiting["reason"]) == (None, 1.1, None)
    assert (portfolio.cash, portfolio.get_open_positions()) == (1000.0, [])
    portfolio.register_fill(one, 1.0995, None, NOON + 1, fee=2)
    filled = record(portfolio, one)
    assert (filled["status"], filled["size"], filled["entry_price"]) == ("open", 0.3, 1.0995)
    assert (filled["risk_per_trade"], filled["tag"], filled["order_price"]) == (50, "t", 1.1)
    assert portfolio.cash == 998.0
    portfolio.register_exit(one, 1.1005, NOON + 2, "take_profit", fee=2)
    assert portfolio.cash == pytest.approx(998 - 2 + 0.001 * 0.3 * 100_000)
    assert record(portfolio, one)["reason"] == "take_profit"


def test_an_order_ends_unfilled() -> None:
    """Each of the three reasons is kept; the summary counts the first of them only."""
    portfolio = Portfolio(1000.0)
    for reason in ("limit_expired", "signal", "end_of_data"):
        id = portfolio.register_entry(ORDER)
        portfolio.limit_expired(id, NOON + MINUTE, reason)
        assert (record(portfolio, id)["reason"], record(portfolio, id)["status"]) == (reason, "closed")
    assert portfolio.get_summary()["Expired Orders"] == 1
    assert (portfolio.cash, portfolio.get_trades().num_rows) == (1000.0, 0)
    with refused(1001):
        portfolio.limit_expired(portfolio.register_entry(ORDER), NOON, "stop_loss")


def test_levels_move() -> None:
    """Stop, target and kind; the initial ones stay, and with them R."""
    portfolio = Portfolio(1000.0, pnl="r_multiple", equity="realised")
    one = portfolio.register_entry(POSITION | {"take_profit": 1.2, "risk_per_trade": 100})
    portfolio.modify_position(one, stop_loss=1.095)
    assert (record(portfolio, one)["stop_kind"], record(portfolio, one)["take_profit"]) == ("manual", 1.2)
    portfolio.modify_position(one, stop_loss=1.096, stop_kind="trailing", take_profit=None)
    assert (record(portfolio, one)["stop_kind"], record(portfolio, one)["take_profit"]) == ("trailing", None)
    portfolio.modify_position(one, take_profit=1.3)
    assert (record(portfolio, one)["stop_loss"], record(portfolio, one)["take_profit"]) == (1.096, 1.3)
    portfolio.set_break_even(one, buffer_pips=2)
    moved = record(portfolio, one)
    assert (moved["stop_kind"], moved["stop_loss"]) == ("break_even", pytest.approx(1.1002))
    assert (moved["initial_stop_loss"], moved["initial_take_profit"]) == (1.09, 1.2)
    portfolio.register_exit(one, 1.1002, NOON + 1, "break_even_stop_loss")
    assert portfolio.get_summary()["Orders closed at Break Even"] == 1
    assert portfolio.cash == pytest.approx(1002.0)
    with refused(1007):
        portfolio.modify_position(one, stop_loss=1.0)
    short = portfolio.register_entry(POSITION | {"direction": "short", "stop_loss": 1.11})
    portfolio.set_break_even(short, 2)
    assert record(portfolio, short)["stop_loss"] == pytest.approx(1.0998)


def test_fees_of_their_own() -> None:
    """Booked, logged, and part of the position where they are its own; 0 and None are nothing."""
    portfolio = Portfolio(1000.0)
    one = portfolio.register_entry(POSITION, fee=1)
    portfolio.register_fee(2, NOON, "entry", one)
    portfolio.register_fee(4, NOON, "exit", one)
    portfolio.register_fee(8, NOON, "swap", one)
    portfolio.register_fee(-16, NOON)
    portfolio.register_fee(0, NOON)
    portfolio.register_fee(None, NOON)
    portfolio.register_exit(one, 1.1, NOON + 1, fee=32)
    portfolio.register_fee(64, NOON + 2, "exit", one)
    closed = record(portfolio, one)
    assert (closed["entry_fee"], closed["exit_fee"]) == (3.0, 100.0)
    assert portfolio.cash == 1000 - (1 + 2 + 4 + 8 - 16 + 32 + 64)
    kinds = ["entry", "entry", "exit", "swap", "other", "exit", "exit"]
    assert portfolio.get_fees()["kind"].to_pylist() == kinds
    assert portfolio.get_fees()["position_id"].to_pylist() == [one] * 4 + [None] + [one] * 2
    waiting = portfolio.register_entry(ORDER)
    for id in (99, waiting):
        with refused(1007):
            portfolio.register_fee(1, NOON, "entry", id)


def test_an_update_at_the_time_of_the_last_takes_its_row() -> None:
    """The row is overwritten, the first one never; an earlier time is refused."""
    portfolio = Portfolio(1000.0, start_time=NOON)
    portfolio.register_fee(100, NOON)
    portfolio.update(NOON)
    portfolio.update(NOON + 1)
    portfolio.register_fee(-50, NOON + 1)
    portfolio.update(NOON + 1)
    curve = portfolio.get_equity_curve().to_pydict()
    assert (curve["equity"], curve["drawdown"]) == ([1000.0, 900.0, 950.0], [0.0, -100.0, -50.0])
    with refused(1003):
        portfolio.update(NOON)
    assert portfolio.get_equity_curve().to_pydict() == curve


def test_the_curve_of_trades_is_in_order_of_the_exits() -> None:
    """Closed before parts where the times are equal."""
    portfolio = Portfolio(1000.0, pnl="r_multiple", equity="realised")
    one = portfolio.register_entry(POSITION | {"risk_per_trade": 64})
    two = portfolio.register_entry(POSITION | {"risk_per_trade": 16})
    portfolio.register_exit(two, 1.11, NOON + 9)
    portfolio.partial_exit(one, 0.5, 1.11, NOON + 9)
    portfolio.register_exit(one, 1.09, NOON + 5)
    curve = portfolio.get_equity_curve("per_trade")
    assert curve["timestamp"].cast("int64").to_pylist() == [NOON, NOON + 5, NOON + 9, NOON + 9]
    assert curve["equity"].to_pylist() == pytest.approx([1000, 968, 984, 1016])
    with refused(1001):
        portfolio.get_equity_curve("other")  # type: ignore[arg-type]


def test_ids_are_given_or_counted() -> None:
    """A given id is taken; the next one follows the largest; a known one is refused, closed or not."""
    portfolio = Portfolio(1000.0)
    assert portfolio.register_entry(POSITION) == 1
    assert portfolio.register_entry(POSITION | {"position_id": 10}) == 10
    assert portfolio.register_entry(ORDER) == 11
    assert portfolio.register_entry(POSITION | {"position_id": 5}) == 5
    assert portfolio.partial_exit(10, 0.5, 1.1, NOON) == 12
    portfolio.register_exit(1, 1.1, NOON)
    portfolio.limit_expired(11, NOON)
    for known in (1, 5, 10, 11, 12):
        with refused(1007):
            portfolio.register_entry(POSITION | {"position_id": known})
    assert [row["position_id"] for row in portfolio.get_open_positions()] == [5, 10]


def test_open_positions_are_copies() -> None:
    """Of one symbol or of all, in id order; writing to them changes nothing."""
    portfolio = Portfolio(1000.0, rates={"static": {"USDJPY": 150}})
    portfolio.register_entry(POSITION | {"position_id": 3})
    portfolio.register_entry(POSITION | {"symbol": "USDJPY", "price": 150.0, "stop_loss": 149.0})
    rows = portfolio.get_open_positions()
    assert [row["position_id"] for row in rows] == [3, 4]
    rows[0]["stop_loss"] = 5.0
    assert [row["stop_loss"] for row in portfolio.get_open_positions("EURUSD")] == [1.09]
    assert rows[0]["entry_time"] == NOON


def test_times() -> None:
    """Integers are microseconds; a datetime without a zone is UTC."""
    moments: tuple[Any, ...] = (
        NOON,
        np.int64(NOON),
        datetime(2024, 1, 1, 12),
        datetime(2024, 1, 1, 12, tzinfo=UTC),
        datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2))),
    )
    for moment in moments:
        portfolio = Portfolio(1000.0, start_time=moment)
        portfolio.register_entry(POSITION | {"time": moment})
        portfolio.update(moment)
        assert portfolio.get_equity_curve()["timestamp"].cast("int64").to_pylist() == [NOON, NOON]
        assert portfolio.get_open_positions()[0]["entry_time"] == NOON
    for wrong in ("2024-01-01", 1.5, 2**80):
        with pytest.raises(SweepError, match=r"^\[100[34]\] "):
            Portfolio(1000.0).update(wrong)  # type: ignore[arg-type]


BAD: dict[str, tuple[int, Callable[[Portfolio], Any]]] = {
    "no mapping": (1004, lambda p: p.register_entry(5)),  # type: ignore[arg-type]
    "an unknown field": (1001, lambda p: p.register_entry(POSITION | {"stop": 1.0})),
    "an operation in a position": (1001, lambda p: p.register_entry(POSITION | {"op": "update"})),
    "a text for a price": (1004, lambda p: p.register_entry(POSITION | {"price": "1.1"})),
    "a bool for a size": (1004, lambda p: p.register_entry(POSITION | {"size": True})),
    "notes that are none": (1004, lambda p: p.register_entry(POSITION | {"meta": {"a": 1.5}})),
    "an empty symbol": (1001, lambda p: p.register_entry(POSITION | {"symbol": ""})),
    "no stop": (1008, lambda p: p.register_entry(POSITION | {"stop_loss": None})),
    "a stop of 0": (1001, lambda p: p.register_entry(POSITION | {"stop_loss": 0})),
    "no rate": (1008, lambda p: p.register_entry(POSITION | {"symbol": "USDJPY"})),
    "an id that is none": (1001, lambda p: p.register_entry(POSITION | {"position_id": 0})),
    "a text for an id": (1004, lambda p: p.register_exit("1", 1.1, NOON)),  # type: ignore[arg-type]
    "an id below 0": (1001, lambda p: p.register_exit(-1, 1.1, NOON)),
    "an infinite price": (1001, lambda p: p.register_exit(1, float("inf"), NOON)),
    "an exit before its entry": (1003, lambda p: p.register_exit(1, 1.1, NOON - 1)),
    "an unknown reason": (1001, lambda p: p.register_exit(1, 1.1, NOON, "boredom")),
    "a result beyond numbers": (2005, lambda p: p.register_exit(1, 1e308, NOON)),
    "a time beyond numbers": (1003, lambda p: p.update(2**63 - 1)),
    "quotes that are none": (1004, lambda p: p.update(NOON, {"EURUSD": 1.1})),  # type: ignore[dict-item]
    "a bid of 0": (1001, lambda p: p.update(NOON, {"EURUSD": (0.0, 1.1)})),
    "an unknown symbol in quotes": (1001, lambda p: p.update(NOON, {"NOPE": (1.0, 1.1)})),
    "nothing to change": (1001, lambda p: p.modify_position(1)),
    "an unknown kind of stop": (1001, lambda p: p.modify_position(1, stop_kind="magic")),
    "a break-even stop below 0": (1001, lambda p: p.set_break_even(1, -1e9)),
    "an infinite fee": (1001, lambda p: p.register_fee(float("inf"), NOON)),
    "margin of no size": (1001, lambda p: p.calculate_margin("EURUSD", 0, 1.1)),
    "margin of a text": (1004, lambda p: p.calculate_margin("EURUSD", "1", 1.1)),  # type: ignore[arg-type]
    "margin without a rate": (1008, lambda p: p.calculate_margin("USDJPY", 1, 150.0)),
    "no rows": (1004, lambda p: p.batch(5)),  # type: ignore[arg-type]
    "one row for many": (1004, lambda p: p.batch(update(NOON))),
    "an unknown column": (1001, lambda p: p.batch(pa.table({"op": ["update"], "tme": [NOON]}))),
    "a column of another type": (1005, lambda p: p.batch(pa.table({"op": ["update"], "time": ["x"]}))),
    "an unknown figure": (1001, lambda p: p.get_summary({"Luck": 1})),
    "a figure that is none": (1004, lambda p: p.get_summary({"Ulcer Index": "x"})),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_refused_and_changes_nothing(name: str) -> None:
    """Each with its code, and the account as it was."""
    code, act = BAD[name]
    portfolio = Portfolio(1000.0)
    twin = ReferencePortfolio(1000.0, specs=SPECS)
    for row in (entry(1.1, 1.09, NOON, fee=1.0), update(NOON, EURUSD=(1.2, 1.21))):
        assert portfolio.batch([row])["errors"] == []
        twin.apply(row)
    with refused(code):
        act(portfolio)
    assert_same(portfolio, twin)


CONSTRUCTION: dict[str, tuple[int, dict[str, Any]]] = {
    "balance of 0": (1003, {"initial_balance": 0}),
    "balance of NaN": (1003, {"initial_balance": float("nan")}),
    "text for a balance": (1004, {"initial_balance": "1000"}),
    "currency": (1001, {"currency": "dollar"}),
    "pnl": (1001, {"pnl": "pips"}),
    "equity": (1001, {"equity": "imagined"}),
    "leverage": (1003, {"leverage": -1}),
    "specification that lacks fields": (1008, {"specs": {"NEW": {"pip_size": 1.0}}}),
    "specification with an unknown field": (1001, {"specs": {"EURUSD": {"pips": 1.0}}}),
    "specifications that are none": (1004, {"specs": 5}),
    "file that is absent": (3001, {"specs": "no-such-file.yaml"}),
    "rate": (1003, {"rates": {"static": {"USDJPY": -1}}}),
    "series that is no market": (1004, {"rates": {"series": {"USDJPY": 150.0}}}),
    "rates that are none": (1004, {"rates": [1]}),
    "start_time": (1004, {"start_time": "today"}),
}


@pytest.mark.parametrize("name", CONSTRUCTION)
def test_a_portfolio_of_nonsense_is_refused(name: str) -> None:
    """Each with its code."""
    code, options = CONSTRUCTION[name]
    with refused(code):
        Portfolio(**{"initial_balance": 1000.0, **options})


def test_specifications_of_ones_own(tmp_path: Path) -> None:
    """A mapping or a file, laid over the built-in table."""
    fields = {"EURUSD": {"contract_size": 1000}}
    path = tmp_path / "specs.yaml"
    path.write_text("EURUSD: {contract_size: 1000}\n")
    given: tuple[Any, ...] = (fields, path, str(path))
    for specs in given:
        portfolio = Portfolio(1000.0, specs=specs)
        one = portfolio.register_entry(POSITION)
        portfolio.register_exit(one, 1.11, NOON)
        assert portfolio.cash == pytest.approx(1010)


def test_rates_by_time() -> None:
    """Results are converted at the exit, marks at the update, by the bars that have ended; none is [2008]."""
    labels = [NOON + i * MINUTE for i in range(4)]
    closes = [100.0, 125.0, 160.0, 200.0]
    sides = bars_table(labels, dict.fromkeys(("open", "high", "low", "close"), closes))
    market = Market.from_arrow(sides, sides, symbol="USDJPY", timeframe="M1")
    rates = {"series": {"USDJPY": market}}
    portfolio = Portfolio(1000.0, rates=rates)
    position = POSITION | {"symbol": "USDJPY", "price": 150.0, "stop_loss": 149.0, "size": 0.01}
    with refused(2008):
        portfolio.register_entry(position | {"time": NOON})
    series = ReferenceMarket.from_table(market.to_table(), market.meta)
    twin = ReferencePortfolio(1000.0, specs=SPECS, rates={"series": {"USDJPY": series}})
    rows = [
        {"op": "register_entry", **position, "time": NOON + MINUTE},
        update(NOON + 2 * MINUTE, USDJPY=(151.0, 151.0)),
        update(NOON + 3 * MINUTE),
        leave(1, 151.0, NOON + 4 * MINUTE - 1),
    ]
    for row, equity in zip(rows, (1000.0, 1008.0, 1006.25, 1006.25), strict=True):
        assert portfolio.batch([row])["errors"] == []
        twin.apply(row)
        assert portfolio.equity == equity
    assert_same(portfolio, twin)
    assert report.state(twin)["balance"] == 1006.25


def test_an_amount_that_cannot_be_converted_any_more() -> None:
    """An update without a rate changes nothing; equity is refused where it cannot be known, and the batch says None."""
    sides = bars_table([NOON], {name: [100.0] for name in ("open", "high", "low", "close")})
    market = Market.from_arrow(sides, sides, symbol="USDJPY", timeframe="M1")
    portfolio = Portfolio(1000.0, rates={"series": {"USDJPY": market}, "max_rate_age_hours": 1})
    position = POSITION | {"symbol": "USDJPY", "price": 150.0, "stop_loss": 149.0, "time": NOON + MINUTE}
    portfolio.register_entry(position)
    before = portfolio.get_equity_curve()
    late = NOON + 120 * MINUTE
    with refused(2008):
        portfolio.update(late, {"USDJPY": (151.0, 152.0)})
    assert portfolio.get_equity_curve() == before
    assert portfolio.equity == 1000.0
    done = portfolio.batch([{"op": "register_fee", "amount": 1.0, "time": late}])
    assert (done["operations_processed"], done["final_equity"], done["final_cash"]) == (1, None, 999.0)
    with refused(2008):
        _ = portfolio.equity


def test_tables_of_any_library() -> None:
    """PyArrow tables and batches, polars frames, whole numbers, wider texts."""
    rows = [entry(2, 1, NOON, size=1), leave(1, 3, NOON + 1), update(NOON + 2)]
    named = list(dict.fromkeys(name for row in rows for name in row))
    filled = [{name: row.get(name) for name in named} for row in rows]
    narrow = table(rows).schema
    wide = pa.schema([f.with_type(pa.large_utf8()) if f.type == pa.utf8() else f for f in narrow])
    tables: tuple[Any, ...] = (
        table(rows),
        table(rows).to_batches()[0],
        table(rows).cast(wide),
        pa.Table.from_pylist(filled),
        pl.DataFrame(filled).drop("quotes"),
    )
    for given in tables:
        portfolio = Portfolio(1000.0)
        done = portfolio.batch(given)
        assert (done["errors"], done["operations_processed"]) == ([], 3)
        assert portfolio.cash == 101_000.0


def test_tables_of_the_registry() -> None:
    """State, records, trades and curves have the schemas of the registry."""
    portfolio = Portfolio(1000.0)
    portfolio.batch([entry(1.1, 1.09, NOON), update(NOON + 1)])
    tables = {
        "portfolio_state": portfolio.get_state(),
        "execution_position": portfolio.get_positions(),
        "trades": portfolio.get_trades(),
        "equity": portfolio.get_equity_curve(),
    }
    for name, given in tables.items():
        fields = [(f["name"], f["nullable"]) for f in schema(name)["fields"]]
        assert [(f.name, f.nullable) for f in given.schema] == fields
    assert isinstance(portfolio.get_state(), pa.RecordBatch)
    assert isinstance(portfolio.get_positions(), pa.RecordBatch)
    assert portfolio.get_state().num_rows == 1


def test_robustness_is_appended() -> None:
    """The fifteen figures, then those of robustness with what was measured."""
    portfolio = Portfolio(1000.0)
    names = list(portfolio.get_summary())
    figures = portfolio.get_summary({"Ulcer Index": 2.5})
    assert list(figures)[:15] == names
    assert len(figures) == 27
    assert (figures["Ulcer Index"], figures["p_mean_gt"], figures["Cost Shock Score"]) == (2.5, 1, 0)


def test_a_position_within_itself() -> None:
    """It is refused; it does not nest for ever."""
    row: dict[str, Any] = {"op": "register_entry"}
    row["position"] = row
    done = Portfolio(1000.0).batch([row])
    assert done["errors"][0][:2] == (0, 1001)


def test_threads_share_a_portfolio() -> None:
    """Batches of several threads are applied whole, one after the other."""
    portfolio = Portfolio(100_000.0)
    rows = [{"op": "register_fee", "amount": 1.0, "time": NOON}] * 500

    def work() -> None:
        for _ in range(20):
            portfolio.batch(table(rows))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert portfolio.cash == 100_000 - 4 * 20 * 500


def test_it_is_public() -> None:
    """`sweep.Portfolio`, listed."""
    assert sweep.Portfolio is Portfolio
    assert "Portfolio" in sweep.__all__


def test_the_document_shows_what_happens() -> None:
    """The examples of docs/portfolio.md, and the figures beside them."""
    text = (Path(__file__).parents[2] / "docs" / "portfolio.md").read_text()
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)
    # 20 dollars of the part, 1 of the rest, fees of 0.7, 0.35 and 0.35, and of 1.
    assert names["portfolio"].get_summary()["Final Balance"] == 10_018.6
    assert "# 10019.6" in text
    assert [error[:2] for error in names["report"]["errors"]] == [(0, 1007)]
    assert names["report"]["operations_processed"] == 1
