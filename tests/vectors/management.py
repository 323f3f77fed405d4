"""Vectors of what happens to positions at a close: moved stops and targets, partial exits, break-even, trailing, timeouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.vectors.case import L1, PER_LOT, R1, SL, TP, Case, act, label, order, pending, realistic

LEAVE_OPEN = {"execution": {"end_of_data": "leave_open"}}
R4 = ["1.1", "1.1/1.101/1.1/1.1008", "1.1008/1.1008/1.1/1.1001"]
KINDS = {"break_even": "break_even_stop_loss", "trailing": "trailing_stop_loss", "manual": SL}
OPEN_ENDED = order("long", 1.095, None)


def moved(name: str, exits: list[dict[str, Any]], expected: Mapping[str, Any], **rules: Any) -> Case:
    """R1's order on the bars of R4, changed on bar 1."""
    return Case(name, R4, [R1], expected, exits=exits, rules=rules)


STOPS = [
    *(
        moved(
            f"R4 {kind}",
            [act("modify_stop", 1, price=1.1002, kind=kind)],
            {
                "trades": [
                    {
                        "exit_time": label(2), "exit_price": 1.1002, "reason": reason, "result": 3.999999999999467,
                        "initial_stop_loss": 1.095, "stop_loss": 1.1002,
                    }
                ],
                "summary": {"Orders closed at Break Even": int(kind == "break_even")},
                "counts": {"invalid_modify": 0},
            },
        )
        for kind, reason in KINDS.items()
    ),
    moved(
        "a stop may be loosened",
        [act("modify_stop", 1, price=1.09)],
        {"open": [{"stop_loss": 1.09, "initial_stop_loss": 1.095, "stop_kind": "manual"}]},
    ),
    moved(
        "a stop at the close is beyond the market",
        [act("modify_stop", 1, price=1.1008)],
        {"open": [{"stop_loss": 1.095}], "counts": {"invalid_modify": 1}},
    ),
    moved(
        "a target at the close is beyond the market",
        [act("modify_target", 1, price=1.1008)],
        {"open": [{"take_profit": 1.11}], "counts": {"invalid_modify": 1}},
    ),
    moved(
        "a target is removed",
        [act("modify_target", 1, price=None)],
        {"open": [{"take_profit": None, "stop_loss": 1.095}]},
    ),
    realistic(
        "a new target acts from the next bar",
        ["1.1", "1.1", "1.1/1.103/1.1/1.101", "1.101/1.102/1.101/1.101", "1.101"],
        [R1],
        {"trades": [{"exit_time": label(3), "exit_price": 1.102, "reason": TP}]},
        exits=[act("modify_target", 2, price=1.102)],
    ),
    realistic(
        "a close leaves nothing else of the answer",
        ["1.1"] * 4,
        [R1],
        {
            "trades": [{"exit_time": label(2), "reason": "signal", "stop_loss": 1.095}],
            "counts": {"invalid_modify": 0},
        },
        exits=[act("modify_stop", 1, price=1.2), act("close", 1), act("partial_close", 1, lots=5.0)],
    ),
]  # fmt: skip


def parts(name: str, expected: Mapping[str, Any], **part: float) -> Case:
    """0.2 lots at 1.1001, part of them closed on bar 2 at 1.102."""
    return realistic(
        name,
        ["1.1", "1.1", "1.102", "1.1"],
        [L1],
        expected,
        spread=0.0001,
        exits=[act("partial_close", 1, **part)],
        options={"costs": PER_LOT},
    )


WHOLE = {"trades": [{"size": 0.2, "position_id": 1}], "counts": {"invalid_modify": 1}}
PARTS = [
    parts(
        "L9",
        {
            "trades": [
                {
                    "position_id": 1, "size": 0.1, "exit_price": 1.1, "exit_time": label(3), "reason": "end_of_data",
                    "result": -1.0, "entry_fee": 0.25, "exit_fee": 0.25, "meta": "{}",
                },
                {
                    "position_id": 2, "size": 0.1, "exit_price": 1.102, "exit_time": label(2), "result": 19.0,
                    "reason": "partial_exit", "entry_fee": 0.25, "exit_fee": 0.25, "meta": '{"parent_id":1}',
                    "entry_time": label(1), "status": "closed",
                },
            ],
            "cash": 10017.0,
            "summary": {
                "Total Trades": 1, "Partial Closed Orders": 1, "Total Lots": 0.2, "Avg R-Multiple": 0.18,
                "Total Fees": 1.0, "Wins": 0, "Losses": 1,
            },
            "metrics": {
                "total_trades": 1.0, "expectancy": 17.0, "avg_r_multiple": 0.18, "wins": 1.0, "total_lots": 0.2,
                "total_fees": 1.0,
            },
        },
        lots=0.1,
    ),
    parts("a fraction falls on the volume grid", {"trades": [{"size": 0.14}, {"size": 0.06}]}, fraction=0.33),
    parts("lots fall on the volume grid", {"trades": [{"size": 0.01}, {"size": 0.19}]}, lots=0.195),
    parts("a part of everything", WHOLE, lots=0.2),
    parts("a part of nothing", WHOLE, lots=0.005),
    parts("a fraction of one", WHOLE, fraction=1.0),
    Case(
        "a partial exit at the close",
        ["1.1", "1.1/1.105/1.1/1.105", "1.105"],
        [R1],
        {
            "trades": [{"position_id": 2, "exit_time": label(1), "size": 0.1, "result": 50.0, "r_multiple": 1.0}],
            "open": [{"position_id": 1, "size": 0.1, "risk_per_trade": 50.0}],
            "cash": 10050.0,
            "summary": {"Total Trades": 0, "Partial Closed Orders": 1, "Total Lots": 0.1},
            "metrics": {"total_trades": 0.0, "total_lots": 0.2},
        },
        exits=[act("partial_close", 1, fraction=0.5)],
    ),
]  # fmt: skip


def ruled(name: str, bars: list[str], expected: Mapping[str, Any], **rules: Any) -> Case:
    """A long of 0.2 lots from the open of bar 1 at 1.1, stop 1.095, no target."""
    return realistic(name, ["1.1", "1.1", *bars], [OPEN_ENDED], expected, rules=rules, options=LEAVE_OPEN)


AT_ENTRY = {"be_r": 1.0, "be_buffer_pips": 0.5}
BEHIND = {"trail_distance": 0.002}
RULES = [
    ruled(
        "break-even at one R",
        ["1.1/1.1051/1.1/1.104", "1.104/1.104/1.1/1.1"],
        {
            "trades": [
                {"exit_time": label(3), "exit_price": 1.10005, "reason": "break_even_stop_loss", "result": 1.0}
            ],
            "summary": {"Orders closed at Break Even": 1},
        },
        **AT_ENTRY,
    ),
    ruled(
        "break-even is not reached",
        ["1.1/1.1049/1.1/1.104", "1.104/1.104/1.1/1.1"],
        {"trades": [], "open": [{"stop_loss": 1.095, "stop_kind": "initial"}]},
        **AT_ENTRY,
    ),
    ruled(
        "break-even waits for the market to be beyond it",
        ["1.1/1.1051/1.1/1.1", "1.1/1.103/1.1/1.102", "1.102"],
        {"open": [{"stop_loss": 1.10005, "stop_kind": "break_even"}], "counts": {"invalid_modify": 0}},
        **AT_ENTRY,
    ),
    ruled(
        "trailing",
        ["1.1/1.104/1.1/1.1035", "1.1035/1.1035/1.1015/1.103"],
        {"trades": [{"exit_time": label(3), "exit_price": 1.102, "reason": "trailing_stop_loss"}]},
        **BEHIND,
    ),
    ruled(
        "a trailing stop beyond the market is skipped on that bar",
        ["1.1/1.104/1.1/1.1015", "1.1015/1.1035/1.101/1.103", "1.103/1.103/1.1019/1.1025"],
        {
            "trades": [{"exit_time": label(4), "exit_price": 1.102, "reason": "trailing_stop_loss"}],
            "counts": {"invalid_modify": 0},
        },
        **BEHIND,
    ),
    ruled(
        "trailing starts at one R",
        ["1.1/1.1045/1.1/1.104", "1.104"],
        {"open": [{"stop_loss": 1.095, "stop_kind": "initial"}]},
        **BEHIND,
        trail_start_r=1.0,
    ),
    ruled(
        "trailing never loosens",
        ["1.1/1.104/1.1/1.1035", "1.1035/1.1035/1.103/1.1035", "1.1035"],
        {"open": [{"stop_loss": 1.102, "stop_kind": "trailing"}]},
        trail_distance=[0.002, 0.002, 0.002, 0.004, 0.004],
    ),
    ruled(
        "no distance, no proposal",
        ["1.1/1.104/1.1/1.1035", "1.1035"],
        {"open": [{"stop_loss": 1.095, "stop_kind": "initial"}]},
        trail_distance=[0.0, 0.0, -1.0, -0.002],
    ),
    ruled(
        "the tighter of break-even and trailing",
        ["1.1/1.1051/1.1/1.1045", "1.1045"],
        {"open": [{"stop_loss": 1.1031, "stop_kind": "trailing"}]},
        **AT_ENTRY,
        **BEHIND,
    ),
    ruled(
        "the tighter of trailing and break-even",
        ["1.1/1.1051/1.1/1.1045", "1.1045"],
        {"open": [{"stop_loss": 1.10005, "stop_kind": "break_even"}]},
        **AT_ENTRY,
        trail_distance=0.006,
    ),
    realistic(
        "equally tight: the strategy's own",
        ["1.0", "1.0", "1.0/1.03125/1.0/1.03125", "1.03125"],
        [order("long", 0.96875, None)],
        {"open": [{"stop_loss": 1.015625, "stop_kind": "manual"}]},
        rules={"trail_distance": 0.015625},
        exits=[act("modify_stop", 2, price=1.015625)],
        options=LEAVE_OPEN,
    ),
    realistic(
        "a short trails below",
        ["1.1", "1.1", "1.1/1.1/1.096/1.0965", "1.0965/1.0985/1.0965/1.097"],
        [order("short", 1.105, None)],
        {"trades": [{"exit_time": label(3), "exit_price": 1.098, "reason": "trailing_stop_loss"}]},
        rules=BEHIND,
    ),
]  # fmt: skip


def held(name: str, bars: list[str], entry: float, exit_bar: int, **rules: Any) -> Case:
    """A stop order at 1.101, filled on bar 1."""
    return realistic(
        name,
        [*bars, *["1.102"] * 6],
        [pending("long", "stop", 1.101, 1.09, None)],
        {"trades": [{"entry_price": entry, "exit_time": label(exit_bar), "reason": "timeout"}]},
        rules=rules,
    )


WITHIN = ["1.1", "1.1/1.102/1.1/1.102"]
AT_OPEN = ["1.1", "1.102"]
TIMEOUTS = [
    held("minutes from the close of a fill within a bar", WITHIN, 1.101, 4, timeout_minutes=2),
    held("minutes from the open of a fill at an open", AT_OPEN, 1.102, 3, timeout_minutes=2),
    held("bars after a fill within a bar", WITHIN, 1.101, 4, timeout_bars=2),
    held("bars after a fill at an open", AT_OPEN, 1.102, 3, timeout_bars=2),
    held("the earlier of minutes and bars", AT_OPEN, 1.102, 2, timeout_minutes=5, timeout_bars=1),
]

MANAGEMENT: list[Case] = [*STOPS, *PARTS, *RULES, *TIMEOUTS]
