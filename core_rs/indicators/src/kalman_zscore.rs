//! Z-score of the close against its Kalman level.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::kalman_mean::{KalmanMean, Q, R};
use crate::scope::{Entry, Key, Scope, Series, bits};
use crate::{guarded_div, window};

/// z = e ⊘ STD_window(e), e = close − level, where `level` is [`crate::kalman_mean::kalman_mean`] of the same closes.
///
/// The current residual is in its own window and the residual is not demeaned. First value: index window − 1.
pub fn kalman_zscore(close: &[f64], level: &[f64], window: usize) -> Vec<f64> {
    residual_zscore(close, level, window)
}

/// (close − mean) divided by its own rolling deviation (ddof 1); a missing close is a missing residual.
pub(crate) fn residual_zscore(close: &[f64], mean: &[f64], window: usize) -> Vec<f64> {
    let mut z: Vec<f64> =
        close.iter().zip(mean).map(|(&c, m)| if c.is_finite() { c - m } else { f64::NAN }).collect();
    let deviation = window::std(&z, window, 1);
    for (e, s) in z.iter_mut().zip(deviation) {
        *e = guarded_div(*e, s);
    }
    z
}

/// Z-score of the closes against their Kalman level.
#[derive(Debug, Clone, Copy)]
pub struct KalmanZscore {
    /// Bars in the window of residuals, at least 2.
    pub window: usize,
    /// The level.
    pub mean: KalmanMean,
}

/// The declaration of `kalman_zscore`.
pub static KALMAN_ZSCORE: Declaration = Declaration {
    id: "kalman_zscore",
    version: 1,
    title: "z-score against the Kalman level",
    parameters: &[Parameter::window(100, "residuals in the deviation"), R, Q],
    outputs: &["z"],
    first: "window - 1",
    formula: "e = C - kalman_mean(r, q); e / STD_window(e)",
    source: "a standardised one-step innovation; see kalman_mean",
};

/// `kalman_zscore` over the bars of a higher timeframe.
pub static KALMAN_ZSCORE_STEPWISE: Declaration = Declaration {
    id: "kalman_zscore_stepwise",
    title: "z-score against the Kalman level of higher bars",
    ..KALMAN_ZSCORE
};

impl Entry for KalmanZscore {
    fn key(&self) -> Key {
        Key::of(&KALMAN_ZSCORE, [bits(self.mean.ratio), self.window as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![kalman_zscore(scope.bars.close, &scope.get(&self.mean), self.window).into()]
    }
}

impl Indicator for KalmanZscore {
    fn declaration() -> &'static Declaration {
        &KALMAN_ZSCORE
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { window: args.bars("window"), mean: KalmanMean::of(args)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::kalman_mean::kalman_mean;

    #[test]
    fn worked_tables() {
        assert_row(
            &kalman_zscore(&CLOSE, &kalman_mean(&CLOSE, 0.1 / 0.5), 4),
            &[
                N,
                N,
                N,
                0.406289992,
                -0.919181684,
                0.769760245,
                1.75002864,
                0.635273264,
                2.60174062,
                2.03181705,
                0.00166764152,
                1.78757692,
            ],
        );
        let holes = with_holes(&CLOSE);
        assert_row(
            &kalman_zscore(&holes, &kalman_mean(&holes, 100.0), 4),
            &[N, N, N, N, -1.02044887, N, N, N, N, 0.0143575262, -0.782118589, 1.30712165],
        );
    }

    #[test]
    fn a_constant_has_no_score() {
        let flat = [0.1; 12];
        assert!(kalman_zscore(&flat, &kalman_mean(&flat, 1.0), 3).iter().all(|z| z.is_nan()));
    }
}
