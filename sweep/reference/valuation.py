"""What a price move, a position and a stop are worth in account currency."""

from __future__ import annotations

from sweep.reference.convert import Conversion, conversion
from sweep.reference.market import SymbolSpec
from sweep.reference.options import Options
from sweep.reference.position import Position


class Valuation:
    """Money of one symbol, converted by the rates of a moment (us).

    Under `unit_value: tick` amounts arise in account currency and no rate is needed. Everything that converts raises
    [2008] if a rate series knows no rate at the moment.
    """

    def __init__(self, spec: SymbolSpec, options: Options) -> None:
        self._spec = spec
        self._in_r = options.pnl == "r_multiple"
        self._tick = options.unit_value == "tick"
        self._units = spec.contract_size
        if self._tick:
            if spec.tick_value is not None:
                self._units = spec.tick_value / spec.tick_size
            self._convert = Conversion(())
        else:
            self._convert = conversion(spec.quote_currency, options.currency, options.rates)

    def r_multiple(self, position: Position, price: float) -> float:
        """Result in units of the initial risk if the position ended at `price`."""
        risk = abs(position.entry_price - position.initial_stop_loss)
        return self._move(position, price) / risk if risk != 0 else 0.0

    def result(self, position: Position, price: float, moment: int) -> float:
        """Result in account currency, fees apart, if the position ended at `price`."""
        if self._in_r:
            return self.r_multiple(position, price) * position.risk_per_trade
        return self._convert((self._move(position, price) * position.size) * self._units, moment)

    def money_at_risk(self, position: Position, moment: int) -> float:
        """What the initial stop would have cost; the risk amount where results are in R."""
        if self._in_r:
            return position.risk_per_trade
        distance = abs(position.entry_price - position.initial_stop_loss)
        return self._convert((distance * position.size) * self._units, moment)

    def turnover(self, lots: float, price: float, moment: int) -> float:
        """Notional of a fill."""
        return self._convert((lots * self._units) * price, moment)

    def lots_for(self, risk: float, distance: float, moment: int) -> float:
        """Raw lots that lose `risk` over a stop distance in price."""
        if self._tick:
            return risk / (distance * self._units)
        return risk / ((distance / self._spec.pip_size) * self._pip_value(moment))

    def risk_of(self, lots: float, distance: float, moment: int) -> float:
        """Money that `lots` lose over a stop distance in price."""
        if self._tick:
            return distance * self._units * lots
        return (distance / self._spec.pip_size) * self._pip_value(moment) * lots

    def _pip_value(self, moment: int) -> float:
        return self._convert(self._spec.contract_size * self._spec.pip_size, moment)

    @staticmethod
    def _move(position: Position, price: float) -> float:
        return price - position.entry_price if position.is_long else position.entry_price - price
