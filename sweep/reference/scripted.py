"""Signal and exit tables in the place of a strategy."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sweep.errors import error
from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.orders import direction_of
from sweep.reference.position import DIRECTIONS
from sweep.reference.strategy import (
    Action,
    Cancel,
    Close,
    ModifyStop,
    ModifyTarget,
    Params,
    PartialClose,
    PositionView,
    ReferenceStrategy,
    Rules,
    Signal,
)

_SIGNAL_FIELDS: Final = (
    "direction",
    "stop_loss",
    "take_profit",
    "order_type",
    "entry",
    "valid_bars",
    "good_till",
    "oco_group",
    "size",
    "tag",
    "scenario",
    "reason",
    "meta",
)
_PLACE_FIELDS: Final = ("bar_index", "timestamp", "symbol")


class SignalTable(ReferenceStrategy):
    """Plays rows of trade_signal, and of signal_exit, at the bars they name.

    A row is a mapping with `bar_index` or `timestamp` (both must agree) and the fields of a signal, or `direction` and
    `action` of an exit. Raises [1001] for a timestamp that is no label, an unknown direction or action; [1003] for a
    bar that does not exist; [1006] where bar_index and timestamp disagree; [1008] where both are absent.
    """

    def __init__(
        self,
        signals: Sequence[Mapping[str, Any]],
        exits: Sequence[Mapping[str, Any]] = (),
        rules: Rules | None = None,
    ) -> None:
        self._signal_rows = signals
        self._exit_rows = exits
        self._rules = rules or Rules()
        self._signals: dict[int, list[Signal]] = {}
        self._replies: dict[tuple[int, str], list[Action]] = defaultdict(list)
        self._bars: list[int] = []

    def warmup(self, params: Params) -> int:
        """A table has no warm-up."""
        return 0

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """Place every row on its bar."""
        signals: dict[int, list[Signal]] = defaultdict(list)
        for row in self._signal_rows:
            unknown = [name for name in row if name not in (*_SIGNAL_FIELDS, *_PLACE_FIELDS)]
            if unknown:
                raise error(1001, f"unknown column {unknown[0]!r}", where="signals", stage="engine")
            fields = {name: row[name] for name in _SIGNAL_FIELDS if row.get(name) is not None}
            signals[self._bar(row, market.label)].append(Signal(**fields))
        for row in self._exit_rows:
            i, direction = self._bar(row, market.label), direction_of(row["direction"])
            if direction is None:
                raise error(
                    1001, f"exit {dict(row)!r} is not valid", where=f"bar {i}", remedy="long or short"
                )
            self._replies[i, DIRECTIONS[direction]].append(_action(row, i))
        self._signals = dict(signals)
        return self._rules

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """The rows of this bar, in table order."""
        return self._signals.get(ctx.i, ())

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """What the exit rows of this bar say about the position's direction."""
        replies = self._replies.get((ctx.i, position.direction), ())
        if position.status == "pending":
            return [reply for reply in replies if isinstance(reply, Cancel)][:1]
        # Of several rows of one kind the last counts.
        return list({type(reply): reply for reply in replies if not isinstance(reply, Cancel)}.values())

    def rows_outside(self, traded: Sequence[int]) -> int:
        """Rows on bars that are not traded."""
        return len([i for i in self._bars if not traded[0] <= i <= traded[-1]])

    def _bar(self, row: Mapping[str, Any], labels: Sequence[int]) -> int:
        index, label = row.get("bar_index"), row.get("timestamp")
        if index is None and label is None:
            raise error(
                1008, "bar_index and timestamp are missing", remedy="give one of them", stage="engine"
            )
        if index is not None and not 0 <= index < len(labels):
            raise error(
                1003, f"bar_index {index} does not exist", remedy=f"0 to {len(labels) - 1}", stage="engine"
            )
        if label is not None:
            found = bisect.bisect_left(labels, label)
            if found == len(labels) or labels[found] != label:
                raise error(1001, f"timestamp {label} is no label of the market", stage="engine")
            if index is not None and index != found:
                raise error(1006, f"bar_index {index} and timestamp {label} disagree", stage="engine")
            index = found
        assert index is not None
        self._bars.append(index)
        return int(index)


def _action(row: Mapping[str, Any], i: int) -> Action:
    """The action of an exit row; beside `close` and `cancel` scripts may change stops, targets and sizes."""
    match row["action"]:
        case "close":
            return Close()
        case "cancel":
            return Cancel()
        case "modify_stop":
            return ModifyStop(row["price"], row.get("kind", "manual"))
        case "modify_target":
            return ModifyTarget(row["price"])
        case "partial_close":
            return PartialClose(row.get("lots"), row.get("fraction"))
    raise error(1001, f"exit {dict(row)!r} is not valid", where=f"bar {i}", remedy="close or cancel")
