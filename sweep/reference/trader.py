"""One symbol of a backtest: its orders, and the steps of a bar for its positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sweep.errors import SweepError, error
from sweep.reference.book import Book
from sweep.reference.context import Bar, Context, Frame, Indicators
from sweep.reference.curve import Curve
from sweep.reference.execution import Execution
from sweep.reference.fills import ExitRules, exit_on_bar
from sweep.reference.gates import Gates
from sweep.reference.management import (
    break_even,
    lots_to_close,
    one_of_each,
    tightest,
    timed_out,
    trailing,
    valid_stop,
    valid_target,
)
from sweep.reference.market import ReferenceMarket, SymbolSpec
from sweep.reference.moments import Close, Now
from sweep.reference.options import Options
from sweep.reference.orders import Rejections, order_from, problem_of
from sweep.reference.pending import cancelled_legs, fill_price, triggered
from sweep.reference.position import DIRECTIONS, Order, Position
from sweep.reference.strategy import (
    Action,
    Cancel,
    ModifyStop,
    ModifyTarget,
    PartialClose,
    PositionView,
    ReferenceStrategy,
    Rules,
    Signal,
)
from sweep.reference.strategy import Close as CloseAction

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


class Trader:
    """State of one symbol between the bars. Cash and positions are the account's."""

    def __init__(
        self,
        market: ReferenceMarket,
        options: Options,
        strategy: ReferenceStrategy,
        params: dict[str, Any],
        *,
        book: Book,
        curve: Curve,
        rejections: Rejections,
        gates: Mapping[str, Any] | None,
    ) -> None:
        self.spec = SymbolSpec.of(market.spec)
        self.options = options
        self.market = market
        self.frame = Frame(market, self.spec, params)
        self.traded = market.traded()
        self.book = book
        self.execution = Execution(options, self.spec, book, rejections)
        self.pending: list[Order] = []
        self.invalid_modify = 0
        self._curve = curve
        self._strategy = strategy
        self._rules: Rules = guarded(strategy.prepare, self.frame.view, Indicators(market), params)
        self._warmup: int = guarded(strategy.warmup, params)
        self._gates = Gates.of(gates, self.spec, self._rules.cooldown_bars)
        self.blocked = dict.fromkeys(("warmup", "ruined", "no_slot", *self._gates.names), 0)
        # Ticks trigger exactly at their quotes.
        buffer = 0.0 if market.ticks is not None else options.trigger_buffer_pips * self.spec.pip_size
        self._exit_rules = ExitRules(buffer, options.gap_fills, options.entry_bar_tp_confirmation)
        self._at_close = options.market_fill == "signal_close"
        self._queue: list[Order] = []
        self._ended_on_bar = 0
        self._ended_in_management = 0
        self._last_exit: tuple[int, int] | None = None
        self._last_order: tuple[int, int] | None = None

    @property
    def open(self) -> list[Position]:
        """Open positions of the symbol in position_id order."""
        return [position for position in self.book.open if position.symbol == self.spec.symbol]

    # ------------------------------------------------------------------------------------------------ where one stands
    def bar(self, i: int) -> Now:
        """Bar i for steps 1 to 3."""
        label, end = self.frame.label[i], self.frame.label[i] + self.frame.timeframe_us
        return Now(i, i, label, end, self.frame.bid[i], self.frame.ask[i])

    def close_of(self, i: int) -> Close:
        """The close of bar i for steps 4 and 5."""
        label, last = self.frame.label[i], i == self.traded[-1]
        end = label + self.frame.timeframe_us
        return Close(i, i, label, label, end, self.frame.bid[i].close, self.frame.ask[i].close, last)

    # ---------------------------------------------------------------------------------------------------- steps 1 to 3
    def execute_queued(self, now: Now) -> None:
        """Step 1: queued closes and parts, then stop and target changes, then market orders, at the open."""
        for position in self.open:
            level = now.exit_side(position.direction).open
            if position.closing is not None:
                self._leave(position, level, now.time, now.time, (now.time, now.bar), position.closing)
            elif position.parting is not None:
                lots, position.parting = position.parting, None
                self.execution.leave_part(position, lots, level, time=now.time, moment=now.time)
        for position in self.open:
            if position.next_stop is not None:
                (position.stop_loss, position.stop_kind), position.next_stop = position.next_stop, None
            if position.next_target is not None:
                (position.take_profit,), position.next_target = position.next_target, None
        queue, self._queue = self._queue, []
        for order in queue:
            price = now.entry_side(order.direction).open
            self.execution.fill_on(order, price, now, at_open=True, equity=self._curve.last)

    def work_pending(self, now: Now) -> None:
        """Step 2: pending orders expire or trigger."""
        for order in [order for order in self.pending if order.expired(now.bar, now.time)]:
            self._end(order, now.time, "limit_expired")
        for order in cancelled_legs(self.pending, now):
            self._end(order, now.time, "signal")
        for order in [order for order in self.pending if triggered(order, now)]:
            self.pending.remove(order)
            price, at_open = fill_price(order, now, gap_fills=self.options.gap_fills)
            self.execution.fill_on(order, price, now, at_open=at_open, equity=self._curve.last)

    def check_exits(self, now: Now) -> None:
        """Step 3: stop loss and take profit of every open position."""
        for position in self.open:
            if position.exits_from > now.event:
                continue
            hit = exit_on_bar(position, now.event, now.exit_side(position.direction), self._exit_rules)
            if hit is not None:
                clock = (now.time if hit.at_open else now.clock, now.bar)
                self._leave(
                    position, hit.level, now.time, now.time, clock, hit.reason, hit.slipped, hit.ambiguous
                )

    def track(self, now: Now) -> None:
        """Best and worst exit-side price of what was wholly after the fill; needed from step 4 on."""
        for position in self.open:
            if position.tracked_from > now.event:
                continue
            quote: Bar = now.exit_side(position.direction)
            if position.is_long:
                position.best_price = max(position.best_price, quote.high)
                position.worst_price = min(position.worst_price, quote.low)
            else:
                position.best_price = min(position.best_price, quote.low)
                position.worst_price = max(position.worst_price, quote.high)

    # ---------------------------------------------------------------------------------------------------------- step 4
    def manage(self, close: Close) -> None:
        """Step 4: timeouts, the strategy's actions, break-even and trailing at the close of a bar."""
        ctx = Context(self.frame, close.bar)
        for position in self.open:
            if position.closing is not None:
                continue
            if timed_out(position, self._rules, close):
                self._close(position, close, "timeout")
                continue
            actions = one_of_each(guarded(self._strategy.manage, _view(position, close.bar), ctx))
            if any(isinstance(action, CloseAction) for action in actions):
                self._close(position, close, "signal")
            else:
                self._adjust(position, actions, close)
        for order in list(self.pending):
            if order.spent(close.bar, close.moment):
                continue
            actions = one_of_each(guarded(self._strategy.manage, _order_view(order), ctx))
            if any(isinstance(action, Cancel) for action in actions):
                self._end(order, close.time, "signal")

    def _close(self, position: Position, close: Close, reason: str) -> None:
        """Close now at the close of the bar, or queue it for the next open."""
        if not self._at_close:
            position.closing = reason
            return
        level = close.exit_side(position.direction)
        self._leave(position, level, close.time, close.moment, (close.moment, close.bar), reason)
        self._ended_in_management += 1

    def _adjust(self, position: Position, actions: Sequence[Action], close: Close) -> None:
        """Stop, target and size of a position that goes on."""
        own = None
        for action in actions:
            if isinstance(action, ModifyStop):
                if valid_stop(position, action, close):
                    own = (action.price, action.kind)
                else:
                    self.invalid_modify += 1
        proposals = (
            break_even(position, self._rules, self.spec.pip_size),
            trailing(position, self._rules, close.bar),
        )
        position.next_stop = tightest(position, own, proposals, close)
        for action in actions:
            if isinstance(action, ModifyTarget):
                if valid_target(position, action.price, close):
                    position.next_target = (action.price,)
                else:
                    self.invalid_modify += 1
            if isinstance(action, PartialClose):
                lots = lots_to_close(action, position.size, self.spec)
                if lots is None:
                    self.invalid_modify += 1
                elif self._at_close:
                    level = close.exit_side(position.direction)
                    self.execution.leave_part(position, lots, level, time=close.time, moment=close.moment)
                else:
                    position.parting = lots

    # ---------------------------------------------------------------------------------------------------------- step 5
    def enter(self, close: Close, *, ruined: bool, taken: int) -> None:
        """Step 5: the strategy's signals become orders, unless the bar is blocked.

        `taken` are the slots that the other symbols hold.
        """
        cause = self._block(close, ruined=ruined, taken=taken)
        if cause is not None:
            self.blocked[cause] += 1
            return
        for signal in guarded(self._strategy.evaluate, Context(self.frame, close.bar)):
            reason = self._problem(signal, close, taken)
            if reason is not None:
                self.execution.rejections.add(reason, close.bar, close.label)
                continue
            number = self.book.number()
            order = order_from(signal, self.spec.symbol, number, close.label, close.bar)
            self._last_order = (close.moment, close.bar)
            if order.order_type != "market":
                self.pending.append(order)
            elif self._at_close:
                price = close.entry_side(order.direction)
                self.execution.fill_at_close(order, price, close, equity=self._curve.last)
            else:
                self._queue.append(order)

    def _block(self, close: Close, *, ruined: bool, taken: int) -> str | None:
        """First cause why the strategy is not asked for entries."""
        if close.bar < self._warmup:
            return "warmup"
        if self.options.stop_on_ruin and ruined:
            return "ruined"
        if self._free_slots(close, taken) <= 0:
            return "no_slot"
        return self._gates.blocking(close.moment, close.bar, self._last_exit, self._last_order)

    def _problem(self, signal: Signal, close: Close, taken: int) -> str | None:
        """The first rule that a signal breaks."""
        reason = problem_of(signal, close.bid, close.ask, self.execution.closest)
        if reason is not None:
            return reason
        if close.last and (self.options.end_of_data == "close" or not self._at_close):
            return "end_of_data"
        further_leg = signal.order_type.lower() != "market" and any(
            order.oco_group == signal.oco_group is not None for order in self._live(close)
        )
        return None if further_leg or self._free_slots(close, taken) > 0 else "max_positions"

    def _live(self, close: Close) -> list[Order]:
        """Pending orders that can still trigger."""
        return [order for order in self.pending if not order.spent(close.bar, close.moment)]

    def used_slots(self, close: Close) -> int:
        """Slots held by open positions, market orders and pending orders; a group counts once."""
        live = self._live(close)
        groups = {order.oco_group for order in live if order.oco_group is not None}
        single = [order for order in live if order.oco_group is None]
        positions = self.open
        leaving = sum(position.closing is not None for position in positions)
        used = len(positions) - leaving + len(self._queue) + len(single) + len(groups)
        if not self.options.reentry_on_exit_bar:
            return used + leaving + self._ended_on_bar
        if not self._rules.same_bar_reentry:
            return used + leaving + self._ended_in_management
        return used

    def _free_slots(self, close: Close, taken: int) -> float:
        """Slots left for new orders: of the symbol, and of the whole portfolio."""
        used = self.used_slots(close)
        limits = ((self.options.max_positions, used), (self.options.max_total_positions, used + taken))
        return min((limit - held for limit, held in limits if limit is not None), default=float("inf"))

    def end_bar(self) -> None:
        """After step 5: what ended on the bar holds its slot no longer."""
        self._ended_on_bar = self._ended_in_management = 0

    def end_of_data(self, close: Close) -> None:
        """After step 5 of the last bar: what is open or pending ends, or stays."""
        if self.options.end_of_data != "close":
            return
        for position in self.open:
            level = close.exit_side(position.direction)
            self._leave(position, level, close.time, close.moment, (close.moment, close.bar), "end_of_data")
        for order in list(self.pending):
            self._end(order, close.time, "end_of_data")

    def _leave(
        self,
        position: Position,
        level: float,
        time: int,
        moment: int,
        clock: tuple[int, int],
        reason: str,
        slipped: bool = True,
        ambiguous: bool = False,
    ) -> None:
        self.execution.leave(
            position, level, time=time, moment=moment, reason=reason, slipped=slipped, ambiguous=ambiguous
        )
        self._ended_on_bar += 1
        self._last_exit = clock

    def _end(self, order: Order, time: int, reason: str) -> None:
        self.pending.remove(order)
        self.book.end(order, time, reason)


def _view(position: Position, i: int) -> PositionView:
    return PositionView(
        position_id=position.position_id,
        direction=DIRECTIONS[position.direction],
        order_time=position.order_time,
        order_type=position.order_type,
        order_price=position.order_price,
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


def _order_view(order: Order) -> PositionView:
    return PositionView(
        position_id=order.position_id,
        direction=DIRECTIONS[order.direction],
        order_time=order.order_time,
        order_type=order.order_type,
        order_price=order.price,
        entry_time=None,
        entry_price=None,
        initial_stop_loss=order.stop_loss,
        initial_take_profit=order.take_profit,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        stop_kind="initial",
        size=0.0,
        risk_per_trade=0.0,
        best_price=None,
        worst_price=None,
        bars_since_fill=0,
        scenario=order.scenario,
        tag=order.tag,
        status="pending",
    )
