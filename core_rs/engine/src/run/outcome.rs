//! What one backtest gives.

use crate::metrics::{self, Inputs, TradeStats};
use crate::orders::{Position, Rejections};
use crate::portfolio::{Book, Curve, EquityTracker, Summary, summary};
use crate::run::session::Session;

/// Why the strategy was not asked for entries on a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Before the strategy's first bar.
    Warmup,
    /// The account is ruined.
    Ruined,
    /// No free slot.
    NoSlot,
}

impl Blocked {
    /// All causes, in the order in which a bar is counted.
    pub const ALL: [Self; 3] = [Self::Warmup, Self::Ruined, Self::NoSlot];

    /// Text of the reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Ruined => "ruined",
            Self::NoSlot => "no_slot",
        }
    }
}

/// Trades, equity, metrics and counts of one backtest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Closed positions, in closing order.
    pub trades: Vec<Position>,
    /// Positions left open at the end of the data.
    pub open: Vec<Position>,
    /// D_1 … D_m.
    pub daily: Vec<f64>,
    /// Daily returns.
    pub returns: Vec<f64>,
    /// The equity of every bar, if it was kept.
    pub curve: Option<Curve>,
    /// Metrics in catalogue order.
    pub metrics: Vec<Option<f64>>,
    /// The fifteen figures.
    pub summary: Summary,
    /// Rejected signals.
    pub rejections: Rejections,
    /// Bars on which the strategy was not asked, by [`Blocked`].
    pub blocked: [u64; Blocked::ALL.len()],
    /// Fills raised to the smallest volume.
    pub sizes_raised: u64,
    /// Fills capped at the largest volume.
    pub sizes_capped: u64,
    /// Rows of a signal table outside the traded bars.
    pub outside_window: u64,
    /// Label of the first sample at or below zero, µs.
    pub ruined_at: Option<i64>,
}

/// µs in a year of 365.25 days.
const YEAR: f64 = 31_557_600_000_000.0;

impl Outcome {
    /// Completes the outcome from the state of the account after the last bar.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn fill_in(
        &mut self,
        session: &Session,
        book: Book,
        tracker: EquityTracker,
        optimistic_extra: f64,
        exposed_bars: usize,
    ) {
        let labels = &session.market.label()[session.traded.clone()];
        let timeframe = session.market.timeframe();
        let span = labels[labels.len() - 1] + timeframe.micros() - labels[0];
        let options = &session.options.metrics;
        let periods =
            options.periods_per_year.unwrap_or_else(|| session.calendar.periods_per_year(timeframe));
        let last = tracker.last();
        let drawdowns = tracker.drawdowns();
        self.summary = summary(&book, last.equity, drawdowns);
        let (daily, curve) = tracker.into_series();
        let mut inputs = Inputs {
            initial: book.initial_balance,
            equity: last.equity,
            drawdowns,
            daily: Vec::new(),
            returns: Vec::new(),
            mean_return: None,
            periods_per_year: periods,
            risk_free: options.risk_free_annual / periods,
            span_years: span as f64 / YEAR,
            trades: TradeStats::of(&book.closed, &[]),
            optimistic_extra,
            exposed_bars,
            bars: labels.len(),
            total_fees: book.total_fees,
            total_lots: book.total_lots,
            turnover: book.turnover,
            rejected: self.rejections.total(),
        };
        inputs.set_daily(daily);
        self.metrics = metrics::compute(&inputs);
        self.daily = inputs.daily;
        self.returns = inputs.returns;
        self.curve = curve;
        self.trades = book.closed;
        self.open = book.open;
    }
}
