"""Fills and exits: slippage, size, fee, then the book."""

from __future__ import annotations

from sweep.reference.book import Book
from sweep.reference.commission import Commission
from sweep.reference.market import SymbolSpec
from sweep.reference.options import Options
from sweep.reference.orders import Rejections, passed_at_fill
from sweep.reference.position import Order, Position
from sweep.reference.sizing import Sizing
from sweep.reference.slippage import Slippage
from sweep.reference.valuation import Valuation


class Execution:
    """Executes orders and exits of one symbol against its book."""

    def __init__(self, options: Options, spec: SymbolSpec) -> None:
        self.valuation = Valuation(spec, options)
        self.book = Book(options.initial_balance, self.valuation)
        self.rejections = Rejections()
        self.sizes_raised = 0
        self.sizes_capped = 0
        self.closest = options.min_stop_pips * spec.pip_size
        self._spec = spec
        self._sizing = Sizing(options, spec, self.valuation)
        self._commission = Commission(options, spec)
        self._slippage = Slippage(
            options.slippage,
            options.slippage_multiplier,
            seed=options.seed,
            symbol=spec.symbol,
            pip_size=spec.pip_size,
        )

    def fill(
        self, order: Order, price: float, *, bar: int, label: int, moment: int, at_open: bool, equity: float
    ) -> None:
        """Fill a market order at a raw price, or reject it; `equity` is the last equity sample.

        The fill is recorded with the bar's label and converted by the rates of its moment.
        """
        price = self._slippage.slip(price, buy=order.direction > 0, time=label)
        reason = passed_at_fill(order, price, self.closest)
        if reason is not None:
            self.rejections.add(reason, bar, label)
            return
        sized = self._sizing.size(abs(price - order.stop_loss), order.size, equity, moment)
        if sized is None:
            self.rejections.add("below_min_volume", bar, label)
            return
        self.sizes_raised += sized.size.raised
        self.sizes_capped += sized.size.capped
        self.book.enter(
            Position(
                position_id=order.position_id,
                symbol=self._spec.symbol,
                direction=order.direction,
                order_time=order.order_time,
                entry_bar=bar,
                filled_at_open=at_open,
                entry_time=label,
                entry_price=price,
                initial_stop_loss=order.stop_loss,
                initial_take_profit=order.take_profit,
                size=sized.size.lots,
                risk_per_trade=sized.risk,
                entry_fee=self._commission.fee("entry", sized.size.lots, price, moment),
                scenario=order.scenario,
                tag=order.tag,
                meta=order.meta,
            ),
            moment,
        )

    def leave(
        self,
        position: Position,
        level: float,
        *,
        label: int,
        moment: int,
        reason: str,
        slipped: bool = True,
        ambiguous: bool = False,
    ) -> None:
        """End a position at a level, with slippage unless it is a target."""
        price = self._slippage.slip(level, buy=not position.is_long, time=label) if slipped else level
        fee = self._commission.fee("exit", position.size, price, moment)
        self.book.leave(
            position, price=price, time=label, moment=moment, fee=fee, reason=reason, ambiguous=ambiguous
        )
        if ambiguous and position.take_profit is not None:
            at_target = self.valuation.result(position, position.take_profit, moment)
            better = at_target - self._commission.fee("exit", position.size, position.take_profit, moment)
            self.book.optimistic_gain += better - (position.result - position.exit_fee)
