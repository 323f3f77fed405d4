//! Drawdowns and exposure.

use super::inputs::Inputs;

/// µs per day.
const DAY: f64 = 86_400_000_000.0;

pub fn max_drawdown(x: &Inputs) -> Option<f64> {
    Some(x.drawdowns.money)
}

pub fn max_drawdown_pct(x: &Inputs) -> Option<f64> {
    Some(x.drawdowns.percent)
}

#[allow(clippy::cast_precision_loss)]
pub fn drawdown_duration(x: &Inputs) -> Option<f64> {
    Some(x.drawdowns.micros as f64 / DAY)
}

#[allow(clippy::cast_precision_loss)]
pub fn drawdown_duration_bars(x: &Inputs) -> Option<f64> {
    Some(x.drawdowns.samples as f64)
}

#[allow(clippy::cast_precision_loss)]
pub fn exposure_pct(x: &Inputs) -> Option<f64> {
    Some(100.0 * x.exposed_bars as f64 / x.bars as f64)
}
