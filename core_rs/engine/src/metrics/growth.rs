//! Profit and growth.

use super::inputs::Inputs;

pub fn net_profit(x: &Inputs) -> Option<f64> {
    Some(x.equity - x.initial)
}

pub fn net_profit_optimistic(x: &Inputs) -> Option<f64> {
    Some((x.equity - x.initial) + x.optimistic_extra)
}

pub fn total_return_pct(x: &Inputs) -> Option<f64> {
    Some(100.0 * (x.equity - x.initial) / x.initial)
}

pub fn span_years(x: &Inputs) -> Option<f64> {
    Some(x.span_years)
}

pub fn cagr_pct(x: &Inputs) -> Option<f64> {
    if x.equity <= 0.0 || x.span_years <= 0.0 {
        return None;
    }
    // libm: the same bits on every machine.
    let growth = 100.0 * (libm::pow(x.equity / x.initial, 1.0 / x.span_years) - 1.0);
    growth.is_finite().then_some(growth)
}

pub fn calmar_ratio(x: &Inputs) -> Option<f64> {
    let growth = cagr_pct(x)?;
    (x.drawdowns.percent > 0.0).then(|| growth / x.drawdowns.percent)
}

pub fn recovery_factor(x: &Inputs) -> Option<f64> {
    (x.drawdowns.money > 0.0).then(|| (x.equity - x.initial) / x.drawdowns.money)
}
