"""The registry of table schemas and their fingerprints."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Final

VERSION: Final = "1.0.0"

TYPES: Final = {
    "ts": "timestamp[us, tz=UTC]",
    "f": "double",
    "i": "int32",
    "l": "int64",
    "u": "uint64",
    "b": "bool",
    "s": "string",
    "d": "dictionary<values=string, indices=int32, ordered=0>",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One column: name, short type (ts f i l u b s d) and whether it may be null."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class Schema:
    """A named table schema."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the list of fields."""
        rows = [{"name": f.name, "nullable": f.nullable, "type": TYPES[f.type]} for f in self.fields]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode("ascii")).hexdigest()


def _schema(name: str, columns: str) -> Schema:
    """A schema from `name type, …`; a type that ends in ? is nullable."""
    pairs = [column.split() for column in columns.split(",")]
    return Schema(name, tuple(Field(n, t.rstrip("?"), t.endswith("?")) for n, t in pairs))


REGISTRY: Final = {
    schema.name: schema
    for schema in (
        _schema("ohlcv", "timestamp ts, open f, high f, low f, close f, volume f, valid b"),
        _schema("ticks", "timestamp ts, bid f, ask f, bid_size f?, ask_size f?"),
        _schema(
            "trade_signal",
            "bar_index i?, timestamp ts, symbol d, direction d, order_type d, entry f?, stop_loss f, take_profit f?, "
            "size f?, valid_bars i?, good_till ts?, oco_group s?, reason s?, scenario s?, tag s?",
        ),
        _schema(
            "execution_position",
            "position_id u, parent_id u?, symbol d, direction d, order_type d, status d, order_time ts, "
            "entry_time ts?, exit_time ts?, order_price f?, entry_price f?, exit_price f?, stop_loss f, "
            "take_profit f?, initial_stop_loss f, initial_take_profit f?, stop_kind d, size f, risk_per_trade f, "
            "entry_fee f, exit_fee f, result f?, r_multiple f?, reason d?, same_bar_ambiguous b, scenario s?, "
            "tag s?, meta s?",
        ),
        _schema("signal_exit", "bar_index i?, timestamp ts, symbol d, direction d, action d"),
        _schema(
            "symbol_spec",
            "symbol s, contract_size f, pip_size f, tick_size f, tick_value f?, volume_min f, volume_step f, "
            "volume_max f, base_currency s, quote_currency s",
        ),
        _schema(
            "trades",
            "entry_time ts, exit_time ts, direction d, symbol d, entry_price f, exit_price f, initial_stop_loss f, "
            "stop_loss f, take_profit f?, size f, result f, entry_fee f, exit_fee f, total_fee f, reason d, "
            "order_type d, status d, r_multiple f, meta s, position_id u, order_time ts, same_bar_ambiguous b",
        ),
        _schema("equity", "timestamp ts, equity f, balance f, drawdown f, high_water f"),
        _schema("daily", "date ts, equity f"),
        _schema("metrics", "name s, value f?, unit s"),
        _schema("params", "name s, kind d, int_value l?, float_value f?, str_value s?"),
        _schema(
            "portfolio_state",
            "timestamp ts, balance f, equity f, margin_used f, unrealised_pnl f, realised_pnl f, total_fees f, "
            "position_count i, pending_count i, drawdown f, high_water f",
        ),
    )
}
