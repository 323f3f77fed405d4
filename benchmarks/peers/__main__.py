"""sweep beside other engines on equal work: `python -m benchmarks.peers --python PEERS_PYTHON [--rounds 5] [--peers …] [--record]`.

The trades of every peer are compared with ours first. Then rounds: in each, every case is run once by the peer and once by
us, next to each other in time. A figure is CPU time of a process with one thread; a ratio is of one round.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks import page
from benchmarks.measure import machine
from benchmarks.peers.client import ROOT, PeerError, Process
from benchmarks.peers.compare import Agreement, agreement
from benchmarks.peers.ours import exported, market
from benchmarks.peers.plan import BARS, CHECKED, FEW_BARS, PARTS, TIGHT, Case, Part
from benchmarks.peers.report import (
    HEADING,
    Checked,
    Measured,
    checks,
    largest_difference,
    table,
)
from benchmarks.peers.work import LONG, Work
from sweep import _core

US: Final = "sweep"
LEAST: Final = 0.2
"""Seconds of CPU behind a figure: shorter work is repeated within a round."""
MEMORY_NOTE: Final = "a process's resident peak while it ran, with its libraries and its bars"


class Crowd:
    """The processes, one per engine and size of market, started when first asked."""

    def __init__(self, python: str, folder: Path, stack: ExitStack) -> None:
        self._python, self._folder, self._stack = python, folder, stack
        self._running: dict[tuple[str, int], Process] = {}

    def process(self, engine: str, bars: int) -> Process:
        """The engine's process on the market of that many bars."""
        key = (engine, bars)
        if key not in self._running:
            python = sys.executable if engine == US else self._python
            self._running[key] = self._stack.enter_context(Process(python, engine, self._bars(bars)))
        return self._running[key]

    def _bars(self, bars: int) -> Path:
        folder = self._folder / str(bars)
        if not folder.exists():
            folder.mkdir()
            exported(market(bars)).save(folder)
        return folder


def check(crowd: Crowd, peers: set[str]) -> tuple[dict[tuple[str, str], Checked | str], dict[str, Any]]:
    """Trades of every peer beside ours, for the measured stop and a tighter one; and what the peers say of themselves."""
    found: dict[tuple[str, str], Checked | str] = {}
    about: dict[str, Any] = {}
    bars = {case.peer: min(case.bars, BARS) for part in PARTS for case in part.cases if case.peer in peers}
    for peer, count in bars.items():
        theirs, ours = crowd.process(peer, count), crowd.process(US, count)
        print(f"checked: {peer}", file=sys.stderr, flush=True)
        try:
            about[peer] = theirs.ask("about", LONG)
        except PeerError as error:
            about[peer] = {"versions": {}, "note": ""}
            found[peer, "–"] = f"not run: {error}"
            continue
        works = dict.fromkeys(case.work for part in PARTS for case in part.cases if case.peer == peer)
        for work in works:
            found[peer, work.name] = _checked(theirs, ours, work)
    return found, about


def _checked(theirs: Process, ours: Process, work: Work) -> Checked | str:
    whole, money = Agreement(0, 0, 0), 0.0
    try:
        for stop in (work.stop_atr, TIGHT):
            asked = replace(work, stop_atr=stop)
            lists = (process.ask("trades", asked, CHECKED)["trades"] for process in (ours, theirs))
            whole = sum((agreement(*pair) for pair in zip(*lists, strict=True)), whole)
            profits = (
                [each["net_profit"] for each in process.ask("run", asked, CHECKED)["figures"]]
                for process in (ours, theirs)
            )
            money = max(money, largest_difference(*profits))
    except PeerError as error:
        return f"not compared: {error}"
    return Checked(whole, money)


def measure(crowd: Crowd, part: Part, rounds: int) -> Iterator[Measured | str]:
    """The cases of one part, interleaved."""
    theirs: dict[Case, list[dict[str, Any]]] = {}
    ours: dict[Case, list[dict[str, Any]]] = {}
    failed: dict[Case, str] = {}
    repeats: dict[Case, tuple[int, int]] = {}
    for turn in range(-1, rounds):  # the first one warms up
        for case in part.cases:
            if case in failed:
                continue
            peer, us = crowd.process(case.peer, case.bars), crowd.process(US, case.bars)
            try:
                often = repeats.get(case, (1, 1))
                own = us.ask(case.ours, case.work, case.own_pairs, repeat=often[0])
                other = peer.ask(case.do, case.work, case.pairs, repeat=often[1])
            except PeerError as error:
                failed[case] = f"{case.peer}, {case.work.name}: not measured: {error}"
                continue
            if turn < 0:
                repeats[case] = (_repeats(own), _repeats(other))
                continue
            theirs.setdefault(case, []).append(other)
            ours.setdefault(case, []).append(own)
    for case in part.cases:
        if case in failed:
            yield failed[case]
            continue
        yield Measured(
            case,
            [each["cpu"] / len(case.pairs) for each in theirs[case]],
            [each["cpu"] / len(case.own_pairs) for each in ours[case]],
            statistics.mean(each["trades"] for each in ours[case][0]["figures"]),
            max((each["peak_bytes"] or 0 for each in theirs[case]), default=0) or None,
            max((each["peak_bytes"] or 0 for each in ours[case]), default=0) or None,
        )


def _repeats(answer: Mapping[str, Any]) -> int:
    return max(1, math.ceil(LEAST / max(answer["cpu"], 1e-6)))


def section(
    found: Mapping[tuple[str, str], Checked | str],
    about: Mapping[str, Any],
    parts: Mapping[str, list[Measured | str]],
) -> Iterator[str]:
    """The text."""
    versions = {name: v for each in about.values() for name, v in each["versions"].items()}
    python = next((each["python"] for each in about.values() if "python" in each), "–")
    yield f"{HEADING}\n"
    yield (
        f"Made by `make bench-peers` on {machine()}, processor {_processor()}; peers on Python {python} with "
        f"{', '.join(f'{name} {v}' for name, v in sorted(versions.items()))}.\n"
    )
    yield (
        "The work: crossover of two simple averages of the closes of a generated one-minute market, decided and filled at "
        "a close; a stop 25 average true ranges away (about 0.5 % of the price), a target twice as far, 0.01 % of every "
        "fill as fee, one unit a trade, pairs of periods from 5/30 to 14/120. `sweep` runs `ma_cross` with all of its "
        "metrics and its digests. It and the tuned Numba loop decide crosses from running sums of whole ticks, made once per "
        "market and not timed, and look at equity where a position is open; the plain loop takes every step on every bar. "
        "Peers get the average true range, and the prices in whole ticks, ahead and for nothing; "
        "they compute averages, crosses, trades, net profit, win rate, profit factor, Sharpe ratio and drawdown "
        "unless noted; what a ratio is made of may differ.\n"
    )
    yield (
        "Costs are CPU time of a process with one thread, per bar and backtest: medians of the rounds, with the least and "
        "the most. Rounds run sweep and the peer next to each other, and each ratio is of one round. "
        "Of a batch backtesting.py runs every 25th pair; trades are those of all pairs, as sweep runs them. Memory is "
        f"{MEMORY_NOTE}.\n"
    )
    yield "### Equal trades\n"
    stops = f"{len(CHECKED)} pairs at each of two stops, 25 and {TIGHT:g} average true ranges"
    yield f"{stops}, on {BARS:,} bars ({FEW_BARS:,} for nautilus_trader); counted over all of them.\n"
    yield from checks(found, {peer: each["note"] for peer, each in about.items()})
    for title, rows in parts.items():
        yield f"\n### {title}\n"
        yield from table([row for row in rows if isinstance(row, Measured)])
        for row in rows:
            if isinstance(row, str):
                yield f"\n{row}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def released() -> bool:
    """Whether the module in use is the one that the last release build made."""
    built = ROOT / "target" / "release" / "lib_core.so"
    loaded = str(_core.__file__)
    optimised = json.loads(_core.build_info())["profile"] == "optimised"
    return optimised and built.exists() and filecmp.cmp(loaded, built, shallow=False)


def main() -> None:
    """Checks, measures, prints, and records if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("--python", required=True, help="interpreter of the peers' environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--peers", nargs="+", choices=sorted({case.peer for part in PARTS for case in part.cases})
    )
    parser.add_argument("--parts", nargs="+", type=int, choices=range(len(PARTS)), help="tables, from 0")
    parser.add_argument("--record", type=Path, metavar="FILE", help="writes figures there, and the page")
    chosen = parser.parse_args()
    if chosen.record is not None and not released():
        parser.error("a record needs the release build of sweep._core: run `make bench-peers`")
    peers = set(chosen.peers or (case.peer for part in PARTS for case in part.cases))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        crowd = Crowd(chosen.python, Path(folder), stack)
        found, about = check(crowd, peers)
        dead = {peer for peer, work in found if work == "–"}
        parts: dict[str, list[Measured | str]] = {}
        for part in [PARTS[k] for k in chosen.parts] if chosen.parts else PARTS:
            cases = tuple(case for case in part.cases if case.peer in peers - dead)
            if cases:
                parts[part.title] = list(measure(crowd, Part(part.title, cases), chosen.rounds))
                print(
                    f"\n{part.title}",
                    *table([r for r in parts[part.title] if isinstance(r, Measured)]),
                    sep="\n",
                    flush=True,
                )
    lines = "\n".join(section(found, about, parts))
    if chosen.record is None:
        print("", lines, sep="\n")
        return
    rows = {
        title: [row.record() if isinstance(row, Measured) else row for row in rows]
        for title, rows in parts.items()
    }
    trades = {f"{peer}, {work}": str(agreed) for (peer, work), agreed in found.items()}
    chosen.record.parent.mkdir(parents=True, exist_ok=True)
    chosen.record.write_text(
        json.dumps({"machine": machine(), "peers": about, "trades": trades, "parts": rows}, indent=1)
    )
    page.write(lines)
    print(f"written: {page.PAGE.name}, {chosen.record.name}")


if __name__ == "__main__":
    main()
