"""nautilus_trader: a strategy on bars of one instrument, market orders with a bracket of stop and target."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import EUR, USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, PositionId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

from benchmarks.peers.work import ATR_PERIOD, CASH, FEE, Bars, Figures, Pair, Trades, Work

VENUE = Venue("SIM")
PLACES = 7
"""Decimals of a level, in ticks."""
INSTRUMENT = CurrencyPair(
    instrument_id=InstrumentId(Symbol("EUR/USD"), VENUE),
    raw_symbol=Symbol("EUR/USD"),
    base_currency=EUR,
    quote_currency=USD,
    price_precision=PLACES,
    size_precision=0,
    price_increment=Price(10**-PLACES, PLACES),
    size_increment=Quantity.from_int(1),
    margin_init=Decimal("0.01"),
    margin_maint=Decimal("0.01"),
    maker_fee=Decimal(str(FEE)),
    taker_fee=Decimal(str(FEE)),
    ts_event=0,
    ts_init=0,
)
BAR_TYPE = BarType.from_str(f"{INSTRUMENT.id}-1-MINUTE-LAST-EXTERNAL")


class Crossover(Strategy):
    """Decides at the close of every bar; sums of closes are kept by hand, because the library's average rounds."""

    def __init__(self, work: Work, pair: Pair, bars: Bars) -> None:
        super().__init__()
        self.work, self.pair, self.bars = work, pair, bars
        self.first = max(pair[1], ATR_PERIOD)
        self.seen: list[float] = []
        self.sums = [0.0, 0.0]
        self.before = 0.0
        self.ended = -1
        self.closing = False
        self.entered = (0, 0)
        self.found: Trades = []
        self.open: PositionId | None = None
        self.levels: list[Any] = []

    def on_start(self) -> None:
        """Bars only."""
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar: Any) -> None:
        """See `Work`."""
        at, close = len(self.seen), bar.close.as_double()
        self.seen.append(close)
        for k, period in enumerate(self.pair):
            self.sums[k] += close - (self.seen[at - period] if at >= period else 0.0)
        fast, slow = self.pair
        now, before = self.sums[0] * slow - self.sums[1] * fast, self.before
        self.before = now
        if at >= self.first and at < len(self.bars) - 1:
            side = 1 if now > 0 and before <= 0 else -1 if now < 0 and before >= 0 else 0
            if side:
                self._act(at, side, close)

    def _act(self, at: int, side: int, close: float) -> None:
        acted = self.ended == at
        if self.open is not None:
            if side == self.entered[1]:
                return  # the averages only touched
            acted = self.closing = True
            for order in self.levels:
                if order.is_open:
                    self.cancel_order(order)
            self.close_position(self.cache.position(self.open))
        if not (self.work.both or (side > 0 and not acted)):
            return
        distance = self.work.stop_atr * self.bars.atr[at]
        orders = self.order_factory.bracket(
            instrument_id=INSTRUMENT.id,
            order_side=OrderSide.BUY if side > 0 else OrderSide.SELL,
            quantity=Quantity.from_int(1),
            sl_trigger_price=Price(close - side * distance, PLACES),
            tp_price=Price(close + side * self.work.target_r * distance, PLACES),
            tp_post_only=False,
        )
        self.levels = orders.orders[1:]
        self.submit_order_list(orders)

    def on_position_opened(self, event: Any) -> None:
        """Positions open after the bar's decision."""
        self.open = event.position_id
        self.entered = (len(self.seen) - 1, 1 if event.entry == OrderSide.BUY else -1)

    def on_position_closed(self, event: Any) -> None:
        """By the decision of a bar, or by the next bar before it is seen."""
        self.open = None
        self.ended = len(self.seen) - 1 if self.closing else len(self.seen)
        self.closing = False
        entry, side = self.entered
        self.found.append((entry, self.ended, side))

    def on_stop(self) -> None:
        """A position left at the end."""
        if self.open is not None:
            self.found.append((self.entered[0], len(self.seen) - 1, self.entered[1]))


class Engine:
    """See `Peer`."""

    versions = ("nautilus_trader", "pandas", "numpy")
    note = "without its statistics, which are computed apart; a position left at the end stays open; money is in whole cents"

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        frame = pd.DataFrame(
            {name: getattr(bars, name) for name in ("open", "high", "low", "close")},
            pd.to_datetime(bars.time, utc=True),
        )
        self.data = BarDataWrangler(BAR_TYPE, INSTRUMENT).process(frame)

    def run(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """See `Peer`."""
        return [self._played(work, pair)[0] for pair in pairs]

    def trades(self, work: Work, pair: Pair) -> Trades:
        """See `Peer`."""
        return self._played(work, pair)[1]

    def _played(self, work: Work, pair: Pair) -> tuple[Figures, Trades]:
        engine = BacktestEngine(
            BacktestEngineConfig(
                logging=LoggingConfig(bypass_logging=True),
                risk_engine=RiskEngineConfig(bypass=True),
                run_analysis=False,
            )
        )
        engine.add_venue(
            venue=VENUE,
            oms_type=OmsType.HEDGING,
            account_type=AccountType.MARGIN,
            base_currency=USD,
            default_leverage=Decimal(100),
            starting_balances=[Money(CASH, USD)],
        )
        engine.add_instrument(INSTRUMENT)
        engine.add_data(self.data)
        strategy = Crossover(work, pair, self.bars)
        engine.add_strategy(strategy)
        engine.run()
        balance = engine.portfolio.account(VENUE).balance_total(USD).as_double()
        found = sorted(strategy.found)
        engine.dispose()
        figures = Figures(
            trades=len(found),
            net_profit=balance - CASH,
            win_rate_pct=None,
            profit_factor=None,
            sharpe_ratio=None,
            max_drawdown_pct=None,
        )
        return figures, found
