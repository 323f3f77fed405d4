//! Local-level Kalman filter on the close.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter, Value};
use crate::finite_or_nan;
use crate::recurrence::average;
use crate::scope::{Entry, Key, Scope, Series, bits};

/// Filtered level of the closes; `ratio` = q/r, process over measurement variance, ≥ 0.
///
/// In units of r the state variance starts at 1. At every later index v ← v + q/r; with a close present
/// K = v/(v + 1), x ← x + K·(C − x), v ← (1 − K)·v. Through a gap x is repeated and v keeps growing.
/// First value: index 0. Source: A. C. Harvey, *Forecasting, Structural Time Series Models and the Kalman Filter* (1989), 4.1.
pub fn kalman_mean(close: &[f64], ratio: f64) -> Vec<f64> {
    let mut filter = Filter::new(ratio);
    let mut out = vec![0.0; close.len()];
    let mut rest = close.iter().enumerate();
    for (i, &c) in rest.by_ref() {
        out[i] = filter.update(c);
        // The gain converges to a fixed point of its recursion; from there on the filter is an exponential average.
        if let (Some(gain), Some(x)) = (filter.settled, filter.x) {
            if average(&close[i + 1..], x, gain, &mut out[i + 1..]) {
                return out;
            }
            break;
        }
    }
    rest.for_each(|(i, &c)| out[i] = filter.update(c));
    out
}

/// Streaming state.
struct Filter {
    x: Option<f64>,
    v: f64,
    /// The gain, once it has converged.
    settled: Option<f64>,
    ratio: f64,
}

impl Filter {
    fn new(ratio: f64) -> Self {
        Self { x: None, v: 1.0, settled: None, ratio }
    }

    #[inline]
    fn update(&mut self, c: f64) -> f64 {
        let Some(x) = self.x else {
            self.x = c.is_finite().then_some(c);
            return self.x.unwrap_or(f64::NAN);
        };
        if !c.is_finite() {
            self.v += self.ratio;
            self.settled = None;
            return finite_or_nan(x);
        }
        let next = x + self.gain() * (c - x);
        self.x = Some(next);
        finite_or_nan(next)
    }

    #[inline]
    fn gain(&mut self) -> f64 {
        if let Some(gain) = self.settled {
            return gain;
        }
        let grown = self.v + self.ratio;
        let gain = grown / (grown + 1.0);
        let next = (1.0 - gain) * grown;
        if next == self.v {
            self.settled = Some(gain);
        }
        self.v = next;
        gain
    }
}

/// The gains of the first `n` updates after the first close, where no close is missing.
pub(crate) fn gains(ratio: f64, n: usize) -> Vec<f64> {
    let mut filter = Filter::new(ratio);
    std::iter::repeat_with(|| filter.gain()).take(n).collect()
}

/// Filtered level of the closes; only q/r matters.
#[derive(Debug, Clone, Copy)]
pub struct KalmanMean {
    /// q/r: process over measurement variance.
    pub ratio: f64,
}

/// The parameter `r`.
pub(crate) const R: Parameter = Parameter::positive("r", 0.01, "measurement variance; only q/r matters");
/// The parameter `q`.
pub(crate) const Q: Parameter = Parameter::not_negative(
    "q",
    Value::Float(1.0),
    "process variance; larger follows the close more closely",
);

/// The declaration of `kalman_mean`.
pub static KALMAN_MEAN: Declaration = Declaration {
    id: "kalman_mean",
    version: 1,
    title: "local level by a Kalman filter",
    parameters: &[R, Q],
    outputs: &["mean"],
    first: "0",
    formula: "v <- v + q/r; K = v/(v + 1); x <- x + K*(C - x); v <- (1 - K)*v",
    source: "A. C. Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989), 4.1",
};

impl KalmanMean {
    /// Of measurement variance `r` > 0 and process variance `q` ≥ 0.
    pub fn new(r: f64, q: f64) -> Self {
        Self { ratio: q / r }
    }

    /// Of the parameters `r` and `q`.
    ///
    /// # Errors
    /// 1003 if q/r is no finite number.
    pub fn of(args: &Args) -> Result<Self, Mistake> {
        let mean = Self::new(args.float("r"), args.float("q"));
        if mean.ratio.is_finite() {
            return Ok(mean);
        }
        let what = format!("q/r = {:?}/{:?}", args.float("q"), args.float("r"));
        Err(Mistake::range(what, "q/r must be a finite number"))
    }
}

impl Entry for KalmanMean {
    fn key(&self) -> Key {
        Key::of(&KALMAN_MEAN, [bits(self.ratio)])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![kalman_mean(scope.bars.close, self.ratio).into()]
    }
}

impl Indicator for KalmanMean {
    fn declaration() -> &'static Declaration {
        &KALMAN_MEAN
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Self::of(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use proptest::prelude::*;

    #[test]
    fn worked_tables() {
        assert_row(
            &kalman_mean(&CLOSE, 0.1 / 0.5),
            &[
                10.0, 10.2727273, 10.796875, 10.8751601, 10.6258601, 10.83413, 11.4700248, 11.6961964,
                12.3071293, 12.6987991, 12.6992294, 13.1652687,
            ],
        );
        assert_row(
            &kalman_mean(&with_holes(&CLOSE), 1.0 / 0.01),
            &[
                N, 10.5, 11.4901961, 11.0048063, 10.207891, 10.207891, 12.5881573, 12.1047861, 13.3873006,
                13.3998755, 12.7068622, 13.987321,
            ],
        );
    }

    #[test]
    fn without_process_noise_it_is_the_running_mean() {
        let y = kalman_mean(&CLOSE, 0.0);
        let mut sum = 0.0;
        for (i, c) in CLOSE.iter().enumerate() {
            sum += c;
            assert!((y[i] - sum / (i + 1) as f64).abs() < 1e-12);
        }
    }

    /// The recursion as it is defined, without the shortcut.
    fn plain(close: &[f64], ratio: f64) -> Vec<f64> {
        let (mut x, mut v) = (close[0], 1.0);
        let mut out = vec![x];
        for &c in &close[1..] {
            v += ratio;
            if c.is_finite() {
                let k = v / (v + 1.0);
                x += k * (c - x);
                v *= 1.0 - k;
            }
            out.push(x);
        }
        out
    }

    proptest! {
        #[test]
        fn the_shortcut_changes_no_bit(
            steps in proptest::collection::vec(-1e-3..1e-3f64, 300), ratio in 1e-3..1e2f64, hole in 1usize..299,
        ) {
            let mut x: Vec<f64> = steps.iter().scan(1.3, |level, s| { *level += s; Some(*level) }).collect();
            x[hole] = f64::NAN;
            prop_assert_eq!(kalman_mean(&x, ratio), plain(&x, ratio));
        }
    }
}
