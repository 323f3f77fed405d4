"""Currency conversion by fixed rates and by rate series."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from sweep.errors import error
from sweep.reference.market import ReferenceMarket

HOUR_US = 3_600_000_000


class RateSeries:
    """Mid closes of a market of rates, each known from the end of its bar on."""

    def __init__(self, pair: str, market: ReferenceMarket, max_age_hours: float) -> None:
        self._pair = pair
        self._ends = [int(label) + market.timeframe_us for label in market.label]
        self._bids: list[float] = market.bid.close.tolist()
        self._asks: list[float] = market.ask.close.tolist()
        self._max_age_hours = max_age_hours

    def at(self, moment: int) -> float:
        """The rate of the last bar that ended by `moment` (us). Raises [2008] if there is none or it is too old."""
        last = bisect_right(self._ends, moment) - 1
        if last < 0:
            raise self._missing(moment, "no bar has ended by then")
        if moment - self._ends[last] > self._max_age_hours * HOUR_US:
            raise self._missing(
                moment, f"its last bar ended at {self._ends[last]}, over {self._max_age_hours} hours before"
            )
        return 0.5 * (self._bids[last] + self._asks[last])

    def _missing(self, moment: int, why: str) -> Exception:
        return error(
            2008,
            f"no rate {self._pair} at {moment}: {why}",
            where=f"rates.series.{self._pair}",
            remedy="give rates for the whole window, or raise rates.max_rate_age_hours",
            stage="engine",
        )


Rate = float | RateSeries


def _at(rate: Rate, moment: int) -> float:
    return rate.at(moment) if isinstance(rate, RateSeries) else rate


@dataclass(frozen=True, slots=True)
class Conversion:
    """How an amount of one currency becomes another: rates to multiply by or to divide by, in order."""

    steps: tuple[tuple[str, Rate], ...]

    def __call__(self, amount: float, moment: int) -> float:
        """The amount in the target currency at a moment (us). Raises [2008] if a series knows no rate then."""
        for operation, rate in self.steps:
            amount = amount * _at(rate, moment) if operation == "*" else amount / _at(rate, moment)
        return amount


def _leg(source: str, target: str, rates: Mapping[str, Rate]) -> tuple[tuple[str, Rate], ...] | None:
    """Same currency, direct rate or inverse rate; None if there is neither."""
    if source == target:
        return ()
    if source + target in rates:
        return (("*", rates[source + target]),)
    if target + source in rates:
        return (("/", rates[target + source]),)
    return None


def conversion(source: str, target: str, rates: Mapping[str, Rate]) -> Conversion:
    """The conversion from `source` to `target`: direct, inverse, else through USD. Raises [1008] naming the pair."""
    direct = _leg(source, target, rates)
    if direct is not None:
        return Conversion(direct)
    first, second = _leg(source, "USD", rates), _leg("USD", target, rates)
    if first is None or second is None:
        raise error(
            1008,
            f"no rate converts {source} to {target}",
            where="rates",
            remedy=f"give {source}{target} or {target}{source}, or both legs through USD",
        )
    return Conversion(first + second)
