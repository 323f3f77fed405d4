"""What the peers' benchmark does without the peers: times, trades, tables, and our side of the work."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.page import with_section
from benchmarks.peers import ours
from benchmarks.peers.client import PeerError, Process
from benchmarks.peers.compare import Spread, agreement, ratios
from benchmarks.peers.plan import ASKED, CHECKED, PARTS, Case
from benchmarks.peers.report import (
    HEADING,
    Checked,
    Measured,
    asked,
    checks,
    largest_difference,
    table,
)
from benchmarks.peers.server import ENGINES
from benchmarks.peers.work import BOTH, LONG, PAIRS, Bars, Pair, Trades, Work, crosses

TIGHT = 3.0


@pytest.fixture(scope="module")
def bars() -> Bars:
    return ours.exported(ours.market(4_000))


def plain(bars: Bars, work: Work, pair: Pair) -> Trades:
    """The work by its text, bar by bar, averages as fractions of whole ticks."""
    fast, slow = pair
    close = bars.close.astype(int).tolist()
    found: Trades = []
    held: tuple[int, int, float, float] | None = None
    for i in range(max(slow, 14), len(close)):
        signs = []
        for j in (i - 1, i):
            short, long = sum(close[j + 1 - fast : j + 1]), sum(close[j + 1 - slow : j + 1])
            signs.append(np.sign(short * slow - long * fast))
        cross = int(signs[1]) if signs[1] != 0 and signs[0] != signs[1] else 0
        ended = False
        if held is not None:
            entry, side, stop, target = held
            worst, best = (bars.low[i], bars.high[i]) if side > 0 else (bars.high[i], bars.low[i])
            hit = (worst - stop) * side <= 0 or (best - target) * side >= 0
            if hit or cross == -side or i == len(close) - 1:
                found.append((entry, i, side))
                held, ended = None, True
        if held is None and cross and i < len(close) - 1 and (work.both or (cross > 0 and not ended)):
            distance = work.stop_atr * bars.atr[i]
            held = (i, cross, close[i] - cross * distance, close[i] + cross * work.target_r * distance)
    return found


def test_prices_are_whole_ticks(bars: Bars) -> None:
    table = ours.market(len(bars)).to_table()
    for name in ("open", "high", "low", "close"):
        ticks = getattr(bars, name)
        assert (ticks == np.floor(ticks)).all()
        assert np.abs(ticks - table[f"bid_{name}"].to_numpy() * 1e5).max() < 1e-6
    assert np.isnan(bars.atr[:13]).all()
    assert (bars.atr[13:] > 0).all()


@pytest.mark.parametrize("work", [LONG, BOTH, replace(LONG, stop_atr=TIGHT), replace(BOTH, stop_atr=TIGHT)])
def test_our_trades_are_those_of_the_work(bars: Bars, work: Work) -> None:
    engine = ours.Engine(bars)
    for pair in ((5, 30), (10, 80)):
        expected = plain(bars, work, pair)
        assert len(expected) > 10
        assert engine.trades(work, pair) == expected


def test_a_tight_stop_ends_other_trades(bars: Bars) -> None:
    assert plain(bars, LONG, (5, 30)) != plain(bars, replace(LONG, stop_atr=TIGHT), (5, 30))


def test_warm_cold_and_new_engines_compute_the_same(bars: Bars) -> None:
    engine = ours.Engine(bars)
    pairs = [(5, 30), (14, 120)]
    warm = engine.run(BOTH, pairs)
    assert warm == engine.run_cold(BOTH, pairs) == engine.run_new(BOTH, pairs)
    assert [each.trades for each in warm] == [len(plain(bars, BOTH, pair)) for pair in pairs]


def test_a_search_runs_as_many_trials_as_asked(bars: Bars) -> None:
    found = ours.Engine(bars).search(LONG, PAIRS[:70])
    assert len(found) == 70
    assert len({each.net_profit for each in found}) > 35


def test_crosses_need_a_change_of_sign_and_a_known_range() -> None:
    fast = np.array([np.nan, 1.0, 3.0, 2.0, 3.0, 1.0, 3.0])
    slow = np.array([np.nan, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    known = np.array([False, True, True, True, True, True, False])
    up, down = crosses(fast, slow, known)
    assert np.flatnonzero(up).tolist() == [2, 4]  # 6 has no range
    assert np.flatnonzero(down).tolist() == [5]  # at 3 they only touch
    columns = np.column_stack([fast, -fast]), np.column_stack([slow, -slow])
    ups, downs = crosses(*columns, known)
    assert (ups[:, 0] == up).all()
    assert (downs[:, 1] == up).all()


def test_agreement_counts_equal_trades_once() -> None:
    both = agreement([(1, 2, 1), (3, 4, -1)], [(3, 4, -1), (1, 2, 1)])
    assert both.complete
    assert str(both) == "all 2 equal"
    off = agreement([(1, 2, 1), (3, 4, -1)], [(1, 2, 1), (1, 2, 1), (3, 5, -1)])
    assert (off.ours, off.theirs, off.equal) == (2, 3, 1)
    assert not off.complete
    assert off.first == "first long from bar 1 to 2, only there"
    total = both + off
    assert (total.ours, total.theirs, total.equal, total.complete) == (4, 5, 3, False)


def test_agreement_is_of_bars_and_directions() -> None:
    assert not agreement([(1, 2, 1)], [(1, 2, -1)]).complete
    assert not agreement([(1, 2, 1)], []).complete
    assert agreement([], []).complete


def test_ratios_are_of_one_round() -> None:
    theirs, own = [10.0, 40.0, 30.0], [1.0, 8.0, 3.0]
    assert ratios(theirs, own) == [10.0, 5.0, 10.0]
    assert Spread.of(ratios(theirs, own)) == Spread(10.0, 5.0, 10.0, 3)
    with pytest.raises(ValueError, match="zip"):
        ratios(theirs, own[:2])
    with pytest.raises(ValueError, match="no rounds"):
        ratios([], [])


def test_what_is_asked_is_judged() -> None:
    assert asked("raptorbt", 10.0) == "≥ 10: reached"
    assert asked("raptorbt", 9.99) == "≥ 10: missed"
    assert asked("backtesting.py", 2000.0) == "≥ 1,500: reached"
    assert asked("nautilus_trader", 1.0) == "–"


def test_a_row_holds_costs_per_bar_ratio_and_memory() -> None:
    case = Case("raptorbt", LONG, PAIRS[:2], bars=1_000)
    row = Measured(case, [3e-5, 2e-5, 4e-5], [1e-6, 2e-6, 2e-6], 12.4, 50_000_000, None)
    head, line, cells = table([row])
    assert head.count("|") == line.count("|") == cells.count("|")
    parts = [cell.strip() for cell in cells.strip("|").split("|")]
    assert parts == [
        "raptorbt",
        "12, long only",
        "3",
        "30.0 (20.0 to 40.0)",
        "2.0 (1.0 to 2.0)",
        "**20.00** (10.00 to 30.00)",
        "≥ 10: reached",
        "50, –",
    ]
    record = row.record()
    assert record["ratio"] == {
        "median": pytest.approx(20),
        "low": pytest.approx(10),
        "high": pytest.approx(30),
        "count": 3,
    }
    assert record["backtests"] == record["our_backtests"] == 2


def test_profits_are_compared_relatively() -> None:
    assert largest_difference([-100.0, 50.0], [-101.0, 50.0]) == pytest.approx(0.01)
    assert largest_difference([-100.0, 50.0], [-100.0, 55.0]) == pytest.approx(0.1)


def test_a_check_fills_its_row() -> None:
    checked = Checked(agreement([(1, 2, 1)], [(1, 2, 1)]), 2.5e-9)
    head, _, *rows = checks({("a", "long only"): checked, ("b", "–"): "not run: gone"}, {"a": "well"})
    assert rows == ["| a | long only | all 1 equal | 2.5e-09 | well |", "| b | – | not run: gone | – | – |"]
    assert {row.count("|") for row in rows} == {head.count("|")}


def test_a_page_keeps_its_other_sections() -> None:
    first = with_section("# Results\n\n## Engine\n\nfast\n", f"{HEADING}\n\nold\n\n### Part\n\nx")
    assert first == f"# Results\n\n## Engine\n\nfast\n\n{HEADING}\n\nold\n\n### Part\n\nx\n"
    page = first + "\n## Memory\n\nlittle\n"
    again = with_section(page, f"{HEADING}\n\nnew \\1")
    assert again == f"# Results\n\n## Engine\n\nfast\n\n{HEADING}\n\nnew \\1\n\n## Memory\n\nlittle\n"
    assert with_section(again, f"{HEADING}\n\nnew \\1") == again
    assert with_section("", HEADING) == f"{HEADING}\n"


def test_the_plan_names_engines_that_there_are() -> None:
    cases = [case for part in PARTS for case in part.cases]
    assert {case.peer for case in cases} | {"sweep"} == set(ENGINES)
    assert set(ASKED) <= set(ENGINES)
    assert set(CHECKED) <= set(PAIRS)
    assert all(one.title != other.title for one, other in pairwise(PARTS))
    for case in cases:
        assert hasattr(ours.Engine, case.ours)
        assert case.peer != "raptorbt" or not case.work.both


def test_a_process_answers_and_tells_what_fails(bars: Bars, tmp_path) -> None:
    bars.save(tmp_path)
    with Process(sys.executable, "sweep", tmp_path) as process:
        assert process.ask("about", LONG)["versions"].keys() == {"numpy", "pyarrow"}
        answer = process.ask("run", LONG, [(5, 30)], repeat=2)
        assert answer["cpu"] > 0
        assert answer["figures"][0]["trades"] == len(plain(bars, LONG, (5, 30)))
        with pytest.raises(PeerError, match="sweep: AttributeError.*no_such"):
            process.ask("no_such", LONG, [(5, 30)])
        with pytest.raises(PeerError, match="1006"):
            process.ask("trades", LONG, [(30, 5)])
        assert process.ask("trades", LONG, [(5, 30)])["trades"]
