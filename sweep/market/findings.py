"""What is remarkable about a market and still legal, in words: for a check, an import, the start of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sweep.market.contract import timeframe_us
from sweep.market.describe import DAY, HOUR, iso

if TYPE_CHECKING:
    from sweep.market.market import Market

_MINUTE: Final = 60_000_000
_LENGTHS: Final = (("W", 7 * DAY), ("D", DAY), ("H", HOUR), ("M", _MINUTE))
_COMPARED: Final = 20
"""Fewer bars of a higher timeframe than this prove nothing."""
_FINDINGS: Final = (
    ("off_grid", "off the grid"),
    ("mixed_spacing", "other spacing"),
    ("jumps", "jumps"),
    ("spikes", "spikes"),
)


@dataclass(frozen=True)
class Entry:
    """One thing that was found."""

    name: str
    text: str
    warning: bool = False
    """Whether the data contradict what was said of them."""


def summary(markets: Iterable[Market]) -> tuple[list[str], list[str]]:
    """What is remarkable about markets, one line each, and apart from it what is a warning; nothing if all is clean.

    Weekends are not remarkable.
    """
    found = [(market, entry) for market in markets for entry in of_market(market)]
    lines: tuple[list[str], list[str]] = ([], [])
    for market, entry in found:
        lines[entry.warning].append(f"{market.symbol} {market.timeframe}: {entry.name}: {entry.text}")
    return lines


def of_market(market: Market, unit: str = "pips") -> list[Entry]:
    """The entries of a market's report, and the warnings about the higher timeframes that were given for it."""
    higher = [
        Entry(f"higher {given.timeframe}", entry.text, warning=True)
        for given in market.given_higher()
        for entry in spacing(given.report, given.timeframe)
    ]
    pip = float(market.spec["pip_size"])
    return [*entries(market.report, market.timeframe, pip, unit), *higher]


def entries(report: Mapping[str, Any], timeframe: str, pip: float, unit: str = "pips") -> list[Entry]:
    """The entries of a market's report; lengths in pips of size `pip`, called `unit`."""
    return [
        *spacing(report, timeframe),
        *_higher(report),
        *_gaps(report),
        *_crossed(report, pip, unit),
        *_found(report),
        *_ticks(report.get("ticks"), unit),
        *_imported(report["import"]),
        *_without_effect(report.get("sources", ())),
    ]


def spacing(report: Mapping[str, Any], timeframe: str) -> Iterator[Entry]:
    """A warning if most bars are not one timeframe apart; bars of ticks are as long as they were asked for."""
    found = report["spacing"]
    step = found["most_common"]
    if "ticks" in report or step is None or step == timeframe_us(timeframe):
        return
    length = named(step) or duration(step)
    text = f"{100 * found['share']:.3g} % of the steps are {length}, the timeframe is {timeframe}"
    yield Entry("timeframe", text, warning=True)


def named(step: int) -> str | None:
    """The timeframe of this length in us, if there is one."""
    for unit, length in _LENGTHS:
        if step > 0 and step % length == 0:
            return f"{unit}{step // length}"
    return None


def gap_text(found: Mapping[str, Any]) -> str:
    """Gaps in words; there is at least one."""
    after = time_text(found["longest_after"])
    return f"{found['count']:,} ({found['missing_bars']:,} bars), longest {duration(found['longest'])} after {after}"


def duration(us: int) -> str:
    """A length of time in its largest units, two of them at most: `2 h 5 min`."""
    parts = []
    rest = us
    for name, length in (("d", DAY), ("h", HOUR), ("min", _MINUTE), ("s", 1_000_000)):
        if rest >= length:
            parts.append(f"{rest // length} {name}")
            rest %= length
    return " ".join(parts[:2]) or f"{us} us"


def time_text(at: int | str) -> str:
    """A time (us, or ISO 8601) without what is not needed to read it."""
    text = at if isinstance(at, str) else iso(at)
    return text.removesuffix("Z").removesuffix(":00").replace("T", " ")


def _gaps(report: Mapping[str, Any]) -> Iterator[Entry]:
    if report["gaps"]["count"]:
        yield Entry("gaps", gap_text(report["gaps"]))


def _higher(report: Mapping[str, Any]) -> Iterator[Entry]:
    """Closes of given higher timeframes that are not those of the bars; from 1 % on they contradict them."""
    for given in report.get("higher", ()):
        for side in ("bid", "ask"):
            compared, differ = given[side]["compared"], given[side]["differ"]
            if differ:
                text = f"{differ:,} of {compared:,} {side} closes differ from those of the bars"
                first = f"first {time_text(given[side]['first'][0])}"
                contradicts = compared >= _COMPARED and 100 * differ > compared
                yield Entry(f"higher {given['timeframe']}", f"{text}, {first}", warning=contradicts)


def _crossed(report: Mapping[str, Any], pip: float, unit: str) -> Iterator[Entry]:
    crossed = report["crossed"]
    if crossed["bars"]:
        share = f"{crossed['bars']:,} bars ({100 * crossed['share']:.2g} %), left as they are"
        worst = f"worst {crossed['worst'] / pip:.4g} {unit} at {time_text(crossed['worst_at'])}"
        yield Entry("crossed quotes", f"{share}, {worst}")


def _found(report: Mapping[str, Any]) -> Iterator[Entry]:
    for key, name in _FINDINGS:
        if report[key]["bars"]:
            first = ", ".join(time_text(at) for at in report[key]["first"][:3])
            yield Entry(name, f"{report[key]['bars']:,} bars, first {first}")
    if report["zero_volume_bars"]:
        yield Entry("zero volume", f"{report['zero_volume_bars']:,} bars")


def _ticks(ticks: Mapping[str, Any] | None, unit: str) -> Iterator[Entry]:
    if ticks is None:
        return
    if ticks["crossed"]:
        share = f"{ticks['crossed']:,} ticks ({100 * ticks['crossed_share']:.2g} %), left as they are"
        worst = f"worst {ticks['worst_crossing_pips']:.4g} {unit} at {time_text(ticks['worst_crossing_at'])}"
        yield Entry("crossed ticks", f"{share}, {worst}")
    if ticks["locked"]:
        yield Entry("locked ticks", f"{ticks['locked']:,} ticks with the ask at the bid")
    if ticks["equal_stamps"]:
        yield Entry("equal stamps", f"{ticks['equal_stamps']:,} ticks with the time of the one before")
    if ticks["unfinished"]:
        yield Entry("unfinished", f"{ticks['unfinished']:,} ticks at the end complete no bar")


def _imported(notes: Mapping[str, Any]) -> Iterator[Entry]:
    for side in ("bid", "ask"):
        if notes[f"duplicates_dropped_{side}"]:
            yield Entry(
                "duplicates", f"{notes[f'duplicates_dropped_{side}']:,} identical rows dropped, {side}"
            )
        if notes[f"volume_absent_{side}"]:
            yield Entry("volume", f"no column, taken as 0, {side}")
    lost = notes["labels_only_bid"] + notes["labels_only_ask"]
    if lost:
        share = f"{lost:,} bars on one side only are left out ({100 * notes['alignment_loss']:.2g} %)"
        yield Entry(
            "alignment", f"{share}: {notes['labels_only_bid']:,} bid, {notes['labels_only_ask']:,} ask"
        )
    for unit in ("bars", "ticks"):
        if notes[f"{unit}_clamped"]:
            yield Entry("clamped", f"{notes[f'{unit}_clamped']:,} {unit}, ask raised to the bid")
    if notes["rows_filtered"]:
        yield Entry("filtered", f"{notes['rows_filtered']:,} rows outside the hours of market.filter dropped")


def _without_effect(sources: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    for source in sources:
        for option, why in source.get("without_effect", {}).items():
            yield Entry("no effect", f"{option}: {why} ({Path(source['name']).name})")
