//! Metrics of the closed trades.

use super::inputs::Inputs;
use super::moments::{deviation, downside, mean};

#[allow(clippy::cast_precision_loss)]
fn count(n: usize) -> f64 {
    n as f64
}

fn wins_of(x: &Inputs) -> usize {
    x.trades.net.iter().filter(|n| **n > 0.0).count()
}

fn losses_of(x: &Inputs) -> usize {
    x.trades.net.iter().filter(|n| **n < 0.0).count()
}

fn total(x: &Inputs, keep: impl Fn(f64) -> bool) -> f64 {
    // Zeros change no sum, and cost less than a branch that takes either way.
    x.trades.net.iter().fold(0.0, |sum, &n| sum + if keep(n) { n } else { 0.0 })
}

pub fn total_trades(x: &Inputs) -> Option<f64> {
    Some(count(x.trades.len()))
}

pub fn wins(x: &Inputs) -> Option<f64> {
    Some(count(wins_of(x)))
}

pub fn losses(x: &Inputs) -> Option<f64> {
    Some(count(losses_of(x)))
}

pub fn win_rate_pct(x: &Inputs) -> Option<f64> {
    (!x.trades.is_empty()).then(|| 100.0 * count(wins_of(x)) / count(x.trades.len()))
}

pub fn profit_factor(x: &Inputs) -> Option<f64> {
    (losses_of(x) > 0).then(|| total(x, |n| n > 0.0) / -total(x, |n| n < 0.0))
}

pub fn expectancy(x: &Inputs) -> Option<f64> {
    mean(&x.trades.net)
}

pub fn avg_win(x: &Inputs) -> Option<f64> {
    let n = wins_of(x);
    (n > 0).then(|| total(x, |n| n > 0.0) / count(n))
}

pub fn avg_loss(x: &Inputs) -> Option<f64> {
    let n = losses_of(x);
    (n > 0).then(|| total(x, |n| n < 0.0) / count(n))
}

pub fn payoff_ratio(x: &Inputs) -> Option<f64> {
    Some(avg_win(x)? / -avg_loss(x)?)
}

pub fn avg_r_multiple(x: &Inputs) -> Option<f64> {
    mean(&x.trades.r)
}

pub fn avg_net_r(x: &Inputs) -> Option<f64> {
    mean(&x.trades.net_r)
}

fn scaled_t(x: &Inputs, n: usize) -> Option<f64> {
    let mean = mean(&x.trades.net_r)?;
    let sd = deviation(&x.trades.net_r, mean)?;
    Some(count(n).sqrt() * mean / sd)
}

pub fn t_stat_r(x: &Inputs) -> Option<f64> {
    scaled_t(x, x.trades.len())
}

pub fn sqn(x: &Inputs) -> Option<f64> {
    scaled_t(x, x.trades.len().min(100))
}

pub fn sharpe_trade(x: &Inputs) -> Option<f64> {
    let mean = mean(&x.trades.r)?;
    Some(mean / deviation(&x.trades.r, mean)?)
}

pub fn sortino_trade(x: &Inputs) -> Option<f64> {
    let mean = mean(&x.trades.r).filter(|_| x.trades.len() >= 2)?;
    Some(mean / downside(&x.trades.r, 0.0)?)
}

pub fn longest_losing_streak(x: &Inputs) -> Option<f64> {
    let (mut run, mut longest) = (0usize, 0usize);
    for &n in &x.trades.net {
        run = if n < 0.0 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    Some(count(longest))
}

pub fn total_fees(x: &Inputs) -> Option<f64> {
    Some(x.total_fees)
}

pub fn total_lots(x: &Inputs) -> Option<f64> {
    Some(x.total_lots)
}

pub fn turnover(x: &Inputs) -> Option<f64> {
    Some(x.turnover)
}

pub fn trades_per_day(x: &Inputs) -> Option<f64> {
    (!x.daily.is_empty()).then(|| count(x.trades.len()) / count(x.daily.len()))
}

pub fn active_days(x: &Inputs) -> Option<f64> {
    Some(count(x.trades.active_days))
}

pub fn ambiguous_trades(x: &Inputs) -> Option<f64> {
    Some(count(x.trades.ambiguous))
}

#[allow(clippy::cast_precision_loss)]
pub fn rejected_signals(x: &Inputs) -> Option<f64> {
    Some(x.rejected as f64)
}
