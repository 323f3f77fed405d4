"""What a vector of the engine is: market, options, signals, expected values as data. Any engine can run one.

Bars are M1, bar k labelled 2024-01-01 12:00 + k min; ticks lie in the same minutes. `expected` holds what must hold:

trades, open, pending, ended   lists of partial rows: trades, open positions, live orders left over, orders that ended
                               without a fill
cash, equity                   last balance; the curve without row 0
metrics, summary, blocked      some of the figures by name
rejections                     all reasons with their counts
counts                         invalid_modify, sizes_raised, sizes_capped, outside_window, ruined_at

Numbers compare to 1e-9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

START_US = 1_704_110_400_000_000
MINUTE_US = 60_000_000
SECOND_US = 1_000_000
FIELDS = ("open", "high", "low", "close")

SPECS: dict[str, dict[str, Any]] = {
    symbol: {
        "symbol": symbol,
        "contract_size": 100_000.0,
        "pip_size": pip,
        "tick_size": pip / 10,
        "tick_value": None,
        "volume_min": 0.01,
        "volume_step": 0.01,
        "volume_max": 200.0,
        "base_currency": symbol[:3],
        "quote_currency": symbol[3:],
    }
    for symbol, pip in (("EURUSD", 0.0001), ("USDJPY", 0.01))
}
SPECS["EURUSD"]["tick_size"] = 0.00001
SPECS["USDJPY"]["tick_size"] = 0.001

PER_LOT = {"commission": {"schema": "per_lot", "per_lot": 2.5}}
FIXED = {"slippage": {"fixed_pips": 0.2, "random_pips": 0}}
C = {**FIXED, **PER_LOT}
EURO = {"account": {"currency": "EUR"}, "rates": {"static": {"EURUSD": 1.25}}}


@dataclass(frozen=True)
class Case:
    """One scripted backtest with its expected values."""

    id: str
    bid: Sequence[str]
    """Bid bars as open/high/low/close, or one number for all four; "" is no bar."""
    signals: Sequence[Mapping[str, Any]]
    """Rows of a signal table; without `symbol` they are of the case's."""
    expected: Mapping[str, Any]
    preset: str = "reference"
    spread: float = 0.0
    symbol: str = "EURUSD"
    options: Mapping[str, Any] = field(default_factory=dict)
    """Sections over the preset: execution, costs, account, rates."""
    exits: Sequence[Mapping[str, Any]] = ()
    """Rows of an exit table, also those that change stops, targets and sizes."""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the rules of a strategy."""
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Bid bars of further symbols, without spread."""
    ticks: Sequence[tuple[float, float]] = ()
    """Seconds after 12:00 and bid, instead of bars."""

    @property
    def symbols(self) -> list[str]:
        """Symbols in configured order."""
        return [self.symbol, *self.others]

    def rows_of(self, rows: Sequence[Mapping[str, Any]], symbol: str) -> list[dict[str, Any]]:
        """The rows of a symbol, each with it and with the label of its bar."""
        named = [{"symbol": self.symbol, "timestamp": label(row["bar_index"]), **row} for row in rows]
        return [
            {k: v for k, v in row.items() if k != "bar_index"} for row in named if row["symbol"] == symbol
        ]

    def labels(self, symbol: str | None = None) -> list[int]:
        """Labels of the bars of a symbol, microseconds UTC."""
        return [label(k) for k, bar in enumerate(self._bars(symbol)) if bar]

    def columns(self, side: str, symbol: str | None = None) -> dict[str, list[float]]:
        """open, high, low, close and volume of a side."""
        rows = [
            [float(x) for x in (bar.split("/") if "/" in bar else [bar] * 4)]
            for bar in self._bars(symbol)
            if bar
        ]
        add = self.spread if side == "ask" and symbol in (None, self.symbol) else 0.0
        prices = {name: [row[i] + add for row in rows] for i, name in enumerate(FIELDS)}
        return {**prices, "volume": [0.0] * len(rows)}

    def quotes(self) -> tuple[list[int], list[float], list[float]]:
        """Times, bids and asks of the ticks."""
        times = [START_US + round(seconds * SECOND_US) for seconds, _ in self.ticks]
        return times, [bid for _, bid in self.ticks], [bid + self.spread for _, bid in self.ticks]

    def full_options(self) -> dict[str, Any]:
        """The options with the preset in place."""
        execution = {"preset": self.preset, **self.options.get("execution", {})}
        return {**self.options, "execution": execution}

    def _bars(self, symbol: str | None) -> Sequence[str]:
        return self.bid if symbol in (None, self.symbol) else self.others[symbol or ""]


def realistic(*args: Any, **options: Any) -> Case:
    """A case under the preset `realistic`."""
    return Case(*args, **options, preset="realistic")


def label(k: int) -> int:
    """Label of bar k."""
    return START_US + MINUTE_US * k


def order(direction: str, stop: float, target: float | None, bar: int = 0, **rest: Any) -> dict[str, Any]:
    """A market signal decided on a bar."""
    return {"bar_index": bar, "direction": direction, "stop_loss": stop, "take_profit": target, **rest}


def pending(
    direction: str, kind: str, entry: float, stop: float, target: float | None, bar: int = 0, **rest: Any
) -> dict[str, Any]:
    """A limit or stop order decided on a bar."""
    return order(direction, stop, target, bar, order_type=kind, entry=entry, **rest)


def act(action: str, bar: int, direction: str = "long", **rest: Any) -> dict[str, Any]:
    """A row of the exit table."""
    return {"bar_index": bar, "direction": direction, "action": action, **rest}


R1 = order("long", 1.095, 1.11)
L1 = order("long", 1.0951, 1.1101)
SL, TP = "stop_loss", "take_profit"
