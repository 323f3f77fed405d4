//! Where a backtest stands: on a bar or tick, or at the close of a bar.

use crate::orders::Direction;
use crate::strategy::SideView;

/// Open, high, low and close of one side. All four are the quote on a tick.
#[derive(Debug, Clone, Copy)]
pub struct Prices {
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
}

impl Prices {
    /// Of bar `i`.
    #[inline]
    pub fn of_bar(side: &SideView<'_>, i: usize) -> Self {
        Self { open: side.open[i], high: side.high[i], low: side.low[i], close: side.close[i] }
    }

    /// Of one quote.
    pub fn of_quote(price: f64) -> Self {
        Self { open: price, high: price, low: price, close: price }
    }
}

/// A bar or tick on which orders fill and positions end.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Number of the bar or tick among those loaded.
    pub event: usize,
    /// Index of the bar, for ticks of the one that is forming.
    pub bar: usize,
    /// Recorded time, also the moment of currency rates: the label, or the time of the tick.
    pub time: i64,
    /// Moment by which clocks count what happens after the open: the end of the bar, or the time of the tick.
    pub clock: i64,
    /// Bids.
    pub bid: Prices,
    /// Asks.
    pub ask: Prices,
    /// Whether it is a tick.
    pub tick: bool,
    /// Whether it is the first of its bar; a bar is.
    pub first_of_bar: bool,
}

impl Now {
    /// Side at which a position of that direction is entered.
    #[inline]
    pub fn entry_side(&self, direction: Direction) -> &Prices {
        match direction {
            Direction::Long => &self.ask,
            Direction::Short => &self.bid,
        }
    }

    /// Side at which a position of that direction is left.
    #[inline]
    pub fn exit_side(&self, direction: Direction) -> &Prices {
        match direction {
            Direction::Long => &self.bid,
            Direction::Short => &self.ask,
        }
    }
}

/// The close of a bar, when strategies decide.
#[derive(Debug, Clone, Copy)]
pub struct Close {
    /// Index of the bar.
    pub bar: usize,
    /// Number of the bar, or of its last tick, among those loaded.
    pub event: usize,
    /// Label of the bar.
    pub label: i64,
    /// Recorded time of a fill or exit at this close: the label, or the time of the last tick.
    pub time: i64,
    /// End of the bar: the moment of what happens here.
    pub moment: i64,
    /// Bid.
    pub bid: f64,
    /// Ask.
    pub ask: f64,
    /// Whether no later bar or tick of the symbol is traded.
    pub last: bool,
    /// Whether the market consists of ticks.
    pub tick: bool,
}

impl Close {
    /// Price at which a position of that direction is entered.
    #[inline]
    pub fn entry_side(&self, direction: Direction) -> f64 {
        match direction {
            Direction::Long => self.ask,
            Direction::Short => self.bid,
        }
    }

    /// Price at which a position of that direction is left.
    #[inline]
    pub fn exit_side(&self, direction: Direction) -> f64 {
        match direction {
            Direction::Long => self.bid,
            Direction::Short => self.ask,
        }
    }
}
