//! A position from its fill to its exit.

use super::direction::Direction;
use super::order::Order;
use super::signal::Signal;

/// Why the stop is where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKind {
    /// As it was at the fill.
    Initial,
    /// Moved to the entry.
    BreakEven,
    /// Follows the price.
    Trailing,
    /// Moved by the strategy for reasons of its own.
    Manual,
}

impl StopKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Initial, Self::BreakEven, Self::Trailing, Self::Manual];

    /// Text of the schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::BreakEven => "break_even",
            Self::Trailing => "trailing",
            Self::Manual => "manual",
        }
    }

    /// From the text of the schema.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == text)
    }

    /// Reason of an exit at a stop of this kind.
    pub fn exit_reason(self) -> ExitReason {
        match self {
            Self::Initial | Self::Manual => ExitReason::StopLoss,
            Self::BreakEven => ExitReason::BreakEvenStopLoss,
            Self::Trailing => ExitReason::TrailingStopLoss,
        }
    }
}

/// Why a position, or an order without a fill, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// The stop was hit.
    StopLoss,
    /// The target was hit.
    TakeProfit,
    /// The stop was hit after it had been moved to the entry.
    BreakEvenStopLoss,
    /// The stop was hit after it had followed the price.
    TrailingStopLoss,
    /// Held for the configured time.
    Timeout,
    /// A part of a position was closed.
    PartialExit,
    /// The validity of a pending order was over.
    LimitExpired,
    /// The strategy closed it, or another leg of its group was filled.
    Signal,
    /// The data ended.
    EndOfData,
}

impl ExitReason {
    /// All reasons.
    pub const ALL: [Self; 9] = [
        Self::StopLoss,
        Self::TakeProfit,
        Self::BreakEvenStopLoss,
        Self::TrailingStopLoss,
        Self::Timeout,
        Self::PartialExit,
        Self::LimitExpired,
        Self::Signal,
        Self::EndOfData,
    ];

    /// Text of the trades table.
    pub fn name(self) -> &'static str {
        match self {
            Self::StopLoss => "stop_loss",
            Self::TakeProfit => "take_profit",
            Self::BreakEvenStopLoss => "break_even_stop_loss",
            Self::TrailingStopLoss => "trailing_stop_loss",
            Self::Timeout => "timeout",
            Self::PartialExit => "partial_exit",
            Self::LimitExpired => "limit_expired",
            Self::Signal => "signal",
            Self::EndOfData => "end_of_data",
        }
    }

    /// From the text of the trades table.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == text)
    }
}

/// What waits for the next open.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Queued {
    /// A close, for this reason.
    pub close: Option<ExitReason>,
    /// A close of these lots.
    pub partial: Option<f64>,
    /// A move of the stop.
    pub stop: Option<(f64, StopKind)>,
    /// A move of the target, or its removal.
    pub target: Option<Option<f64>>,
}

/// An open position, or a closed one (`reason` is set).
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// From 1, in order of acceptance.
    pub id: u64,
    /// The position of which this is a closed part.
    pub parent_id: Option<u64>,
    /// Number of its symbol among those of the backtest.
    pub symbol: usize,
    /// What the strategy asked for.
    pub signal: Signal,
    /// Label of the decision bar, µs.
    pub order_time: i64,
    /// Label of the bar of the fill, or time of its tick, µs.
    pub entry_time: i64,
    /// Moment from which holding times count, µs.
    pub fill_moment: i64,
    /// Index of the bar of the fill.
    pub entry_bar: usize,
    /// Number of the bar or tick of the fill.
    pub entry_event: usize,
    /// Filled at the open of its bar (ticks: by its first tick).
    pub filled_at_open: bool,
    /// Number of the first bar or tick whose exits are checked.
    pub exits_from: usize,
    /// Number of the first bar or tick that was wholly after the fill.
    pub tracked_from: usize,
    /// Fill price, slippage included.
    pub entry_price: f64,
    /// Stop at the fill.
    pub initial_stop_loss: f64,
    /// Target at the fill.
    pub initial_take_profit: Option<f64>,
    /// Current stop.
    pub stop_loss: f64,
    /// Why the stop is where it is.
    pub stop_kind: StopKind,
    /// Current target.
    pub take_profit: Option<f64>,
    /// Most favourable exit-side price since the fill, if the position is tracked; else that of the fill.
    pub best_price: f64,
    /// Least favourable exit-side price since the fill, likewise.
    pub worst_price: f64,
    /// Lots.
    pub size: f64,
    /// Amount at risk, account currency.
    pub risk_per_trade: f64,
    /// Margin held, account currency.
    pub margin: f64,
    /// Fee paid at the entry.
    pub entry_fee: f64,
    /// Fee paid at the exit.
    pub exit_fee: f64,
    /// Label of the bar of the exit, or time of its tick, µs; 0 while open.
    pub exit_time: i64,
    /// Exit price.
    pub exit_price: f64,
    /// Profit without fees, account currency.
    pub result: f64,
    /// Result in units of the initial risk.
    pub r_multiple: f64,
    /// Money between entry and initial stop, by the rates of the exit; 0 while open.
    pub money_at_risk: f64,
    /// Why it ended; `None` while open.
    pub reason: Option<ExitReason>,
    /// Stop and target were both within reach of the exit bar and the path is unknown.
    pub same_bar_ambiguous: bool,
    /// What waits for the next open.
    pub queued: Queued,
}

impl Position {
    /// An order filled at `price`, recorded with `time`, before size, risk and fees are known.
    #[inline]
    pub fn filled(order: Order, time: i64, price: f64) -> Self {
        let Order { id, symbol, order_time, signal, .. } = order;
        Self {
            id,
            parent_id: None,
            symbol,
            order_time,
            entry_time: time,
            fill_moment: time,
            entry_bar: 0,
            entry_event: 0,
            filled_at_open: false,
            exits_from: 0,
            tracked_from: 0,
            entry_price: price,
            initial_stop_loss: signal.stop_loss,
            initial_take_profit: signal.take_profit,
            stop_loss: signal.stop_loss,
            stop_kind: StopKind::Initial,
            take_profit: signal.take_profit,
            best_price: price,
            worst_price: price,
            size: 0.0,
            risk_per_trade: 0.0,
            margin: 0.0,
            entry_fee: 0.0,
            exit_fee: 0.0,
            exit_time: 0,
            exit_price: 0.0,
            result: 0.0,
            r_multiple: 0.0,
            money_at_risk: 0.0,
            reason: None,
            same_bar_ambiguous: false,
            queued: Queued::default(),
            signal,
        }
    }

    /// Long or short.
    #[inline]
    pub fn direction(&self) -> Direction {
        self.signal.direction
    }

    /// Takes the highest and lowest exit-side price of bars or ticks that were wholly after the fill.
    #[inline]
    pub fn track(&mut self, high: f64, low: f64) {
        let (best, worst) = match self.direction() {
            Direction::Long => (self.best_price.max(high), self.worst_price.min(low)),
            Direction::Short => (self.best_price.min(low), self.worst_price.max(high)),
        };
        self.best_price = best;
        self.worst_price = worst;
    }

    /// Bars since the fill at the close of bar `i`, the fill's own bar included if it was filled at its open.
    pub fn bars_since_fill(&self, i: usize) -> usize {
        i - self.entry_bar + usize::from(self.filled_at_open)
    }

    /// Price distance between entry and initial stop.
    pub fn initial_risk(&self) -> f64 {
        (self.entry_price - self.initial_stop_loss).abs()
    }

    /// result − entry fee − exit fee.
    pub fn net(&self) -> f64 {
        self.result - self.entry_fee - self.exit_fee
    }
}
