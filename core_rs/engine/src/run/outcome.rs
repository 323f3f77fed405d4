//! What one backtest gives.

use crate::gates::Name;
use crate::metrics::{self, Inputs, TradeStats, moments};
use crate::orders::{Order, Position, Rejections};
use crate::portfolio::{Curve, Ended, Summary, summary};
use crate::run::level::Run;
use crate::run::session::Session;
use crate::run::spare;
use crate::run::watch::Stopped;

/// Why the strategy was not asked for entries on a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Before the strategy's first bar.
    Warmup,
    /// The account is ruined.
    Ruined,
    /// No free slot.
    NoSlot,
    /// Outside the windows of local time.
    Sessions,
    /// Outside the windows around openings.
    Anchored,
    /// Near an event.
    News,
    /// In a pause.
    Cooldown,
}

impl Blocked {
    /// Number of causes.
    const COUNT: usize = 7;
    /// The causes that are always there, in the order in which a bar is counted; gates follow as configured.
    pub const ALWAYS: [Self; 3] = [Self::Warmup, Self::Ruined, Self::NoSlot];

    /// Text of the reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Ruined => "ruined",
            Self::NoSlot => "no_slot",
            Self::Sessions => Name::Sessions.text(),
            Self::Anchored => Name::Anchored.text(),
            Self::News => Name::News.text(),
            Self::Cooldown => Name::Cooldown.text(),
        }
    }
}

impl From<Name> for Blocked {
    fn from(gate: Name) -> Self {
        match gate {
            Name::Sessions => Self::Sessions,
            Name::Anchored => Self::Anchored,
            Name::News => Self::News,
            Name::Cooldown => Self::Cooldown,
        }
    }
}

/// Bars on which the strategy was not asked, by cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedBars {
    counts: [u64; Blocked::COUNT],
    /// Gates that are at work, in configured order.
    gates: Vec<Name>,
}

impl BlockedBars {
    /// None yet, under the gates that are at work.
    pub fn under(gates: Vec<Name>) -> Self {
        Self { counts: [0; Blocked::COUNT], gates }
    }

    /// One more.
    #[inline]
    pub fn add(&mut self, cause: Blocked) {
        self.counts[cause as usize] += 1;
    }

    /// `n` more.
    pub fn add_many(&mut self, cause: Blocked, n: usize) {
        self.counts[cause as usize] += n as u64;
    }

    /// Adds the counts of another run under the same gates.
    pub fn pool(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
    }

    /// Causes and counts, in the order in which a bar is counted.
    pub fn by_cause(&self) -> impl Iterator<Item = (Blocked, u64)> {
        let causes = Blocked::ALWAYS.into_iter().chain(self.gates.iter().map(|&gate| gate.into()));
        causes.map(|cause| (cause, self.counts[cause as usize]))
    }
}

/// Trades, equity, metrics and counts of one backtest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Closed positions, in closing order.
    pub trades: Vec<Position>,
    /// Closed parts of positions, in closing order.
    pub partials: Vec<Position>,
    /// Positions left open at the end of the data.
    pub open: Vec<Position>,
    /// Pending orders left at the end of the data.
    pub pending: Vec<Order>,
    /// Orders that ended without a fill.
    pub ended: Ended,
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
    /// Bars on which the strategy was not asked.
    pub blocked: BlockedBars,
    /// Fills raised to the smallest volume.
    pub sizes_raised: u64,
    /// Fills capped at the largest volume.
    pub sizes_capped: u64,
    /// Actions on open positions that were not valid.
    pub invalid_modify: u64,
    /// Rows of a signal table outside the traded bars.
    pub outside_window: u64,
    /// Label of the first sample at or below zero, µs.
    pub ruined_at: Option<i64>,
    /// Where the backtest was given up; `None` if it ran to its end. All else is as of the close of that bar.
    pub stopped: Option<Stopped>,
}

/// µs in a year of 365.25 days.
const YEAR: f64 = 31_557_600_000_000.0;

impl Outcome {
    /// The outcome of a run.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn of(session: &Session, run: Run) -> Self {
        let Run { book, out, drawdowns, .. } = run;
        let options = &session.options.metrics;
        let periods = options
            .periods_per_year
            .unwrap_or_else(|| session.calendar.periods_per_year(session.timeframe()));
        let summary = summary(&book, run.equity, drawdowns);
        let inputs = Inputs {
            initial: book.initial_balance,
            equity: run.equity,
            drawdowns,
            mean_return: moments::mean(&run.returns),
            daily: run.daily,
            returns: run.returns,
            periods_per_year: periods,
            risk_free: options.risk_free_annual / periods,
            span_years: run.span as f64 / YEAR,
            trades: TradeStats::of(&book.closed, &book.partials),
            optimistic_extra: run.optimistic_extra,
            exposed_bars: run.exposed_bars,
            bars: run.bars,
            total_fees: book.total_fees,
            total_lots: book.total_lots,
            turnover: book.turnover,
            rejected: out.rejections.total(),
        };
        Self {
            metrics: metrics::compute(&inputs),
            summary,
            daily: inputs.daily,
            returns: inputs.returns,
            curve: run.curve,
            trades: book.closed,
            partials: book.partials,
            open: book.open,
            ended: book.ended,
            pending: run.pending,
            ..out
        }
    }

    /// Forgets trades and partial exits, once their digest is made: of a batch only figures are told.
    pub fn forget_records(&mut self) {
        spare::give_back(std::mem::take(&mut self.trades));
        self.partials = Vec::new();
    }

    /// All rows of the trades table: closed positions, then the closed parts of positions.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &Position> + Clone {
        Records { closed: self.trades.iter(), partials: self.partials.iter() }
    }
}

/// Closed positions, then partial exits.
#[derive(Clone)]
struct Records<'a> {
    closed: std::slice::Iter<'a, Position>,
    partials: std::slice::Iter<'a, Position>,
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a Position;

    fn next(&mut self) -> Option<&'a Position> {
        self.closed.next().or_else(|| self.partials.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.closed.len() + self.partials.len();
        (n, Some(n))
    }
}

impl ExactSizeIterator for Records<'_> {}
