"""Currency conversion by static rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sweep.errors import error


@dataclass(frozen=True, slots=True)
class Conversion:
    """How an amount of one currency becomes another: factors to multiply by or to divide by, in order."""

    steps: tuple[tuple[str, float], ...]

    def __call__(self, amount: float) -> float:
        """The amount in the target currency."""
        for operation, rate in self.steps:
            amount = amount * rate if operation == "*" else amount / rate
        return amount


def _leg(source: str, target: str, rates: Mapping[str, float]) -> tuple[tuple[str, float], ...] | None:
    """Same currency, direct rate or inverse rate; None if there is neither."""
    if source == target:
        return ()
    if source + target in rates:
        return (("*", rates[source + target]),)
    if target + source in rates:
        return (("/", rates[target + source]),)
    return None


def conversion(source: str, target: str, rates: Mapping[str, float]) -> Conversion:
    """The conversion from `source` to `target`: direct, inverse, else through USD. Raises [1008] naming the pair."""
    direct = _leg(source, target, rates)
    if direct is not None:
        return Conversion(direct)
    first, second = _leg(source, "USD", rates), _leg("USD", target, rates)
    if first is None or second is None:
        raise error(
            1008,
            f"no rate converts {source} to {target}",
            where="rates.static",
            remedy=f"give {source}{target} or {target}{source}, or both legs through USD",
        )
    return Conversion(first + second)
