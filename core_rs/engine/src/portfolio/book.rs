//! The account: cash, open positions in id order, closed ones in closing order.

use crate::orders::Position;

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
    /// All fees so far.
    pub total_fees: f64,
    /// Lots filled at entries.
    pub total_lots: f64,
    /// Value of all fills.
    pub turnover: f64,
}

impl Book {
    /// An account with nothing but cash.
    pub fn new(initial_balance: f64) -> Self {
        Self {
            initial_balance,
            cash: initial_balance,
            open: Vec::new(),
            closed: Vec::new(),
            total_fees: 0.0,
            total_lots: 0.0,
            turnover: 0.0,
        }
    }

    /// Files a filled position and pays its entry fee.
    pub fn enter(&mut self, position: Position, turnover: f64) {
        self.cash -= position.entry_fee;
        self.total_fees += position.entry_fee;
        self.total_lots += position.size;
        self.turnover += turnover;
        self.open.push(position);
    }

    /// Takes the open position at `index`, whose exit is filled in, to the closed ones: fee first, then result.
    pub fn leave(&mut self, index: usize, turnover: f64) {
        let position = self.open.remove(index);
        self.cash -= position.exit_fee;
        self.cash += position.result;
        self.total_fees += position.exit_fee;
        self.turnover += turnover;
        self.closed.push(position);
    }
}
