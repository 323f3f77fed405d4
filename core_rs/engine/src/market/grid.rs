//! Prices on the tick grid, as exact integers.

use crate::whole;

/// A tick size as the fraction M/N in lowest terms, and the grid of its multiples.
///
/// ```
/// use sweep_engine::market::TickGrid;
///
/// let grid = TickGrid::new(1, 100_000);
/// assert_eq!(grid.ticks(1.095), 109_500);
/// assert_eq!(grid.round_half_away(1.234_567_8), 1.23457);
/// assert!(grid.on_grid(1.1) && !grid.on_grid(1.1 + 1e-9));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TickGrid {
    m: f64,
    n: f64,
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
impl TickGrid {
    /// The grid of the tick `m`/`n`, both positive and below 2⁵³.
    pub fn new(m: i64, n: i64) -> Self {
        Self { m: m as f64, n: n as f64 }
    }

    /// Numerator and denominator.
    pub fn ratio(&self) -> (f64, f64) {
        (self.m, self.n)
    }

    /// floor((p·N)/M + 0.5).
    pub fn ticks(&self, p: f64) -> i64 {
        (self.in_ticks(p) + 0.5).floor() as i64
    }

    /// (t·M)/N: the double nearest to the decimal price of `t` ticks.
    pub fn price(&self, t: i64) -> f64 {
        self.of_ticks(t as f64)
    }

    /// The nearest price on the grid, halves away from zero.
    #[inline]
    pub fn round_half_away(&self, x: f64) -> f64 {
        self.of_ticks(whole::nearest_away(self.in_ticks(x)))
    }

    /// Whether `x` is exactly the price of a whole number of ticks.
    pub fn on_grid(&self, x: f64) -> bool {
        x == self.round_half_away(x)
    }

    /// (x·N)/M.
    #[inline]
    fn in_ticks(&self, x: f64) -> f64 {
        let scaled = x * self.n;
        // Mostly a tick is one of its decimals, and a division by one takes as long as any other.
        if self.m == 1.0 { scaled } else { scaled / self.m }
    }

    /// (t·M)/N of a whole number.
    #[inline]
    fn of_ticks(&self, t: f64) -> f64 {
        (t * self.m) / self.n
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1, 100_000, 1.096_249_6, 1.096_25)]
    #[case(1, 2, 0.25, 0.5)]
    #[case(1, 2, -0.25, -0.5)]
    #[case(5, 2, 6.3, 7.5)]
    #[case(5, 2, 6.2, 5.0)]
    #[case(1, 4, 1.125, 1.25)]
    fn rounding_goes_to_the_nearest_tick(
        #[case] m: i64,
        #[case] n: i64,
        #[case] x: f64,
        #[case] rounded: f64,
    ) {
        assert_eq!(TickGrid::new(m, n).round_half_away(x), rounded);
    }

    #[test]
    fn what_is_no_number_is_on_no_grid() {
        assert!(!TickGrid::new(1, 100).on_grid(f64::NAN));
        assert!(TickGrid::new(1, 100).on_grid(0.07));
        assert!(!TickGrid::new(1, 10).on_grid(0.07));
    }

    proptest! {
        #[test]
        fn the_price_of_ticks_is_the_parsed_decimal(t in 1_i64..1_000_000_000) {
            let grid = TickGrid::new(1, 100_000);
            let decimal: f64 = format!("{}.{:05}", t / 100_000, t % 100_000).parse().unwrap();
            prop_assert_eq!(grid.price(t), decimal);
            prop_assert_eq!(grid.ticks(decimal), t);
            prop_assert!(grid.on_grid(decimal));
            prop_assert_eq!(grid.round_half_away(decimal), decimal);
        }

        #[test]
        fn rounding_moves_by_half_a_tick_at_most(x in 0.001_f64..1e6) {
            let grid = TickGrid::new(5, 2);
            let rounded = grid.round_half_away(x);
            prop_assert!(grid.on_grid(rounded));
            prop_assert!((rounded - x).abs() <= 1.25);
        }
    }
}
