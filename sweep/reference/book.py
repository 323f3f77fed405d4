"""The account: cash, fees, open and closed positions."""

from __future__ import annotations

from dataclasses import replace

from sweep.reference.numeric import round8
from sweep.reference.position import Order, Position
from sweep.reference.valuation import Valuation


class Book:
    """Every movement of cash passes here. Open positions are in position_id order, closed ones in closing order."""

    def __init__(self, initial_balance: float) -> None:
        self.cash = initial_balance
        self.total_fees = 0.0
        self.total_lots = 0.0
        self.turnover = 0.0
        self.optimistic_gain = 0.0
        self.closed: list[Position] = []
        self.partials: list[Position] = []
        """Records of partial exits."""
        self.ended: list[Order] = []
        """Orders that ended without a fill."""
        self._open: dict[int, Position] = {}
        self._next_id = 1

    @property
    def open(self) -> list[Position]:
        """Open positions in position_id order."""
        return [self._open[key] for key in sorted(self._open)]

    @property
    def margin_used(self) -> float:
        """Margin of the open positions, fixed at their fills."""
        total = 0.0
        for position in self.open:
            total += position.margin
        return total

    def number(self) -> int:
        """A position_id that was not given before."""
        self._next_id += 1
        return self._next_id - 1

    def enter(self, position: Position, turnover: float) -> None:
        """Book a fill: the entry fee leaves the cash."""
        self._open[position.position_id] = position
        self.cash -= position.entry_fee
        self.total_fees += position.entry_fee
        self.total_lots += position.size
        self.turnover += turnover

    def leave(
        self,
        position: Position,
        value: Valuation,
        *,
        price: float,
        time: int,
        moment: int,
        fee: float,
        reason: str,
    ) -> None:
        """Book an exit, recorded with `time` and converted at `moment`: first the fee, then the result."""
        del self._open[position.position_id]
        self._settle(position, value, price=price, time=time, moment=moment, fee=fee, reason=reason)
        self.closed.append(position)

    def leave_part(
        self,
        position: Position,
        lots: float,
        value: Valuation,
        *,
        price: float,
        time: int,
        moment: int,
        fee: float,
    ) -> None:
        """Book the exit of some lots as a record of its own, which takes its share of risk, entry fee and margin."""
        share = lots / position.size
        part = replace(
            position,
            position_id=self.number(),
            parent_id=position.position_id,
            size=lots,
            risk_per_trade=position.risk_per_trade * share,
            entry_fee=position.entry_fee * share,
            margin=position.margin * share,
        )
        part.stop_loss, part.take_profit = position.stop_loss, position.take_profit
        part.best_price, part.worst_price = position.best_price, position.worst_price
        position.risk_per_trade -= part.risk_per_trade
        position.entry_fee -= part.entry_fee
        position.margin -= part.margin
        position.size = round8(position.size - lots)
        self._settle(part, value, price=price, time=time, moment=moment, fee=fee, reason="partial_exit")
        self.partials.append(part)

    def end(self, order: Order, time: int, reason: str) -> None:
        """File an order that ends without a fill: no cash moves."""
        order.reason, order.end_time = reason, time
        self.ended.append(order)

    def _settle(
        self,
        position: Position,
        value: Valuation,
        *,
        price: float,
        time: int,
        moment: int,
        fee: float,
        reason: str,
    ) -> None:
        position.status, position.reason = "closed", reason
        position.closing = position.parting = position.next_stop = position.next_target = None
        position.exit_time, position.exit_price, position.exit_fee = time, price, fee
        position.result = value.result(position, price, moment)
        position.r_multiple = value.r_multiple(position, price)
        position.money_at_risk = value.money_at_risk(position, moment)
        self.cash -= fee
        self.cash += position.result
        self.total_fees += fee
        self.turnover += value.turnover(position.size, price, moment)
