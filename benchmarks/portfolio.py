"""The standalone portfolio: 20,000 trades from entry to exit, in batches, beside the Python twin."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from benchmarks.measure import calibrate, interleaved, line
from sweep import Portfolio
from sweep.market.specs import symbol_spec
from sweep.reference.portfolio import ReferencePortfolio

TRADES: Final = 20_000
OPEN: Final = 5
"""Positions that are open at a time."""
REPEATS: Final = 10
"""Portfolios per measurement of a batch: a single one is too short to be timed."""
Row = dict[str, Any]


def rows() -> list[Row]:
    """Each trade is entered with a fee, its stop goes to break-even, it is closed with a fee; every step is sampled."""
    entries, moves, exits = zip(*(_trade(i) for i in range(TRADES)), strict=True)
    steps: list[Row] = []
    for i in range(TRADES + OPEN):
        steps += [entries[i]] if i < TRADES else []
        steps += [exits[i - OPEN]] if i >= OPEN else []
        time = i * 60_000_000 + 30_000_000
        steps.append(
            {"op": "update", "time": time, "quotes": {"EURUSD": (1.1 + i % 7 * 1e-4, 1.1001 + i % 7 * 1e-4)}}
        )
        steps += [moves[i]] if i < TRADES else []
    return steps


def _trade(i: int) -> tuple[Row, Row, Row]:
    side, price = (1, 1.1) if i % 2 else (-1, 1.2)
    start = i * 60_000_000
    id = i + 1
    entry: Row = {
        "op": "register_entry",
        "symbol": "EURUSD",
        "direction": "long" if side > 0 else "short",
        "price": price,
        "stop_loss": price - side * 0.001,
        "take_profit": price + side * 0.002,
        "size": 0.1,
        "time": start,
        "fee": 0.35,
    }
    move = {"op": "set_break_even", "position_id": id, "buffer_pips": 1.0}
    end = start + OPEN * 60_000_000
    out = price + side * (i % 5 - 2) * 1e-3
    leave = {
        "op": "register_exit",
        "position_id": id,
        "price": out,
        "time": end,
        "fee": 0.35,
        "reason": "take_profit",
    }
    return entry, move, leave


def as_table(steps: list[Row]) -> pa.Table:
    """The same as a table of operations."""
    named = list(dict.fromkeys(name for row in steps for name in row))
    listed = [
        {**row, "quotes": [{"symbol": s, "bid": b, "ask": a} for s, (b, a) in row.get("quotes", {}).items()]}
        for row in steps
    ]
    return pa.table({name: [row.get(name) for row in listed] for name in named})


def run() -> Iterator[str]:
    """ns per trade of a table, of mappings and of the twin, and their ratios."""
    steps = rows()
    table = as_table(steps)
    specs = {"EURUSD": symbol_spec("EURUSD")}
    balance = 1e6

    def native(given: Any) -> Portfolio:
        portfolio = Portfolio(balance)
        assert portfolio.batch(given)["errors"] == []
        return portfolio

    def twin() -> ReferencePortfolio:
        portfolio = ReferencePortfolio(balance, specs=specs)
        portfolio.batch(steps)
        return portfolio

    assert native(table).cash == native(steps).cash == twin().cash

    def repeated(given: Any) -> None:
        for _ in range(REPEATS):
            native(given)

    work = {
        "calibration": calibrate,
        "batch of a table": lambda: repeated(table),
        "batch of mappings": lambda: repeated(steps),
        "twin": twin,
    }
    times = interleaved(work, rounds=7)
    yield f"{TRADES:,} trades, {len(steps):,} operations, {OPEN} positions open at a time"
    for name, seconds in times.items():
        if name != "calibration":
            portfolios = 1 if name == "twin" else REPEATS
            yield line(name, seconds, TRADES * portfolios, "trade", times["calibration"])
    own = statistics.median(times["twin"]) * REPEATS
    for name in ("batch of a table", "batch of mappings"):
        yield f"twin / {name}: {own / statistics.median(times[name]):.1f} (the bar is 50, of a table)"
