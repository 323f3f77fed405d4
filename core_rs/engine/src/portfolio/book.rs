//! The account: cash, open positions in id order, closed ones in closing order.

use crate::execution::rounding::round8;
use crate::orders::{EndedOrder, ExitReason, Order, Position, Queued};
use std::collections::BTreeMap;

/// Cash and positions. A position enters once and leaves once.
///
/// `O` holds the open positions in id order: a list where few are open and all are looked at on every bar, a map where
/// they are addressed by id.
#[derive(Debug, Clone)]
pub struct Book<O = Vec<Position>> {
    /// Opening balance.
    pub initial_balance: f64,
    /// Cash.
    pub cash: f64,
    /// Open positions, in id order.
    pub open: O,
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
    /// Adds those of a later run, whose numbers go on after `given`.
    pub fn pool(&mut self, later: Self, given: u64) {
        self.expired += later.expired;
        self.cancelled += later.cancelled;
        self.end_of_data += later.end_of_data;
        if let (Some(kept), Some(more)) = (&mut self.kept, later.kept) {
            kept.extend(more.into_iter().map(|mut ended| {
                ended.order.id += given;
                ended
            }));
        }
    }

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

impl<O: Default> Book<O> {
    /// An account with nothing but cash; `keep_ended` keeps the orders that end without a fill.
    pub fn new(initial_balance: f64, keep_ended: bool) -> Self {
        Self {
            initial_balance,
            cash: initial_balance,
            open: O::default(),
            closed: Vec::new(),
            partials: Vec::new(),
            ended: Ended { kept: keep_ended.then(Vec::new), ..Ended::default() },
            total_fees: 0.0,
            total_lots: 0.0,
            turnover: 0.0,
        }
    }
}

impl<O> Book<O> {
    /// Pays a fee; a negative one is a rebate.
    pub fn pay(&mut self, fee: f64) {
        self.cash -= fee;
        self.total_fees += fee;
    }

    /// Books the exit of a position that is not among the open ones any more: `fee` first, then the result.
    pub fn close(&mut self, position: Position, fee: f64, turnover: f64) {
        self.settle(fee, position.result, turnover);
        self.closed.push(position);
    }

    /// Files a part whose exit is filled in: fee first, then result.
    pub fn leave_part(&mut self, part: Position, turnover: f64) {
        self.settle(part.exit_fee, part.result, turnover);
        self.partials.push(part);
    }

    /// Books the fill of `position`, which is filed among the open ones by the caller.
    #[inline(always)] // as `enter`
    fn fill(&mut self, position: &Position, turnover: f64) {
        self.pay(position.entry_fee);
        self.total_lots += position.size;
        self.turnover += turnover;
    }

    fn settle(&mut self, fee: f64, result: f64, turnover: f64) {
        self.cash -= fee;
        self.cash += result;
        self.total_fees += fee;
        self.turnover += turnover;
    }
}

impl Book {
    /// Files a filled position at its place in id order and pays its entry fee.
    #[inline(always)] // the position is then made where it will lie, and not copied there
    pub fn enter(&mut self, position: Position, turnover: f64) {
        self.fill(&position, turnover);
        let (id, before) = (position.id, self.open.len());
        self.open.push(position);
        if self.open[..before].last().is_some_and(|last| last.id > id) {
            let at = self.open[..before].partition_point(|p| p.id < id);
            self.open[at..].rotate_right(1);
        }
    }

    /// Takes the open position at `index`, whose exit is filled in, to the closed ones: fee first, then result.
    pub fn leave(&mut self, index: usize, turnover: f64) {
        let Position { exit_fee, result, .. } = self.open[index];
        self.settle(exit_fee, result, turnover);
        if self.open.len() == 1 {
            // Positions are large: the only one goes from list to list directly.
            self.closed.append(&mut self.open);
        } else {
            self.closed.push(self.open.remove(index));
        }
    }

    /// Splits `lots` off the open position at `index`, as a record of its own that shares risk, entry fee and margin.
    pub fn split(&mut self, index: usize, lots: f64, id: u64) -> Position {
        split(&mut self.open[index], lots, id)
    }

    /// Margin of the open positions, fixed at their fills.
    pub fn margin_used(&self) -> f64 {
        total_margin(&self.open)
    }
}

impl Book<BTreeMap<u64, Box<Position>>> {
    /// Files a filled position and pays its entry fee.
    pub fn enter(&mut self, position: Box<Position>, turnover: f64) {
        self.fill(&position, turnover);
        self.open.insert(position.id, position);
    }

    /// Margin of the open positions, fixed at their fills.
    pub fn margin_used(&self) -> f64 {
        total_margin(self.open.values().map(AsRef::as_ref))
    }
}

/// Splits `lots` off an open position, as a record of its own that takes its share of risk, entry fee and margin.
pub fn split(parent: &mut Position, lots: f64, id: u64) -> Position {
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

fn total_margin<'a>(open: impl IntoIterator<Item = &'a Position>) -> f64 {
    open.into_iter().fold(0.0, |sum, p| sum + p.margin)
}
