//! Giving up a backtest early: what is judged at the close of every bar.

use crate::extremes::Span;
use crate::market::calendar::iso;
use crate::portfolio::{EquityTracker, Sample};
use crate::run::session::Session;

/// Why a backtest was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Too little equity is left.
    Ruin,
    /// The drawdown is too deep.
    MaxDrawdown,
    /// Too few trades by the middle of the window.
    TooFewByMidpoint,
}

/// Where a backtest was given up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stopped {
    /// Why.
    pub cause: Cause,
    /// The limit that was crossed: percent, or trades.
    pub limit: f64,
    /// Label of the bar at whose close it was.
    pub at: i64,
}

impl Stopped {
    /// Text of the ledger.
    pub fn kind(&self) -> &'static str {
        match self.cause {
            Cause::Ruin => "RUIN",
            Cause::MaxDrawdown => "MAX_DRAWDOWN",
            Cause::TooFewByMidpoint => "TOO_FEW_BY_MIDPOINT",
        }
    }

    /// For people: what happened, and the bar's time.
    pub fn reason(&self) -> String {
        let (limit, at) = (self.limit, iso(self.at));
        match self.cause {
            Cause::Ruin => format!("equity at or below {limit} % of the initial balance on the bar {at}"),
            Cause::MaxDrawdown => format!("drawdown above {limit} % on the bar {at}"),
            Cause::TooFewByMidpoint => {
                format!("fewer than {limit} closed trades by the middle of the window, the bar {at}")
            }
        }
    }
}

/// The limits of a running backtest.
#[derive(Debug, Clone)]
pub struct Watch {
    ruin: Option<Floor>,
    max_drawdown: Option<f64>,
    midpoint: Option<Midpoint>,
}

/// A percentage of the initial balance, and the amount.
#[derive(Debug, Clone, Copy)]
struct Floor {
    percent: f64,
    equity: f64,
}

/// Trades that are needed on the first bar that opens at `from` or later.
#[derive(Debug, Clone, Copy)]
struct Midpoint {
    from: i64,
    trades: f64,
}

/// Percent within which a limit counts as reached when bars are only looked over.
const MARGIN: f64 = 1e-6;

impl Watch {
    /// The limits of a session; `None` if nothing is set.
    pub fn of(session: &Session) -> Option<Self> {
        let limits = &session.options.early_stop;
        let initial = session.options.account.initial_balance;
        let floor = |percent: f64| Floor { percent, equity: percent / 100.0 * initial };
        let watch = Self {
            ruin: limits.ruin_pct.map(floor),
            max_drawdown: limits.max_drawdown_pct,
            midpoint: limits.trades_by_midpoint().map(|trades| Midpoint { from: middle(session), trades }),
        };
        (watch.ruin.is_some() || watch.max_drawdown.is_some() || watch.midpoint.is_some()).then_some(watch)
    }

    /// Judges the sample of a bar that has just been taken, with `closed` trades so far.
    #[allow(clippy::cast_precision_loss)]
    pub fn judge(&mut self, tracker: &EquityTracker, closed: usize) -> Option<Stopped> {
        let Sample { time: at, equity, .. } = tracker.last();
        let mut found = None;
        if let Some(middle) = self.midpoint.filter(|middle| at >= middle.from) {
            self.midpoint = None;
            if (closed as f64) < middle.trades {
                found = Some(Stopped { cause: Cause::TooFewByMidpoint, limit: middle.trades, at });
            }
        }
        if let Some(limit) = self.max_drawdown.filter(|&limit| tracker.drawdowns().percent > limit) {
            found = Some(Stopped { cause: Cause::MaxDrawdown, limit, at });
        }
        if let Some(floor) = self.ruin.filter(|floor| equity <= floor.equity) {
            found = Some(Stopped { cause: Cause::Ruin, limit: floor.percent, at });
        }
        found
    }

    /// The first label at which trades are counted; `None` once they were.
    pub fn midpoint(&self) -> Option<i64> {
        self.midpoint.map(|middle| middle.from)
    }

    /// Whether a run could be given up on bars whose equity lies within `span`.
    pub(crate) fn might_stop(&self, high_water: f64, span: Span) -> bool {
        // Below zero a drawdown in percent is deeper under a lower peak: both ends of what the peak can be are judged.
        let deepest = |peak: f64| 100.0 * (peak - span.low) / peak;
        self.ruin.is_some_and(|floor| span.low <= floor.equity)
            || self.max_drawdown.is_some_and(|limit| {
                deepest(high_water).max(deepest(high_water.max(span.high))) > limit - MARGIN
            })
    }
}

/// The middle between the beginning and the end of the window of all symbols, rounded up to a microsecond.
fn middle(session: &Session) -> i64 {
    let markets = || session.instruments.iter().map(|x| &x.market);
    let from = markets().map(|market| market.trade_from()).min().unwrap_or(0);
    let until = markets().map(|market| market.trade_until()).max().unwrap_or(0);
    from + (until - from + 1) / 2
}
