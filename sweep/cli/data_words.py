"""Lines of text about datasets: what was found in files, and what a market is like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.market.charts import sparkline
from sweep.market.check import duration
from sweep.market.describe import iso

if TYPE_CHECKING:
    from sweep.market.check import Check, Defect, Side
    from sweep.market.describe import Description


def checked(found: Check) -> Iterator[str]:
    """The files, what is wrong with them, what is remarkable, and the verdict as the last line."""
    for side in found.sides:
        yield from _side(side)
    for note in found.notes:
        yield f"note: {note}"
    for defect in found.defects:
        yield ""
        yield from _defect(defect)
    if found.market is not None:
        yield ""
        pip = float(found.market.spec["pip_size"])
        yield from _report(found.market.report, pip, "pips" if found.symbol else "in price")
    yield ""
    if found.accepted:
        yield "accepted"
    else:
        codes = " ".join(dict.fromkeys(f"[{defect.code}]" for defect in found.defects))
        yield f"refused: {codes}"


def _side(side: Side) -> Iterator[str]:
    yield f"{side.side}: {_short(side.path)}"
    if side.first is not None and side.last is not None:
        yield f"  {side.rows:,} rows, {_time(side.first)} to {_time(side.last)} UTC"
        yield f"  columns: {', '.join(side.columns)}"
    elif side.rows is not None:
        yield f"  {side.rows:,} rows"
    if side.ignored:
        yield f"  ignored: {', '.join(side.ignored)}"
    if side.widened:
        yield f"  widened to float64: {', '.join(side.widened)}"


def _defect(defect: Defect) -> Iterator[str]:
    yield f"[{defect.code}] {defect.side}: {defect.what}"
    for row in defect.rows:
        time = "" if row["time"] is None else f"  {_time(row['time'])}"
        yield f"  row {row['row']}{time}  {row['detail']}".rstrip()
    if defect.count is not None and defect.rows and defect.count > len(defect.rows):
        yield f"  and {defect.count - len(defect.rows):,} more (rows are counted from 0)"
    if defect.remedy:
        yield f"  what to do: {defect.remedy}"


def _report(report: Mapping[str, Any], pip: float, unit: str) -> Iterator[str]:
    yield f"{report['rows']:,} bars, {_time(iso(report['first']))} to {_time(iso(report['last']))} UTC"
    yield from gaps(report)
    crossed = report["crossed"]
    if crossed["bars"]:
        share = 100 * crossed["bars"] / report["rows"]
        worst = f"worst {crossed['worst'] / pip:.4g} {unit} at {_time(iso(crossed['worst_at']))}"
        yield f"  crossed quotes  {crossed['bars']:,} bars ({share:.2g} %), {worst}"
    unremarkable = [] if crossed["bars"] else ["crossed quotes"]
    for key, name in (("off_grid", "off the grid"), ("mixed_spacing", "other spacing"), ("jumps", "jumps")):
        if report[key]["bars"]:
            first = ", ".join(_time(iso(at)) for at in report[key]["first"][:3])
            yield f"  {name:<15} {report[key]['bars']:,} bars, first {first}"
        else:
            unremarkable.append(name)
    if report["zero_volume_bars"]:
        yield f"  zero volume     {report['zero_volume_bars']:,} bars"
    else:
        unremarkable.append("zero volume")
    yield from _imported(report["import"])
    if unremarkable:
        yield f"  none            {', '.join(unremarkable)}"


def gaps(report: Mapping[str, Any]) -> Iterator[str]:
    """Gaps and weekends, a line each."""
    for key, name in (("gaps", "gaps"), ("weekend_gaps", "weekends")):
        found = report[key]
        if found["count"]:
            after = _time(iso(found["longest_after"]))
            yield (
                f"  {name:<15} {found['count']:,} ({found['missing_bars']:,} bars), "
                f"longest {duration(found['longest'])} after {after}"
            )
        else:
            yield f"  {name:<15} none"


def _imported(notes: Mapping[str, Any]) -> Iterator[str]:
    for side in ("bid", "ask"):
        if notes[f"duplicates_dropped_{side}"]:
            yield f"  duplicates      {notes[f'duplicates_dropped_{side}']:,} identical rows dropped, {side}"
        if notes[f"volume_absent_{side}"]:
            yield f"  volume          no column, taken as 0, {side}"
    lost = notes["labels_only_bid"] + notes["labels_only_ask"]
    if lost:
        yield (
            f"  alignment       {lost:,} bars on one side only are left out ({100 * notes['alignment_loss']:.2g} %): "
            f"{notes['labels_only_bid']:,} bid, {notes['labels_only_ask']:,} ask"
        )
    if notes["bars_clamped"]:
        yield f"  clamped         {notes['bars_clamped']:,} bars, ask raised to the bid"


def described(about: Description, *, named: bool, width: int, plain: bool) -> Iterator[str]:
    """Numbers and small pictures of a market; `named`: whether lengths are in pips of a known symbol."""
    unit = "pips" if named else "in price"
    symbol = about.symbol if named else "unnamed symbol"
    span = f"{_time(iso(about.first))} to {_time(iso(about.last))} UTC"
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


def _time(text: str) -> str:
    """An ISO time without what is not needed to read it."""
    return text.removesuffix("Z").removesuffix(":00").replace("T", " ")


def _short(path: str) -> str:
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
