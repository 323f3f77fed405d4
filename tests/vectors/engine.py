"""Vectors of the engine as data, of market orders here; `CASES` holds them all."""

from __future__ import annotations

from tests.vectors.case import (
    EURO,
    FIELDS,
    FIXED,
    L1,
    MINUTE_US,
    PER_LOT,
    R1,
    SL,
    SPECS,
    START_US,
    TP,
    C,
    Case,
    label,
    order,
    realistic,
)
from tests.vectors.management import MANAGEMENT
from tests.vectors.orders import ORDERS
from tests.vectors.symbols import SYMBOLS
from tests.vectors.ticks import TICKS

__all__ = [
    "CASES", "EURO", "FIELDS", "FIXED", "L1", "MINUTE_US", "PER_LOT", "R1", "SPECS", "START_US", "C", "Case",
    "label", "order", "realistic",
]  # fmt: skip

REFERENCE = [
    Case(
        "R1",
        ["1.1/1.1/1.0/1.1", "1.1/1.1/1.09504/1.1"],
        [R1],
        {
            "trades": [
                {
                    "entry_time": label(0), "exit_time": label(1), "entry_price": 1.1, "exit_price": 1.095,
                    "reason": SL, "size": 0.2, "result": -100.0, "r_multiple": -1.0, "position_id": 1, "meta": "{}",
                }
            ],
            "cash": 9900.0,
        },
    ),
    Case(
        "R2",
        ["1.1/1.1/1.0/1.1", "1.1/1.1/1.09504/1.1"],
        [R1],
        {
            "trades": [
                {
                    "entry_price": 1.10002, "size": 0.19, "exit_price": 1.09498, "r_multiple": -1.0039840637450017,
                    "result": -100.39840637450017, "entry_fee": 0.47, "exit_fee": 0.47,
                }
            ],
            "cash": 9898.6615936255,
            "summary": {"Max Drawdown": 101.34},
        },
        options={"costs": C},
    ),
    Case(
        "R2e",
        ["1.1/1.1/1.0/1.1", "1.1/1.1/1.09504/1.1"],
        [R1],
        {"trades": [{"size": 0.24, "entry_fee": 0.6, "exit_fee": 0.6}], "cash": 9898.401593625498},
        options={"costs": C, **EURO},
    ),
    Case(
        "R2s",
        ["1.1/1.1/1.0/1.1", "1.1/1.1051/1.1/1.105"],
        [order("short", 1.105, 1.09)],
        {"trades": [{"entry_price": 1.09998, "size": 0.19, "exit_price": 1.10502, "r_multiple": -1.003984063745002}]},
        options={"costs": FIXED},
    ),
    Case(
        "R3",
        ["150", "150/150/147.9/148"],
        [order("short", 151, 148)],
        {
            "trades": [
                {
                    "entry_price": 149.998, "size": 0.14, "exit_price": 148.0, "reason": TP,
                    "result": 199.40119760478757, "entry_fee": 0.35, "exit_fee": 0.35,
                }
            ],
            "cash": 10198.701197604787,
        },
        symbol="USDJPY",
        options={"costs": C, "rates": {"static": {"USDJPY": 150.0}}},
    ),
    Case("R5 low at the buffer", ["1.1", "1.1/1.1/1.09505/1.1"], [R1], {"trades": [{"exit_price": 1.095, "reason": SL}]}),
    Case("R5 low above the buffer", ["1.1", "1.1/1.1/1.0950501/1.1"], [R1], {"trades": [], "open": [{"entry_price": 1.1}]}),
    Case("R5 high at the buffer", ["1.1", "1.1/1.10995/1.1/1.1"], [R1], {"trades": [{"exit_price": 1.11, "reason": TP}]}),
    Case("R5 high below the buffer", ["1.1", "1.1/1.1099499/1.1/1.1"], [R1], {"trades": [], "open": [{"size": 0.2}]}),
    Case(
        "R7",
        ["1.1", "1.09/1.091/1.089/1.0905"],
        [R1],
        {"trades": [{"exit_price": 1.09498, "r_multiple": -1.0039840637450017}]},
        options={"costs": FIXED},
    ),
    Case(
        "R10",
        ["1.1", *["1.1/1.1006/1.0999/1.1005"] * 31],
        [R1],
        {
            "trades": [
                {
                    "exit_time": label(30), "exit_price": 1.10048, "reason": "timeout", "result": 9.1633466135483,
                    "entry_fee": 0.47, "exit_fee": 0.47,
                }
            ],
            "cash": 10008.22334661355,
        },
        options={"costs": C},
        rules={"timeout_minutes": 30},
    ),
    Case(
        "R11",
        ["1.1", "1.1/1.1/1.094/1.1", "1.1", "1.1"],
        [{**R1, "bar_index": k} for k in range(3)],
        {
            "trades": [{"exit_time": label(1), "reason": SL}],
            "open": [{"entry_time": label(2), "position_id": 2}],
            "blocked": {"no_slot": 2},
        },
    ),
    Case(
        "R12",
        ["1.1", "1.1"],
        [R1],
        {
            "trades": [], "open": [{"entry_fee": 0.5, "size": 0.2}], "cash": 9999.5,
            "summary": {"Total Fees": 0.5, "Total Trades": 0},
        },
        options={"costs": PER_LOT},
    ),
]  # fmt: skip


REALISTIC = [
    realistic(
        "L1",
        ["1.1", "1.1002/1.1010/1.0998/1.1008", "1.1008/1.1060/1.1005/1.1050", "1.1050/1.1104/1.1049/1.1100", "1.11"],
        [L1],
        {
            "trades": [
                {
                    "order_time": label(0), "entry_time": label(1), "exit_time": label(3), "entry_price": 1.1003,
                    "size": 0.19, "exit_price": 1.1101, "reason": TP, "result": 186.2,
                    "r_multiple": 1.8846153846153566, "entry_fee": 0.47, "exit_fee": 0.47,
                }
            ],
            "equity": [10000, 10009.03, 10088.83, 10185.26, 10185.26],
            "metrics": {"exposure_pct": 60.0, "turnover": 41997.6},
        },
        spread=0.0001,
        options={"costs": PER_LOT},
    ),
    realistic(
        "L2",
        ["1.1", "1.1", "1.09/1.091/1.089/1.0905", "1.09"],
        [L1],
        {
            "trades": [
                {
                    "entry_price": 1.10012, "size": 0.19, "exit_price": 1.08998, "exit_time": label(2),
                    "result": -192.66, "r_multiple": -2.019920318725053, "reason": SL,
                }
            ]
        },
        spread=0.0001,
        options={"costs": FIXED},
    ),
    realistic(
        "L4",
        ["1.1", "1.1/1.1105/1.0950/1.1", "1.1"],
        [L1],
        {
            "trades": [
                {
                    "entry_price": 1.1001, "size": 0.2, "exit_price": 1.0951, "result": -100.0, "entry_fee": 0.5,
                    "exit_fee": 0.5, "same_bar_ambiguous": True,
                }
            ],
            "metrics": {
                "ambiguous_trades": 1.0, "net_profit": -101.0, "net_profit_pessimistic": -101.0,
                "net_profit_optimistic": 199.0,
            },
        },
        spread=0.0001,
        options={"costs": PER_LOT},
    ),
    realistic(
        "L5",
        ["1.1", "1.1", "1.111/1.1112/1.095/1.1", "1.1"],
        [L1],
        {"trades": [{"exit_price": 1.111, "reason": TP, "result": 218.0, "same_bar_ambiguous": False}]},
        spread=0.0001,
    ),
    Case(
        "L5 under reference",
        ["1.1", "1.1", "1.111/1.1112/1.095/1.1", "1.1"],
        [L1],
        {
            "trades": [{"exit_price": 1.0951, "reason": SL, "result": -100.0, "same_bar_ambiguous": True}],
            "metrics": {"net_profit_optimistic": 200.0},
        },
        spread=0.0001,
    ),
    realistic(
        "L6",
        ["1.1", "1.1", "1.1/1.1/1.097/1.0975"],
        [order("short", 1.105, 1.09)],
        {
            "trades": [
                {
                    "entry_price": 1.09998, "size": 0.19, "exit_price": 1.09762, "reason": "end_of_data",
                    "result": 44.84, "entry_fee": 0.47, "exit_fee": 0.47,
                }
            ],
            "cash": 10043.9,
        },
        spread=0.0001,
        options={"costs": C},
    ),
    realistic(
        "L7",
        ["1.1"] * 3,
        [order("long", 0.09, 1.3)],
        {"trades": [], "rejections": {"below_min_volume": 1}, "metrics": {"rejected_signals": 1.0}},
        spread=0.0001,
    ),
    realistic(
        "L7 raised",
        ["1.1"] * 3,
        [order("long", 0.09, 1.3)],
        {"trades": [{"size": 0.01}], "rejections": {}},
        spread=0.0001,
        options={"execution": {"below_min_volume": "raise_to_min"}},
    ),
    realistic(
        "L8",
        ["1.1", *["1.1/1.1006/1.0999/1.1005"] * 32],
        [R1],
        {
            "trades": [
                {
                    "entry_time": label(1), "exit_time": label(31), "exit_price": 1.1, "reason": "timeout",
                    "result": 0.0,
                }
            ]
        },
        rules={"timeout_minutes": 30},
    ),
    realistic(
        "L10",
        ["150", "150", "150/151.05/149.9/151", "151"],
        [order("long", 149.51, 151.01)],
        {"trades": [{"entry_price": 150.01, "size": 0.3, "exit_price": 151.01, "result": 200.0}]},
        symbol="USDJPY",
        spread=0.01,
        options={"rates": {"static": {"USDJPY": 150.0}}},
    ),
    realistic(
        "L10 euro account",
        ["150", "150", "150/151.05/149.9/151", "151"],
        [order("long", 149.51, 151.01)],
        {"trades": [{"size": 0.37, "result": 197.33333333333331}]},
        symbol="USDJPY",
        spread=0.01,
        options={"account": {"currency": "EUR"}, "rates": {"static": {"USDJPY": 150.0, "EURUSD": 1.25}}},
    ),
    realistic(
        "L11 beyond the stop",
        ["1.1", "1.094"],
        [L1],
        {"trades": [], "rejections": {"stop_passed_at_fill": 1}, "cash": 10000.0},
        spread=0.0001,
    ),
    realistic(
        "L11 beyond the target",
        ["1.1", "1.111"],
        [L1],
        {"trades": [], "rejections": {"target_passed_at_fill": 1}, "cash": 10000.0},
        spread=0.0001,
    ),
    realistic(
        "L14",
        ["1.1", "1.1/1.1/1.094/1.1", "1.1", "1.1", "1.1"],
        [{**R1, "bar_index": k} for k in range(3)],
        {
            "trades": [
                {"entry_time": label(1), "exit_time": label(1), "reason": SL},
                {"order_time": label(1), "entry_time": label(2), "reason": "end_of_data"},
            ],
            "blocked": {"no_slot": 3},
        },
    ),
]  # fmt: skip


def validation_cases() -> list[Case]:
    """Signals on the decision bar, quote 1.1, long: reason of the rejection, or none (either preset)."""
    rows: list[tuple[str, float, float | None, str | None]] = [
        ("stop on the winning side", 1.105, 1.11, "invalid_side"),
        ("target on the losing side", 1.095, 1.099, "invalid_side"),
        ("target 0", 1.095, 0.0, "invalid_argument"),
        ("stop NaN", float("nan"), 1.11, "invalid_argument"),
        ("stop too close", 1.099995, 1.11, "stop_too_close"),
        ("no target", 1.095, None, None),
    ]
    return [
        Case(
            f"{preset}: {name}",
            ["1.1", "1.1", "1.1"],
            [order("long", stop, target)],
            {"rejections": {reason: 1} if reason else {}},
            preset=preset,
        )
        for preset in ("reference", "realistic")
        for name, stop, target, reason in rows
    ]


CASES: list[Case] = [*REFERENCE, *REALISTIC, *validation_cases(), *ORDERS, *MANAGEMENT, *TICKS, *SYMBOLS]
