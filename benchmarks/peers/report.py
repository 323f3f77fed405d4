"""The section of RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.peers.compare import Agreement, Spread, ratios
from benchmarks.peers.plan import ASKED, Case

HEADING = "## Beside other engines"


@dataclass(frozen=True)
class Measured:
    """What the rounds of a case gave: CPU seconds per backtest of either side, round by round, and peaks of memory."""

    case: Case
    theirs: Sequence[float]
    ours: Sequence[float]
    trades: float
    """Of a backtest, mean of ours."""
    their_bytes: int | None
    our_bytes: int | None

    @property
    def ratio(self) -> Spread:
        """Times of our CPU."""
        return Spread.of(ratios(self.theirs, self.ours))

    def record(self) -> dict[str, Any]:
        """For the machine."""
        case = self.case
        return {
            "peer": case.peer,
            "work": case.work.name,
            "bars": case.bars,
            "trades": self.trades,
            "backtests": len(case.pairs),
            "our_backtests": len(case.own_pairs),
            "do": case.do,
            "ours": case.ours,
            "cpu_seconds_per_backtest": list(self.theirs),
            "our_cpu_seconds_per_backtest": list(self.ours),
            "peak_bytes": self.their_bytes,
            "our_peak_bytes": self.our_bytes,
            "ratio": asdict(self.ratio),
            "asked": ASKED.get(case.peer),
        }


def table(rows: Sequence[Measured]) -> Iterator[str]:
    """One line per case."""
    yield "| peer | trades of a backtest | rounds | peer, ns per bar | sweep, ns per bar | peer / sweep | asked | peak memory, MB: peer, sweep |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        case, bars = row.case, row.case.bars
        theirs, ours = (Spread.of([each / bars * 1e9 for each in side]) for side in (row.theirs, row.ours))
        yield (
            f"| {case.peer} | {row.trades:,.0f}, {case.work.name} | {len(row.ours)} | {theirs.text()} | {ours.text()} "
            f"| **{row.ratio.median:,.2f}** ({row.ratio.low:,.2f} to {row.ratio.high:,.2f}) "
            f"| {asked(case.peer, row.ratio.median)} "
            f"| {_megabytes(row.their_bytes)}, {_megabytes(row.our_bytes)} |"
        )


def asked(peer: str, ratio: float) -> str:
    """The ratio that is asked for, and whether it is reached."""
    least = ASKED.get(peer)
    if least is None:
        return "–"
    return f"≥ {least:,g}: {'reached' if ratio >= least else 'missed'}"


@dataclass(frozen=True)
class Checked:
    """What the check of a peer on one work has found."""

    trades: Agreement
    money: float
    """Largest relative difference of a net profit."""

    def __str__(self) -> str:
        return f"{self.trades} | {self.money:.1e}"


def checks(found: Mapping[tuple[str, str], Checked | str], notes: Mapping[str, str]) -> Iterator[str]:
    """One line per peer and work; a text in the place of a check says why there is none."""
    yield "| peer | trades | entry bar, exit bar and direction | net profit, largest relative difference | of note |"
    yield "|---|---|---|---|---|"
    for (peer, work), checked in found.items():
        cells = checked if isinstance(checked, Checked) else f"{checked} | –"
        yield f"| {peer} | {work} | {cells} | {notes.get(peer, '') or '–'} |"


def largest_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Of theirs from ours, relative to ours."""
    return max(abs(there - here) / abs(here) for here, there in zip(ours, theirs, strict=True))


def _megabytes(count: int | None) -> str:
    return "–" if count is None else f"{count / 1e6:,.0f}"
