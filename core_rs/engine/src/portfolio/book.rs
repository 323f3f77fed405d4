//! The account: cash, open positions in id order, closed ones in closing order.

use crate::execution::rounding::round8;
use crate::orders::{EndedOrder, ExitReason, Order, Position, Queued};

/// Cash and positions. A position enters once, leaves once, and is addressed by its place in id order.
#[derive(Debug, Clone)]
pub struct Book {
    /// Opening balance.
    pub initial_balance: f64,
    /// Cash.
    pub cash: f64,
    /// Open positions, in id order.
    pub open: Vec<Position>,
    /// Closed positions, in closing order.
    pub closed: Vec<Position>,
    /// Closed parts of positions, in closing order.
    pub partials: Vec<Position>,
    /// Orders that ended without a fill, by reason.
    pub ended: Ended,
    /// All fees so far.
    pub total_fees: f64,
    /// Lots filled at entries.
    pub total_lots: f64,
    /// Value of all fills.
    pub turnover: f64,
}

/// Orders that ended without a fill: counted, and kept where one backtest is looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ended {
    /// Validity over.
    pub expired: u64,
    /// Cancelled by the strategy or by a leg of the same group.
    pub cancelled: u64,
    /// The data ended.
    pub end_of_data: u64,
    /// The orders, if they are kept.
    pub kept: Option<Vec<EndedOrder>>,
}

impl Ended {
    /// Counts an order that ended at `time`.
    pub fn add(&mut self, order: Order, time: i64, reason: ExitReason) {
        match reason {
            ExitReason::LimitExpired => self.expired += 1,
            ExitReason::EndOfData => self.end_of_data += 1,
            _ => self.cancelled += 1,
        }
        if let Some(kept) = &mut self.kept {
            kept.push(EndedOrder { order, time, reason });
        }
    }
}

impl Book {
    /// An account with nothing but cash; `keep_ended` keeps the orders that end without a fill.
    pub fn new(initial_balance: f64, keep_ended: bool) -> Self {
        Self {
            initial_balance,
            cash: initial_balance,
            open: Vec::new(),
            closed: Vec::new(),
            partials: Vec::new(),
            ended: Ended { kept: keep_ended.then(Vec::new), ..Ended::default() },
            total_fees: 0.0,
            total_lots: 0.0,
            turnover: 0.0,
        }
    }

    /// Files a filled position at its place in id order and pays its entry fee.
    pub fn enter(&mut self, position: Position, turnover: f64) {
        self.cash -= position.entry_fee;
        self.total_fees += position.entry_fee;
        self.total_lots += position.size;
        self.turnover += turnover;
        let at = match self.open.last() {
            Some(last) if last.id > position.id => self.open.partition_point(|p| p.id < position.id),
            _ => self.open.len(),
        };
        self.open.insert(at, position);
    }

    /// Takes the open position at `index`, whose exit is filled in, to the closed ones: fee first, then result.
    pub fn leave(&mut self, index: usize, turnover: f64) {
        let position = self.open.remove(index);
        self.settle(&position, turnover);
        self.closed.push(position);
    }

    /// Splits `lots` off the open position at `index`, as a record of its own that shares risk, entry fee and margin.
    pub fn split(&mut self, index: usize, lots: f64, id: u64) -> Position {
        let parent = &mut self.open[index];
        let share = lots / parent.size;
        let part = Position {
            id,
            parent_id: Some(parent.id),
            size: lots,
            risk_per_trade: parent.risk_per_trade * share,
            entry_fee: parent.entry_fee * share,
            margin: parent.margin * share,
            queued: Queued::default(),
            ..parent.clone()
        };
        parent.risk_per_trade -= part.risk_per_trade;
        parent.entry_fee -= part.entry_fee;
        parent.margin -= part.margin;
        parent.size = round8(parent.size - lots);
        part
    }

    /// Files a part whose exit is filled in: fee first, then result.
    pub fn leave_part(&mut self, part: Position, turnover: f64) {
        self.settle(&part, turnover);
        self.partials.push(part);
    }

    /// Margin of the open positions, fixed at their fills.
    pub fn margin_used(&self) -> f64 {
        self.open.iter().fold(0.0, |sum, p| sum + p.margin)
    }

    fn settle(&mut self, position: &Position, turnover: f64) {
        self.cash -= position.exit_fee;
        self.cash += position.result;
        self.total_fees += position.exit_fee;
        self.turnover += turnover;
    }
}
