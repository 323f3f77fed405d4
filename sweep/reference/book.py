"""The account: cash, fees, open and closed positions."""

from __future__ import annotations

from sweep.reference.position import Position
from sweep.reference.valuation import Valuation


class Book:
    """Every movement of cash passes here. Positions are kept in position_id order, closed ones in closing order."""

    def __init__(self, initial_balance: float, valuation: Valuation) -> None:
        self.cash = initial_balance
        self.total_fees = 0.0
        self.total_lots = 0.0
        self.turnover = 0.0
        self.optimistic_gain = 0.0
        self.closed: list[Position] = []
        self._open: dict[int, Position] = {}
        self._valuation = valuation

    @property
    def open(self) -> list[Position]:
        """Open positions in position_id order."""
        return list(self._open.values())

    def enter(self, position: Position, moment: int) -> None:
        """Book a fill at a moment (us): the entry fee leaves the cash."""
        self._open[position.position_id] = position
        self.cash -= position.entry_fee
        self.total_fees += position.entry_fee
        self.total_lots += position.size
        self.turnover += self._valuation.turnover(position.size, position.entry_price, moment)

    def leave(
        self,
        position: Position,
        *,
        price: float,
        time: int,
        moment: int,
        fee: float,
        reason: str,
        ambiguous: bool,
    ) -> None:
        """Book an exit, recorded with `time` and converted at `moment`: first the fee, then the result."""
        del self._open[position.position_id]
        position.status = "closed"
        position.closing = None
        position.exit_time, position.exit_price, position.exit_fee = time, price, fee
        position.reason, position.same_bar_ambiguous = reason, ambiguous
        position.result = self._valuation.result(position, price, moment)
        position.r_multiple = self._valuation.r_multiple(position, price)
        position.money_at_risk = self._valuation.money_at_risk(position, moment)
        self.cash -= fee
        self.cash += position.result
        self.total_fees += fee
        self.turnover += self._valuation.turnover(position.size, price, moment)
        self.closed.append(position)

    def unrealised(self, bid: float, ask: float, moment: int) -> float:
        """Sum of the results as if all open positions ended at these prices now, before exit costs."""
        total = 0.0
        for position in self._open.values():
            total += self._valuation.result(position, bid if position.is_long else ask, moment)
        return total
