//! The table of metrics in canonical order.

use super::inputs::Inputs;
use super::{growth, returns, risk, trades};

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Name in tables, objectives and constraints.
    pub name: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// Definition, as shipped with the numbers.
    pub definition: &'static str,
    /// When it is undefined; empty if never.
    pub null_when: &'static str,
    value: fn(&Inputs) -> Option<f64>,
}

/// Metrics that need `pow` and are left out of digests.
pub const OUTSIDE_DIGEST: [&str; 2] = ["cagr_pct", "calmar_ratio"];

const fn metric(
    name: &'static str,
    unit: &'static str,
    definition: &'static str,
    null_when: &'static str,
    value: fn(&Inputs) -> Option<f64>,
) -> Metric {
    Metric { name, unit, definition, null_when, value }
}

/// All metrics.
#[rustfmt::skip]
pub const CATALOGUE: &[Metric] = &[
    metric("net_profit", "money", "E_n - E_0", "", growth::net_profit),
    metric("net_profit_pessimistic", "money", "net_profit: where stop and target were hit on one bar, the stop is booked", "in a standalone portfolio", growth::net_profit),
    metric("net_profit_optimistic", "money", "net_profit + what ambiguous exits would have earned at their targets instead", "in a standalone portfolio", growth::net_profit_optimistic),
    metric("total_return_pct", "%", "100*(E_n - E_0)/E_0", "", growth::total_return_pct),
    metric("span_years", "years", "(close_n - label_1) in years of 365.25 days", "", growth::span_years),
    metric("cagr_pct", "%", "100*(pow(E_n/E_0, 1/span_years) - 1)", "E_n <= 0 or not finite", growth::cagr_pct),
    metric("max_drawdown", "money", "max_k (H_k - E_k)", "", risk::max_drawdown),
    metric("max_drawdown_pct", "%", "max_k 100*(H_k - E_k)/H_k, of the running peak", "", risk::max_drawdown_pct),
    metric("drawdown_duration", "days", "longest stretch below a peak: from the label of the last sample at the peak to that of the first sample at or above it, or of the last sample", "", risk::drawdown_duration),
    metric("drawdown_duration_bars", "bars", "the longest stretch below a peak in samples", "", risk::drawdown_duration_bars),
    metric("sharpe_ratio", "ratio", "(mean(r) - f)/sd_1(r)*sqrt(P) of daily returns", "fewer than 2 days, or deviation 0", returns::sharpe_ratio),
    metric("sortino_ratio", "ratio", "(mean(r) - f)/sqrt(mean(min(r - f, 0)^2))*sqrt(P) over all days", "fewer than 2 days, or denominator 0", returns::sortino_ratio),
    metric("calmar_ratio", "ratio", "cagr_pct/max_drawdown_pct", "cagr_pct is null, or drawdown 0", growth::calmar_ratio),
    metric("ulcer_index", "%", "sqrt(mean_j (100*(K_j - D_j)/K_j)^2), K_j = max(D_0 ... D_j), j = 1 ... m", "no day", returns::ulcer_index),
    metric("n_days", "count", "m, trading days with bars", "", returns::n_days),
    metric("daily_return_skew", "ratio", "m3/(m2*sqrt(m2)), population moments of daily returns", "fewer than 3 days, or m2 <= 1e-30", returns::daily_return_skew),
    metric("daily_return_kurtosis", "ratio", "m4/m2^2, population moments of daily returns (3 for a normal distribution)", "fewer than 3 days, or m2 <= 1e-30", returns::daily_return_kurtosis),
    metric("periods_per_year", "ratio", "P: 365 continuous, 252 business-day, divided for bars longer than a day", "", returns::periods_per_year),
    metric("total_trades", "count", "T, closed positions; partial exits count to theirs", "", trades::total_trades),
    metric("wins", "count", "trades with net > 0", "", trades::wins),
    metric("losses", "count", "trades with net < 0", "", trades::losses),
    metric("win_rate_pct", "%", "100*wins/T", "no trades", trades::win_rate_pct),
    metric("profit_factor", "ratio", "sum of positive net / -(sum of negative net)", "no losing trade", trades::profit_factor),
    metric("expectancy", "money", "mean(net)", "no trades", trades::expectancy),
    metric("avg_win", "money", "mean of positive net", "no winning trade", trades::avg_win),
    metric("avg_loss", "money", "mean of negative net (< 0)", "no losing trade", trades::avg_loss),
    metric("payoff_ratio", "ratio", "avg_win/-avg_loss", "either is null", trades::payoff_ratio),
    metric("avg_r_multiple", "R", "mean(R), before commission", "no trades", trades::avg_r_multiple),
    metric("avg_net_r", "R", "mean(N), N = net / money at risk", "no trades", trades::avg_net_r),
    metric("t_stat_r", "ratio", "sqrt(T)*mean(N)/sd_1(N)", "fewer than 2 trades, or deviation 0", trades::t_stat_r),
    metric("sqn", "ratio", "sqrt(min(T, 100))*mean(N)/sd_1(N)", "fewer than 2 trades, or deviation 0", trades::sqn),
    metric("sharpe_trade", "ratio", "mean(R)/sd_1(R)", "fewer than 2 trades, or deviation 0", trades::sharpe_trade),
    metric("sortino_trade", "ratio", "mean(R)/sqrt(mean(min(R, 0)^2)) over all trades", "fewer than 2 trades, or denominator 0", trades::sortino_trade),
    metric("longest_losing_streak", "count", "longest run of consecutive net < 0", "", trades::longest_losing_streak),
    metric("recovery_factor", "ratio", "net_profit/max_drawdown", "drawdown 0", growth::recovery_factor),
    metric("exposure_pct", "%", "100*(traded bars with an open position after the fills of their open)/n", "in a standalone portfolio", risk::exposure_pct),
    metric("total_fees", "money", "all fees", "", trades::total_fees),
    metric("total_lots", "lots", "sum of the lots filled at entries", "", trades::total_lots),
    metric("turnover", "money", "sum over all fills, entry and exit, of (lots*contract_size)*price in account currency", "", trades::turnover),
    metric("trades_per_day", "ratio", "T/m", "no day", trades::trades_per_day),
    metric("active_days", "count", "distinct UTC dates of entries and exits, of partial exits too", "", trades::active_days),
    metric("ambiguous_trades", "count", "trades whose exit bar held stop and target", "", trades::ambiguous_trades),
    metric("rejected_signals", "count", "signals and orders rejected, of every reason", "in a standalone portfolio", trades::rejected_signals),
];

/// The values in catalogue order; a value that is not finite is undefined.
pub fn compute(inputs: &Inputs) -> Vec<Option<f64>> {
    CATALOGUE.iter().map(|m| (m.value)(inputs).filter(|v| v.is_finite())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::TradeStats;
    use crate::portfolio::{EquityTracker, Sample};

    const DAY: i64 = 86_400_000_000;

    /// Samples, one a day, on an account of 1,000.
    fn inputs(samples: &[f64], trades: TradeStats) -> Inputs {
        let mut tracker = EquityTracker::new(1000.0, DAY, (1..=samples.len()).collect(), false);
        for (k, &equity) in samples.iter().enumerate() {
            tracker.sample(Sample { time: (k as i64 + 1) * DAY, equity, balance: equity });
        }
        let mut inputs = Inputs {
            initial: 1000.0,
            equity: tracker.last().equity,
            drawdowns: tracker.drawdowns(),
            daily: Vec::new(),
            returns: Vec::new(),
            mean_return: None,
            periods_per_year: 252.0,
            risk_free: 0.0,
            span_years: 2.0,
            trades,
            optimistic_extra: 0.0,
            exposed_bars: 0,
            bars: samples.len(),
            total_fees: 0.0,
            total_lots: 0.0,
            turnover: 0.0,
            rejected: 0,
        };
        inputs.set_daily(tracker.daily().to_vec());
        inputs
    }

    fn value(inputs: &Inputs, name: &str) -> Option<f64> {
        let at = CATALOGUE.iter().position(|m| m.name == name).expect("a metric of the catalogue");
        compute(inputs)[at]
    }

    fn assert_values(inputs: &Inputs, expected: &[(&str, f64)]) {
        for (name, want) in expected {
            let got = value(inputs, name).unwrap_or(f64::NAN);
            assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{name}: {got} is not {want}");
        }
    }

    #[test]
    fn documented_daily_series() {
        assert_values(
            &inputs(&[1010.0, 990.0, 1005.0, 1020.0], TradeStats::default()),
            &[
                ("sharpe_ratio", 4.803_799_215_024_76),
                ("sortino_ratio", 8.126_818_245_243_658),
                ("ulcer_index", 1.020_570_699_410_312),
                ("max_drawdown", 20.0),
                ("max_drawdown_pct", 1.980_198_019_801_98),
                ("drawdown_duration", 3.0),
                ("drawdown_duration_bars", 3.0),
                ("recovery_factor", 1.0),
                ("daily_return_skew", -1.087_788_506_508_282),
                ("daily_return_kurtosis", 2.275_281_580_294_345),
            ],
        );
        let mut continuous = inputs(&[1010.0, 990.0, 1005.0, 1020.0], TradeStats::default());
        continuous.periods_per_year = 365.0;
        assert_values(&continuous, &[("sharpe_ratio", 5.781_373_250_207_268)]);
        assert_values(&inputs(&[1210.0], TradeStats::default()), &[("cagr_pct", 10.0)]);
    }

    #[test]
    fn documented_trades() {
        let net = vec![100.0, -50.0, 0.0, -25.0, -30.0, 80.0];
        let net_r: Vec<f64> = net.iter().map(|n| n / 100.0).collect();
        let stats = TradeStats { net, r: net_r.clone(), net_r, ..TradeStats::default() };
        assert_values(
            &inputs(&[1075.0], stats),
            &[
                ("profit_factor", 12.0 / 7.0),
                ("win_rate_pct", 100.0 / 3.0),
                ("avg_win", 90.0),
                ("avg_loss", -35.0),
                ("payoff_ratio", 18.0 / 7.0),
                ("expectancy", 12.5),
                ("longest_losing_streak", 2.0),
                ("t_stat_r", 0.490_447_557_775_056_7),
                ("sqn", 0.490_447_557_775_056_7),
            ],
        );
    }

    #[test]
    fn growth_and_returns_in_closed_form() {
        let mut x = inputs(&[1100.0, 990.0, 1210.0], TradeStats::default());
        let (mean, days): (f64, f64) = (2.0 / 27.0, 3.0);
        let squares = (0.1 - mean).powi(2) + (-0.1 - mean).powi(2) + (2.0 / 9.0 - mean).powi(2);
        assert_values(
            &x,
            &[
                ("net_profit", 210.0),
                ("net_profit_pessimistic", 210.0),
                ("net_profit_optimistic", 210.0),
                ("total_return_pct", 21.0),
                ("span_years", 2.0),
                ("cagr_pct", 10.0),
                ("max_drawdown", 110.0),
                ("max_drawdown_pct", 10.0),
                ("calmar_ratio", 1.0),
                ("recovery_factor", 21.0 / 11.0),
                ("ulcer_index", (100.0 / days).sqrt()),
                ("n_days", days),
                ("periods_per_year", 252.0),
                ("sharpe_ratio", mean / (squares / 2.0).sqrt() * 252.0_f64.sqrt()),
                ("sortino_ratio", mean / (0.01 / days).sqrt() * 252.0_f64.sqrt()),
            ],
        );
        (x.risk_free, x.periods_per_year, x.optimistic_extra) = (0.1, 365.0, 40.0);
        assert_values(
            &x,
            &[
                ("net_profit_optimistic", 250.0),
                ("sharpe_ratio", (mean - 0.1) / (squares / 2.0).sqrt() * 365.0_f64.sqrt()),
                ("sortino_ratio", (mean - 0.1) / (0.04 / days).sqrt() * 365.0_f64.sqrt()),
            ],
        );
    }

    #[test]
    fn trades_and_activity_in_closed_form() {
        let r = vec![1.5, -1.5, 1.5];
        let net = vec![140.0, -160.0, 140.0];
        let net_r = vec![1.4, -1.6, 1.4];
        let stats = TradeStats { net, r, net_r, active_days: 5, ambiguous: 1 };
        let mut x = inputs(&[1100.0, 1120.0], stats);
        (x.exposed_bars, x.total_fees, x.total_lots, x.turnover, x.rejected) = (1, 30.0, 0.6, 66e3, 7);
        assert_values(
            &x,
            &[
                ("total_trades", 3.0),
                ("wins", 2.0),
                ("losses", 1.0),
                ("avg_r_multiple", 0.5),
                ("avg_net_r", 0.4),
                ("sharpe_trade", 0.288_675_134_595),
                ("sortino_trade", 0.577_350_269_190),
                ("t_stat_r", 0.4 / 3.0_f64.sqrt() * 3.0_f64.sqrt()),
                ("exposure_pct", 50.0),
                ("total_fees", 30.0),
                ("total_lots", 0.6),
                ("turnover", 66e3),
                ("trades_per_day", 1.5),
                ("active_days", 5.0),
                ("ambiguous_trades", 1.0),
                ("rejected_signals", 7.0),
            ],
        );
    }

    #[test]
    fn the_quality_number_counts_at_most_a_hundred_trades() {
        let net_r: Vec<f64> = (0..400).map(|k| if k % 2 == 0 { 3.0 } else { -1.0 }).collect();
        let stats = TradeStats { net: net_r.clone(), r: net_r.clone(), net_r, ..TradeStats::default() };
        let deviation = (4.0 * 400.0 / 399.0_f64).sqrt();
        let x = inputs(&[1001.0], stats);
        assert_values(&x, &[("t_stat_r", 20.0 / deviation), ("sqn", 10.0 / deviation)]);
    }

    /// With nothing traded, every metric that can be undefined is, save growth, which a lost account undefines.
    #[test]
    fn what_can_be_undefined_is_null_and_the_rest_a_number() {
        let nothing = inputs(&[], TradeStats::default());
        let lost = inputs(&[-1.0], TradeStats::default());
        for metric in CATALOGUE {
            let always = metric.null_when.is_empty() || metric.null_when == "in a standalone portfolio";
            if metric.name == "exposure_pct" {
                continue; // without a bar it is no number; a backtest has one
            }
            let x = if metric.name == "cagr_pct" { &lost } else { &nothing };
            assert_eq!(value(x, metric.name).is_some(), always, "{}", metric.name);
        }
        assert_eq!(value(&lost, "calmar_ratio"), None);
        let flat =
            TradeStats { net: vec![5.0; 3], r: vec![1.0; 3], net_r: vec![1.0; 3], ..TradeStats::default() };
        let flat = inputs(&[1000.0, 1000.0, 1000.0], flat);
        for name in [
            "sharpe_ratio",
            "sortino_ratio",
            "daily_return_skew",
            "daily_return_kurtosis",
            "t_stat_r",
            "sqn",
            "sharpe_trade",
            "sortino_trade",
            "profit_factor",
            "avg_loss",
            "payoff_ratio",
            "recovery_factor",
        ] {
            assert_eq!(value(&flat, name), None, "{name}: a deviation or a loss of 0");
        }
        assert_values(&flat, &[("avg_win", 5.0), ("win_rate_pct", 100.0), ("expectancy", 5.0)]);
    }

    #[test]
    fn undefined_is_null_and_counts_of_nothing_are_zero() {
        let nothing = inputs(&[1000.0, 1000.0], TradeStats::default());
        for name in
            ["sharpe_ratio", "profit_factor", "win_rate_pct", "expectancy", "calmar_ratio", "t_stat_r"]
        {
            assert_eq!(value(&nothing, name), None, "{name}");
        }
        assert_eq!(value(&nothing, "net_profit"), Some(0.0));
        assert_eq!(value(&nothing, "total_trades"), Some(0.0));
    }

    #[test]
    fn every_metric_is_defined_in_words() {
        assert!(CATALOGUE.iter().all(|m| !m.unit.is_empty() && !m.definition.is_empty()));
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = CATALOGUE.iter().map(|m| m.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CATALOGUE.len());
    }
}
