//! Prices as whole numbers of ticks, so that averages of on-grid prices are exact.

use crate::scope::Series;

/// Marks a price that does not lie on the tick grid.
pub const OFF_GRID: i64 = i64::MIN;

/// Below it, a float holds every integer.
pub(crate) const EXACT: f64 = 9_007_199_254_740_992.0;

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
            let exact = t.abs() < EXACT && (t * tick.m) / tick.n == x;
            if exact { t as i64 } else { OFF_GRID }
        })
        .collect()
}

/// The closes of some bars as whole ticks.
#[derive(Debug, Clone)]
pub enum Ticks {
    /// All on the grid: Σ of the ticks before each bar, and at last of all of them. Every sum is exact, so the ticks of any
    /// stretch of bars add up to a difference of two.
    Sums {
        /// One more than bars.
        sums: Series,
        /// The most ticks of a bar, their sign left out.
        most: f64,
    },
    /// The ticks of each bar, [`OFF_GRID`] for some, or too many for exact sums.
    Each(Vec<i64>),
}

impl Ticks {
    /// Of prices on a grid.
    #[allow(clippy::cast_precision_loss)]
    pub fn of(prices: &[f64], tick: TickRatio) -> Self {
        let ticks = on_grid_ticks(prices, tick);
        let most = ticks.iter().fold(0, |most, t| t.unsigned_abs().max(most)) as f64;
        // That of an off-grid price is beyond the bound.
        if most * ticks.len() as f64 >= EXACT {
            return Self::Each(ticks);
        }
        let mut sum = 0.0;
        let after = ticks.iter().map(|t| {
            sum += *t as f64;
            sum
        });
        Self::Sums { sums: [0.0].into_iter().chain(after).collect::<Vec<_>>().into(), most }
    }
}
