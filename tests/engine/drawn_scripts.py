"""Random scripts for random backtests: signals, exits, rules and gates on given markets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sweep import Market
from tests.engine.drawn_markets import PRICES, Rng
from tests.vectors.engine import MINUTE_US, SPECS

Row = dict[str, Any]


def signals(rng: Rng, market: Market) -> list[Row]:
    """8 to 30 entries, a few of them senseless, around the prices of their bar."""
    table = market.to_table()
    labels = table["timestamp"].cast(pa.int64()).to_pylist()
    bid, ask = (table[f"{side}_close"].to_pylist() for side in ("bid", "ask"))
    unit = PRICES[market.symbol][0] * 1e-3
    rows: list[Row] = []
    for bar in sorted(rng.integers(0, len(labels), int(rng.integers(8, 30))).tolist()):
        long = rng.random() < 0.5
        sign = 1 if long else -1
        order_type = str(rng.choice(["market", "limit", "stop"], p=(0.45, 0.25, 0.3)))
        price = float(ask[bar] if long else bid[bar])
        away = float(rng.exponential(unit * 0.6)) * (-1 if rng.random() < 0.06 else 1)
        entry = price - sign * away if order_type == "limit" else price + sign * away
        stop_at = float(rng.exponential(unit * 1.2)) + unit * 0.05
        stop = entry - sign * stop_at * (-1 if rng.random() < 0.04 else 1)
        target = entry + sign * float(rng.exponential(unit * 1.5)) * (-1 if rng.random() < 0.03 else 1)
        row: Row = {
            "timestamp": labels[bar],
            "symbol": market.symbol,
            "direction": "long" if long else "short",
            "order_type": order_type,
            "stop_loss": stop,
            "take_profit": None if rng.random() < 0.25 else target,
        }
        if order_type != "market":
            row["entry"] = entry
            if rng.random() < 0.6:
                row["valid_bars"] = int(rng.integers(0, 7)) if rng.random() < 0.1 else int(rng.integers(1, 7))
            if rng.random() < 0.2:
                row["good_till"] = labels[bar] + int(rng.integers(1, 12)) * MINUTE_US // 2
            if rng.random() < 0.4:
                row["oco_group"] = str(rng.choice(["a", "b"]))
        if rng.random() < 0.15:
            row["size"] = float(rng.choice([0.001, 0.05, 0.3, 400.0]))
        if rng.random() < 0.2:
            row |= {
                "tag": "t\u00e4g",
                "scenario": "2",
                "reason": 'be"cause',
                "meta": {"b": True, "a": 1, "c": "x"},
            }
        rows.append(row)
    return rows


def exits(rng: Rng, market: Market) -> list[Row]:
    """Up to 14 closes, cancellations and changes of what is open."""
    table = market.to_table()
    labels = table["timestamp"].cast(pa.int64()).to_pylist()
    close = table["bid_close"].to_pylist()
    unit = PRICES[market.symbol][0] * 1e-3
    rows: list[Row] = []
    for bar in sorted(rng.integers(0, len(labels), int(rng.integers(0, 14))).tolist()):
        row: Row = {
            "timestamp": labels[bar],
            "symbol": market.symbol,
            "direction": str(rng.choice(["long", "short"])),
            "action": str(rng.choice(["close", "cancel", "modify_stop", "modify_target", "partial_close"])),
        }
        price = float(close[bar] + rng.normal(0, unit))
        if row["action"] == "modify_stop":
            row |= {"price": price, "kind": str(rng.choice(["manual", "break_even", "trailing"]))}
        if row["action"] == "modify_target":
            row["price"] = None if rng.random() < 0.2 else price
        if row["action"] == "partial_close":
            row["lots" if rng.random() < 0.5 else "fraction"] = float(rng.choice([0.01, 0.05, 0.1, 0.5, 0.9]))
        rows.append(row)
    return rows


def rules(rng: Rng, markets: Sequence[Market]) -> dict[str, Any]:
    """Rules of the strategy for its positions."""
    pip = min(SPECS[market.symbol]["pip_size"] for market in markets)
    rules: dict[str, Any] = {
        "timeout_minutes": [None, None, 3, 10][rng.integers(4)],
        "timeout_bars": [None, None, 4, 12][rng.integers(4)],
        "same_bar_reentry": bool(rng.random() < 0.7),
        "be_r": float(rng.choice([0.0, 0.0, 0.3, 1.0])),
        "be_buffer_pips": float(rng.choice([0.0, 0.5])),
        "trail_start_r": float(rng.choice([0.0, 0.5])),
        "cooldown_bars": int(rng.choice([0, 0, 0, 1, 3])),
    }
    if rng.random() < 0.4:
        distance = float(rng.choice([2.0, 6.0, 15.0])) * pip * 2
        # By bar, with bars that propose nothing; the bars of two symbols are not the same.
        n = len(markets[0].to_table())
        by_bar = len(markets) == 1 and markets[0].ticks_table() is None and rng.random() < 0.4
        rules["trail_distance"] = (
            (distance * rng.choice([0.0, -1.0, 0.5, 1.0], n)).tolist() if by_bar else distance
        )
    return rules


def gates(rng: Rng, markets: Sequence[Market]) -> dict[str, Any]:
    """Gates that close on some of the bars, in some order; for most cases none."""
    if rng.random() < 0.7:
        return {}
    labels = markets[0].to_table()["timestamp"].cast(pa.int64()).to_pylist()
    first, last = labels[0] // MINUTE_US, labels[-1] // MINUTE_US

    def clock(minute: int) -> str:
        return f"{minute // 60 % 24:02}:{minute % 60:02}"

    # Most of a market of an hour is left to most of the gates.
    start = int(rng.integers(first - 30, first + 15))
    opening = 8 * 60 + (first // 1440) * 1440
    away = int(rng.integers(first + 25, max(first + 26, last + 10))) - opening
    parts: dict[str, Any] = {
        "sessions": [{"start": clock(start), "end": clock(start + int(rng.integers(45, 150)))}],
        "anchored": [{"anchor": "london", "from": "+00:00", "to": f"+{clock(away)}"}],
        "news": {
            "events": [
                {"time": int(rng.integers(first, max(first + 1, last))) * MINUTE_US, "currency": str(code)}
                for code in rng.choice(["USD", "EUR", "JPY", "GBP"], 3)
            ],
            "before_minutes": int(rng.integers(0, 8)),
            "after_minutes": int(rng.integers(0, 8)),
        },
        "cooldown": {
            f"after_{event}_{unit}": int(rng.choice([0, 0, 1, 2, 5]))
            for event in ("exit", "signal")
            for unit in ("minutes", "bars")
        },
    }
    names = rng.permutation(list(parts))[: int(rng.integers(1, 5))]
    return {str(name): parts[str(name)] for name in names}
