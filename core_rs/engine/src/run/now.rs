//! Where a backtest stands: on a bar or tick, or at the close of a bar.

use crate::orders::Direction;
use crate::strategy::{SideView, View};

/// Open, high, low and close of one side, read where they are when they are asked for. All four are the quote on a tick.
#[derive(Debug, Clone, Copy)]
pub enum Prices<'a> {
    /// Of a bar, by its index.
    Bar(&'a SideView<'a>, usize),
    /// Of a tick.
    Quote(f64),
}

impl Prices<'_> {
    #[inline]
    fn of(self, column: impl FnOnce(&SideView<'_>, usize) -> f64) -> f64 {
        match self {
            Self::Bar(side, i) => column(side, i),
            Self::Quote(price) => price,
        }
    }

    /// First price.
    #[inline]
    pub fn open(self) -> f64 {
        self.of(|side, i| side.open[i])
    }

    /// Highest price.
    #[inline]
    pub fn high(self) -> f64 {
        self.of(|side, i| side.high[i])
    }

    /// Lowest price.
    #[inline]
    pub fn low(self) -> f64 {
        self.of(|side, i| side.low[i])
    }

    /// Last price.
    #[inline]
    pub fn close(self) -> f64 {
        self.of(|side, i| side.close[i])
    }
}

/// A bar or tick on which orders fill and positions end.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// Number of the bar or tick among those loaded.
    pub event: usize,
    /// Index of the bar, for ticks of the one that is forming.
    pub bar: usize,
    /// Recorded time, also the moment of currency rates: the label, or the time of the tick.
    pub time: i64,
    /// Moment by which clocks count what happens after the open: the end of the bar, or the time of the tick.
    pub clock: i64,
    /// Bids.
    pub bid: Prices<'a>,
    /// Asks.
    pub ask: Prices<'a>,
    /// Whether it is a tick.
    pub tick: bool,
    /// Whether it is the first of its bar; a bar is.
    pub first_of_bar: bool,
}

impl<'a> Now<'a> {
    /// Bar `i` of a market.
    #[inline]
    pub fn bar(view: &'a View<'_>, i: usize) -> Self {
        let label = view.label[i];
        Self {
            event: i,
            bar: i,
            time: label,
            clock: label + view.timeframe,
            bid: Prices::Bar(&view.bid, i),
            ask: Prices::Bar(&view.ask, i),
            tick: false,
            first_of_bar: true,
        }
    }

    /// Side at which a position of that direction is entered.
    #[inline]
    pub fn entry_side(&self, direction: Direction) -> Prices<'a> {
        match direction {
            Direction::Long => self.ask,
            Direction::Short => self.bid,
        }
    }

    /// Side at which a position of that direction is left.
    #[inline]
    pub fn exit_side(&self, direction: Direction) -> Prices<'a> {
        match direction {
            Direction::Long => self.bid,
            Direction::Short => self.ask,
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
