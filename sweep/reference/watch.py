"""Giving up a backtest early: what is judged at the close of every bar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sweep.reference.curve import Sample
from sweep.reference.market import ReferenceMarket

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a backtest was given up: kind (RUIN, MAX_DRAWDOWN, TOO_FEW_BY_MIDPOINT), reason, label of the bar."""

    kind: str
    reason: str
    at: int


class Watch:
    """The limits `ruin_pct`, `max_drawdown_pct`, `min_trades_by_midpoint` (with `min_trades`) of one backtest."""

    def __init__(self, limits: Mapping[str, Any], initial: float, markets: Sequence[ReferenceMarket]) -> None:
        self._limits, self._initial = limits, initial
        start = min(market.trade_from for market in markets)
        end = max(market.trade_until for market in markets)
        self._twice_middle = start + end
        self._before_middle = True
        self._deepest = 0.0

    def judge(self, sample: Sample, closed: int) -> Stopped | None:
        """What the sample of a bar that has just been taken says, with `closed` trades so far."""
        bar = f"the bar {_iso(sample.timestamp)}"
        first_of_second_half = self._before_middle and 2 * sample.timestamp >= self._twice_middle
        if first_of_second_half:
            self._before_middle = False
        fall = 100 * (sample.high_water - sample.equity) / sample.high_water
        self._deepest = max(self._deepest, fall)
        ruin, deep = self._limits.get("ruin_pct"), self._limits.get("max_drawdown_pct")
        if ruin is not None and sample.equity <= ruin / 100 * self._initial:
            what = f"equity at or below {_plain(ruin)} % of the initial balance on {bar}"
            return Stopped("RUIN", what, sample.timestamp)
        if deep is not None and self._deepest > deep:
            return Stopped("MAX_DRAWDOWN", f"drawdown above {_plain(deep)} % on {bar}", sample.timestamp)
        fraction = self._limits.get("min_trades_by_midpoint")
        if fraction is not None and first_of_second_half:
            needed = math.ceil(fraction * self._limits["min_trades"] - 1e-9)
            if closed < needed:
                what = f"fewer than {needed} closed trades by the middle of the window, {bar}"
                return Stopped("TOO_FEW_BY_MIDPOINT", what, sample.timestamp)
        return None


def _plain(number: float) -> str:
    """The shortest digits, without a trailing .0."""
    return repr(float(number)).removesuffix(".0")


def _iso(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=int(micros))).isoformat().replace("+00:00", "Z")
