"""Rows of operations, and the same ones on the native portfolio and on its twin."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sweep import Portfolio, _core
from sweep.errors import SweepError
from sweep.market.specs import symbol_spec
from sweep.reference import portfolio_report as report
from sweep.reference.portfolio import ReferencePortfolio

Row = Mapping[str, Any]
NOON = 1_704_110_400_000_000
"""2024-01-01 12:00 UTC, a Monday."""
MINUTE = 60_000_000
DAY = 86_400_000_000
SPECS = {symbol: symbol_spec(symbol) for symbol in ("EURUSD", "USDJPY", "EURGBP", "DE40", "GOOG")}
RATES = {"static": {"USDJPY": 150.0, "EURUSD": 1.25}}
"""No pounds: EURGBP cannot be converted."""


def pair(balance: float, **options: Any) -> tuple[Portfolio, ReferencePortfolio]:
    """Both portfolios over the same options."""
    return Portfolio(balance, rates=RATES, **options), ReferencePortfolio(
        balance, specs=SPECS, rates=RATES, **options
    )


def entry(price: float, stop: float, time: int, **fields: Any) -> dict[str, Any]:
    """A row that opens one lot of EURUSD; long if the stop is below the price."""
    side = "long" if stop < price else "short"
    row = {"op": "register_entry", "symbol": "EURUSD", "direction": side, "price": price, "stop_loss": stop}
    return {**row, "size": 1.0, "time": time, **fields}


def leave(id: int, price: float, time: int, **fields: Any) -> dict[str, Any]:
    """A row that closes a position."""
    return {"op": "register_exit", "position_id": id, "price": price, "time": time, **fields}


def update(time: int, **quotes: tuple[float, float]) -> dict[str, Any]:
    """A row that samples equity."""
    return {"op": "update", "time": time, "quotes": quotes or None}


COLUMNS = {
    **dict.fromkeys(("op", "symbol", "direction", "order_type", "status", "stop_kind", "kind"), pa.utf8()),
    **dict.fromkeys(("reason", "scenario", "tag", "meta"), pa.utf8()),
    **dict.fromkeys(("price", "order_price", "size", "stop_loss", "take_profit"), pa.float64()),
    **dict.fromkeys(("risk_per_trade", "fee", "amount", "buffer_pips"), pa.float64()),
    **dict.fromkeys(("time", "order_time"), pa.timestamp("us", "UTC")),
    "position_id": pa.uint64(),
    "clear_take_profit": pa.bool_(),
    "quotes": pa.list_(pa.struct([("symbol", pa.utf8()), ("bid", pa.float64()), ("ask", pa.float64())])),
}


def table(rows: Sequence[Row]) -> pa.Table:
    """The rows as an Arrow table of operations."""
    shaped = [{**row, "quotes": _listed(row.get("quotes")), "meta": _text(row.get("meta"))} for row in rows]
    names = [name for name in COLUMNS if any(row.get(name) is not None for row in shaped)]
    return pa.table({n: pa.array([row.get(n) for row in shaped], COLUMNS[n]) for n in names})


def _listed(quotes: Mapping[str, tuple[float, float]] | None) -> list[dict[str, Any]] | None:
    return None if quotes is None else [{"symbol": s, "bid": b, "ask": a} for s, (b, a) in quotes.items()]


def _text(meta: Mapping[str, Any] | None) -> str | None:
    return None if meta is None else json.dumps(dict(meta))


def digests(portfolio: Portfolio) -> dict[str, str]:
    """Canonical digests of all tables of a native portfolio."""
    return {
        "trades": _core.table_digest("trades", portfolio.get_trades()),
        "sampled": _core.table_digest("equity", portfolio.get_equity_curve()),
        "per_trade": _core.table_digest("equity", portfolio.get_equity_curve("per_trade")),
        "positions": _core.table_digest("execution_position", pa.table(portfolio.get_positions())),
        "state": _core.table_digest("portfolio_state", pa.table(portfolio.get_state())),
    }


def comparable(done: Mapping[str, Any]) -> dict[str, Any]:
    """A report of a batch without the messages of its errors."""
    return {**done, "errors": [error[:2] for error in done["errors"]]}


def assert_same(native: Portfolio, twin: ReferencePortfolio) -> None:
    """Every table, figure and digest is equal to the bit; `pow` may differ in the last one."""
    assert (
        list(pa.table(native.get_state()).to_pylist()[0].values())[1:]
        == list(report.state(twin).values())[1:]
    )
    assert _plain(native.get_positions()) == report.positions(twin)
    assert _plain(native.get_trades()) == report.trades(twin)
    for kind in ("sampled", "per_trade"):
        assert _plain(native.get_equity_curve(kind)) == report.equity_curve(twin, kind)
    fees = [(f.timestamp, f.kind, f.amount, f.position_id) for f in twin.fees]
    assert [tuple(row.values()) for row in _plain(native.get_fees())] == fees
    assert native.get_summary() == report.summary(twin)
    ours, theirs = native.get_metrics(), report.metrics(twin)
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        if name in ("cagr_pct", "calmar_ratio") and value is not None:
            assert ours[name] is not None
            assert abs(ours[name] - value) <= 1e-9 * abs(value)
        else:
            assert ours[name] == value, name
    assert digests(native) == report.digests(twin)


def _plain(data: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows with times in microseconds."""
    types = [pa.int64() if pa.types.is_timestamp(field.type) else field.type for field in data.schema]
    arrays = [column.cast(kind) for column, kind in zip(data.columns, types, strict=True)]
    rows: list[dict[str, Any]] = pa.table(dict(zip(data.schema.names, arrays, strict=True))).to_pylist()
    return rows


def apply_all(portfolio: Portfolio, rows: Iterable[Row]) -> list[int | None]:
    """Rows one at a time through the methods of the portfolio: the code of each refusal, None where it was done."""
    codes: list[int | None] = []
    for row in rows:
        try:
            single(portfolio, row)
        except SweepError as refused:
            codes.append(refused.code)
        else:
            codes.append(None)
    return codes


def single(portfolio: Portfolio, row: Row) -> Any:
    """One row through the method that it names."""
    fields = {k: v for k, v in row.items() if k != "op" and v is not None}
    if row["op"] == "register_entry":
        return portfolio.register_entry(fields)
    if "position_id" in fields:
        fields["id"] = fields.pop("position_id")
    if row["op"] == "partial_exit":
        fields["lots"] = fields.pop("size")
    if fields.pop("clear_take_profit", False):
        fields["take_profit"] = None
    operation = getattr(portfolio, row["op"])
    for name, parameter in inspect.signature(operation).parameters.items():
        if parameter.default is parameter.empty:
            fields.setdefault(name, None)
    return operation(**fields)
