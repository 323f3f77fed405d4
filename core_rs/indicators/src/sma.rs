//! Simple moving average, exact on the tick grid.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::scope::{Entry, Key, Scope, Series};
use crate::tick_grid::{OFF_GRID, TickRatio};
use crate::window::{self, undefined};

/// y = MEAN_period(close). First value: index period − 1.
pub fn sma(close: &[f64], period: usize) -> Vec<f64> {
    window::mean(close, period)
}

/// y = MEAN_period(close), computed as (M·Σt)/(w·N) wherever all prices of the window are on the tick grid.
///
/// `ticks` are the closes' tick counts from [`crate::tick_grid::on_grid_ticks`]. Two such averages compare exactly like
/// the rationals they stand for, so a crossing never depends on rounding. Other windows use [`sma`].
///
/// # Panics
/// If `period` is 0 or `ticks` is not as long as `close`.
#[allow(clippy::cast_precision_loss)]
pub fn sma_on_grid(close: &[f64], ticks: &[i64], tick: TickRatio, period: usize) -> Vec<f64> {
    assert_eq!(close.len(), ticks.len(), "one tick count per close");
    let scale = period as f64 * tick.n;
    if ticks.iter().fold(true, |all, t| all & (*t != OFF_GRID)) {
        let mut y = undefined(period - 1, close.len());
        let (seed, rest) = ticks.split_at((period - 1).min(ticks.len()));
        let mut sum: i64 = seed.iter().sum();
        // The first window has nothing to drop.
        let dropped = [0].iter().chain(ticks);
        let mut sums = rest.iter().zip(dropped).map(|(new, old)| {
            sum += new - old;
            sum
        });
        // The divisions of some sums run at the same time.
        let mut some = [0; 64];
        while y.len() < ticks.len() {
            let len = some.len().min(ticks.len() - y.len());
            some[..len].iter_mut().zip(&mut sums).for_each(|(place, sum)| *place = sum);
            y.extend(some[..len].iter().map(|sum| (tick.m * *sum as f64) / scale));
        }
        return y;
    }
    let mut y = sma(close, period);
    let (mut sum, mut misses) = (0i64, 0usize);
    for i in 0..ticks.len() {
        if ticks[i] == OFF_GRID {
            misses += 1
        } else {
            sum += ticks[i]
        }
        if i >= period {
            let old = ticks[i - period];
            if old == OFF_GRID { misses -= 1 } else { sum -= old }
        }
        if i + 1 >= period && misses == 0 {
            y[i] = (tick.m * sum as f64) / scale;
        }
    }
    y
}

/// Simple moving average of the closes, exact on the tick grid.
#[derive(Debug, Clone, Copy)]
pub struct Sma {
    /// Bars.
    pub period: usize,
}

/// The declaration of `sma`.
pub static SMA: Declaration = Declaration {
    id: "sma",
    version: 1,
    title: "simple moving average",
    parameters: &[Parameter::bars("period", "bars in the window")],
    outputs: &["sma"],
    first: "period - 1",
    formula: "MEAN_period(C), exact on the tick grid",
    source: "TA-Lib SMA",
};

impl Entry for Sma {
    fn key(&self) -> Key {
        Key::of(&SMA, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        let mean = match scope.grid() {
            Some((tick, ticks)) => sma_on_grid(scope.bars.close, ticks, tick, self.period),
            None => sma(scope.bars.close, self.period),
        };
        vec![mean.into()]
    }
}

impl Indicator for Sma {
    fn declaration() -> &'static Declaration {
        &SMA
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::tick_grid::on_grid_ticks;
    use proptest::prelude::*;

    const TICK: TickRatio = TickRatio { m: 1.0, n: 100_000.0 };

    #[test]
    fn worked_tables() {
        let expected = [
            N, N, 10.6666667, 11.0, 10.9, 10.8, 11.3333333, 11.9666667, 12.7, 12.9666667, 13.1666667,
            13.3666667,
        ];
        assert_row(&sma(&CLOSE, 3), &expected);
        let tenth = TickRatio { m: 1.0, n: 10.0 };
        assert_row(&sma_on_grid(&CLOSE, &on_grid_ticks(&CLOSE, tenth), tenth, 3), &expected);
        let holes = with_holes(&CLOSE);
        assert_row(
            &sma_on_grid(&holes, &on_grid_ticks(&holes, tenth), tenth, 3),
            &[N, N, N, 11.0, 10.9, N, N, N, 12.7, 12.9666667, 13.1666667, 13.3666667],
        );
    }

    proptest! {
        #[test]
        fn on_grid_averages_compare_like_rationals(
            ticks in proptest::collection::vec(110_000i64..110_012, 40..120), fast in 1usize..10, slow in 10usize..30,
        ) {
            let close: Vec<f64> = ticks.iter().map(|t| *t as f64 / 100_000.0).collect();
            let grid = on_grid_ticks(&close, TICK);
            prop_assert_eq!(&grid, &ticks);
            let (a, b) = (sma_on_grid(&close, &grid, TICK, fast), sma_on_grid(&close, &grid, TICK, slow));
            for i in slow..close.len() {
                let sum = |w: usize| ticks[i + 1 - w..=i].iter().sum::<i64>();
                let exact = (sum(fast) * slow as i64).cmp(&(sum(slow) * fast as i64));
                prop_assert_eq!(a[i].partial_cmp(&b[i]), Some(exact));
            }
        }
    }
}
