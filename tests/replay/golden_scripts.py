"""Golden scenarios that no strategy makes: partial exits of a script, and the account of `sweep.Portfolio`.

    python -m tests.replay.golden_scripts

records `expected` of both files in `tests/data` anew, as `make golden` does; their `input` is written once and then stays.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sweep import Market, Portfolio, _core
from sweep.engine_python import _plain, backtest
from sweep.golden.case import expected_of, read_json, trade_rows, write_json
from sweep.market.specs import symbol_spec
from sweep.reference import portfolio_report as report
from sweep.reference.engine import run
from sweep.reference.portfolio import ReferencePortfolio
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.engine.support import run_script
from tests.portfolio.operations import PRICES, Generator
from tests.portfolio.support import comparable
from tests.portfolio.support import digests as tables_of

FOLDER = Path(__file__).parents[1] / "data"
Document = dict[str, Any]
Given = Mapping[str, Any]


def partial_exits(given: Given) -> Document:
    """The script on the native engine."""
    market = Market.synthetic(**given["market"])
    result = run_script(market, given["options"], given["signals"], given["exits"], given["rules"])
    return expected_of(result, _semantics())


def partial_exits_by_reference(given: Given) -> Document:
    """The script on the reference engine."""
    market = Market.synthetic(**given["market"])
    table = SignalTable(given["signals"], given["exits"], Rules(**given["rules"]))
    return expected_of(backtest(run(_plain(market), given["options"], table, {}), None), _semantics())


def portfolio(given: Given) -> Document:
    """The operations, in one batch, on the native account."""
    account = Portfolio(**given["account"])
    done = account.batch(_operations(given))
    return {
        "semantics": _semantics(),
        "report": _lists(comparable(done)),
        "summary": dict(account.get_summary()),
        "metrics": dict(account.get_metrics()),
        "trades": trade_rows(account.get_trades()),
        "digests": tables_of(account),
    }


def portfolio_by_reference(given: Given) -> Document:
    """The operations on the reference account."""
    specs = {symbol: symbol_spec(symbol) for symbol in PRICES}
    twin = ReferencePortfolio(**given["account"], specs=specs)
    done = twin.batch(_operations(given))
    return {
        "semantics": _semantics(),
        "report": _lists(done),
        "summary": dict(report.summary(twin)),
        "metrics": dict(report.metrics(twin)),
        "trades": report.trades(twin),
        "digests": report.digests(twin),
    }


def _operations(given: Given) -> list[Document]:
    """Rows with their quotes as pairs, which JSON has not."""
    rows: list[Document] = []
    for row in given["operations"]:
        quotes = row.get("quotes") and {symbol: tuple(pair) for symbol, pair in row["quotes"].items()}
        rows.append({**row, "quotes": quotes} if quotes else row)
    return rows


ENGINES: dict[str, tuple[Callable[[Given], Document], Callable[[Given], Document]]] = {
    "partial_exits": (partial_exits, partial_exits_by_reference),
    "portfolio": (portfolio, portfolio_by_reference),
}
"""By name: the native and the reference engine."""


def path_of(name: str) -> Path:
    """The file of a scenario."""
    return FOLDER / f"golden_{name}.json"


def _semantics() -> int:
    return int(json.loads(_core.build_info())["semantics"])


def _lists(value: Document) -> Document:
    """Tuples as JSON has them."""
    again: Document = json.loads(json.dumps(value))
    return again


def _first_script() -> Document:
    """Orders of every type whose positions lose parts by lots and by fraction, before and after their stops are moved."""
    section = {"symbol": "EURUSD", "timeframe": "M15", "bars": 800, "seed": 21}
    closes = Market.synthetic(**section).to_table()["bid_close"].to_pylist()
    signals, exits = [], []
    for k, bar in enumerate(range(10, 760, 15)):
        sign = 1 if k % 3 else -1
        order_type = ("market", "limit", "stop", "market")[k % 4]
        entry = closes[bar] + {"market": 0.0, "limit": -sign * 5e-4, "stop": sign * 5e-4}[order_type]
        row: Document = {
            "bar_index": bar,
            "direction": "long" if sign > 0 else "short",
            "stop_loss": round(entry - sign * 3e-3, 5),
            "take_profit": None if k % 5 == 0 else round(entry + sign * 6e-3, 5),
            "tag": str(k),
        }
        if order_type != "market":
            row |= {"order_type": order_type, "entry": round(entry, 5), "valid_bars": 6}
        signals.append(row)
        part = {"bar_index": bar + 4, "direction": row["direction"], "action": "partial_close"}
        exits.append({**part, "fraction": 0.5} if k % 2 else {**part, "lots": 0.1})
        if k % 3 == 0:
            exits.append({**part, "bar_index": bar + 9, "fraction": 0.3})
    options = {
        "execution": {"preset": "realistic", "max_positions": 2},
        "costs": {
            "slippage": {"fixed_pips": 0.2, "random_pips": 0.3},
            "commission": {"schema": "per_lot", "per_lot": 2.5, "min_fee": 0.1},
        },
        "account": {"currency": "EUR", "initial_balance": 10000, "risk_per_trade": 100},
        "rates": {"static": {"EURUSD": 1.1}},
    }
    rules = {"be_r": 0.8, "be_buffer_pips": 0.5, "timeout_bars": 40}
    return {"market": section, "options": options, "signals": signals, "exits": exits, "rules": rules}


def _first_operations() -> Document:
    """Legal operations of every kind on four symbols, and two that are refused."""
    account = {
        "initial_balance": 50000,
        "currency": "EUR",
        "rates": {"static": {"USDJPY": 150.0, "EURUSD": 1.25}},
        "leverage": 30,
    }
    rows = Generator(22, mistakes=0.0).rows(110)
    rows[40:40] = [{"op": "register_exit", "position_id": 10**6, "price": 1.0, "time": rows[40].get("time")}]
    rows[60:60] = [{"op": "no such operation"}]
    return {"account": account, "operations": rows}


def main() -> None:
    """Records what the native engine gives."""
    inputs = {"partial_exits": _first_script, "portfolio": _first_operations}
    for name, (native, _) in ENGINES.items():
        path = path_of(name)
        given = read_json(path)["input"] if path.exists() else inputs[name]()
        write_json(path, {"input": given, "expected": native(given)})
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
