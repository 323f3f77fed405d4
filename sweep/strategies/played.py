"""Tables of a vectorised function on the reference engine: what the native engine is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules, Signal
from sweep.strategies.declaration import UserStrategy
from sweep.strategies.tables import Tables

_TIMES = ("timestamp", "good_till")


class PlayedTables(SignalTable):
    """Entries and exits of one symbol, under the position rules of the parameters."""

    def __init__(self, tables: Tables, strategy: UserStrategy) -> None:
        super().__init__(_rows(tables.signals()), _rows(tables.closes()))
        self._strategy = strategy

    def prepare(self, market: MarketView, ind: Indicators, params: Mapping[str, Any]) -> Rules:
        """Places the rows; the rules are those of the parameters."""
        super().prepare(market, ind, params)
        period = params.get("trail_atr_period")
        atr = ind("atr", period=period) if period is not None else None
        return position_rules(params, atr, same_bar_reentry=self._strategy.same_bar_reentry)  # type: ignore[arg-type]

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """The rows of this bar in the directions that are traded."""
        allowed = ctx.params.get("direction_filter", "both")
        return [row for row in super().evaluate(ctx) if allowed in ("both", row.direction)]


def _rows(table: Any) -> list[dict[str, Any]]:
    times = {name: table[name].cast("int64").to_pylist() for name in _TIMES if name in table.column_names}
    rows: list[dict[str, Any]] = table.to_pylist()
    for name, values in times.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows
