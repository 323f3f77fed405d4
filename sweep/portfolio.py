"""`Portfolio`: the engine's own account, driven by operations instead of a strategy.

Operations exist singly and in batches; a batch crosses into the native module once. Positions are addressed by
position_id only. Times are microseconds since 1970-01-01 UTC, or datetimes (UTC if they have no zone); money is in the
account's currency, sizes are lots.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from sweep.arrow import read_all
from sweep.config.document import read
from sweep.config.market import instant
from sweep.config.market import micros as instant_micros
from sweep.errors import error
from sweep.json_text import json_text
from sweep.market.market import Market
from sweep.market.specs import symbol_spec

if TYPE_CHECKING:
    import pyarrow as pa

Time = int | datetime
Quotes = Mapping[str, tuple[float, float]]
Pnl = Literal["lots", "r_multiple"]
Equity = Literal["mark_to_market", "realised"]
Curve = Literal["sampled", "per_trade"]
_CURVES: Final = ("sampled", "per_trade")


class _Unchanged:
    """What an argument is that was not given, where None means something."""


UNCHANGED: Final = _Unchanged()


class Portfolio:
    """An account without a market. What is refused raises and changes nothing.

    Equity is as of the last operation: cash, or cash and what the open positions would give at their last marks (the
    last quote of the symbol, else the entry price), by the rates of the last operation's time.
    """

    def __init__(
        self,
        initial_balance: float,
        currency: str = "USD",
        specs: Mapping[str, Any] | str | Path | None = None,
        rates: Mapping[str, Any] | None = None,
        pnl: Pnl = "lots",
        equity: Equity = "mark_to_market",
        leverage: float = 100,
        start_time: Time | None = None,
    ) -> None:
        """Specifications are checked here; the rate of a symbol is looked for when it is first traded.

        Args:
            initial_balance: Cash to begin with, above 0.
            currency: The account's.
            specs: Fields of symbols laid over the built-in table, or a YAML file of them.
            rates: `static`, `series` and `max_rate_age_hours`, as of `Engine`.
            pnl: Whether a result is money from lots, or R times risk_per_trade.
            equity: Whether open positions count.
            leverage: For margins.
            start_time: Time of the first row of the equity curve; None = that of the first operation.

        Raises:
            SweepError: [1001] [1003] [1004] [1008] for what is no such value.
        """
        from sweep import _core

        rates = _mapping(rates or {}, "rates")
        series = _mapping(rates.pop("series", None) or {}, "rates.series")
        for pair, market in series.items():
            if not isinstance(market, Market):
                what = f"a Market is needed, not {type(market).__name__}"
                raise error(1004, what, where=f"rates.series.{pair}", remedy="load it: Market.read(...)")
        options = {
            "account": {"initial_balance": initial_balance, "currency": currency, "leverage": leverage},
            "execution": {"pnl": pnl, "equity": equity},
            "rates": rates,
        }
        table = read(Path(specs)).tree if isinstance(specs, str | Path) else _mapping(specs or {}, "specs")
        resolved = {symbol: symbol_spec(symbol, table) for symbol in table}
        markets = {pair: market.core for pair, market in series.items()}
        start = None if start_time is None else micros(start_time)
        self._core = _core.Portfolio(json_text(options), json_text(resolved), markets, start)

    def register_entry(self, position: Mapping[str, Any], fee: float | None = None) -> int:
        """Takes in an open position, or a pending order, and gives its id. No cash moves but the fee.

        Args:
            position: symbol, direction, price, size, stop_loss and time of the fill; further position_id [the next],
                take_profit, risk_per_trade [what the stop costs with these lots], order_type [market], order_price and
                order_time [those of the fill], scenario, tag, reason, meta (texts, integers, bools). A pending order
                has status "pending", order_type "limit" [default] or "stop", its own price and time, no fee, and a size
                only for its fill.
            fee: Fee of the fill; negative = rebate.

        Raises:
            SweepError: [1001] a value that is none, [1003] filled before it was ordered, [1007] a known id, [1008] no
                stop, time or rate, [2005] an amount that is not finite, [2008] no rate at that time.
        """
        return cast("int", self._core.apply({"op": "register_entry", "position": position, "fee": fee}))

    def register_fill(
        self, id: int, price: float, size: float | None, time: Time, fee: float | None = None
    ) -> None:
        """A pending order becomes an open position; without a size it takes that of the order.

        Raises:
            SweepError: [1007] not pending; else as `register_entry`.
        """
        self._apply("register_fill", id, price=price, size=size, time=time, fee=fee)

    def register_exit(
        self, id: int, price: float, time: Time, reason: str = "signal", fee: float | None = None
    ) -> None:
        """Closes an open position: the fee leaves the cash, then the result comes in.

        Raises:
            SweepError: [1007] not open, [1001] price, fee or an unknown reason, [1003] before its entry, [2005] [2008].
        """
        self._apply("register_exit", id, price=price, time=time, reason=reason, fee=fee)

    def partial_exit(self, id: int, lots: float, price: float, time: Time, fee: float | None = None) -> int:
        """Closes some lots of an open position as a record of its own, and gives its id; the position stays open.

        Raises:
            SweepError: [1003] lots that are not above 0 and below the position's; else as `register_exit`.
        """
        return cast("int", self._apply("partial_exit", id, size=lots, price=price, time=time, fee=fee))

    def modify_position(
        self,
        id: int,
        *,
        stop_loss: float | None = None,
        take_profit: float | _Unchanged | None = UNCHANGED,
        stop_kind: str | None = None,
    ) -> None:
        """Changes levels of an open position or a pending order; a target of None removes it.

        A stop that moves is `manual` unless another kind is given. R stays relative to the stop at the fill.

        Raises:
            SweepError: [1007] neither open nor pending, [1001] a level or kind that is none, or nothing to change.
        """
        target = None if isinstance(take_profit, _Unchanged) else take_profit
        self._apply(
            "modify_position",
            id,
            stop_loss=stop_loss,
            take_profit=target,
            clear_take_profit=take_profit is None,
            stop_kind=stop_kind,
        )

    def set_break_even(self, id: int, buffer_pips: float = 0) -> None:
        """Moves the stop of an open position to its entry and `buffer_pips` beyond it, kind `break_even`.

        Raises:
            SweepError: [1007] not open, [1001] a buffer that leads to no price.
        """
        self._apply("set_break_even", id, buffer_pips=buffer_pips)

    def limit_expired(self, id: int, time: Time, reason: str = "limit_expired") -> None:
        """A pending order ends without a fill, also by `signal` or `end_of_data`. No cash moves.

        Raises:
            SweepError: [1007] not pending, [1001] another reason, [1003] before its order.
        """
        self._apply("limit_expired", id, time=time, reason=reason)

    def register_fee(
        self, amount: float | None, time: Time, kind: str = "other", id: int | None = None
    ) -> None:
        """Pays a fee; negative = rebate. `entry` and `exit` also add to the position's. None and 0 do nothing.

        Raises:
            SweepError: [1001] not finite, [1007] an unknown position, or `entry` and `exit` of one never filled.
        """
        self._apply("register_fee", id, amount=amount, time=time, kind=kind)

    def update(self, time: Time, quotes: Quotes | None = None) -> None:
        """Takes an equity sample after marking symbols with quotes (bid, ask).

        One at the time of the last sample takes its row in the curve; it counts for high water and drawdowns all the same.

        Raises:
            SweepError: [1003] before the last sample, [1001] a quote that is none, [2005] [2008].
        """
        self._apply("update", None, time=time, quotes=quotes)

    def batch(self, rows: pa.Table | pa.RecordBatch | Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Many operations in order, in one call; what is refused is noted and skipped.

        Args:
            rows: Mappings, or an Arrow table with a column per field (faster). Each has `op`, the name of a method, and
                its arguments under their names (`position_id` for id); a position's fields stand beside the others.
                None and null are as good as absent; `clear_take_profit` true removes a target. In tables `time` is
                timestamp[us, UTC] or int64, `quotes` a list of {symbol, bid, ask}, `meta` JSON.

        Returns:
            operations_processed, entries, fills, exits, partial_exits, modifies, expired, updates, fees (counts; paid
            with fills and exits too), total_fees, final_cash, final_equity (None if it cannot be converted), errors
            (row, code, message), ids (of new records).

        Raises:
            SweepError: [1001] an unknown column, [1005] one of another type.
        """
        if hasattr(rows, "__arrow_c_stream__"):
            return self._core.batch_table(rows)
        if hasattr(rows, "__arrow_c_array__"):
            import pyarrow as pa

            return self._core.batch_table(pa.Table.from_batches([rows]))
        if not isinstance(rows, Iterable) or isinstance(rows, Mapping):
            what = f"rows are needed, not {type(rows).__name__}"
            raise error(1004, what, where="rows", remedy="give a list of mappings, or an Arrow table")
        return self._core.batch_rows(list(rows))

    @property
    def cash(self) -> float:
        """Cash."""
        return self._core.cash

    @property
    def equity(self) -> float:
        """Equity as of the last operation. Raises [2005] [2008] if it cannot be converted."""
        return self._core.equity

    def calculate_margin(self, symbol: str, size: float, price: float, time: Time | None = None) -> float:
        """Margin that lots would tie up, by the rates of `time` or of the last operation.

        Raises:
            SweepError: [1001] symbol, size or price, [1008] [2008] no rate, [2005].
        """
        moment = None if time is None else micros(time)
        if not isinstance(symbol, str):
            raise error(1004, f"{symbol!r} is no symbol", where="symbol", remedy="name the symbol")
        return self._core.calculate_margin(symbol, _number(size, "size"), _number(price, "price"), moment)

    def get_open_positions(self, symbol: str | None = None) -> list[dict[str, Any]]:
        """Copies of the open positions in id order, of one symbol or of all; times in microseconds."""
        import pyarrow as pa

        batch = _batch(self._core.positions(True))
        plain = [pa.int64() if pa.types.is_timestamp(f.type) else f.type for f in batch.schema]
        columns = [c.cast(t) for c, t in zip(batch.columns, plain, strict=True)]
        rows = pa.RecordBatch.from_arrays(columns, batch.schema.names).to_pylist()
        return [row for row in rows if symbol in (None, row["symbol"])]

    def get_positions(self) -> pa.RecordBatch:
        """All records in id order, schema execution_position: pending, open, closed, closed parts, ended orders."""
        return _batch(self._core.positions(False))

    def get_state(self) -> pa.RecordBatch:
        """One row of the schema portfolio_state: as of the last operation, high water and drawdown as of the last update.

        Raises:
            SweepError: [2005] [2008] if what is open cannot be converted at the last operation's time.
        """
        return _batch(self._core.state())

    def get_trades(self) -> pa.Table:
        """Closed positions in closing order, then closed parts, schema trades."""
        return read_all(self._core.trades())

    def get_fees(self) -> pa.Table:
        """Fees that were paid, in order: timestamp, kind, amount, position_id; those of 0 are not among them."""
        return read_all(self._core.fees())

    def get_equity_curve(self, kind: Curve = "sampled") -> pa.Table:
        """Schema equity: the initial balance, then the updates, or (`per_trade`) the balance after every trade.

        Raises:
            SweepError: [1001] another kind.
        """
        if kind not in _CURVES:
            raise error(1001, f"unknown curve {kind!r}", where="kind", remedy=" or ".join(_CURVES))
        return read_all(self._core.curve(kind == "per_trade"))

    def get_summary(self, robustness: Mapping[str, float] | None = None) -> dict[str, float | int]:
        """The fifteen figures, rounded; with a mapping, also those of robustness, by default what is unmeasured.

        Raises:
            SweepError: [1001] an unknown figure of robustness; as `get_state`.
        """
        figures = None if robustness is None else _mapping(robustness, "robustness")
        if figures is not None:
            figures = {str(name): _number(value, f"robustness.{name}") for name, value in figures.items()}
        return dict(json.loads(self._core.summary(figures)))

    def get_metrics(self) -> dict[str, float | None]:
        """The metrics in catalogue order, their samples the updates; None = undefined, or not known to a portfolio."""
        return dict(json.loads(self._core.metrics()))

    def _apply(self, op: str, id: int | None, **fields: Any) -> int | None:
        return self._core.apply({"op": op, "position_id": id, **fields})


def micros(time: Any) -> int:
    """Microseconds since 1970-01-01 UTC of a time; one without a zone is UTC. Raises [1004] for anything else."""
    if isinstance(time, datetime):
        return instant_micros(instant(time))
    if hasattr(time, "__index__"):
        return index(time)
    raise error(
        1004, f"{time!r} is no time", where="time", remedy="give microseconds since 1970 or a datetime"
    )


def _mapping(value: Any, where: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        what = f"a mapping is needed, not {type(value).__name__}"
        raise error(1004, what, where=where, remedy="give names with values")
    return dict(value)


def _number(value: Any, where: str) -> float:
    try:
        if not isinstance(value, str | bool):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise error(1004, f"{value!r} is no number", where=where, remedy="give a number")


def _batch(source: Any) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatchReader.from_stream(source).read_next_batch()
