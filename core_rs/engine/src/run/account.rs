//! What the symbols of a backtest share: cash and positions, equity, numbering, counts.

use crate::orders::{ExitReason, Order};
use crate::portfolio::{Book, EquityTracker};
use crate::run::outcome::Outcome;
use crate::run::watch::Watch;

/// The account of a running backtest.
pub struct Account {
    pub book: Book,
    pub tracker: EquityTracker,
    pub out: Outcome,
    /// Number of the next order.
    pub next_id: u64,
    /// What ambiguous exits would have earned at their targets instead.
    pub optimistic_extra: f64,
    /// Bars on which a position was open after the open and pending steps.
    pub exposed_bars: usize,
    /// Whether this bar is one of them.
    pub exposed: bool,
    /// Slots of the whole portfolio.
    pub slots: usize,
    /// Slots that other symbols hold.
    pub taken: usize,
    /// Limits at which the backtest is given up, if there are any.
    pub watch: Option<Watch>,
}

impl Account {
    pub fn new(book: Book, tracker: EquityTracker, slots: usize) -> Self {
        Self {
            book,
            tracker,
            out: Outcome::default(),
            next_id: 1,
            optimistic_extra: 0.0,
            exposed_bars: 0,
            exposed: false,
            slots,
            taken: 0,
            watch: None,
        }
    }

    /// A number that was not given before.
    pub fn number(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Files an order that ended without a fill.
    pub fn end(&mut self, order: Order, time: i64, reason: ExitReason) {
        self.book.ended.add(order, time, reason);
    }

    /// Judges the sample that was just taken.
    pub fn judge(&mut self) {
        if let Some(watch) = &mut self.watch {
            self.out.stopped = watch.judge(&self.tracker, self.book.closed.len());
        }
    }

    /// Counts the bar that ends, if a position was open on it.
    #[inline]
    pub fn end_bar(&mut self) {
        self.exposed_bars += usize::from(self.exposed);
        self.exposed = false;
    }
}
