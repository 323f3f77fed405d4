//! A position from its fill to its exit.

use super::direction::Direction;
use super::signal::Signal;

/// Why the stop is where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKind {
    /// As it was at the fill.
    Initial,
}

/// Why a position ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// The stop was hit.
    StopLoss,
    /// The target was hit.
    TakeProfit,
    /// Held for the configured time.
    Timeout,
    /// The strategy closed it.
    Signal,
    /// The data ended.
    EndOfData,
}

impl ExitReason {
    /// Text of the trades table.
    pub fn name(self) -> &'static str {
        match self {
            Self::StopLoss => "stop_loss",
            Self::TakeProfit => "take_profit",
            Self::Timeout => "timeout",
            Self::Signal => "signal",
            Self::EndOfData => "end_of_data",
        }
    }

    /// From the text of the trades table.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::StopLoss, Self::TakeProfit, Self::Timeout, Self::Signal, Self::EndOfData]
            .into_iter()
            .find(|r| r.name() == text)
    }
}

impl StopKind {
    /// Reason of an exit at a stop of this kind.
    pub fn exit_reason(self) -> ExitReason {
        match self {
            Self::Initial => ExitReason::StopLoss,
        }
    }
}

/// An open position, or a closed one (`exit_time` is set).
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// From 1, in order of acceptance.
    pub id: u64,
    /// The position that this record is a part of; only on partial exits.
    pub parent_id: Option<u64>,
    /// What the strategy asked for.
    pub signal: Signal,
    /// Label of the decision bar, µs.
    pub order_time: i64,
    /// Label of the bar of the fill, µs.
    pub entry_time: i64,
    /// Index of the bar of the fill.
    pub entry_bar: usize,
    /// Filled at the open of its bar, not at its close.
    pub filled_at_open: bool,
    /// Fill price, slippage included.
    pub entry_price: f64,
    /// Stop at the fill.
    pub initial_stop_loss: f64,
    /// Current stop.
    pub stop_loss: f64,
    /// Why the stop is where it is.
    pub stop_kind: StopKind,
    /// Current target.
    pub take_profit: Option<f64>,
    /// Lots.
    pub size: f64,
    /// Amount at risk, account currency.
    pub risk_per_trade: f64,
    /// Fee paid at the entry.
    pub entry_fee: f64,
    /// Fee paid at the exit.
    pub exit_fee: f64,
    /// Label of the bar of the exit, µs; 0 while open.
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
    /// A close waits for the next open, for this reason.
    pub queued_close: Option<ExitReason>,
}

impl Position {
    /// Long or short.
    pub fn direction(&self) -> Direction {
        self.signal.direction
    }

    /// Bars since the fill at the close of bar `i`, the fill's own bar included if it was filled at its open.
    pub fn bars_since_fill(&self, i: usize) -> usize {
        i - self.entry_bar + usize::from(self.filled_at_open)
    }

    /// result − entry fee − exit fee.
    pub fn net(&self) -> f64 {
        self.result - self.entry_fee - self.exit_fee
    }
}
