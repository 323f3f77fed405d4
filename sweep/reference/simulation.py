"""The order of things: bars of one or several symbols, or ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.errors import error
from sweep.reference.book import Book
from sweep.reference.context import Bar
from sweep.reference.curve import Curve
from sweep.reference.market import ReferenceMarket
from sweep.reference.moments import Close, Now
from sweep.reference.options import Options
from sweep.reference.orders import Rejections
from sweep.reference.position import Position
from sweep.reference.strategy import ReferenceStrategy
from sweep.reference.trader import Trader
from sweep.reference.watch import Stopped, Watch


class Simulation:
    """State of one backtest: one account, and a trader for each symbol in configured order."""

    def __init__(
        self,
        markets: Sequence[ReferenceMarket],
        options: Options,
        strategies: Sequence[ReferenceStrategy],
        params: dict[str, Any],
        gates: Mapping[str, Any] | None,
    ) -> None:
        self.options = options
        self.book = Book(self.options.initial_balance)
        self.rejections = Rejections()
        self.exposed_bars = 0
        self.ruined_at: int | None = None
        self.curve = Curve(self.options.initial_balance, min(_first_label(market) for market in markets))
        self.traders = [
            Trader(
                market,
                options,
                strategy,
                params,
                book=self.book,
                curve=self.curve,
                rejections=self.rejections,
                gates=gates,
            )
            for market, strategy in zip(markets, strategies, strict=True)
        ]
        self._exposed = False
        self._watch = Watch(options.early_stop, options.initial_balance, markets)
        self.stopped: Stopped | None = None
        """Where it was given up; None if it ran to its end."""

    def run(self) -> None:
        """Every traded bar or tick."""
        if self.traders[0].market.ticks is None:
            self._run_bars()
        elif len(self.traders) == 1:
            self._run_ticks(self.traders[0])
        else:
            raise error(4001, "ticks of several symbols", where="market", remedy="trade one symbol, or bars")

    def labels(self) -> list[int]:
        """Labels of the samples of a whole run."""
        traded = {int(trader.frame.label[i]) for trader in self.traders for i in trader.traded}
        forming = [trader.market.forming for trader in self.traders if trader.market.ticks is not None]
        return sorted({*traded, *forming})

    def _run_bars(self) -> None:
        """At each label the six steps, each for all symbols that have a bar there."""
        labels = sorted({trader.frame.label[i] for trader in self.traders for i in trader.traded})
        places = [{trader.frame.label[i]: i for i in trader.traded} for trader in self.traders]
        quotes: dict[str, tuple[float, float]] = {}
        closes: dict[str, Close] = {}
        for label in labels:
            here = [
                (trader, place[label])
                for trader, place in zip(self.traders, places, strict=True)
                if label in place
            ]
            for trader, i in here:
                self._trade(trader, trader.bar(i))
            for trader, i in here:
                closes[trader.spec.symbol] = close = trader.close_of(i)
                quotes[trader.spec.symbol] = (close.bid, close.ask)
                trader.manage(close)
            for trader, _ in here:
                taken = self._taken_by_others(trader, closes, here[0][0].close_of(here[0][1]).moment)
                self._enter(trader, closes[trader.spec.symbol], taken)
            for trader, _ in here:
                if closes[trader.spec.symbol].last:
                    trader.end_of_data(closes[trader.spec.symbol])
                trader.end_bar()
            self._sample(label, label + self.traders[0].frame.timeframe_us, quotes)
            if self.stopped:
                return

    def _trade(self, trader: Trader, now: Now) -> None:
        """Steps 1 to 3."""
        trader.execute_queued(now)
        trader.work_pending(now)
        self._exposed = self._exposed or bool(self.book.open)
        trader.check_exits(now)
        trader.track(now)

    def _enter(self, trader: Trader, close: Close, taken: int) -> None:
        """Step 5."""
        trader.enter(close, ruined=self.ruined_at is not None, taken=taken)

    def _taken_by_others(self, trader: Trader, closes: Mapping[str, Close], moment: int) -> int:
        """Slots that the other symbols hold, each as of its own last bar."""
        taken = 0
        for other in self.traders:
            last = closes.get(other.spec.symbol)
            if other is not trader and last is not None:
                now = Close(last.bar, last.event, last.label, last.time, moment, last.bid, last.ask)
                taken += other.used_slots(now)
        return taken

    def _run_ticks(self, trader: Trader) -> None:
        """Steps 1 to 3 on every tick; steps 4 to 6 of a bar when the first tick after it arrives."""
        ticks, frame = trader.market.ticks, trader.frame
        assert ticks is not None
        symbol = trader.spec.symbol
        inside = [k for k, time in enumerate(ticks.time) if time >= trader.market.trade_from]
        if not inside:
            raise error(1010, "no tick lies in the window", stage="data", remedy="widen market.window")
        bar = 0
        ends = [label + frame.timeframe_us for label in frame.label]
        first_of_bar = True
        for event, time in enumerate(ticks.time):
            if bar < len(ends) and time >= ends[bar]:
                if bar in trader.traded:
                    self._complete(trader, bar, event - 1, ticks.time[event - 1])
                    if self.stopped:
                        return
                bar += 1
                first_of_bar = True
            if event < inside[0]:
                continue
            bid, ask = ticks.bid[event], ticks.ask[event]
            quote = Bar(bid, bid, bid, bid, 0.0), Bar(ask, ask, ask, ask, 0.0)
            self._trade(trader, Now(event, bar, time, time, *quote, tick=True, first_of_bar=first_of_bar))
            first_of_bar = False
        event, time = len(ticks.time) - 1, ticks.time[-1]
        forming = trader.market.forming
        quotes = {symbol: (ticks.bid[event], ticks.ask[event])}
        last = Close(bar, event, forming, time, time, *quotes[symbol], last=True, tick=True)
        trader.end_of_data(last)
        self._sample(forming, time, quotes)

    def _complete(self, trader: Trader, bar: int, event: int, time: int) -> None:
        """Steps 4 to 6 of a bar whose last tick has that number and time."""
        label = trader.frame.label[bar]
        end = label + trader.frame.timeframe_us
        bid, ask = trader.frame.bid[bar].close, trader.frame.ask[bar].close
        close = Close(bar, event, label, time, end, bid, ask, tick=True)
        trader.manage(close)
        self._enter(trader, close, taken=0)
        trader.end_bar()
        self._sample(label, end, {trader.spec.symbol: (bid, ask)})

    def _sample(self, label: int, moment: int, quotes: Mapping[str, tuple[float, float]]) -> None:
        """Step 6: the equity sample at the last closes of every symbol."""
        equity = self.book.cash
        if self.options.equity == "mark_to_market":
            equity = self.book.cash + self._unrealised(moment, quotes)
        self.curve.sample(label, equity, self.book.cash)
        if equity <= 0 and self.ruined_at is None:
            self.ruined_at = label
        self.exposed_bars += self._exposed
        self._exposed = False
        self.stopped = self._watch.judge(self.curve.samples[-1], len(self.book.closed))

    def _unrealised(self, moment: int, quotes: Mapping[str, tuple[float, float]]) -> float:
        """Sum of the results as if all open positions ended now, before exit costs."""
        values = {trader.spec.symbol: trader.execution.valuation for trader in self.traders}

        def result(position: Position) -> float:
            bid, ask = quotes[position.symbol]
            return values[position.symbol].result(position, bid if position.is_long else ask, moment)

        total = 0.0
        for position in self.book.open:
            total += result(position)
        return total


def _first_label(market: ReferenceMarket) -> int:
    """The first label that is sampled: of ticks perhaps that of the bar which is still forming at the end."""
    if market.ticks is not None and not len(market.traded()):
        return market.forming
    return int(market.label[market.traded()[0]])
