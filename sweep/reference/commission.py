"""Commission per lot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from sweep.errors import error, not_built
from sweep.reference.convert import Rate, conversion
from sweep.reference.numeric import round_dec

FillSide = Literal["entry", "exit"]
_KEYS: Final = ("schema", "per_lot", "side", "min_fee", "fee_ccy", "decimals")
_UNBUILT: Final = ("per_million_notional", "percent_of_notional")
_SIDES: Final = ("both", "entry", "exit")
_WHERE: Final = "costs.commission"


def overlay(commission: Mapping[str, Any], symbol: str) -> dict[str, Any]:
    """Defaults with the symbol's own block laid over them; a flat mapping is the defaults."""
    per_symbol = commission.get("per_symbol") or {}
    rest = {k: v for k, v in commission.items() if k not in ("per_symbol", "defaults")}
    return {**rest, **(commission.get("defaults") or {}), **(per_symbol.get(symbol) or {})}


def _checked(block: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = block.get("schema")
    if schema in _UNBUILT:
        raise not_built(f"commission schema {schema}", where=_WHERE, remedy="use per_lot")
    if schema is None:
        raise error(1008, "schema is missing", where=_WHERE, remedy="use per_lot")
    if schema != "per_lot":
        raise error(1001, f"unknown schema {schema!r}", where=_WHERE, remedy="use per_lot")
    unknown = [k for k, value in block.items() if k not in _KEYS and value is not None]
    if unknown:
        raise error(1001, f"unknown key {unknown[0]!r}", where=_WHERE, remedy=", ".join(_KEYS))
    if block.get("per_lot") is None:
        raise error(1008, "per_lot is missing", where=_WHERE, remedy="give the fee per lot and side")
    if block["per_lot"] < 0 or (block.get("min_fee") or 0) < 0:
        raise error(1001, "a fee is negative", where=_WHERE, remedy="give numbers of 0 or more")
    if block.get("side", "both") not in _SIDES:
        raise error(1001, f"unknown side {block['side']!r}", where=_WHERE, remedy=", ".join(_SIDES))
    return block


class Commission:
    """Fees of one symbol in account currency; without a configuration every fee is 0."""

    def __init__(
        self,
        commission: Mapping[str, Any] | None,
        multiplier: float,
        *,
        symbol: str,
        account: str,
        rates: Mapping[str, Rate],
    ) -> None:
        self._block = None if commission is None else _checked(overlay(commission, symbol))
        self._multiplier = multiplier
        if self._block is not None:
            self._convert = conversion(self._block.get("fee_ccy") or account, account, rates)

    def fee(self, fill: FillSide, lots: float, moment: int) -> float:
        """Fee of one fill of `lots` at a moment (us). Raises [2008] if a rate series knows no rate then."""
        block = self._block
        if block is None or block.get("side", "both") not in ("both", fill):
            return 0.0
        base = block["per_lot"] * lots
        smallest = block.get("min_fee") or 0.0
        fee = self._convert(max(base * self._multiplier, smallest * self._multiplier), moment)
        decimals = block.get("decimals", 2)
        return fee if decimals is None else round_dec(fee, decimals)
