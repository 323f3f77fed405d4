//! What metrics are computed from.

use super::moments;
use crate::orders::Position;
use crate::portfolio::Drawdowns;

/// Per-trade series, in closing order. A trade is a closed position together with its partial exits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TradeStats {
    /// Result net of fees.
    pub net: Vec<f64>,
    /// R multiple, weighted by the risk amounts of the records.
    pub r: Vec<f64>,
    /// Net result over the money at risk.
    pub net_r: Vec<f64>,
    /// Distinct UTC dates of entries and exits, of partial exits too.
    pub active_days: usize,
    /// Trades whose exit bar held stop and target.
    pub ambiguous: usize,
}

/// Sums over the records of one trade.
#[derive(Default)]
struct Sums {
    net: f64,
    weighted_r: f64,
    risk: f64,
    at_risk: f64,
}

impl Sums {
    fn add(&mut self, p: &Position) {
        self.net += p.net();
        self.weighted_r += p.r_multiple * p.risk_per_trade;
        self.risk += p.risk_per_trade;
        self.at_risk += p.money_at_risk;
    }
}

/// µs per day.
const DAY: i64 = 86_400_000_000;

/// Number of the day of a time.
fn day(time: i64) -> i64 {
    time.div_euclid(DAY)
}

impl TradeStats {
    /// Of closed positions, in closing order, and of the records of partial exits, in any order. A partial exit of a
    /// position that is still open belongs to no trade yet; its dates count all the same.
    pub fn of(closed: &[Position], partials: &[Position]) -> Self {
        let list = || Vec::with_capacity(closed.len());
        let mut stats = Self { net: list(), r: list(), net_r: list(), ..Self::default() };
        let mut parts: Vec<&Position> = partials.iter().collect();
        parts.sort_unstable_by_key(|p| (p.parent_id, p.id));
        for p in closed {
            let first = parts.partition_point(|part| part.parent_id < Some(p.id));
            let mut sums = Sums::default();
            parts[first..]
                .iter()
                .take_while(|part| part.parent_id == Some(p.id))
                .for_each(|part| sums.add(part));
            sums.add(p);
            stats.net.push(sums.net);
            stats.r.push(ratio(sums.weighted_r, sums.risk));
            stats.net_r.push(ratio(sums.net, sums.at_risk));
            stats.ambiguous += usize::from(p.same_bar_ambiguous);
        }
        let mut days: Vec<i64> = Vec::new();
        for day in closed.iter().chain(partials).flat_map(|p| [p.entry_time, p.exit_time].map(day)) {
            // Most trades are on the day of the one before.
            if days.last() != Some(&day) {
                days.push(day);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::{Direction, ExitReason, Order, Signal};

    /// A record that lost or won `r` times its risk, entered on day 0 and left on day `left`.
    fn record(id: u64, parent_id: Option<u64>, left: i64, risk: f64, r: f64) -> Position {
        let signal = Signal::market(Direction::Long, 1.095, None);
        let order = Order { id, symbol: 0, order_time: 0, order_bar: 0, signal };
        Position {
            parent_id,
            size: risk / 500.0,
            risk_per_trade: risk,
            entry_fee: 0.25,
            exit_fee: 0.25,
            exit_time: left * DAY + DAY / 2,
            exit_price: 1.1,
            result: r * risk,
            r_multiple: r,
            money_at_risk: risk,
            reason: Some(ExitReason::Signal),
            ..Position::filled(order, 0, 1.1)
        }
    }

    #[test]
    fn a_trade_is_a_position_with_its_partial_exits() {
        let own = record(1, None, 0, 50.0, -0.02);
        let stats = TradeStats::of(&[own], &[record(2, Some(1), 0, 50.0, 0.38)]);
        assert_eq!(stats.len(), 1);
        assert!((stats.net[0] - 17.0).abs() < 1e-12, "{:?}", stats.net);
        assert!((stats.r[0] - 0.18).abs() < 1e-12, "{:?}", stats.r);
        assert!((stats.net_r[0] - 0.17).abs() < 1e-12, "{:?}", stats.net_r);
    }

    #[test]
    fn partial_exits_find_their_position_and_are_added_in_id_order_before_it() {
        // Sums that depend on their order: 1e16 + 1 + 1 is 1e16, 1 + 1 + 1e16 is not.
        let exact = |id, parent, result: f64| {
            let plain = record(id, parent, 0, 1.0, 0.0);
            Position { result, entry_fee: 0.0, exit_fee: 0.0, ..plain }
        };
        let closed = [exact(3, None, 5.0), exact(1, None, 1e16)];
        let parts = [exact(9, Some(7), -3.0), exact(6, Some(1), 1.0), exact(4, Some(1), 1.0)];
        let stats = TradeStats::of(&closed, &parts);
        assert_eq!(stats.net, [5.0, 1e16 + 2.0], "one of an open position belongs to no trade");
        let first = [exact(3, Some(1), 1e16), exact(4, Some(1), 1.0)];
        assert_eq!(TradeStats::of(&[exact(1, None, 1.0)], &first).net, [1e16]);
    }

    #[test]
    fn dates_of_partial_exits_are_active_days() {
        let closed = [record(1, None, 3, 1.0, 0.0), record(2, None, 3, 1.0, 0.0)];
        assert_eq!(TradeStats::of(&closed, &[]).active_days, 2);
        let parts = [record(3, Some(1), 1, 1.0, 0.0), record(5, Some(4), 2, 1.0, 0.0)];
        assert_eq!(TradeStats::of(&closed, &parts).active_days, 4);
        assert_eq!(TradeStats::of(&[], &[]), TradeStats::default());
    }

    #[test]
    fn ambiguous_exits_are_counted() {
        let ambiguous = Position { same_bar_ambiguous: true, ..record(1, None, 0, 1.0, -1.0) };
        assert_eq!(TradeStats::of(&[ambiguous, record(2, None, 0, 1.0, 1.0)], &[]).ambiguous, 1);
    }
}
