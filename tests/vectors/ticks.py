"""Vectors of ticks: seconds after 12:00 and bid, ask = bid + 0.0001; signals are decided on the 12:00 bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.vectors.case import SECOND_US, SL, START_US, Case, label, order, pending

L13 = [(10, 1.1), (50, 1.1002), (65, 1.1003), (70, 1.095), (80, 1.1)]
BOUGHT = order("long", 1.0954, 1.1104)


def at(seconds: float) -> int:
    """Time of a tick."""
    return START_US + round(seconds * SECOND_US)


def ticks(
    name: str,
    prices: Sequence[tuple[float, float]],
    signal: Mapping[str, Any],
    expected: Mapping[str, Any],
    **rest: Any,
) -> Case:
    """One signal on ticks, under the preset `realistic`."""
    return Case(name, [], [signal], expected, preset="realistic", spread=0.0001, ticks=prices, **rest)


def execution(**options: Any) -> dict[str, Any]:
    """Options of execution."""
    return {"execution": options}


LIMIT = pending("long", "limit", 1.0998, 1.09, None)

TICKS: list[Case] = [
    ticks(
        "L13",
        L13,
        BOUGHT,
        {
            "trades": [
                {
                    "order_time": label(0), "entry_time": at(65), "entry_price": 1.1004, "size": 0.2,
                    "exit_time": at(70), "exit_price": 1.095, "reason": SL, "result": -108.0,
                    "same_bar_ambiguous": False,
                }
            ],
            "equity": [10000, 9892],
        },
    ),
    ticks(
        "L13 without gaps",
        L13,
        BOUGHT,
        {"trades": [{"entry_price": 1.1004, "exit_price": 1.0954, "exit_time": at(70), "result": -100.0}]},
        options=execution(gap_fills=False),
    ),
    ticks(
        "the last tick of the completed bar fills",
        L13,
        BOUGHT,
        {"trades": [{"entry_time": at(50), "entry_price": 1.1003, "exit_time": at(70), "result": -106.0}]},
        options=execution(market_fill="signal_close"),
    ),
    ticks(
        "ticks of one time keep their order",
        [(10, 1.1), (65, 1.1003), (65, 1.095), (80, 1.1)],
        BOUGHT,
        {"trades": [{"entry_time": at(65), "entry_price": 1.1004, "exit_time": at(65), "exit_price": 1.095}]},
    ),
    ticks(
        "the end of the data is the last tick, sampled with the bar that forms",
        [(10, 1.1), (50, 1.1002), (65, 1.1003), (130, 1.1002), (135, 1.1)],
        BOUGHT,
        {
            "trades": [
                {"exit_time": at(135), "exit_price": 1.1, "reason": "end_of_data", "result": -8.0, "size": 0.2}
            ],
            "equity": [10000, 9998, 9992],
            "metrics": {"exposure_pct": 200 / 3},
        },
    ),
    ticks(
        "a target beyond its level fills at the quote",
        [(10, 1.1), (65, 1.1003), (70, 1.111)],
        BOUGHT,
        {"trades": [{"exit_price": 1.111, "reason": "take_profit", "result": 212.0}]},
    ),
    ticks(
        "no buffer between quote and stop",
        [(10, 1.1), (65, 1.1003), (70, 1.09543), (75, 1.1)],
        BOUGHT,
        {"trades": [{"exit_time": at(75), "reason": "end_of_data"}]},
        options=execution(trigger_buffer_pips=0.5),
    ),
    ticks(
        "a limit order fills at the better ask",
        [(10, 1.1), (65, 1.1), (70, 1.099), (75, 1.1)],
        LIMIT,
        {"trades": [{"entry_time": at(70), "entry_price": 1.0991, "order_type": "limit"}]},
    ),
    ticks(
        "a limit order fills at its level without gaps",
        [(10, 1.1), (65, 1.1), (70, 1.099), (75, 1.1)],
        LIMIT,
        {"trades": [{"entry_time": at(70), "entry_price": 1.0998}]},
        options=execution(gap_fills=False),
    ),
    ticks(
        "a limit order waits for the ask, not for the bid",
        [(10, 1.1), (65, 1.09975), (75, 1.1)],
        LIMIT,
        {"trades": [], "ended": [{"position_id": 1, "reason": "end_of_data", "ended": at(75)}]},
    ),
    ticks(
        "a sell stop waits for the bid",
        [(10, 1.1), (65, 1.0991), (70, 1.099), (75, 1.1)],
        pending("short", "stop", 1.099, 1.11, None),
        {"trades": [{"entry_time": at(70), "entry_price": 1.099, "direction": "short"}]},
    ),
    ticks(
        "valid for one bar: the ticks of the next one fill",
        [(10, 1.1), (65, 1.1), (119, 1.09), (130, 1.1)],
        {**LIMIT, "stop_loss": 1.08, "valid_bars": 1},
        {"trades": [{"entry_time": at(119)}]},
    ),
    ticks(
        "valid for one bar: the ticks of the one after do not",
        [(10, 1.1), (65, 1.1), (125, 1.09), (130, 1.1)],
        {**LIMIT, "stop_loss": 1.08, "valid_bars": 1},
        {"trades": [], "ended": [{"position_id": 1, "reason": "limit_expired", "ended": at(125)}]},
    ),
    ticks(
        "minutes count from the tick of the fill",
        [(10, 1.1), (65, 1.1), (125, 1.1), (185, 1.1), (245, 1.1)],
        BOUGHT,
        # The bar that ends at 240 s is the first to end two minutes after 65 s; the next tick is at 245 s.
        {"trades": [{"exit_time": at(245), "reason": "timeout"}]},
        rules={"timeout_minutes": 2},
    ),
    ticks(
        "bars count from the first tick of a bar as from an open",
        [(10, 1.1), (65, 1.1), (125, 1.1), (185, 1.1), (245, 1.1)],
        BOUGHT,
        {"trades": [{"exit_time": at(185), "reason": "timeout"}]},
        rules={"timeout_bars": 2},
    ),
    ticks(
        "bars count from a later tick as from within a bar",
        [(10, 1.1), (65, 1.1), (70, 1.099), (125, 1.1), (185, 1.1), (245, 1.1)],
        LIMIT,
        {"trades": [{"entry_time": at(70), "exit_time": at(245), "reason": "timeout"}]},
        rules={"timeout_bars": 2},
    ),
    ticks(
        "the best price follows every tick after the fill",
        [(10, 1.1), (65, 1.1), (70, 1.104), (75, 1.103), (125, 1.1019)],
        order("long", 1.0951, None),
        {"trades": [{"exit_time": at(125), "exit_price": 1.1019, "reason": "trailing_stop_loss"}]},
        rules={"trail_distance": 0.002},
    ),
]  # fmt: skip
