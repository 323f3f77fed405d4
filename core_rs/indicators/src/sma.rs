//! Simple moving average, exact on the tick grid.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::scope::{Entry, Key, Scope, Series};
use crate::tick_grid::{EXACT, OFF_GRID, TickRatio, Ticks};
use crate::window::{self, undefined};
use std::ops::Range;

/// y = MEAN_period(close). First value: index period − 1.
pub fn sma(close: &[f64], period: usize) -> Vec<f64> {
    window::mean(close, period)
}

/// y = MEAN_period(close), computed as (M·Σt)/(w·N) wherever all prices of the window are on the tick grid.
///
/// `ticks` are those of the closes. Two such averages compare exactly like the rationals they stand for, so a crossing
/// never depends on rounding. Other windows use [`sma`].
///
/// # Panics
/// If `period` is 0 or `ticks` are not those of as many closes.
#[allow(clippy::cast_precision_loss)]
pub fn sma_on_grid(close: &[f64], ticks: &Ticks, tick: TickRatio, period: usize) -> Vec<f64> {
    let mean = |sum: f64| (tick.m * sum) / (period as f64 * tick.n);
    match ticks {
        Ticks::Sums { sums, .. } => {
            assert_eq!(close.len() + 1, sums.len(), "a sum before and after each close");
            let mut y = undefined(period - 1, close.len());
            let (before, after) = (&sums[..], sums.get(period..).unwrap_or_default());
            y.extend(after.iter().zip(before).map(|(after, before)| mean(after - before)));
            y
        }
        Ticks::Each(ticks) => with_gaps(close, ticks, period, mean),
    }
}

/// `mean` of the sums of ticks; windows with an off-grid price use [`sma`].
#[allow(clippy::cast_precision_loss)]
fn with_gaps(close: &[f64], ticks: &[i64], period: usize, mean: impl Fn(f64) -> f64) -> Vec<f64> {
    assert_eq!(close.len(), ticks.len(), "one tick count per close");
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
            y[i] = mean(sum as f64);
        }
    }
    y
}

/// Which of two averages on the tick grid is higher, without their values.
///
/// Where mean and mean are M·S₁/(w₁·N) and M·S₂/(w₂·N), each rounded once, their difference has the sign of w₂·S₁ − w₁·S₂,
/// which is computed without rounding: unequal fractions are 1/(w₂·S₁) or more of the larger one apart, too much to be
/// rounded to one number, as long as w₂·S₁ is below 2⁵¹.
#[derive(Debug, Clone)]
pub struct Lead {
    sums: Series,
    fast: usize,
    slow: usize,
}

impl Lead {
    /// Of the averages of the closes over `fast` and `slow` bars, both at least 1; `None` unless their difference surely has
    /// that sign on all bars.
    #[allow(clippy::cast_precision_loss)]
    pub fn of(scope: &Scope<'_>, fast: usize, slow: usize) -> Option<Self> {
        let (tick, ticks) = scope.grid()?;
        let Ticks::Sums { sums, most } = ticks else { return None };
        let longer = fast.max(slow) as f64;
        let exact = (most * fast as f64) * slow as f64 <= EXACT / 4.0
            && (most * longer) * tick.m <= EXACT
            && longer * tick.n <= EXACT;
        exact.then(|| Self { sums: sums.clone(), fast, slow })
    }

    /// A number with the sign of fast − slow, from the sums up to a bar and those that end before each window.
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    fn number(&self, to: f64, before_fast: f64, before_slow: f64) -> f64 {
        self.slow as f64 * (to - before_fast) - self.fast as f64 * (to - before_slow)
    }

    /// A number with the sign of fast − slow at bar `i`; NaN where one of them is undefined.
    ///
    /// # Panics
    /// If there is no bar `i`.
    #[inline]
    pub fn at(&self, i: usize) -> f64 {
        let after = i + 1;
        if after < self.fast.max(self.slow) {
            return f64::NAN;
        }
        self.number(self.sums[after], self.sums[after - self.fast], self.sums[after - self.slow])
    }

    /// Those numbers at some bars, written to `y`.
    ///
    /// # Panics
    /// If `y` is not as long as `bars`, or a bar is none of the market.
    #[inline(always)] // into what is compiled for each processor
    pub fn over(&self, bars: Range<usize>, y: &mut [f64]) {
        assert_eq!(bars.len(), y.len(), "one number per bar");
        let known = (self.fast.max(self.slow) - 1).clamp(bars.start, bars.end);
        let (unknown, y) = y.split_at_mut(known - bars.start);
        unknown.fill(f64::NAN);
        if y.is_empty() {
            return;
        }
        let sums = |before: usize| &self.sums[known + 1 - before..][..y.len()];
        let windows = sums(0).iter().zip(sums(self.fast)).zip(sums(self.slow));
        for (y, ((to, fast), slow)) in y.iter_mut().zip(windows) {
            *y = self.number(*to, *fast, *slow);
        }
    }
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
    use crate::scope::{Bars, NoStore, TickCounts};
    use proptest::prelude::*;

    const TICK: TickRatio = TickRatio { m: 1.0, n: 100_000.0 };

    /// Prices of whole ticks.
    fn prices(ticks: &[i64], tick: TickRatio) -> Vec<f64> {
        ticks.iter().map(|t| (*t as f64 * tick.m) / tick.n).collect()
    }

    fn on_grid(close: &[f64], tick: TickRatio, period: usize) -> Vec<f64> {
        sma_on_grid(close, &Ticks::of(close, tick), tick, period)
    }

    fn lead(close: &[f64], tick: TickRatio, fast: usize, slow: usize) -> Option<Lead> {
        let bars = Bars { open: close, high: close, low: close, close };
        Lead::of(&Scope::new(bars, Some(&TickCounts::new(tick)), &NoStore), fast, slow)
    }

    fn same(x: f64, y: f64) -> bool {
        x == y || x.is_nan() && y.is_nan()
    }

    #[test]
    fn worked_tables() {
        let expected = [
            N, N, 10.6666667, 11.0, 10.9, 10.8, 11.3333333, 11.9666667, 12.7, 12.9666667, 13.1666667,
            13.3666667,
        ];
        assert_row(&sma(&CLOSE, 3), &expected);
        let tenth = TickRatio { m: 1.0, n: 10.0 };
        assert_row(&on_grid(&CLOSE, tenth, 3), &expected);
        let holes = with_holes(&CLOSE);
        assert_row(
            &on_grid(&holes, tenth, 3),
            &[N, N, N, 11.0, 10.9, N, N, N, 12.7, 12.9666667, 13.1666667, 13.3666667],
        );
    }

    #[test]
    fn a_lead_is_known_where_sums_are_exact_and_averages_cannot_meet() {
        let ones = TickRatio { m: 1.0, n: 1.0 };
        assert!(lead(&CLOSE, TICK, 2, 3).is_some());
        assert!(lead(&with_holes(&CLOSE), TICK, 2, 3).is_none(), "a price is off the grid");
        assert!(lead(&[EXACT / 16.0], ones, 2, 3).is_none(), "averages might round to one number");
        assert!(lead(&[EXACT / 32.0], ones, 2, 3).is_some());
        assert!(lead(&[EXACT / 2.0; 2], ones, 1, 1).is_none(), "too many ticks for exact sums");
        assert!(lead(&[1.0], TickRatio { m: 1.0, n: EXACT / 2.0 }, 2, 3).is_none());
        assert!(lead(&[], ones, 2, 3).is_some(), "of nothing");
    }

    proptest! {
        #[test]
        fn on_grid_averages_compare_like_rationals(
            ticks in proptest::collection::vec(110_000i64..110_012, 40..120), fast in 1usize..10, slow in 10usize..30,
        ) {
            let close = prices(&ticks, TICK);
            let (a, b) = (on_grid(&close, TICK, fast), on_grid(&close, TICK, slow));
            for i in slow..close.len() {
                let sum = |w: usize| ticks[i + 1 - w..=i].iter().sum::<i64>();
                let exact = (sum(fast) * slow as i64).cmp(&(sum(slow) * fast as i64));
                prop_assert_eq!(a[i].partial_cmp(&b[i]), Some(exact));
            }
        }

        #[test]
        fn sums_of_all_bars_give_the_averages_of_each_bar(
            ticks in proptest::collection::vec(-9i64..1 << 40, 0..60), period in 1usize..70,
        ) {
            let close = prices(&ticks, TICK);
            let mean = |sum: f64| (TICK.m * sum) / (period as f64 * TICK.n);
            let each = with_gaps(&close, &ticks, period, mean);
            let sums = on_grid(&close, TICK, period);
            prop_assert_eq!(each.len(), sums.len());
            prop_assert!(each.iter().zip(&sums).all(|(x, y)| same(*x, *y)), "{:?} {:?}", each, sums);
        }

        #[test]
        fn a_lead_has_the_sign_of_the_difference(
            // Few steps about zero or far from it: ties are frequent.
            level in prop_oneof![Just(0i64), Just(110_000), Just(1 << 45)],
            steps in proptest::collection::vec(-3i64..=3, 0..150),
            (fast, slow) in (1usize..8, 1usize..8),
            (m, n) in prop_oneof![Just((1.0, 100_000.0)), Just((5.0, 2.0)), Just((1.0, 3.0))],
            start in 0usize..150,
        ) {
            let tick = TickRatio { m, n };
            let close = prices(&steps.iter().map(|step| level + step).collect::<Vec<_>>(), tick);
            let (a, b) = (on_grid(&close, tick, fast), on_grid(&close, tick, slow));
            let lead = lead(&close, tick, fast, slow).unwrap();
            let start = start.min(close.len());
            let mut numbers = vec![0.0; close.len() - start];
            lead.over(start..close.len(), &mut numbers);
            for (i, number) in (start..).zip(numbers) {
                prop_assert!(same(number, lead.at(i)));
                prop_assert_eq!(number.partial_cmp(&0.0), (a[i] - b[i]).partial_cmp(&0.0));
            }
        }
    }
}
