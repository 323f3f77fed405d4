"""Vectors of limit and stop orders: triggers, gaps, validity, groups, entry bars, slots, margin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.vectors.case import FIXED, SL, TP, C, Case, act, label, order, pending, realistic

LEAVE_OPEN = {"execution": {"end_of_data": "leave_open"}}
LIMIT, STOP = "limit", "stop"


def _mirror(bar: str) -> str:
    """Prices reflected at 1.1; high and low change places."""
    opened, high, low, close = (f"{2.2 - float(x):.7f}" for x in bar.split("/"))
    return f"{opened}/{low}/{high}/{close}"


TRIGGERS: dict[str, list[tuple[str, str, float | None, float | None]]] = {
    # name, bar, raw fill of an order at 1.1 with gap fills, and without
    LIMIT: [
        ("miss", "1.1008/1.101/1.1000001/1.1005", None, None),
        ("touch", "1.1008/1.101/1.1/1.1005", 1.1, 1.1),
        ("through", "1.1008/1.101/1.0995/1.1005", 1.1, 1.1),
        ("at the open", "1.1/1.101/1.0995/1.1005", 1.1, 1.1),
        ("gap", "1.099/1.101/1.0985/1.1005", 1.099, 1.1),
    ],
    STOP: [
        ("miss", "1.0992/1.0999999/1.099/1.0995", None, None),
        ("touch", "1.0992/1.1/1.099/1.0995", 1.1, 1.1),
        ("through", "1.0992/1.1005/1.099/1.0995", 1.1, 1.1),
        ("at the open", "1.1/1.1005/1.099/1.0995", 1.1, 1.1),
        ("gap", "1.101/1.1015/1.099/1.0995", 1.101, 1.1),
    ],
}


def triggers() -> Iterator[Case]:
    """Type by side by place of the bar, both ways of filling; stop orders slip by 0.2 pips, limit orders do not."""
    for kind, rows in TRIGGERS.items():
        before = "1.102/1.102/1.102/1.102" if kind == LIMIT else "1.098/1.098/1.098/1.098"
        for name, bar, with_gap, without in rows:
            for side in ("long", "short"):
                for gap_fills in (True, False):
                    raw = with_gap if gap_fills else without
                    yield _trigger(f"{kind} {side}: {name}", kind, side, [before, bar], raw, gap_fills)


def _trigger(name: str, kind: str, side: str, bars: list[str], raw: float | None, gap_fills: bool) -> Case:
    long = side == "long"
    if raw is not None:
        raw = raw + (0.00002 if kind == STOP else 0.0)
        raw = raw if long else 2.2 - raw
    filled = [{"entry_price": raw, "entry_time": label(1), "order_type": kind}]
    left = [{"position_id": 1, "order_price": 1.1, "order_time": label(0), "direction": side}]
    return realistic(
        f"{name}, gaps {'fill' if gap_fills else 'do not'}",
        bars if long else [_mirror(bar) for bar in bars],
        [pending(side, kind, 1.1, 1.09 if long else 1.11, None)],
        {"open": [], "pending": left} if raw is None else {"open": filled, "pending": []},
        options={
            "execution": {"end_of_data": "leave_open", "gap_fills": gap_fills},
            "costs": FIXED,
        },
    )


R6_BARS = {
    close: ["1.102", f"1.1008/1.1012/{min('1.0999', close)}/{close}"]
    for close in ("1.1011", "1.1010", "1.0995")
}
R6S_BARS = {close: ["1.098", f"1.0985/1.1012/1.0984/{close}"] for close in ("1.0991", "1.1011")}
AT_TARGET = {"trades": [{"exit_price": 1.101, "exit_time": label(1), "reason": TP}], "open": []}
STAYS: dict[str, Any] = {"trades": [], "open": [{"entry_time": label(1), "entry_price": 1.1}]}
R6 = [pending("long", LIMIT, 1.1, 1.095, 1.101)]
R6S = [pending("long", STOP, 1.1, 1.095, 1.101)]
R9_LIMIT = ["1.102", "1.098/1.099/1.0975/1.0985"], [pending("long", LIMIT, 1.1, 1.095, 1.11)]
R9_STOP = ["1.098", "1.1049"], [pending("long", STOP, 1.1, 1.095, 1.115)]

NUMBERED = [
    Case("R6 close beyond the target", R6_BARS["1.1011"], R6, AT_TARGET),
    Case("R6 close below the target", R6_BARS["1.1010"], R6, STAYS),
    Case("R6 close at the order", R6_BARS["1.0995"], R6, STAYS),
    Case("R6s", R6S_BARS["1.0991"], R6S, AT_TARGET),
    realistic("R6s under realistic", R6S_BARS["1.0991"], R6S, STAYS, options=LEAVE_OPEN),
    realistic("R6s under realistic, close beyond", R6S_BARS["1.1011"], R6S, AT_TARGET, options=LEAVE_OPEN),
    Case(
        "entry bar: a close at the target does not confirm it",
        ["1.102", "1.1008/1.1012/1.0999/1.101"],
        R6,
        STAYS,
    ),
    Case(
        "R8",
        ["1.1", "1.1/1.1045/1.088/1.09"],
        [pending("short", STOP, 1.099, 1.104, 1.089)],
        {
            "trades": [
                {
                    "entry_price": 1.09898, "size": 0.19, "exit_price": 1.10402, "reason": SL,
                    "result": -100.39840637450017, "same_bar_ambiguous": True,
                }
            ],
            "cash": 9898.6615936255,
            "metrics": {
                "net_profit_pessimistic": -101.33840637449975, "net_profit_optimistic": 197.86478087649544,
                "ambiguous_trades": 1.0,
            },
        },
        spread=0.0001,
        options={"costs": C},
    ),
    Case("R9 limit", *R9_LIMIT, {"open": [{"entry_price": 1.1, "size": 0.2}]}, spread=0.0001),
    Case("R9 stop", *R9_STOP, {"open": [{"entry_price": 1.1, "size": 0.2}]}, spread=0.0001),
    realistic(
        "L3 limit",
        *R9_LIMIT,
        {
            "trades": [
                {"entry_price": 1.0981, "size": 0.32, "exit_price": 1.0985, "reason": "end_of_data", "result": 12.8}
            ]
        },
        spread=0.0001,
    ),
    realistic(
        "L3 stop",
        *R9_STOP,
        {
            "trades": [
                {"entry_price": 1.105, "size": 0.1, "exit_price": 1.1049, "reason": "end_of_data", "result": -1.0}
            ]
        },
        spread=0.0001,
    ),
    realistic(
        "L12",
        ["1.1", "1.1/1.103/1.0985/1.101", "1.101"],
        [
            pending("long", STOP, 1.1021, 1.0991, None, oco_group="pair"),
            pending("short", STOP, 1.099, 1.102, None, oco_group="pair"),
        ],
        {
            "trades": [
                {
                    "position_id": 2, "direction": "short", "entry_time": label(1), "entry_price": 1.099, "size": 0.33,
                    "exit_time": label(1), "exit_price": 1.102, "reason": SL, "result": -99.0,
                }
            ],
            "ended": [{"position_id": 1, "reason": "signal", "ended": label(1)}],
            "summary": {"Expired Orders": 0},
        },
        spread=0.0001,
    ),
]  # fmt: skip

LOW = pending("long", LIMIT, 1.09, 1.08, None)
"""Far below the market."""


def flat(n: int, touched: int | None = None) -> list[str]:
    """Bars at 1.1, one of which reaches down to 1.09."""
    return ["1.1/1.1/1.09/1.1" if k == touched else "1.1" for k in range(n)]


def low(bar: int = 0, **rest: Any) -> dict[str, Any]:
    """The far limit order, decided on a bar."""
    return {**LOW, "bar_index": bar, **rest}


def expired(number: int, bar: int) -> dict[str, Any]:
    """An order that is removed on a bar because its validity is over."""
    return {"position_id": number, "reason": "limit_expired", "ended": label(bar)}


NO_FILL = {"open": [], "trades": []}
FILLED_2 = {"open": [{"entry_time": label(2), "entry_price": 1.09}], "ended": []}
EXPIRED_2 = {**NO_FILL, "ended": [expired(1, 2)], "summary": {"Expired Orders": 1}}

VALIDITY = [
    realistic(
        "valid for one bar: replaced on every bar",
        flat(5),
        [low(bar, valid_bars=1) for bar in range(3)],
        {**NO_FILL, "ended": [expired(k + 1, k + 2) for k in range(3)], "blocked": {"no_slot": 0}},
        options=LEAVE_OPEN,
    ),
    realistic(
        "valid for two bars: the bar between is blocked",
        flat(6),
        [low(bar, valid_bars=2) for bar in range(3)],
        {**NO_FILL, "ended": [expired(1, 3), expired(2, 5)], "blocked": {"no_slot": 2}},
        options=LEAVE_OPEN,
    ),
    realistic("fills on its last bar", flat(4, 2), [low(valid_bars=2)], FILLED_2, options=LEAVE_OPEN),
    realistic("is gone on the bar after", flat(4, 2), [low(valid_bars=1)], EXPIRED_2, options=LEAVE_OPEN),
    realistic("good till a label excludes it", flat(4, 2), [low(good_till=label(2))], EXPIRED_2, options=LEAVE_OPEN),
    realistic(
        "good till after a label includes it", flat(4, 2), [low(good_till=label(2) + 1)], FILLED_2, options=LEAVE_OPEN
    ),
    realistic(
        "the earlier of two limits holds: bars",
        flat(4, 2),
        [low(valid_bars=1, good_till=label(9))],
        EXPIRED_2,
        options=LEAVE_OPEN,
    ),
    realistic(
        "the earlier of two limits holds: time",
        flat(4, 2),
        [low(valid_bars=9, good_till=label(2))],
        EXPIRED_2,
        options=LEAVE_OPEN,
    ),
    realistic(
        "good till frees the slot at the close that reaches it",
        flat(4),
        [low(bar, good_till=label(2)) for bar in range(2)],
        {"ended": [expired(1, 2), expired(2, 2)], "blocked": {"no_slot": 0}},
        options=LEAVE_OPEN,
    ),
    realistic("without a limit it stays", flat(60), [LOW], {"pending": [{"position_id": 1}]}, options=LEAVE_OPEN),
    realistic(
        "cancelled at once, and its slot is free",
        flat(3),
        [low(0), low(1)],
        {
            "ended": [{"position_id": 1, "reason": "signal", "ended": label(1)}],
            "pending": [{"position_id": 2, "order_time": label(1)}],
            "blocked": {"no_slot": 1},
            "summary": {"Expired Orders": 0},
        },
        exits=[act("cancel", 1)],
        options=LEAVE_OPEN,
    ),
    realistic(
        "neither close nor the other direction cancels it",
        flat(3),
        [LOW],
        {"ended": [], "pending": [{"position_id": 1}]},
        exits=[act("close", 1), act("cancel", 1, "short")],
        options=LEAVE_OPEN,
    ),
    realistic(
        "end of data ends it",
        flat(3),
        [LOW],
        {**NO_FILL, "pending": [], "ended": [{"position_id": 1, "reason": "end_of_data", "ended": label(2)}]},
    ),
    realistic("none is accepted on the last bar", flat(3), [low(2)], {"rejections": {"end_of_data": 1}, "ended": []}),
    realistic(
        "none is accepted on the last bar, left open",
        flat(3),
        [low(2)],
        {"rejections": {"end_of_data": 1}, "pending": []},
        options=LEAVE_OPEN,
    ),
    Case("left over from the last bar", flat(3), [low(2)], {"rejections": {}, "pending": [{"position_id": 1}]}),
]  # fmt: skip


def slots(most: int | None) -> dict[str, Any]:
    """Options that leave orders over."""
    return {"execution": {"end_of_data": "leave_open", "max_positions": most}}


GROUPS = [
    realistic(
        "a group holds one slot",
        flat(2),
        [low(oco_group="a"), low(oco_group="a"), low()],
        {"rejections": {"max_positions": 1}, "pending": [{"position_id": 1}, {"position_id": 2}]},
        options=slots(1),
    ),
    realistic(
        "a further leg of a live group needs none",
        flat(3),
        [low(0, oco_group="a"), low(1), low(1, oco_group="a"), low(1), low(1, oco_group="b")],
        {
            "rejections": {"max_positions": 2},
            "pending": [{"oco_group": "a"}, {"oco_group": None}, {"oco_group": "a"}],
        },
        options=slots(2),
    ),
    realistic(
        "a group whose legs are over holds none",
        flat(3),
        [low(0, oco_group="a", valid_bars=1), low(1, oco_group="a")],
        {"blocked": {"no_slot": 1}, "pending": [{"position_id": 2}], "ended": [expired(1, 2)]},
        options=slots(1),
    ),
    realistic(
        "a leg whose fill is rejected cancels the others",
        ["1.1", "1.104/1.104/1.095/1.1", "1.1"],
        [
            pending("long", STOP, 1.101, 1.09, 1.103, oco_group="a"),
            pending("short", STOP, 1.099, 1.11, None, oco_group="a"),
        ],
        {
            **NO_FILL,
            "rejections": {"target_passed_at_fill": 1},
            "ended": [{"position_id": 2, "reason": "signal", "ended": label(1)}],
        },
    ),
    realistic(
        "equally near: long first",
        ["1.125", "1.125/1.25/1.0/1.125"],
        [
            pending("short", STOP, 1.0, 1.5, None, oco_group="a", size=0.05),
            pending("long", STOP, 1.25, 0.75, None, oco_group="a", size=0.05),
        ],
        {"open": [{"position_id": 2, "entry_price": 1.25}], "ended": [{"position_id": 1, "reason": "signal"}]},
        options=LEAVE_OPEN,
    ),
    realistic(
        "equally near and of one direction: the lower number first",
        flat(2, 1),
        [low(oco_group="a"), low(oco_group="a")],
        {"open": [{"position_id": 1, "entry_price": 1.09}], "ended": [{"position_id": 2, "reason": "signal"}]},
        options=LEAVE_OPEN,
    ),
    realistic(
        "nearer to its own open first, whatever the number",
        ["1.1", "1.1/1.1/1.085/1.1"],
        [low(oco_group="a"), {**low(oco_group="a"), "entry": 1.095}],
        {"open": [{"position_id": 2, "entry_price": 1.095}], "ended": [{"position_id": 1, "reason": "signal"}]},
        options=LEAVE_OPEN,
    ),
    realistic(
        "two groups do not touch each other",
        ["1.1", "1.1/1.1/1.085/1.1"],
        [
            low(oco_group="b"),
            low(oco_group="a"),
            {**low(oco_group="b"), "entry": 1.095},
            {**low(oco_group="a"), "entry": 1.095},
        ],
        {
            "open": [{"position_id": 3}, {"position_id": 4}],
            "ended": [{"position_id": 1, "reason": "signal"}, {"position_id": 2, "reason": "signal"}],
        },
        options=slots(None),
    ),
    realistic(
        "a market order is of no group",
        flat(2, 1),
        [low(oco_group="a"), order("long", 1.08, None, oco_group="a")],
        {"open": [{"position_id": 1}, {"position_id": 2}], "ended": []},
        options=slots(2),
    ),
]  # fmt: skip


def within_the_spread(
    name: str,
    bars: Sequence[str],
    signal: Mapping[str, Any],
    trade: Mapping[str, Any],
    *,
    ideal: Mapping[str, Any],
    costs: Mapping[str, Any] | None = None,
) -> list[Case]:
    """A stop no further from its entry than the spread, on the entry's bar: no quote of the exit's side was as good as the
    stop, so that it fills at the best there was; without `gap_fills` at the stop all the same.
    """
    same = {"entry_time": label(1), "exit_time": label(1), "reason": SL, "same_bar_ambiguous": False}
    kinds = ((True, "at the best quote", {}), (False, "at the stop", ideal))
    return [
        realistic(
            f"a stop within the spread of an entry inside the bar, {name}: {where}",
            bars,
            [signal],
            {"trades": [{**same, **trade, **change}]},
            spread=0.002,
            options={"execution": {"gap_fills": gap_fills}, "costs": costs or {}},
        )
        for gap_fills, where, change in kinds
    ]


FILLS = [
    realistic(
        "a limit order that is marketable at once fills at the open",
        flat(2),
        [pending("long", LIMIT, 1.101, 1.09, None)],
        {"open": [{"entry_price": 1.1, "order_type": LIMIT}]},
        options=LEAVE_OPEN,
    ),
    realistic(
        "a gap through the stop rejects the fill of a limit order",
        ["1.1", "1.07", "1.1"],
        [LOW],
        {**NO_FILL, "rejections": {"stop_passed_at_fill": 1}, "ended": [], "pending": []},
    ),
    realistic(
        "a gap to the stop's distance is too close",
        ["1.1", "1.080005", "1.1"],
        [LOW],
        {**NO_FILL, "rejections": {"stop_too_close": 1}},
    ),
    realistic(
        "filled at an open whose other side is beyond the stop",
        ["1.102", "1.0949/1.2/1.0949/1.0949", "1.0949"],
        [pending("long", LIMIT, 1.1001, 1.095, 1.1999)],
        {
            "trades": [
                {
                    "entry_price": 1.1, "exit_price": 1.0949, "entry_time": label(1), "exit_time": label(1),
                    "reason": SL, "same_bar_ambiguous": False,
                }
            ]
        },
        spread=0.0051,
    ),
    *within_the_spread(
        "stop long",
        ["1.099", "1.099/1.1005/1.0985/1.0995", "1.0995"],
        pending("long", STOP, 1.102, 1.1014, 1.11),
        {"entry_price": 1.102, "size": 1.66, "exit_price": 1.1005, "result": -249.0},
        ideal={"exit_price": 1.1014, "result": -99.6},
    ),
    *within_the_spread(
        "stop short",
        ["1.099", "1.099/1.0995/1.0975/1.0985", "1.0985"],
        pending("short", STOP, 1.098, 1.0986, 1.09),
        {"entry_price": 1.098, "size": 1.66, "exit_price": 1.0995, "result": -249.0},
        ideal={"exit_price": 1.0986, "result": -99.6},
    ),
    *within_the_spread(
        "limit long with slippage",
        ["1.099", "1.099/1.0995/1.098/1.0985", "1.0985"],
        pending("long", LIMIT, 1.1005, 1.0999, 1.11),
        {"entry_price": 1.1005, "size": 1.66, "exit_price": 1.09948, "result": -169.32},
        ideal={"exit_price": 1.09988, "result": -102.92},
        costs=FIXED,
    ),
    realistic(
        "a stop within the spread of an entry inside the bar, but within the bar",
        ["1.099", "1.099/1.1015/1.0985/1.0995", "1.0995"],
        [pending("long", STOP, 1.102, 1.1014, 1.11)],
        {"trades": [{"exit_price": 1.1014, "reason": SL, "result": -99.6, "exit_time": label(1)}]},
        spread=0.002,
    ),
    realistic(
        "a position from an earlier bar frees no slot for orders",
        flat(4, 1),
        [low(0), low(1), low(2)],
        {"open": [{"position_id": 1}], "blocked": {"no_slot": 3}},
        options=LEAVE_OPEN,
    ),
]  # fmt: skip


def invalid(name: str, signal: Mapping[str, Any], reason: str) -> list[Case]:
    """A signal at the quote 1.1 that is refused under either preset."""
    return [
        Case(f"{preset}: {name}", flat(3), [signal], {"rejections": {reason: 1}, **NO_FILL}, preset=preset)
        for preset in ("reference", "realistic")
    ]


INVALID = [
    *invalid("stop order below the market", pending("long", STOP, 1.0999, 1.095, 1.11), "stop_order_passed"),
    *invalid("stop order at the market", pending("long", STOP, 1.1, 1.095, 1.11), "stop_order_passed"),
    *invalid("sell stop above the market", pending("short", STOP, 1.1001, 1.105, 1.09), "stop_order_passed"),
    *invalid("no order price", order("long", 1.09, None, order_type=LIMIT), "invalid_argument"),
    *invalid("order price NaN", pending("long", LIMIT, math.nan, 1.08, None), "invalid_argument"),
    *invalid("order price 0", pending("short", LIMIT, 0.0, 1.2, None), "invalid_argument"),
    *invalid("valid for no bar", {**LOW, "valid_bars": 0}, "invalid_argument"),
    *invalid("stop beyond the order price", pending("long", LIMIT, 1.09, 1.095, None), "invalid_side"),
    *invalid("target below the order price", pending("long", STOP, 1.11, 1.1, 1.105), "invalid_side"),
    *invalid("stop at the order price", pending("long", LIMIT, 1.09, 1.09, None), "invalid_side"),
    *invalid("stop too close to the order", pending("long", LIMIT, 1.09, 1.089995, None), "stop_too_close"),
]


def margin(name: str, balance: float, expected: Mapping[str, Any], count: int = 1) -> Case:
    """Orders of 0.2 lots at 1.1, leverage 30: a margin of 733.3333333333334 each."""
    return realistic(
        f"margin: {name}",
        ["1.1"] * 3,
        [order("long", 1.095, 1.11)] * count,
        expected,
        options={
            "account": {"initial_balance": balance, "leverage": 30},
            "execution": {"check_margin": True, "max_positions": 2, "end_of_data": "leave_open"},
        },
    )


LACKING = {"rejections": {"insufficient_margin": 1}}
MARGIN = [
    margin("too little", 733.3, {**NO_FILL, **LACKING, "cash": 733.3}),
    margin("enough", 733.4, {"rejections": {}, "open": [{"size": 0.2}]}),
    margin("too little for the second", 1466.6, {**LACKING, "open": [{"position_id": 1}]}, 2),
    margin(
        "enough for both", 1466.7, {"rejections": {}, "open": [{"position_id": 1}, {"position_id": 2}]}, 2
    ),
]

ORDERS: list[Case] = [*NUMBERED, *triggers(), *VALIDITY, *GROUPS, *FILLS, *INVALID, *MARGIN]
