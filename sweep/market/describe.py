"""What a market is like: span, spreads by hour, daily ranges, volume. Numbers only; `charts` draws them."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sweep.errors import error
from sweep.market.contract import timeframe_us

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.market.market import Market

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
_DRAWN: Final = ("days", "closes")
_CLOSES: Final = 512


@dataclass(frozen=True)
class Spread:
    """Ask close minus bid close, in pips; percentiles between two bars are interpolated."""

    min: float
    median: float
    mean: float
    p95: float
    max: float


@dataclass(frozen=True)
class Hour:
    """The bars whose label lies in one hour of the day, UTC."""

    hour: int
    bars: int
    spread: Spread | None


@dataclass(frozen=True)
class Days:
    """The bars of each UTC day that has any, in order; prices are bids."""

    start: Ints
    """Midnight, us UTC."""
    bars: Ints
    high: Floats
    low: Floats
    close: Floats


@dataclass(frozen=True)
class Description:
    """Numbers of a market. Lengths in pips are of the symbol's pip; volatilities are of logarithmic returns."""

    symbol: str
    timeframe: str
    kind: str
    digest: str | None
    """Null if something was left open, as of no market that a study could have."""
    bars: int
    first: int
    """Label of the first bar, us UTC."""
    last: int
    days_traded: int
    """UTC days with a bar."""
    traded_hours: float
    """Bars times the length of a bar."""
    traded_share: float
    """Traded hours over the hours from the first label to the end of the last bar."""
    gaps: dict[str, Any]
    weekend_gaps: dict[str, Any]
    crossed: dict[str, Any]
    price_min: float
    price_max: float
    spread: Spread | None
    """Null for one side without a spread."""
    by_hour: tuple[Hour, ...]
    """Hours without a bar are left out."""
    daily_range: dict[str, float]
    """High minus low of the bids of a UTC day in pips: median, mean, max."""
    volatility_per_day_pct: float | None
    """Standard deviation of daily returns of the last bid close, in percent; null below three days."""
    volatility_per_bar_pct: float | None
    volume: dict[str, float]
    """Bid volume: total, mean per bar, zero_bars."""
    days: Days = field(repr=False)
    closes: Floats = field(repr=False)
    """Bid closes at even distances, the last one among them, for a small picture."""

    def to_dict(self) -> dict[str, Any]:
        """For machines: everything but what is only drawn; times as ISO 8601."""
        out = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _DRAWN}
        return {**out, "first": iso(self.first), "last": iso(self.last)}


def describe(market: Market, *, left_open: Set[str] = frozenset()) -> Description:
    """Describes all bars that a market holds; a market of ticks is described by its bars.

    `left_open` names the keys of its config that hold a stand-in (`check`): what depends on them is null.
    """
    table, report = market.to_table(), market.report
    label = labels(table)
    if not len(label):
        what = f"the ticks complete no bar of {market.timeframe}"
        raise error(1010, what, remedy="describe them on a shorter timeframe", stage="data")
    bid, ask = column(table, "bid_close"), column(table, "ask_close")
    pip = float(market.spec["pip_size"])
    bar = timeframe_us(market.timeframe)
    days = by_day(table)
    spread = None if "spread_pips" in left_open else (ask - bid) / pip
    ranges = (days.high - days.low) / pip
    volume = column(table, "bid_volume")
    traded = len(label) * bar
    return Description(
        symbol=market.symbol,
        timeframe=market.timeframe,
        kind=getattr(market, "kind", "bars"),
        digest=None if left_open else market.digest,
        bars=len(label),
        first=int(label[0]),
        last=int(label[-1]),
        days_traded=len(days.start),
        traded_hours=traded / HOUR,
        traded_share=traded / float(label[-1] - label[0] + bar),
        gaps=report["gaps"],
        weekend_gaps=report["weekend_gaps"],
        crossed=report["crossed"],
        price_min=float(days.low.min()),
        price_max=float(days.high.max()),
        spread=None if spread is None else _spread(spread),
        by_hour=tuple(_hours(label, spread)),
        daily_range={
            "median": float(np.median(ranges)),
            "mean": float(ranges.mean()),
            "max": float(ranges.max()),
        },
        volatility_per_day_pct=_volatility(days.close),
        volatility_per_bar_pct=_volatility(bid),
        volume={
            "total": float(volume.sum()),
            "mean": float(volume.mean()),
            "zero_bars": int(np.count_nonzero(volume == 0)),
        },
        days=days,
        closes=bid[np.arange(1, min(_CLOSES, len(bid)) + 1) * len(bid) // min(_CLOSES, len(bid)) - 1],
    )


def by_day(table: pa.Table) -> Days:
    """Bars, extremes and last close of the bids of every UTC day in a market's table."""
    day = labels(table) // DAY
    starts = np.concatenate(([0], np.flatnonzero(day[1:] != day[:-1]) + 1))
    ends = np.concatenate((starts[1:], [len(day)]))
    return Days(
        start=day[starts] * DAY,
        bars=ends - starts,
        high=np.maximum.reduceat(column(table, "bid_high"), starts),
        low=np.minimum.reduceat(column(table, "bid_low"), starts),
        close=column(table, "bid_close")[ends - 1],
    )


def labels(table: pa.Table) -> Ints:
    """Labels of a market's table, us UTC."""
    found: Ints = table["timestamp"].to_numpy().astype(np.int64, copy=False)
    return found


def column(table: pa.Table, name: str) -> Floats:
    """A column of a market's table, without a copy where it is one chunk."""
    found: Floats = table[name].to_numpy()
    return found


def iso(at: int) -> str:
    """A time in us as text: `2012-02-01T16:43:00Z`."""
    moment = datetime(1970, 1, 1) + timedelta(microseconds=int(at))
    return f"{moment.isoformat()}Z"


def moment(at: int) -> datetime:
    """A time in us as a datetime in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at))


def _hours(label: Ints, spread: Floats | None) -> list[Hour]:
    hour = (label // HOUR % 24).astype(np.uint8)
    ordered = None if spread is None else spread[np.argsort(hour, kind="stable")]
    counts = np.bincount(hour, minlength=24)
    ends = np.cumsum(counts)
    return [
        Hour(number, int(count), None if ordered is None else _spread(ordered[end - count : end]))
        for number, (count, end) in enumerate(zip(counts, ends, strict=True))
        if count
    ]


def _spread(values: Floats) -> Spread:
    median, p95 = np.percentile(values, [50, 95])
    return Spread(float(values.min()), float(median), float(values.mean()), float(p95), float(values.max()))


def _volatility(close: Floats) -> float | None:
    if len(close) < 3:
        return None
    found = float(np.std(np.diff(np.log(close)), ddof=1)) * 100
    return found if math.isfinite(found) else None
