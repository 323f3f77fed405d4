//! Technical indicators: pure functions, slices in, vectors out.
//!
//! Reading order: [`ewm`], [`wilder`], [`window`] (the operators all indicators are made of), [`declare`] and [`scope`]
//! (what an indicator is called with and reads), one file per indicator, [`catalogue`] (all of them). A value is what is known when its bar has closed; NaN is the only mark of "undefined", no output is
//! infinite. Every sum runs left to right and nothing is fused, so results are the same bits on every machine.

pub mod atr;
pub mod bollinger;
pub mod catalogue;
pub mod choppiness;
pub mod declare;
pub mod dema;
pub mod dmi;
pub mod ema;
pub mod ewm;
pub mod extremes;
pub mod garch;
pub mod garch_local;
pub mod kalman_garch;
pub mod kalman_mean;
pub mod kalman_zscore;
pub mod macd;
pub mod momentum;
pub mod recurrence;
pub mod roc;
pub mod rolling_std;
pub mod rsi;
pub mod scope;
pub mod slots;
pub mod sma;
pub mod tema;
pub mod tick_grid;
pub mod true_range;
pub mod vol_cluster;
pub mod wilder;
pub mod window;
pub mod zscore;

/// `a / b` where that is finite, NaN otherwise; so `x ⊘ 0` is NaN.
#[inline]
pub fn guarded_div(a: f64, b: f64) -> f64 {
    finite_or_nan(a / b)
}

/// Whether all values are finite. Without an early end the test runs several values at a time.
fn all_finite(values: &[f64]) -> bool {
    values.iter().fold(true, |all, x| all & x.is_finite())
}

/// `x`, or NaN if it is infinite.
#[inline]
pub fn finite_or_nan(x: f64) -> f64 {
    // One comparison, which runs several values at a time; a test of the bits takes longer.
    if x.abs() <= f64::MAX { x } else { f64::NAN }
}

/// High, low and close of the bars, equally long. A bar with a value that is not finite is missing as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Hlc<'a> {
    /// Highs.
    pub high: &'a [f64],
    /// Lows.
    pub low: &'a [f64],
    /// Closes.
    pub close: &'a [f64],
}

impl Hlc<'_> {
    /// Number of bars: that of the shortest column.
    pub fn len(&self) -> usize {
        self.high.len().min(self.low.len()).min(self.close.len())
    }

    /// Whether there are no bars.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether bar `i` is there.
    #[inline]
    pub fn present(&self, i: usize) -> bool {
        self.high[i].is_finite() && self.low[i].is_finite() && self.close[i].is_finite()
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! Worked dataset A of the documentation, and B: A with bars 0 and 5 missing.

    pub const HIGH: [f64; 12] = [10.4, 10.8, 11.9, 11.8, 11.1, 11.6, 12.9, 12.8, 13.8, 13.9, 13.5, 14.3];
    pub const LOW: [f64; 12] = [9.6, 9.9, 10.4, 10.7, 9.9, 10.1, 11.1, 11.9, 12.0, 13.0, 12.4, 12.6];
    pub const CLOSE: [f64; 12] = [10.0, 10.5, 11.5, 11.0, 10.2, 11.2, 12.6, 12.1, 13.4, 13.4, 12.7, 14.0];
    pub const N: f64 = f64::NAN;

    pub fn with_holes(column: &[f64]) -> Vec<f64> {
        let mut out = column.to_vec();
        out[0] = N;
        out[5] = N;
        out
    }

    /// Equal to the nine significant digits of the worked tables, NaN positions exact.
    pub fn assert_row(actual: &[f64], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
            let same = if e.is_nan() { a.is_nan() } else { (a - e).abs() <= 1e-8 * e.abs().max(1.0) };
            assert!(same, "index {i}: {a} is not {e}");
        }
    }
}
