"""What a backtest returns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sweep.reference.curve import Sample
from sweep.reference.position import DIRECTIONS, Order, Position
from sweep.reference.schema import REGISTRY

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
_HELD: Final = (
    "position_id",
    "parent_id",
    "order_price",
    "symbol",
    "order_type",
    "status",
    "order_time",
    "entry_time",
    "exit_time",
    "entry_price",
    "exit_price",
    "stop_loss",
    "take_profit",
    "initial_stop_loss",
    "initial_take_profit",
    "stop_kind",
    "size",
    "risk_per_trade",
    "entry_fee",
    "exit_fee",
    "reason",
    "same_bar_ambiguous",
    "scenario",
    "tag",
)
_UNSET: Final = ("result", "r_multiple")


_ORDER: Final = (
    "position_id",
    "symbol",
    "order_type",
    "order_time",
    "stop_loss",
    "take_profit",
    "valid_bars",
    "good_till",
    "oco_group",
)


@dataclass(frozen=True)
class ReferenceResult:
    """Tables as lists of rows (times in microseconds UTC), figures and counts of one backtest."""

    trades: Sequence[Row]
    equity: Sequence[Row]
    daily: Sequence[Row]
    metrics: Mapping[str, float | None]
    summary: Mapping[str, float | int]
    open_positions: Sequence[Row]
    """Records in the schema execution_position."""
    pending_orders: Sequence[Row]
    """Live orders left over."""
    ended_orders: Sequence[Row]
    """Orders that ended without a fill."""
    rejections: Mapping[str, int]
    rejection_details: Sequence[Row]
    blocked_bars: Mapping[str, int]
    invalid_modify: int
    outside_window: int
    sizes_raised: int
    sizes_capped: int
    ruined_at: int | None
    stopped: Mapping[str, Any] | None
    """kind, reason and at (label) of the limit at which it was given up; None if it ran to its end."""
    warnings: Sequence[str]
    digests: Mapping[str, str]
    """trades, daily, metrics, result and equity, lower-case hex."""

    def tables(self) -> dict[str, pa.Table]:
        """Arrow tables trades, equity and daily with the registry's types."""
        return {name: to_arrow(name, getattr(self, name)) for name in ("trades", "equity", "daily")}


def to_arrow(name: str, rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table of a registered schema."""
    import pyarrow as pa

    types = {
        "ts": pa.timestamp("us", "UTC"),
        "f": pa.float64(),
        "i": pa.int32(),
        "l": pa.int64(),
        "u": pa.uint64(),
        "b": pa.bool_(),
        "s": pa.utf8(),
        "d": pa.dictionary(pa.int32(), pa.utf8()),
    }
    fields = REGISTRY[name].fields
    schema = pa.schema([pa.field(f.name, types[f.type], f.nullable) for f in fields])
    columns = [pa.array([row[f.name] for row in rows], types[f.type]) for f in fields]
    return pa.Table.from_arrays(columns, schema=schema)


def trade_row(p: Position) -> dict[str, Any]:
    """One row of the trades table."""
    return {
        "entry_time": p.entry_time,
        "exit_time": p.exit_time,
        "direction": DIRECTIONS[p.direction],
        "symbol": p.symbol,
        "entry_price": p.entry_price,
        "exit_price": p.exit_price,
        "initial_stop_loss": p.initial_stop_loss,
        "stop_loss": p.stop_loss,
        "take_profit": p.take_profit,
        "size": p.size,
        "result": p.result,
        "entry_fee": p.entry_fee,
        "exit_fee": p.exit_fee,
        "total_fee": p.entry_fee + p.exit_fee,
        "reason": p.reason,
        "order_type": p.order_type,
        "status": p.status,
        "r_multiple": p.r_multiple,
        "meta": meta_text(p),
        "position_id": p.position_id,
        "order_time": p.order_time,
        "same_bar_ambiguous": p.same_bar_ambiguous,
    }


def position_row(p: Position) -> dict[str, Any]:
    """An open position in the schema execution_position; what has not happened is None."""
    held = {name: getattr(p, name) for name in _HELD}
    row = {**held, **dict.fromkeys(_UNSET), "direction": DIRECTIONS[p.direction], "meta": meta_text(p)}
    return {f.name: row[f.name] for f in REGISTRY["execution_position"].fields}


def order_row(order: Order) -> dict[str, Any]:
    """A pending order, or one that ended without a fill."""
    row = {name: getattr(order, name) for name in _ORDER} | {
        "direction": DIRECTIONS[order.direction],
        "order_price": order.price,
    }
    return row if order.reason is None else row | {"ended": order.end_time, "reason": order.reason}


def meta_text(p: Position | Order) -> str:
    """Canonical JSON of the signal's meta with scenario, tag and parent_id where present."""
    meta = dict(p.meta)
    parent = p.parent_id if isinstance(p, Position) else None
    own = (("scenario", p.scenario), ("tag", p.tag), ("parent_id", parent))
    meta |= {k: v for k, v in own if v is not None}
    return json.dumps(meta, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def equity_row(sample: Sample) -> dict[str, Any]:
    """One row of the equity table."""
    return {
        name: getattr(sample, name) for name in ("timestamp", "equity", "balance", "drawdown", "high_water")
    }
