//! Metrics of the daily returns.

use super::inputs::Inputs;
use super::moments::{central_moments, deviation, downside};

pub fn sharpe_ratio(x: &Inputs) -> Option<f64> {
    let mean = x.mean_return?;
    let sd = deviation(&x.returns, mean)?;
    Some((mean - x.risk_free) / sd * x.periods_per_year.sqrt())
}

pub fn sortino_ratio(x: &Inputs) -> Option<f64> {
    let mean = x.mean_return.filter(|_| x.returns.len() >= 2)?;
    let below = downside(&x.returns, x.risk_free)?;
    Some((mean - x.risk_free) / below * x.periods_per_year.sqrt())
}

#[allow(clippy::cast_precision_loss)]
pub fn ulcer_index(x: &Inputs) -> Option<f64> {
    let mut peak = x.initial;
    let mut squares = 0.0;
    for &d in &x.daily {
        peak = peak.max(d);
        let below = 100.0 * (peak - d) / peak;
        squares += below * below;
    }
    (!x.daily.is_empty()).then(|| (squares / x.daily.len() as f64).sqrt())
}

#[allow(clippy::cast_precision_loss)]
pub fn n_days(x: &Inputs) -> Option<f64> {
    Some(x.daily.len() as f64)
}

fn moments(x: &Inputs) -> Option<(f64, f64, f64)> {
    let mean = x.mean_return.filter(|_| x.returns.len() >= 3)?;
    Some(central_moments(&x.returns, mean)).filter(|(m2, _, _)| *m2 > 1e-30)
}

pub fn daily_return_skew(x: &Inputs) -> Option<f64> {
    moments(x).map(|(m2, m3, _)| m3 / (m2 * m2.sqrt()))
}

pub fn daily_return_kurtosis(x: &Inputs) -> Option<f64> {
    moments(x).map(|(m2, _, m4)| m4 / (m2 * m2))
}

pub fn periods_per_year(x: &Inputs) -> Option<f64> {
    Some(x.periods_per_year)
}
