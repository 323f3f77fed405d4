"""Random operations: most of them legal, each illegal one for a single cause."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from tests.portfolio.support import DAY, MINUTE, NOON

PRICES = {"EURUSD": 1.1, "USDJPY": 150.0, "DE40": 18_000.0, "GOOG": 140.0}
NO_NUMBERS = (math.nan, math.inf, -math.inf)
Row = dict[str, Any]


class Generator:
    """Rows in time order; keeps ids apart by what they were meant to become."""

    def __init__(self, seed: int, mistakes: float = 0.15) -> None:
        self._random = random.Random(seed)
        self._mistakes = mistakes
        self._time = NOON + self._random.choice((0, -20_000 * DAY))
        self._ids = 0
        self._open: dict[int, Row] = {}
        self._pending: dict[int, Row] = {}
        self._gone: list[int] = []

    def rows(self, count: int) -> list[Row]:
        """Operations; some of them will be refused."""
        return [self._row() for _ in range(count)]

    def _row(self) -> Row:
        r = self._random
        self._time += r.choice((0, 0, 1, MINUTE, 17 * MINUTE, 7 * 60 * MINUTE, DAY, 3 * DAY))
        kinds: list[tuple[Callable[[], Row], float]] = [
            (self._entry, 4),
            (self._order, 2),
            (self._update, 5),
            (self._fee, 1),
        ]
        if self._open:
            kinds += [(self._exit, 4), (self._part, 2), (self._modify, 2), (self._break_even, 1)]
        if self._pending:
            kinds += [(self._fill, 2), (self._expire, 1)]
        if r.random() < self._mistakes:
            return self._mistake()
        make = r.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        return make()

    # ----------------------------------------------------------------------------------------------------------- legal

    def _price(self, symbol: str) -> float:
        return PRICES[symbol] * self._random.uniform(0.95, 1.05)

    def _position(self) -> Row:
        r = self._random
        symbol = r.choice(tuple(PRICES))
        price, side = self._price(symbol), r.choice((1, -1))
        row: Row = {
            "symbol": symbol,
            "direction": "long" if side > 0 else "short",
            "price": price,
            "stop_loss": price * (1 - side * r.uniform(0.0005, 0.02)),
            "time": self._time,
        }
        extras = {
            "take_profit": price * (1 + side * r.uniform(0.0005, 0.04)),
            "risk_per_trade": r.choice((0.0, 100.0, r.uniform(1, 500))),
            "scenario": r.choice(("2", "ü")),
            "tag": "tag",
            "reason": 'a "reason"',
            "meta": {"z": 1, "a": True, "text": "ä\n"},
        }
        return row | {name: value for name, value in extras.items() if r.random() < 0.4}

    def _lots(self) -> float:
        return self._random.choice((0.01, 0.37, 1.0, 2.5, self._random.uniform(0.01, 3)))

    def _id(self) -> dict[str, int]:
        """Mostly the next one, sometimes one that leaves a gap."""
        gap = self._random.random() < 0.1
        self._ids += self._random.randint(2, 50) if gap else 1
        return {"position_id": self._ids} if gap else {}

    def _entry(self) -> Row:
        r = self._random
        row = {"op": "register_entry", **self._position(), **self._id(), "size": self._lots()}
        if r.random() < 0.5:
            row["fee"] = r.choice((0.0, 3.0, -0.5, r.uniform(0, 9)))
        if r.random() < 0.2:
            row |= {"order_type": r.choice(("limit", "stop")), "order_time": self._time - MINUTE}
            row |= {"order_price": row["price"] * 1.0001} if r.random() < 0.5 else {}
        self._open[self._ids] = dict(row)
        return row

    def _order(self) -> Row:
        row = {"op": "register_entry", "status": "pending", **self._position(), **self._id()}
        row |= {"order_type": "stop"} if self._random.random() < 0.5 else {}
        row |= {"size": self._lots()} if self._random.random() < 0.5 else {}
        self._pending[self._ids] = row
        return row

    def _fill(self) -> Row:
        id = self._random.choice(tuple(self._pending))
        order = self._pending.pop(id)
        size = {} if "size" in order and self._random.random() < 0.5 else {"size": self._lots()}
        self._open[id] = {**order, **size}
        price = self._price(order["symbol"])
        return {
            "op": "register_fill",
            "position_id": id,
            "price": price,
            "time": self._time,
            **size,
            "fee": 1.25,
        }

    def _expire(self) -> Row:
        id = self._random.choice(tuple(self._pending))
        del self._pending[id]
        self._gone.append(id)
        row = {"op": "limit_expired", "position_id": id, "time": self._time}
        return row | self._random.choice(({}, {"reason": "signal"}, {"reason": "end_of_data"}))

    def _exit(self) -> Row:
        r = self._random
        id = r.choice(tuple(self._open))
        held = self._open.pop(id)
        self._gone.append(id)
        row = {
            "op": "register_exit",
            "position_id": id,
            "price": self._price(held["symbol"]),
            "time": self._time,
        }
        reason = r.choice(
            ("stop_loss", "take_profit", "break_even_stop_loss", "trailing_stop_loss", "timeout")
        )
        row |= {"reason": reason} if r.random() < 0.7 else {}
        return row | ({"fee": r.uniform(-1, 9)} if r.random() < 0.5 else {})

    def _part(self) -> Row:
        r = self._random
        id = r.choice(tuple(self._open))
        held = self._open[id]
        lots = held["size"] * r.uniform(0.1, 0.9)
        held["size"] -= lots
        self._ids += 1
        self._gone.append(self._ids)
        price = self._price(held["symbol"])
        row = {"op": "partial_exit", "position_id": id, "size": lots, "price": price, "time": self._time}
        return row | ({"fee": 0.75} if r.random() < 0.5 else {})

    def _modify(self) -> Row:
        r = self._random
        held = {**self._open, **self._pending}
        id = r.choice(tuple(held))
        row: Row = {"op": "modify_position", "position_id": id, "stop_loss": self._price(held[id]["symbol"])}
        if id in self._open and r.random() < 0.5:
            row["stop_kind"] = r.choice(("initial", "break_even", "trailing", "manual"))
        target: Row = {"take_profit": self._price(held[id]["symbol"])}
        return row | r.choice(({}, target, {"clear_take_profit": True}))

    def _break_even(self) -> Row:
        row = {"op": "set_break_even", "position_id": self._random.choice(tuple(self._open))}
        return row | ({"buffer_pips": self._random.uniform(-3, 3)} if self._random.random() < 0.5 else {})

    def _fee(self) -> Row:
        r = self._random
        row: Row = {"op": "register_fee", "amount": r.choice((0.0, None, 1.5, -2.0)), "time": self._time}
        filled = tuple(self._open)
        if filled and r.random() < 0.6:
            row |= {"kind": r.choice(("entry", "exit", "swap")), "position_id": r.choice(filled)}
        return row

    def _update(self) -> Row:
        r = self._random
        quoted = [symbol for symbol in PRICES if r.random() < 0.3]
        quotes = {}
        for symbol in quoted:
            bid = self._price(symbol)
            quotes[symbol] = (bid, bid * 1.0001)
        return {"op": "update", "time": self._time, "quotes": quotes or None}

    # --------------------------------------------------------------------------------------------------------- illegal

    def _mistake(self) -> Row:
        """One that is refused whatever the state."""
        r, time = self._random, self._time
        unknown = {"position_id": r.choice((self._ids + 1_000_000, *self._gone)), "time": time}
        bad_entry = r.choice(
            (
                {"symbol": ""},
                {"symbol": "NOPE"},
                {"symbol": "EURGBP", "price": 0.85, "stop_loss": 0.84},
                {"direction": "up"},
                {"status": "closed"},
                {"order_type": "iceberg"},
                {"order_type": "market", "status": "pending"},
                {"status": "pending", "fee": 1.0},
                {"price": r.choice((*NO_NUMBERS, 0.0, -1.0))},
                {"size": r.choice((*NO_NUMBERS, 0.0, -1.0))},
                {"size": 1e308},
                {"stop_loss": r.choice((None, *NO_NUMBERS, 0.0))},
                {"take_profit": r.choice((*NO_NUMBERS, 0.0, -1.0))},
                {"risk_per_trade": r.choice((*NO_NUMBERS, -1.0))},
                {"fee": r.choice(NO_NUMBERS)},
                {"time": None},
                {"order_time": time + 1},
                {"position_id": 0},
                *({"position_id": id} for id in (*self._open, *self._pending, *self._gone)[:1]),
            )
        )
        rows: list[Row] = [
            {"op": "register_entry", **self._position(), "size": 1.0, **bad_entry},
            {"op": "register_exit", "price": 1.0, **unknown},
            {"op": "register_fill", "price": 1.0, "size": 1.0, **unknown},
            {"op": "partial_exit", "price": 1.0, "size": 0.1, **unknown},
            {"op": "limit_expired", **unknown},
            {"op": "modify_position", "position_id": unknown["position_id"], "stop_loss": 1.0},
            {"op": "set_break_even", "position_id": unknown["position_id"]},
            {"op": "register_fee", "amount": r.choice(NO_NUMBERS), "time": time},
            {"op": "register_fee", "amount": 1.0, "position_id": self._ids + 1_000_000, "time": time},
            {"op": "register_fee", "amount": 1.0, "time": None},
            {"op": "update", "time": time - 100_000 * DAY},
            {"op": "update", "time": None},
            {
                "op": "update",
                "time": time + 365 * DAY,
                "quotes": {"EURUSD": (1.0, r.choice((*NO_NUMBERS, 0.0)))},
            },
            {"op": "update", "time": time + 365 * DAY, "quotes": {"EURUSD": (2.0, 2.0), "NOPE": (1.0, 1.0)}},
        ]
        if self._open:
            held = {"position_id": r.choice(tuple(self._open)), "time": time}
            rows += [
                {"op": "register_exit", **held, "price": r.choice((None, *NO_NUMBERS, 0.0))},
                {"op": "register_exit", **held, "price": 1.0, "reason": "boredom"},
                {"op": "register_exit", **held, "price": 1.0, "fee": math.nan},
                {"op": "register_exit", **held, "price": 1.0, "time": time - 100_000 * DAY},
                {"op": "partial_exit", **held, "price": 1.0, "size": r.choice((0.0, -1.0, 1e6, math.nan))},
                {"op": "partial_exit", **held, "price": math.inf, "size": 1e-3},
                {"op": "register_fill", **held, "price": 1.0, "size": 1.0},
                {"op": "limit_expired", **held},
                {"op": "modify_position", "position_id": held["position_id"]},
                {"op": "modify_position", "position_id": held["position_id"], "stop_kind": "magic"},
                {"op": "modify_position", "position_id": held["position_id"], "take_profit": -1.0},
                {"op": "set_break_even", "position_id": held["position_id"], "buffer_pips": math.nan},
            ]
        return r.choice(rows)
