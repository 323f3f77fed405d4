"""The standalone portfolio: one operation at a time, nothing kept that can be computed when it is asked for.

Times are microseconds since 1970-01-01 UTC, money is in the account's currency, sizes are lots.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from sweep.errors import SweepError, error
from sweep.reference.curve import Curve
from sweep.reference.margin import Margin
from sweep.reference.market import ReferenceMarket, SymbolSpec
from sweep.reference.numeric import positive, round8
from sweep.reference.options import Options
from sweep.reference.position import LONG, SHORT, Notes, Order, Position
from sweep.reference.valuation import Valuation

Row = Mapping[str, Any]
T = TypeVar("T")
REASONS: Final = (
    "stop_loss",
    "take_profit",
    "break_even_stop_loss",
    "trailing_stop_loss",
    "timeout",
    "partial_exit",
    "limit_expired",
    "signal",
    "end_of_data",
)
UNFILLED: Final = ("limit_expired", "signal", "end_of_data")
KINDS: Final = ("initial", "break_even", "trailing", "manual")
_SIDES: Final = {"long": LONG, "short": SHORT}
_COUNTS: Final = {
    "register_entry": "entries",
    "register_fill": "fills",
    "register_exit": "exits",
    "partial_exit": "partial_exits",
    "modify_position": "modifies",
    "set_break_even": "modifies",
    "limit_expired": "expired",
    "update": "updates",
    "register_fee": None,
}


@dataclass(frozen=True, slots=True)
class Fee:
    """One entry of the log of fees."""

    timestamp: int
    kind: str
    amount: float
    position_id: int | None


@dataclass(slots=True)
class Symbol:
    """What lots of a symbol are, and are worth."""

    spec: SymbolSpec
    value: Valuation
    margin: Margin


class ReferencePortfolio:
    """An account that operations drive. An operation that is refused raises and changes nothing."""

    def __init__(
        self,
        initial_balance: float,
        currency: str = "USD",
        specs: Mapping[str, Row] | None = None,
        rates: Mapping[str, Any] | None = None,
        pnl: str = "lots",
        equity: str = "mark_to_market",
        leverage: float = 100,
        start_time: int | None = None,
    ) -> None:
        """`specs` are complete specifications by symbol; `rates` has `static`, `series` and `max_rate_age_hours`."""
        given = dict(rates or {})
        series: Mapping[str, ReferenceMarket] = given.pop("series", None) or {}
        account = {"initial_balance": initial_balance, "currency": currency, "leverage": leverage}
        options = {"account": account, "execution": {"pnl": pnl, "equity": equity}, "rates": given}
        self.options = Options.of(options, series)
        self.initial_balance = self.options.initial_balance
        self.cash = self.initial_balance
        self.total_fees = 0.0
        self.total_lots = 0.0
        self.turnover = 0.0
        self.realised = 0.0
        self.fees: list[Fee] = []
        self.pending: dict[int, Order] = {}
        self.risks: dict[int, float | None] = {}
        """Amount at risk that was given with a pending order."""
        self.open: dict[int, Position] = {}
        self.closed: list[Position] = []
        self.partials: list[Position] = []
        self.ended: list[Order] = []
        self.updates: list[tuple[int, float, float]] = []
        """Time, equity and cash of every update."""
        self.start = start_time
        self.clock: int | None = None
        self._specs = dict(specs or {})
        self._symbols: dict[str, Symbol] = {}
        self._quotes: dict[str, tuple[float, float]] = {}
        self._known: dict[int, Position | Order] = {}
        self._next_id = 1

    # ------------------------------------------------------------------------------------------------------ operations

    def apply(self, row: Row) -> int | None:
        """One row {op, …}; gives the id of the record that it made. Raises [1001] for an unknown operation."""
        fields = {name: value for name, value in row.items() if name != "op" and value is not None}
        op = row.get("op")
        if op not in _COUNTS:
            raise error(1001, f"unknown operation {op!r}", where="op", remedy=", ".join(_COUNTS))
        operation: Callable[..., int | None] = getattr(self, op)
        return operation(**fields)

    def batch(self, rows: Iterable[Row]) -> dict[str, Any]:
        """Rows in order. What is refused is noted as (row, code) and skipped."""
        counts = dict.fromkeys([name for name in _COUNTS.values() if name], 0)
        errors, ids, done, fees = [], [], 0, len(self.fees)
        for number, row in enumerate(rows):
            try:
                made = self.apply(row)
            except SweepError as refused:
                errors.append((number, refused.code))
                continue
            done += 1
            name = _COUNTS[row["op"]]
            if name:
                counts[name] += 1
            if made is not None:
                ids.append(made)
        return {
            "operations_processed": done,
            **counts,
            "fees": len(self.fees) - fees,
            "total_fees": self.total_fees,
            "final_cash": self.cash,
            "final_equity": self.equity,
            "errors": errors,
            "ids": ids,
        }

    def register_entry(
        self,
        *,
        symbol: str = "",
        direction: str = "",
        price: float | None = None,
        stop_loss: float | None = None,
        time: int | None = None,
        size: float | None = None,
        take_profit: float | None = None,
        status: str = "open",
        order_type: str | None = None,
        order_price: float | None = None,
        order_time: int | None = None,
        risk_per_trade: float | None = None,
        fee: float = 0.0,
        position_id: int | None = None,
        scenario: str | None = None,
        tag: str | None = None,
        reason: str | None = None,
        meta: Notes | None = None,
    ) -> int:
        """An open position, or a pending order, comes in."""
        number = self._new_id(position_id)
        self._known_symbol(symbol)
        side = _one_of(_SIDES, direction, "direction")
        waiting = _one_of({"open": False, "pending": True}, status, "status")
        kind = order_type or ("limit" if waiting else "market")
        _one_of(
            dict.fromkeys(("limit", "stop") if waiting else ("market", "limit", "stop")), kind, "order_type"
        )
        stop = _level(_given(stop_loss, "stop_loss"), "stop_loss")
        target = None if take_profit is None else _level(take_profit, "take_profit")
        if risk_per_trade is not None and not (math.isfinite(risk_per_trade) and risk_per_trade >= 0):
            raise _wrong(f"risk_per_trade is {risk_per_trade}")
        moment = _given(time, "time")
        level = None if kind == "market" else order_price
        if waiting:
            level = _level(order_price if price is None else price, "price")
        elif level is not None:
            level = _level(level, "order_price")
        order = Order(
            position_id=number,
            symbol=symbol,
            direction=side,
            order_type=kind,
            order_time=moment if waiting or order_time is None else order_time,
            order_bar=0,
            price=level,
            stop_loss=stop,
            take_profit=target,
            size=_level(size, "size") if not waiting or size else None,
            valid_bars=None,
            good_till=None,
            oco_group=None,
            scenario=scenario,
            tag=tag,
            meta={**(meta or {}), **({} if reason is None else {"signal_reason": reason})},
        )
        if waiting:
            if fee:
                raise _wrong("a pending order costs nothing")
            self.pending[number], self.risks[number] = order, risk_per_trade
            self._known[number] = order
            self._happened(moment)
        else:
            self._fill(order, risk_per_trade, _level(price, "price"), order.size, moment, fee)
        self._next_id = max(self._next_id, number + 1)
        return number

    def register_fill(
        self,
        position_id: int,
        price: float | None = None,
        size: float | None = None,
        time: int | None = None,
        fee: float = 0.0,
    ) -> None:
        """A pending order becomes an open position."""
        order = self._of(self.pending, position_id)
        lots = _level(order.size if size is None else size, "size")
        self._fill(order, self.risks[position_id], _level(price, "price"), lots, _given(time, "time"), fee)
        del self.pending[position_id], self.risks[position_id]

    def register_exit(
        self,
        position_id: int,
        price: float | None = None,
        time: int | None = None,
        reason: str = "signal",
        fee: float = 0.0,
    ) -> None:
        """An open position closes."""
        position = self._of(self.open, position_id)
        _one_of(dict.fromkeys(REASONS), reason, "reason")
        closed = replace(position, exit_fee=_finite(position.exit_fee + _fee(fee), "exit fee"))
        self._exit(position, closed, _level(price, "price"), _given(time, "time"), reason, fee)
        del self.open[position_id]
        self.closed.append(closed)
        self._known[position_id] = closed

    def partial_exit(
        self,
        position_id: int,
        size: float = math.nan,
        price: float | None = None,
        time: int | None = None,
        fee: float = 0.0,
    ) -> int:
        """Some lots of an open position close as a record of their own."""
        position = self._of(self.open, position_id)
        if not (0 < size < position.size and round8(position.size - size) > 0):
            raise error(
                1003, f"{size} lots of {position.size}", where="size", remedy="more than 0, less than all"
            )
        share = size / position.size
        part = replace(
            position,
            position_id=self._next_id,
            parent_id=position_id,
            size=size,
            risk_per_trade=position.risk_per_trade * share,
            entry_fee=position.entry_fee * share,
            margin=position.margin * share,
            exit_fee=_fee(fee),
        )
        self._exit(position, part, _level(price, "price"), _given(time, "time"), "partial_exit", fee)
        position.risk_per_trade -= part.risk_per_trade
        position.entry_fee -= part.entry_fee
        position.margin -= part.margin
        position.size = round8(position.size - size)
        self.partials.append(part)
        self._known[part.position_id] = part
        self._next_id += 1
        return part.position_id

    def modify_position(
        self,
        position_id: int,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        stop_kind: str | None = None,
        clear_take_profit: bool = False,
    ) -> None:
        """Levels of an open position or a pending order change."""
        held = self.open.get(position_id) or self._of(self.pending, position_id)
        if stop_loss is None and take_profit is None and stop_kind is None and not clear_take_profit:
            raise _wrong("nothing to change")
        stop = held.stop_loss if stop_loss is None else _level(stop_loss, "stop_loss")
        target = held.take_profit
        if clear_take_profit or take_profit is not None:
            target = None if clear_take_profit else _level(take_profit, "take_profit")
        if stop_kind is not None:
            _one_of(dict.fromkeys(KINDS), stop_kind, "stop_kind")
        if isinstance(held, Position):
            held.stop_kind = stop_kind or (held.stop_kind if stop_loss is None else "manual")
        elif stop_kind is not None:
            raise _wrong("the stop of a pending order is the initial one")
        held.stop_loss, held.take_profit = stop, target

    def set_break_even(self, position_id: int, buffer_pips: float = 0.0) -> None:
        """The stop of an open position moves to its entry."""
        position = self._of(self.open, position_id)
        buffer = buffer_pips * self._symbol(position.symbol).spec.pip_size
        stop = _level(position.entry_price + position.direction * buffer, "the stop at break-even")
        position.stop_loss, position.stop_kind = stop, "break_even"

    def limit_expired(self, position_id: int, time: int | None = None, reason: str = "limit_expired") -> None:
        """A pending order ends without a fill."""
        order = self._of(self.pending, position_id)
        _one_of(dict.fromkeys(UNFILLED), reason, "reason")
        order.end_time = _not_before(_given(time, "time"), order.order_time)
        order.reason = reason
        del self.pending[position_id], self.risks[position_id]
        self.ended.append(order)
        self._happened(order.end_time)

    def register_fee(
        self,
        amount: float | None = None,
        time: int | None = None,
        kind: str = "other",
        position_id: int | None = None,
    ) -> None:
        """A fee of its own is paid."""
        if not _fee(amount or 0.0):
            return
        assert amount is not None
        held = None
        if position_id is not None:
            held = self._of(self._known, position_id)
            if kind in ("entry", "exit") and not isinstance(held, Position):
                raise error(
                    1007, f"order {position_id} was never filled", where="id", remedy="name a position"
                )
        moment = _given(time, "time")
        self._admit(amount)
        if kind in ("entry", "exit") and isinstance(held, Position):
            setattr(held, f"{kind}_fee", _finite(getattr(held, f"{kind}_fee") + amount, "fee"))
        self.cash -= amount
        self.total_fees += amount
        self._log(moment, kind, amount, position_id)
        self._happened(moment)

    def update(
        self, time: int | None = None, quotes: Mapping[str, tuple[float, float]] | None = None
    ) -> None:
        """Symbols are marked, and equity is sampled."""
        moment = _given(time, "time")
        last = self.updates[-1][0] if self.updates else self.start
        if last is not None:
            _not_before(moment, last)
        for symbol, (bid, ask) in (quotes or {}).items():
            self._known_symbol(symbol)
            _level(bid, "bid")
            _level(ask, "ask")
        before = self._quotes
        self._quotes = {**before, **(quotes or {})}
        try:
            unrealised = self.unrealised(moment) if self.options.equity == "mark_to_market" else 0.0
            equity = _finite(self.cash + unrealised, "equity")
        except SweepError:
            self._quotes = before
            raise
        self._happened(moment)
        self.updates.append((moment, equity, self.cash))

    # ------------------------------------------------------------------------------------------------------- questions

    @property
    def now(self) -> int:
        """Time of the last operation."""
        return next((time for time in (self.clock, self.start) if time is not None), 0)

    @property
    def equity(self) -> float:
        """Equity as of the last operation."""
        if self.options.equity == "realised":
            return self.cash
        return _finite(self.cash + self.unrealised(self.now), "equity")

    @property
    def margin_used(self) -> float:
        """Margin of the open positions, fixed at their fills."""
        total = 0.0
        for _, position in sorted(self.open.items()):
            total += position.margin
        return total

    def unrealised(self, moment: int) -> float:
        """What the open positions would give at the last quotes, else at their entries; in id order."""
        total = 0.0
        for _, position in sorted(self.open.items()):
            quote = self._quotes.get(position.symbol, (position.entry_price,) * 2)
            mark = quote[0] if position.is_long else quote[1]
            total += self._symbol(position.symbol).value.result(position, mark, moment)
        return _finite(total, "the unrealised profit")

    def calculate_margin(self, symbol: str, size: float, price: float, time: int | None = None) -> float:
        """Margin that lots would tie up."""
        moment = self.now if time is None else time
        return self._symbol(symbol).margin.of(_level(size, "size"), _level(price, "price"), moment)

    def curve(self) -> Curve:
        """Every update after the initial balance, those of one time one by one."""
        curve = Curve(self.initial_balance, self.start or 0)
        for time, equity, cash in self.updates:
            curve.sample(time, equity, cash)
        return curve

    # --------------------------------------------------------------------------------------------------------- details

    def _fill(
        self, order: Order, risk: float | None, price: float, size: float | None, time: int, fee: float
    ) -> None:
        assert size is not None
        _not_before(time, order.order_time)
        symbol = self._symbol(order.symbol)
        if risk is None:
            risk = symbol.value.risk_of(size, abs(price - order.stop_loss), time)
        position = Position(
            position_id=order.position_id,
            symbol=order.symbol,
            direction=order.direction,
            order_time=order.order_time,
            entry_bar=0,
            filled_at_open=False,
            entry_time=time,
            entry_price=price,
            initial_stop_loss=order.stop_loss,
            initial_take_profit=order.take_profit,
            size=size,
            risk_per_trade=_finite(risk, "the risk"),
            entry_fee=_fee(fee),
            scenario=order.scenario,
            tag=order.tag,
            meta=order.meta,
            order_price=order.price,
            order_type=order.order_type,
            margin=_finite(symbol.margin.of(size, price, time), "margin"),
        )
        turnover = symbol.value.turnover(size, price, time)
        self._admit(fee, turnover=turnover)
        lots = _finite(self.total_lots + size, "total_lots")
        self.open[order.position_id] = self._known[order.position_id] = position
        self.cash -= fee
        self.total_fees += fee
        self.total_lots = lots
        self.turnover += turnover
        self._log(time, "entry", fee, order.position_id)
        self._happened(time)

    def _exit(
        self, held: Position, record: Position, price: float, time: int, reason: str, fee: float
    ) -> None:
        """Books the exit of `record`: all of the open position `held`, or a part of it."""
        _not_before(time, held.entry_time)
        record.stop_loss, record.take_profit = held.stop_loss, held.take_profit
        value = self._symbol(record.symbol).value
        record.result = _finite(value.result(record, price, time), "the result")
        record.r_multiple = _finite(value.r_multiple(record, price), "R")
        record.money_at_risk = _finite(value.money_at_risk(record, time), "the money at risk")
        turnover = value.turnover(record.size, price, time)
        self._admit(fee, record.result, turnover)
        record.status, record.reason = "closed", reason
        record.exit_time, record.exit_price = time, price
        self.cash -= fee
        self.cash += record.result
        self.total_fees += fee
        self.realised += record.result
        self.turnover += turnover
        self._log(time, "exit", fee, record.position_id)
        self._happened(time)

    def _admit(self, fee: float, result: float = 0.0, turnover: float = 0.0) -> None:
        _finite(self.cash - fee + result, "cash")
        _finite(self.total_fees + fee, "total_fees")
        _finite(self.realised + result, "the realised profit")
        _finite(self.turnover + turnover, "turnover")

    def _log(self, time: int, kind: str, amount: float, position_id: int | None) -> None:
        if amount:
            self.fees.append(Fee(time, kind, amount, position_id))

    def _happened(self, time: int) -> None:
        if self.start is None:
            self.start = time
        self.clock = time

    def _new_id(self, given: int | None) -> int:
        if given is None:
            return self._next_id
        if not 0 < given < 2**63:
            raise _wrong(f"position_id is {given}")
        if given in self._known:
            raise error(1007, f"position {given} is known", where="position_id", remedy="give another")
        return given

    def _of(self, held: Mapping[int, T], position_id: int) -> T:
        if position_id not in held:
            raise error(1007, f"position {position_id} is not there", where="id", remedy="name another")
        return held[position_id]

    def _known_symbol(self, name: str) -> Row:
        if name not in self._specs:
            raise _wrong(f"unknown symbol {name!r}")
        return self._specs[name]

    def _symbol(self, name: str) -> Symbol:
        if name not in self._symbols:
            spec = SymbolSpec.of(self._known_symbol(name))
            self._symbols[name] = Symbol(spec, Valuation(spec, self.options), Margin(self.options, spec))
        return self._symbols[name]


def _wrong(what: str) -> SweepError:
    return error(1001, what, where="operation", remedy="give another value")


def _one_of(known: Mapping[str, T], text: str, name: str) -> T:
    if text not in known:
        raise _wrong(f"unknown {name} {text!r}")
    return known[text]


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise error(1008, f"{name} is missing", where="operation", remedy=f"give {name}")
    return value


def _level(value: float | None, name: str) -> float:
    if not positive(value):
        raise _wrong(f"{name} is {value}")
    assert value is not None
    return float(value)


def _fee(value: float) -> float:
    if not math.isfinite(value):
        raise _wrong(f"the fee is {value}")
    return value


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise error(2005, f"{what} is {value}", where="operation", remedy="check prices, sizes and fees")
    return value


def _not_before(time: int, earliest: int) -> int:
    if time < earliest:
        raise error(1003, f"time {time} is before {earliest}", where="time", remedy="give a later one")
    return time
