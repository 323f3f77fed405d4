//! What metrics are computed from.

use super::moments;
use crate::orders::Position;
use crate::portfolio::Drawdowns;

/// Per-trade series of the closed positions, in closing order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TradeStats {
    /// Result net of fees.
    pub net: Vec<f64>,
    /// R multiple.
    pub r: Vec<f64>,
    /// Net result over the money at risk.
    pub net_r: Vec<f64>,
    /// Distinct UTC dates of entries and exits.
    pub active_days: usize,
    /// Trades whose exit bar held stop and target.
    pub ambiguous: usize,
}

/// µs per day.
const DAY: i64 = 86_400_000_000;

impl TradeStats {
    /// Of closed positions, each together with the parts of it that were closed before.
    pub fn of(closed: &[Position], partials: &[Position]) -> Self {
        let mut stats = Self::default();
        let mut days: Vec<i64> = Vec::with_capacity(2 * (closed.len() + partials.len()));
        // By position, in id order; of a position that is still open there may be parts too.
        let mut parts: Vec<&Position> = partials.iter().collect();
        parts.sort_by_key(|p| (p.parent_id, p.id));
        for p in closed {
            let from = parts.partition_point(|part| part.parent_id < Some(p.id));
            let own = parts[from..].iter().copied().take_while(|part| part.parent_id == Some(p.id));
            let (mut net, mut weighted, mut risk, mut stake) = (0.0, 0.0, 0.0, 0.0);
            for record in own.chain([p]) {
                net += record.net();
                weighted += record.r_multiple * record.risk_per_trade;
                risk += record.risk_per_trade;
                stake += record.money_at_risk;
            }
            stats.net.push(net);
            stats.r.push(ratio(weighted, risk));
            stats.net_r.push(ratio(net, stake));
            stats.ambiguous += usize::from(p.same_bar_ambiguous);
        }
        for p in closed.iter().chain(partials) {
            days.extend([p.entry_time.div_euclid(DAY), p.exit_time.div_euclid(DAY)]);
        }
        days.sort_unstable();
        days.dedup();
        stats.active_days = days.len();
        stats
    }

    /// Number of trades.
    pub fn len(&self) -> usize {
        self.net.len()
    }

    /// Whether nothing was traded.
    pub fn is_empty(&self) -> bool {
        self.net.is_empty()
    }
}

/// a / b; nothing at risk gives 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// All inputs of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// E_0.
    pub initial: f64,
    /// E_n.
    pub equity: f64,
    /// Drawdowns over all samples.
    pub drawdowns: Drawdowns,
    /// D_1 … D_m.
    pub daily: Vec<f64>,
    /// r_1 … r_m.
    pub returns: Vec<f64>,
    /// mean(r).
    pub mean_return: Option<f64>,
    /// P.
    pub periods_per_year: f64,
    /// Risk-free return per period.
    pub risk_free: f64,
    /// Span in years of 365.25 days.
    pub span_years: f64,
    /// Trades.
    pub trades: TradeStats,
    /// Σ of what ambiguous exits would have earned at their targets instead.
    pub optimistic_extra: f64,
    /// Traded bars with an open position after the open and pending steps.
    pub exposed_bars: usize,
    /// Traded bars.
    pub bars: usize,
    /// All fees.
    pub total_fees: f64,
    /// Lots filled at entries.
    pub total_lots: f64,
    /// Value of all fills.
    pub turnover: f64,
    /// Signals rejected.
    pub rejected: u64,
}

impl Inputs {
    /// Daily returns D_j/D_{j−1} − 1 of a daily series that starts from `initial`.
    pub fn daily_returns(initial: f64, daily: &[f64]) -> Vec<f64> {
        let mut previous = initial;
        daily
            .iter()
            .map(|&d| {
                let r = d / previous - 1.0;
                previous = d;
                r
            })
            .collect()
    }

    /// Fills in the daily returns and their mean.
    pub fn set_daily(&mut self, daily: Vec<f64>) {
        self.returns = Self::daily_returns(self.initial, &daily);
        self.mean_return = moments::mean(&self.returns);
        self.daily = daily;
    }
}
