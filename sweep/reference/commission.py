"""Commission per lot and on the notional of a fill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from sweep.errors import error
from sweep.reference.convert import Conversion, conversion
from sweep.reference.market import SymbolSpec
from sweep.reference.numeric import round_dec
from sweep.reference.options import Options

FillSide = Literal["entry", "exit"]
_NUMBER: Final = {
    "per_lot": "per_lot",
    "per_million_notional": "rate_per_million",
    "percent_of_notional": "pct",
}
"""Schema to the key of its number."""
_AMOUNTS: Final = (*_NUMBER.values(), "min_fee")
_KEYS: Final = ("schema", *_AMOUNTS, "side", "fee_ccy", "decimals")
_SIDES: Final = ("both", "entry", "exit")
_WHERE: Final = "costs.commission"


def overlay(commission: Mapping[str, Any], symbol: str) -> dict[str, Any]:
    """Defaults with the symbol's own block laid over them; a flat mapping is the defaults, a null says nothing."""
    flat = {k: v for k, v in commission.items() if k not in ("per_symbol", "defaults")}
    defaults = commission.get("defaults")
    if defaults is not None and flat:
        remedy = "write it in defaults"
        raise error(1001, f"{next(iter(flat))} stands beside defaults", where=_WHERE, remedy=remedy)
    blocks = commission.get("per_symbol") or {}
    merged: dict[str, Any] = {}
    for block in (flat if defaults is None else defaults, blocks.get(symbol) or {}):
        merged |= {k: v for k, v in block.items() if v is not None or k == "decimals"}
    return merged


def _checked(block: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = block.get("schema")
    if schema is None:
        raise error(1008, "schema is missing", where=_WHERE, remedy=", ".join(_NUMBER))
    if schema not in _NUMBER:
        raise error(1001, f"unknown schema {schema!r}", where=_WHERE, remedy=", ".join(_NUMBER))
    for name in block:
        if name not in _KEYS:
            raise error(1001, f"unknown key {name!r}", where=_WHERE, remedy=", ".join(_KEYS))
    for name in _AMOUNTS:
        if block.get(name, 0) < 0:
            raise error(1001, f"{name} is negative", where=_WHERE, remedy="give a number of 0 or more")
    if _NUMBER[schema] not in block:
        raise error(1008, f"{_NUMBER[schema]} is missing", where=_WHERE, remedy=f"{schema} needs it")
    if block.get("side", "both") not in _SIDES:
        raise error(1001, f"unknown side {block['side']!r}", where=_WHERE, remedy=", ".join(_SIDES))
    return block


class Commission:
    """Fees of one symbol in account currency; without a configuration every fee is 0."""

    def __init__(self, options: Options, spec: SymbolSpec) -> None:
        """Raises [1001] and [1008] for the configuration, [1008] naming a missing rate."""
        given = options.commission
        self._block = None if given is None else _checked(overlay(given, spec.symbol))
        self._multiplier = options.fee_multiplier
        self._units, source = notional_units(spec, options)
        if self._block is None:
            return
        currency = self._block.get("fee_ccy") or options.currency
        self._to_account = conversion(currency, options.currency, options.rates)
        if self._block["schema"] != "per_lot":
            self._to_fee: Conversion = conversion(source, currency, options.rates)

    def fee(self, fill: FillSide, lots: float, price: float, moment: int) -> float:
        """Fee of one fill of `lots` at a price and a moment (us). Raises [2008] if a rate series knows no rate then."""
        block = self._block
        if block is None or block.get("side", "both") not in ("both", fill):
            return 0.0
        base = self._base(block, lots, price, moment) * self._multiplier
        smallest = block.get("min_fee", 0.0) * self._multiplier
        fee = self._to_account(max(base, smallest), moment)
        decimals = block.get("decimals", 2)
        return fee if decimals is None else round_dec(fee, decimals)

    def _base(self, block: Mapping[str, Any], lots: float, price: float, moment: int) -> float:
        """The fee before multiplier and minimum, in its own currency."""
        if block["schema"] == "per_lot":
            return float(block["per_lot"] * lots)
        notional = self._to_fee((price * self._units) * lots, moment)
        if block["schema"] == "per_million_notional":
            return float(block["rate_per_million"] * (notional / 1e6))
        return float(block["pct"] * notional)


def notional_units(spec: SymbolSpec, options: Options) -> tuple[float, str]:
    """What one lot is worth per 1.0 of price, and the currency of that: the quote's, under `tick` the account's."""
    if options.unit_value == "contract":
        return spec.contract_size, spec.quote_currency
    units = spec.contract_size if spec.tick_value is None else spec.tick_value / spec.tick_size
    return units, options.currency
