"""Lines of text about datasets: what was found in files, and what a market is like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.market.charts import sparkline
from sweep.market.findings import gap_text, time_text

if TYPE_CHECKING:
    from sweep.market import Market
    from sweep.market.check import Check, Defect, Side
    from sweep.market.describe import Description


def checked(found: Check) -> Iterator[str]:
    """The files, what is wrong with them, what is remarkable, and the verdict as the last line."""
    for side in found.sides:
        yield from _side(side)
    for note in found.notes:
        yield f"note: {note}"
    for entry in found.findings:
        if entry.warning:
            yield f"warning: {entry.name}: {entry.text}"
    for defect in found.defects:
        yield ""
        yield from _defect(defect)
    if found.market is not None:
        yield ""
        yield from _report(found, found.market)
    yield ""
    if found.accepted:
        yield "accepted"
    else:
        codes = " ".join(dict.fromkeys(f"[{defect.code}]" for defect in found.defects))
        yield f"refused: {codes}"


def _side(side: Side) -> Iterator[str]:
    yield f"{side.side}: {_short(side.path)}"
    if side.first is not None and side.last is not None:
        yield f"  {side.rows:,} rows, {time_text(side.first)} to {time_text(side.last)} UTC"
        yield f"  columns: {', '.join(side.columns)}"
    elif side.rows is not None:
        yield f"  {side.rows:,} rows"
    if side.ignored:
        yield f"  ignored: {', '.join(side.ignored)}"
    if side.widened:
        yield f"  widened to float64: {', '.join(side.widened)}"


def _defect(defect: Defect) -> Iterator[str]:
    yield f"[{defect.code}] {defect.side}: {defect.what}"
    if defect.where:
        yield f"  where: {_short_place(defect.where)}"
    # Rows that cannot be shown are named in what is said.
    shown = [row for row in defect.rows if row["detail"]]
    for row in shown:
        time = "" if row["time"] is None else f"  {time_text(row['time'])}"
        yield f"  row {row['row']}{time}  {row['detail']}".rstrip()
    if defect.count is not None and shown and defect.count > len(shown):
        yield f"  and {defect.count - len(shown):,} more (rows are counted from 0)"
    if defect.remedy:
        yield f"  what to do: {defect.remedy}"


def _report(found: Check, market: Market) -> Iterator[str]:
    report = market.report
    yield f"{report['rows']:,} bars, {time_text(report['first'])} to {time_text(report['last'])} UTC"
    yield from gaps(report)
    entries = [entry for entry in found.findings if not entry.warning and entry.name != "gaps"]
    for entry in entries:
        yield f"  {entry.name:<15} {entry.text}"
    names = {entry.name for entry in entries}
    looked_for = ["crossed quotes", "off the grid", "other spacing", "jumps", "spikes", "zero volume"]
    if "ticks" in report:
        looked_for.append("crossed ticks")
    none = [name for name in looked_for if name not in names]
    if none:
        yield f"  none            {', '.join(none)}"


def gaps(report: Mapping[str, Any]) -> Iterator[str]:
    """Gaps and weekends, a line each."""
    for key, name in (("gaps", "gaps"), ("weekend_gaps", "weekends")):
        found = report[key]
        if found["count"]:
            yield f"  {name:<15} {gap_text(found)}"
        else:
            yield f"  {name:<15} none"


def described(about: Description, *, named: bool, width: int, plain: bool) -> Iterator[str]:
    """Numbers and small pictures of a market; `named`: whether lengths are in pips of a known symbol."""
    unit = "pips" if named else "in price"
    symbol = about.symbol if named else "unnamed symbol"
    span = f"{time_text(about.first)} to {time_text(about.last)} UTC"
    yield f"{symbol} {about.timeframe}: {about.bars:,} bars, {span}"
    hours = f"{about.traded_hours:,.0f} h on {about.days_traded:,} days"
    yield f"  traded          {hours}, {100 * about.traded_share:.0f} % of the span"
    yield from gaps({"gaps": about.gaps, "weekend_gaps": about.weekend_gaps})
    yield f"  price           {about.price_min:.6g} to {about.price_max:.6g}"
    spread = about.spread
    if spread is not None:
        yield (
            f"  spread          median {spread.median:.4g}, mean {spread.mean:.4g}, 95 % up to {spread.p95:.4g}, "
            f"{spread.min:.4g} to {spread.max:.4g} {unit}"
        )
    ranges = about.daily_range
    yield f"  daily range     median {ranges['median']:.4g}, mean {ranges['mean']:.4g}, max {ranges['max']:.4g} {unit}"
    if about.volatility_per_day_pct is not None:
        yield f"  volatility      {about.volatility_per_day_pct:.3g} % per day"
    volume = about.volume
    yield f"  volume          {volume['total']:.6g}, {volume['mean']:.4g} per bar, {volume['zero_bars']:,} bars without"
    if about.digest is not None:
        yield f"  digest          {about.digest}"
    room = max(width - 18, 10)
    yield f"  close           {sparkline(about.closes, room, plain=plain)}"
    medians = {item.hour: item.spread.median for item in about.by_hour if item.spread is not None}
    if medians:
        by_hour = [medians.get(hour, float("nan")) for hour in range(24)]
        yield f"  spread by hour  {sparkline(by_hour, min(room, 24), plain=plain)}  0 to 23 UTC"


def hours(about: Description) -> tuple[list[str], list[list[Any]]]:
    """The table of bars and spreads by hour: headings and rows."""
    if about.spread is None:
        return ["hour (UTC)", "bars"], [[item.hour, item.bars] for item in about.by_hour]
    rows = [
        [item.hour, item.bars, *(round(value, 3) for value in vars(item.spread).values())]
        for item in about.by_hour
    ]
    return ["hour (UTC)", "bars", "min", "median", "mean", "p95", "max"], rows


def _short_place(place: str) -> str:
    """A path, maybe with a column after it."""
    path, colon, column = place.rpartition(": ")
    return f"{_short(path)}{colon}{column}" if colon else _short(place)


def _short(path: str) -> str:
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
