"""The six steps of a bar, each as one method."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sweep.errors import SweepError, error
from sweep.reference.context import Bar, Context, Frame, Indicators
from sweep.reference.curve import Curve
from sweep.reference.execution import Execution
from sweep.reference.fills import exit_on_bar
from sweep.reference.market import ReferenceMarket, SymbolSpec
from sweep.reference.options import Options
from sweep.reference.orders import order_from, problem_of
from sweep.reference.position import DIRECTIONS, Order, Position
from sweep.reference.strategy import (
    Action,
    Close,
    ModifyStop,
    ModifyTarget,
    PositionView,
    ReferenceStrategy,
    Rules,
)

MINUTE_US = 60_000_000
_STOP_KINDS = ("break_even", "trailing", "manual")
T = TypeVar("T")


def guarded(call: Callable[..., T], *arguments: object) -> T:
    """Call strategy code; an exception in it fails the trial with [2000]."""
    try:
        return call(*arguments)
    except SweepError:
        raise
    except Exception as exception:
        raise error(
            2000,
            f"{type(exception).__name__}: {exception}",
            where=f"{type(call.__self__).__name__}.{call.__name__}"
            if hasattr(call, "__self__")
            else "strategy",
            remedy="correct the strategy",
            stage="engine",
        ) from exception


class Simulation:
    """State of one backtest between the bars. Only this class moves it; the strategy never does."""

    def __init__(
        self, market: ReferenceMarket, options: Options, strategy: ReferenceStrategy, params: dict[str, Any]
    ) -> None:
        spec = SymbolSpec.of(market.spec)
        self.options = options
        self.frame = Frame(market, spec, params)
        self.traded = market.traded()
        self.execution = Execution(options, spec)
        self.book = self.execution.book
        self.curve = Curve(options.initial_balance, self.frame.label[self.traded[0]])
        self.blocked = {"warmup": 0, "ruined": 0, "no_slot": 0}
        self.invalid_modify = 0
        self.exposed_bars = 0
        self.ruined_at: int | None = None
        self.next_id = 1
        self._strategy = strategy
        self._rules: Rules = guarded(strategy.prepare, self.frame.view, Indicators(market), params)
        self._warmup: int = guarded(strategy.warmup, params)
        self._buffer = options.trigger_buffer_pips * spec.pip_size
        self._at_close = options.market_fill == "signal_close"
        self._queue: list[Order] = []
        self._changes: list[tuple[Position, ModifyStop | ModifyTarget]] = []
        self._closed_in_management = 0
        self._closed_before = 0

    def execute_queued(self, i: int) -> None:
        """Step 1: queued closes, then stop and target changes, then market orders, at the open of bar i."""
        label, bid, ask = self._bar(i)
        self._closed_before = len(self.book.closed)
        for position in self.book.open:
            if position.closing is not None:
                level = bid.open if position.is_long else ask.open
                self.execution.leave(position, level, label=label, moment=label, reason=position.closing)
        for position, change in self._changes:
            if position.status != "open":
                continue
            if isinstance(change, ModifyStop):
                position.stop_loss, position.stop_kind = change.price, change.kind
            else:
                position.take_profit = change.price
        self._changes = []
        queue, self._queue = self._queue, []
        for order in queue:
            price = ask.open if order.direction > 0 else bid.open
            equity = self.curve.last
            self.execution.fill(order, price, bar=i, label=label, moment=label, at_open=True, equity=equity)

    def count_exposure(self) -> None:
        """Right after step 2: whether a position is open on this bar."""
        self.exposed_bars += bool(self.book.open)

    def check_exits(self, i: int) -> None:
        """Step 3: stop loss and take profit of every open position."""
        label, bid, ask = self._bar(i)
        for position in self.book.open:
            quote = bid if position.is_long else ask
            hit = exit_on_bar(position, i, quote, self._buffer, gap_fills=self.options.gap_fills)
            if hit is not None:
                self.execution.leave(
                    position,
                    hit.level,
                    label=label,
                    moment=label,
                    reason=hit.reason,
                    slipped=hit.slipped,
                    ambiguous=hit.ambiguous,
                )

    def manage(self, i: int) -> None:
        """Step 4: timeouts and the strategy's actions at the close of bar i."""
        before = len(self.book.closed)
        ctx = Context(self.frame, i)
        for position in self.book.open:
            self._track(position, i)
            if self._timed_out(position, i):
                self._close(position, i, "timeout")
                continue
            view = self._view(position, i)
            for action in _one_of_each(guarded(self._strategy.manage, view, ctx)):
                if isinstance(action, Close):
                    self._close(position, i, "signal")
                    break
                self._change(position, action, i)
        self._closed_in_management = len(self.book.closed) - before

    def enter(self, i: int, *, last: bool) -> None:
        """Step 5: the strategy's signals become orders, unless the bar is blocked."""
        cause = self._block(i)
        if cause is not None:
            self.blocked[cause] += 1
            return
        label, bid, ask = self._bar(i)
        no_fill_left = last and (self.options.end_of_data == "close" or not self._at_close)
        for signal in guarded(self._strategy.evaluate, Context(self.frame, i)):
            reason = problem_of(signal, bid, ask, self.execution.closest)
            if reason is None and no_fill_left:
                reason = "end_of_data"
            if reason is None and self._free_slots() <= 0:
                reason = "max_positions"
            if reason is not None:
                self.execution.rejections.add(reason, i, label)
                continue
            order = order_from(signal, self.next_id, label)
            self.next_id += 1
            if self._at_close:
                price = ask.close if order.direction > 0 else bid.close
                equity = self.curve.last
                self.execution.fill(
                    order, price, bar=i, label=label, moment=self._close_time(i), at_open=False, equity=equity
                )
            else:
                self._queue.append(order)

    def end_of_data(self, i: int) -> None:
        """After step 5 of the last bar: what is open closes, or stays."""
        if self.options.end_of_data != "close":
            return
        label, bid, ask = self._bar(i)
        for position in self.book.open:
            level = bid.close if position.is_long else ask.close
            moment = self._close_time(i)
            self.execution.leave(position, level, label=label, moment=moment, reason="end_of_data")

    def sample(self, i: int) -> None:
        """Step 6: the equity sample of bar i."""
        label, bid, ask = self._bar(i)
        equity = self.book.cash
        if self.options.equity == "mark_to_market":
            equity = self.book.cash + self.book.unrealised(bid.close, ask.close, self._close_time(i))
        self.curve.sample(label, equity, self.book.cash)
        if equity <= 0 and self.ruined_at is None:
            self.ruined_at = label

    def _bar(self, i: int) -> tuple[int, Bar, Bar]:
        return self.frame.label[i], self.frame.bid[i], self.frame.ask[i]

    def _close_time(self, i: int) -> int:
        """The moment of what happens at the close of bar i; its label is that of everything else."""
        return self.frame.label[i] + self.frame.timeframe_us

    def _block(self, i: int) -> str | None:
        """First cause why the strategy is not asked for entries."""
        if i < self._warmup:
            return "warmup"
        if self.options.stop_on_ruin and self.ruined_at is not None:
            return "ruined"
        return "no_slot" if self._free_slots() <= 0 else None

    def _free_slots(self) -> float:
        """Slots left for new orders; positions that ended on this bar may still hold theirs."""
        leaving = sum(position.closing is not None for position in self.book.open)
        used = len(self.book.open) - leaving + len(self._queue)
        ended = len(self.book.closed) - self._closed_before
        if not self.options.reentry_on_exit_bar:
            used += leaving + ended
        elif not self._rules.same_bar_reentry:
            used += leaving + self._closed_in_management
        limits = (self.options.max_positions, self.options.max_total_positions)
        return min((limit - used for limit in limits if limit is not None), default=float("inf"))

    def _track(self, position: Position, i: int) -> None:
        """Best and worst exit-side price of the bars wholly after the fill."""
        if position.entry_bar == i and not position.filled_at_open:
            return
        _, bid, ask = self._bar(i)
        if position.is_long:
            position.best_price = max(position.best_price, bid.high)
            position.worst_price = min(position.worst_price, bid.low)
        else:
            position.best_price = min(position.best_price, ask.low)
            position.worst_price = max(position.worst_price, ask.high)

    def _timed_out(self, position: Position, i: int) -> bool:
        minutes, bars = self._rules.timeout_minutes or 0, self._rules.timeout_bars or 0
        filled = position.entry_time + (0 if position.filled_at_open else self.frame.timeframe_us)
        held = self._close_time(i) - filled
        return (minutes > 0 and held >= minutes * MINUTE_US) or 0 < bars <= position.bars_since_fill(i)

    def _close(self, position: Position, i: int, reason: str) -> None:
        """Close now at the close of bar i, or queue it for the next open."""
        if not self._at_close:
            position.closing = reason
            return
        label, bid, ask = self._bar(i)
        level = bid.close if position.is_long else ask.close
        self.execution.leave(position, level, label=label, moment=self._close_time(i), reason=reason)

    def _change(self, position: Position, action: ModifyStop | ModifyTarget, i: int) -> None:
        """Queue a valid stop or target change; count an invalid one."""
        _, bid, ask = self._bar(i)
        market = bid.close if position.is_long else ask.close
        side = -position.direction if isinstance(action, ModifyStop) else position.direction
        known = not isinstance(action, ModifyStop) or action.kind in _STOP_KINDS
        if known and _beyond(action.price, market, side):
            self._changes.append((position, action))
        else:
            self.invalid_modify += 1

    @staticmethod
    def _view(position: Position, i: int) -> PositionView:
        return PositionView(
            position_id=position.position_id,
            direction=DIRECTIONS[position.direction],
            order_time=position.order_time,
            entry_time=position.entry_time,
            entry_price=position.entry_price,
            initial_stop_loss=position.initial_stop_loss,
            initial_take_profit=position.initial_take_profit,
            stop_loss=position.stop_loss,
            take_profit=position.take_profit,
            stop_kind=position.stop_kind,
            size=position.size,
            risk_per_trade=position.risk_per_trade,
            best_price=position.best_price,
            worst_price=position.worst_price,
            bars_since_fill=position.bars_since_fill(i),
            scenario=position.scenario,
            tag=position.tag,
        )


def _beyond(price: float | None, market: float, side: int) -> bool:
    """Whether a level is absent, or positive, finite and strictly on that side of the market."""
    return price is None or (0 < price < float("inf") and (price - market) * side > 0)


def _one_of_each(actions: Iterable[Action]) -> Sequence[Action]:
    """The actions of one position. Raises [1001] for an unknown one or two of a kind."""
    found = list(actions)
    kinds = [type(action) for action in found]
    if len(set(kinds)) < len(kinds) or not set(kinds) <= {Close, ModifyStop, ModifyTarget}:
        raise error(
            1001,
            f"manage returned {found!r}",
            remedy="return at most one each of Close, ModifyStop, ModifyTarget",
            stage="engine",
        )
    return found
