//! What is asked of a portfolio: state, records, curves, summary, metrics.

use super::portfolio::Portfolio;
use super::row::finite;
use crate::error::Result;
use crate::metrics::{self, CATALOGUE, Inputs, TradeStats};
use crate::orders::{EndedOrder, Order, Position};
use crate::portfolio::{Curve, Summary, summary};
use crate::run::calendar::Calendar;

/// µs in a year of 365.25 days.
const YEAR: f64 = 31_557_600_000_000.0;

/// Metrics that need bars or signals, which a portfolio does not see.
const UNKNOWN: [&str; 4] =
    ["net_profit_pessimistic", "net_profit_optimistic", "exposure_pct", "rejected_signals"];

/// The account as of the last operation; high water and drawdown as of the last update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Time of the last operation, µs; before any, that of the first row of the curve.
    pub timestamp: i64,
    /// Cash.
    pub balance: f64,
    /// Cash, or cash and unrealised profit.
    pub equity: f64,
    /// Margin of the open positions.
    pub margin_used: f64,
    /// What open positions would give at the last marks.
    pub unrealised_pnl: f64,
    /// Σ results of closed positions and parts, without fees.
    pub realised_pnl: f64,
    /// All fees.
    pub total_fees: f64,
    /// Open positions.
    pub position_count: usize,
    /// Pending orders.
    pub pending_count: usize,
    /// Last sample − high water.
    pub drawdown: f64,
    /// Highest sample, or the initial balance.
    pub high_water: f64,
}

/// One record, of whatever status.
#[derive(Debug, Clone, Copy)]
pub enum Record<'a> {
    /// A pending order.
    Pending(&'a Order),
    /// An open position.
    Open(&'a Position),
    /// A closed position, or a closed part of one.
    Closed(&'a Position),
    /// An order that ended without a fill.
    Ended(&'a EndedOrder),
}

impl<'a> Record<'a> {
    /// Its id.
    pub fn id(&self) -> u64 {
        self.position().map_or_else(|| self.order().map_or(0, |order| order.id), |position| position.id)
    }

    /// `pending`, `open` or `closed`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Open(_) => "open",
            Self::Closed(_) | Self::Ended(_) => "closed",
        }
    }

    /// The position, once it was filled.
    pub fn position(&self) -> Option<&'a Position> {
        match self {
            Self::Open(position) | Self::Closed(position) => Some(position),
            Self::Pending(_) | Self::Ended(_) => None,
        }
    }

    /// The position, once it was closed.
    pub fn closed(&self) -> Option<&'a Position> {
        match self {
            Self::Closed(position) => Some(position),
            _ => None,
        }
    }

    /// The order of what was not filled.
    pub fn order(&self) -> Option<&'a Order> {
        match self {
            Self::Pending(order) => Some(order),
            Self::Ended(ended) => Some(&ended.order),
            Self::Open(_) | Self::Closed(_) => None,
        }
    }
}

impl Portfolio {
    /// The account now.
    ///
    /// # Errors
    /// As [`Self::unrealised`].
    pub fn state(&self) -> Result<State> {
        Ok(State {
            timestamp: self.now(),
            balance: self.book.cash,
            equity: self.equity()?,
            margin_used: finite(self.book.margin_used(), "margin_used")?,
            unrealised_pnl: self.unrealised()?,
            realised_pnl: self.realised,
            total_fees: self.book.total_fees,
            position_count: self.book.open.len(),
            pending_count: self.pending.len(),
            drawdown: self.tracker.last().equity - self.tracker.high_water(),
            high_water: self.tracker.high_water(),
        })
    }

    /// All records in id order: pending, open, closed, parts, ended.
    pub fn records(&self) -> Vec<Record<'_>> {
        let mut records: Vec<Record<'_>> = self.pending.values().map(|p| Record::Pending(&p.order)).collect();
        records.extend(self.open_records());
        records.extend(self.trades().map(Record::Closed));
        records.extend(self.book.ended.kept.iter().flatten().map(Record::Ended));
        records.sort_unstable_by_key(Record::id);
        records
    }

    /// The open positions in id order.
    pub fn open_records(&self) -> impl Iterator<Item = Record<'_>> {
        self.book.open.values().map(|position| Record::Open(position))
    }

    /// Closed positions in closing order, then the closed parts.
    pub fn trades(&self) -> impl Iterator<Item = &Position> + Clone {
        self.book.closed.iter().chain(&self.book.partials)
    }

    /// The samples: one row of the initial balance, then one per time of an update.
    pub fn sampled(&self) -> Curve {
        self.tracker.curve().cloned().unwrap_or_default()
    }

    /// The balance after every trade, in order of the exits.
    pub fn per_trade(&self) -> Curve {
        let mut trades: Vec<&Position> = self.trades().collect();
        trades.sort_by_key(|p| p.exit_time);
        let start = self.start.unwrap_or(0);
        // Nothing keeps an exit from being before the first operation.
        let first = trades.first().map_or(start, |p| p.exit_time.min(start));
        let mut curve = Curve::default();
        let (mut equity, mut high_water) = (self.book.initial_balance, self.book.initial_balance);
        let mut add = |time: i64, change: f64| {
            equity += change;
            high_water = high_water.max(equity);
            curve.time.push(time);
            curve.equity.push(equity);
            curve.balance.push(equity);
            curve.drawdown.push(equity - high_water);
            curve.high_water.push(high_water);
        };
        add(first, 0.0);
        trades.into_iter().for_each(|p| add(p.exit_time, p.net()));
        curve
    }

    /// The fifteen figures.
    ///
    /// # Errors
    /// As [`Self::unrealised`].
    pub fn summary(&self) -> Result<Summary> {
        Ok(summary(&self.book, self.equity()?, self.tracker.drawdowns()))
    }

    /// Metrics in catalogue order, their samples the updates; null what needs bars or signals.
    pub fn metrics(&self) -> Vec<Option<f64>> {
        let mut values = metrics::compute(&self.inputs());
        for (metric, value) in CATALOGUE.iter().zip(&mut values) {
            if UNKNOWN.contains(&metric.name) {
                *value = None;
            }
        }
        values
    }

    #[allow(clippy::cast_precision_loss)]
    fn inputs(&self) -> Inputs {
        let empty = Curve::default();
        let curve = self.tracker.curve().unwrap_or(&empty);
        let calendar = Calendar::new(curve.time.get(1..).unwrap_or(&[]), None);
        let last = self.tracker.last();
        let mut inputs = Inputs {
            initial: self.book.initial_balance,
            equity: last.equity,
            drawdowns: self.tracker.drawdowns(),
            daily: Vec::new(),
            returns: Vec::new(),
            mean_return: None,
            periods_per_year: calendar.days_per_year(),
            risk_free: 0.0,
            span_years: (last.time - self.start.unwrap_or(last.time)) as f64 / YEAR,
            trades: TradeStats::of(&self.book.closed, &self.book.partials),
            optimistic_extra: 0.0,
            exposed_bars: 0,
            bars: self.tracker.count(),
            total_fees: self.book.total_fees,
            total_lots: self.book.total_lots,
            turnover: self.book.turnover,
            rejected: 0,
        };
        inputs.set_daily(calendar.day_ends.iter().map(|&end| curve.equity[end]).collect());
        inputs
    }
}
