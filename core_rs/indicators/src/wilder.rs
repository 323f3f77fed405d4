//! WILD(x; p): Wilder's average, seeded with the mean of the first p consecutive present inputs.

use crate::finite_or_nan;
use crate::recurrence::{fold, memory};

/// Streaming state of Wilder's average over `period` inputs.
///
/// NaN until `period` consecutive present inputs have been seen for the first time; later a missing (not finite) input
/// repeats the output. Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).
#[derive(Debug, Clone)]
pub struct Wilder {
    period: f64,
    seen: usize,
    need: usize,
    sum: f64,
    mean: f64,
}

impl Wilder {
    /// State for `period` ≥ 1.
    #[allow(clippy::cast_precision_loss)]
    pub fn new(period: usize) -> Self {
        Self { period: period as f64, seen: 0, need: period, sum: 0.0, mean: f64::NAN }
    }

    /// The averages of a whole series: the streaming state, value by value, with the same bits.
    pub fn over(mut self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![f64::NAN; x.len()];
        if let (0, Some((seed, rest))) = (self.seen, x.split_at_checked(self.need)) {
            let mut fresh = self.clone();
            seed.iter().zip(&mut y).for_each(|(&x, y)| *y = fresh.update(x));
            let (p, less) = (self.period, self.period - 1.0);
            if fold(rest, fresh.mean, memory(1.0 / p), |m, x| (m * less + x) / p, &mut y[self.need..]) {
                return y;
            }
        }
        x.iter().zip(&mut y).for_each(|(&x, y)| *y = self.update(x));
        y
    }

    /// Takes the next input, returns the average as of it.
    #[inline]
    pub fn update(&mut self, x: f64) -> f64 {
        if self.seen == self.need {
            if x.is_finite() {
                self.mean = (self.mean * (self.period - 1.0) + x) / self.period;
            }
            return finite_or_nan(self.mean);
        }
        if !x.is_finite() {
            self.seen = 0;
            return f64::NAN;
        }
        self.sum = if self.seen == 0 { x } else { self.sum + x };
        self.seen += 1;
        if self.seen == self.need {
            self.mean = self.sum / self.period;
        }
        finite_or_nan(self.mean)
    }
}
