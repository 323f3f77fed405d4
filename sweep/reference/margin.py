"""What a position ties up."""

from __future__ import annotations

from sweep.reference.commission import notional_units
from sweep.reference.convert import conversion
from sweep.reference.market import SymbolSpec
from sweep.reference.options import Options


class Margin:
    """Margin of one symbol at the leverage of the account."""

    def __init__(self, options: Options, spec: SymbolSpec) -> None:
        """Raises [1008] naming a missing rate."""
        self._units, source = notional_units(spec, options)
        self._convert = conversion(source, options.currency, options.rates)
        self._leverage = options.leverage

    def of(self, size: float, price: float, moment: int) -> float:
        """Margin of `size` lots at a price and a moment (us), in account currency. Raises [2008] without a rate."""
        return self._convert(((size * self._units) * price) / self._leverage, moment)
