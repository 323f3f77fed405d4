"""Vectors of several symbols on one account: EURUSD and USDJPY, one dollar is 150 yen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.vectors.case import R1, Case, act, label, order, realistic

YEN = order("long", 149, None, symbol="USDJPY")
"""0.15 lots from 150."""


def pair(
    name: str,
    euros: Sequence[str],
    yen: Sequence[str],
    signals: Sequence[Mapping[str, Any]],
    expected: Mapping[str, Any],
    execution: Mapping[str, Any] | None = None,
    **rest: Any,
) -> Case:
    """EURUSD first, then USDJPY, under the preset `realistic`."""
    options = {"rates": {"static": {"USDJPY": 150.0}}, "execution": execution or {}}
    return realistic(name, euros, signals, expected, others={"USDJPY": yen}, options=options, **rest)


SYMBOLS: list[Case] = [
    pair(
        "a position is not touched by another symbol's prices",
        ["1.1"] * 4,
        ["150"] * 4,
        [order("long", 1.095, 1.2)],
        {"trades": [{"symbol": "EURUSD", "exit_time": label(3), "exit_price": 1.1, "reason": "end_of_data"}]},
    ),
    pair(
        "one numbering, one cash",
        ["1.1", "1.1", "1.105"],
        ["150", "150", "150.3"],
        [YEN, R1],
        {
            "trades": [
                {"position_id": 1, "symbol": "EURUSD", "size": 0.2, "result": 100.0},
                {"position_id": 2, "symbol": "USDJPY", "size": 0.15, "result": 30.0},
            ],
            "cash": 10130.0,
        },
    ),
    pair(
        "the data of each symbol end at its own last bar",
        ["1.1"] * 3,
        ["150"] * 5,
        [R1, YEN],
        {
            "trades": [
                {"symbol": "EURUSD", "exit_time": label(2), "reason": "end_of_data"},
                {"symbol": "USDJPY", "exit_time": label(4), "reason": "end_of_data"},
            ],
            "equity": [10000] * 5,
        },
    ),
    pair(
        "an absent symbol is marked at its last close",
        ["1.1"] * 4,
        ["150", "150/150.15/150/150.15", "", "150.3"],
        [YEN],
        {"equity": [10000, 10015, 10015, 10030], "metrics": {"exposure_pct": 75.0}},
    ),
    pair(
        "an order waits for the next bar of its own symbol",
        ["1.1"] * 4,
        ["150", "", "", "150.2"],
        [YEN],
        {"trades": [{"entry_time": label(3), "entry_price": 150.2}]},
    ),
    pair(
        "the whole portfolio has one slot",
        ["1.1"] * 4,
        ["150"] * 4,
        [R1, YEN],
        {"trades": [{"symbol": "EURUSD"}], "blocked": {"no_slot": 7}, "rejections": {}},
        {"max_total_positions": 1},
    ),
    pair(
        "a slot that one symbol frees is the next one's on the same bar",
        ["1.1"] * 5,
        ["150"] * 5,
        [R1, {**YEN, "bar_index": 2}],
        {
            "trades": [
                {"symbol": "EURUSD", "exit_time": label(3), "reason": "signal"},
                {"symbol": "USDJPY", "entry_time": label(3), "reason": "end_of_data"},
            ]
        },
        {"max_total_positions": 1},
        exits=[act("close", 2)],
    ),
    pair(
        "bars are counted on their own symbol",
        ["1.1"] * 6,
        ["150", "150", "", "", "150/150/149/150", "150"],
        [order("long", 148, None, symbol="USDJPY", order_type="limit", entry=149.0, valid_bars=2)],
        {"trades": [{"entry_time": label(4), "entry_price": 149.0}]},
    ),
    pair(
        "ruin is of the account",
        ["1.1", "1.1", "1.0", "1.0", "1.0"],
        ["150"] * 5,
        [order("long", 1.0999, None, size=2.0), {**YEN, "bar_index": 3}],
        {
            "trades": [{"symbol": "EURUSD", "result": -20000.0, "exit_time": label(2)}],
            "blocked": {"ruined": 4},
            "counts": {"ruined_at": label(2)},
        },
    ),
]  # fmt: skip
