//! Prices as whole numbers of ticks, so that averages of on-grid prices are exact.

/// Marks a price that does not lie on the tick grid.
pub const OFF_GRID: i64 = i64::MIN;

/// A tick size M/N in lowest terms, both exact in binary64.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TickRatio {
    /// Numerator M.
    pub m: f64,
    /// Denominator N.
    pub n: f64,
}

/// Number of ticks of every price, [`OFF_GRID`] where the price is not the double nearest to a multiple of the tick.
///
/// ```
/// use sweep_indicators::tick_grid::{on_grid_ticks, TickRatio, OFF_GRID};
/// let ticks = on_grid_ticks(&[1.10001, 1.100005], TickRatio { m: 1.0, n: 100_000.0 });
/// assert_eq!(ticks, [110_001, OFF_GRID]);
/// ```
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn on_grid_ticks(prices: &[f64], tick: TickRatio) -> Vec<i64> {
    prices
        .iter()
        .map(|&x| {
            let t = ((x * tick.n) / tick.m).round_ties_even();
            let exact = t.abs() < 9_007_199_254_740_992.0 && (t * tick.m) / tick.n == x;
            if exact { t as i64 } else { OFF_GRID }
        })
        .collect()
}
