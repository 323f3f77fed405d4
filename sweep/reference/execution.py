"""Fills and exits of one symbol: slippage, size, margin, fee, then the book."""

from __future__ import annotations

from sweep.reference.book import Book
from sweep.reference.commission import Commission
from sweep.reference.margin import Margin
from sweep.reference.market import SymbolSpec
from sweep.reference.moments import Close, Now
from sweep.reference.options import Options
from sweep.reference.orders import Rejections, passed_at_fill
from sweep.reference.position import Order, Position
from sweep.reference.sizing import Sizing
from sweep.reference.slippage import Slippage
from sweep.reference.valuation import Valuation


class Execution:
    """Executes orders and exits of one symbol against the book of the account."""

    def __init__(self, options: Options, spec: SymbolSpec, book: Book, rejections: Rejections) -> None:
        self.valuation = Valuation(spec, options)
        self.book = book
        self.rejections = rejections
        self.sizes_raised = 0
        self.sizes_capped = 0
        self.closest = options.min_stop_pips * spec.pip_size
        self._check_margin = options.check_margin
        self._spec = spec
        self._sizing = Sizing(options, spec, self.valuation)
        self._commission = Commission(options, spec)
        self._margin = Margin(options, spec)
        self._slippage = Slippage(
            options.slippage,
            options.slippage_multiplier,
            seed=options.seed,
            symbol=spec.symbol,
            pip_size=spec.pip_size,
        )

    def fill_on(self, order: Order, price: float, now: Now, *, at_open: bool, equity: float) -> None:
        """Fill an order at a raw price on a bar, at its open or later, or on a tick."""
        after = now.event + 1
        self._fill(
            order,
            price,
            time=now.time,
            moment=now.time,
            fill_moment=now.time if at_open else now.clock,
            bar=now.bar,
            event=now.event,
            at_open=now.first_of_bar if now.tick else at_open,
            exits_from=after if now.tick else now.event,
            tracked_from=after if now.tick or not at_open else now.event,
            equity=equity,
        )

    def fill_at_close(self, order: Order, price: float, close: Close, *, equity: float) -> None:
        """Fill a market order at the close of its decision bar."""
        self._fill(
            order,
            price,
            time=close.time,
            moment=close.moment,
            fill_moment=close.time if close.tick else close.moment,
            bar=close.bar,
            event=close.event,
            at_open=False,
            exits_from=close.event + 1,
            tracked_from=close.event + 1,
            equity=equity,
        )

    def _fill(
        self,
        order: Order,
        price: float,
        *,
        time: int,
        moment: int,
        fill_moment: int,
        bar: int,
        event: int,
        at_open: bool,
        exits_from: int,
        tracked_from: int,
        equity: float,
    ) -> None:
        """Fill or reject; `equity` is the last equity sample. Limit orders do not slip."""
        if order.order_type != "limit":
            price = self._slippage.slip(price, buy=order.direction > 0, time=time)
        reason = passed_at_fill(order, price, self.closest)
        if reason is not None:
            self.rejections.add(reason, bar, time)
            return
        sized = self._sizing.size(abs(price - order.stop_loss), order.size, equity, moment)
        if sized is None:
            self.rejections.add("below_min_volume", bar, time)
            return
        margin = self._margin.of(sized.size.lots, price, moment)
        if self._check_margin and self.book.margin_used + margin > equity:
            self.rejections.add("insufficient_margin", bar, time)
            return
        self.sizes_raised += sized.size.raised
        self.sizes_capped += sized.size.capped
        position = Position(
            position_id=order.position_id,
            symbol=self._spec.symbol,
            direction=order.direction,
            order_time=order.order_time,
            order_type=order.order_type,
            order_price=order.price,
            entry_bar=bar,
            entry_event=event,
            filled_at_open=at_open,
            exits_from=exits_from,
            tracked_from=tracked_from,
            fill_moment=fill_moment,
            entry_time=time,
            entry_price=price,
            initial_stop_loss=order.stop_loss,
            initial_take_profit=order.take_profit,
            size=sized.size.lots,
            risk_per_trade=sized.risk,
            margin=margin,
            entry_fee=self._commission.fee("entry", sized.size.lots, price, moment),
            scenario=order.scenario,
            tag=order.tag,
            meta=order.meta,
        )
        self.book.enter(position, self.valuation.turnover(position.size, price, moment))

    def leave(
        self,
        position: Position,
        level: float,
        *,
        time: int,
        moment: int,
        reason: str,
        slipped: bool = True,
        ambiguous: bool = False,
    ) -> None:
        """End a position at a level, with slippage unless it is a target."""
        price = self._exit_price(position, level, time) if slipped else level
        fee = self._commission.fee("exit", position.size, price, moment)
        position.same_bar_ambiguous = ambiguous
        self.book.leave(
            position, self.valuation, price=price, time=time, moment=moment, fee=fee, reason=reason
        )
        if ambiguous and position.take_profit is not None:
            at_target = self.valuation.result(position, position.take_profit, moment)
            better = at_target - self._commission.fee("exit", position.size, position.take_profit, moment)
            self.book.optimistic_gain += better - (position.result - position.exit_fee)

    def leave_part(self, position: Position, lots: float, level: float, *, time: int, moment: int) -> None:
        """End some lots of a position at a level, with slippage."""
        price = self._exit_price(position, level, time)
        fee = self._commission.fee("exit", lots, price, moment)
        self.book.leave_part(position, lots, self.valuation, price=price, time=time, moment=moment, fee=fee)

    def _exit_price(self, position: Position, level: float, time: int) -> float:
        return self._slippage.slip(level, buy=not position.is_long, time=time)
