//! EWM(x; a): exponential average without bias correction.

use crate::finite_or_nan;
use crate::recurrence::{memory, run, tame};

/// Streaming state of the exponential average with weight `a`.
///
/// The first present input is the first output. A missing (not finite) input repeats the output, and the old average
/// ages through the gap: after c missing inputs the next one weighs `a / ((1−a)^(c+1) + a)`.
#[derive(Debug, Clone)]
pub struct Ewm {
    weight: f64,
    mean: Option<f64>,
    aged: f64,
    in_gap: bool,
}

impl Ewm {
    /// State with smoothing weight `a`, 0 < a ≤ 1.
    pub fn new(weight: f64) -> Self {
        Self { weight, mean: None, aged: 1.0 - weight, in_gap: false }
    }

    /// Span form: a = 2 / (period + 1).
    #[allow(clippy::cast_precision_loss)]
    pub fn span(period: usize) -> Self {
        Self::new(2.0 / (period as f64 + 1.0))
    }

    /// Wilder form: a = 1 / period.
    #[allow(clippy::cast_precision_loss)]
    pub fn wilder(period: usize) -> Self {
        Self::new(1.0 / period as f64)
    }

    /// The averages of a whole series: the streaming state, value by value, with the same bits.
    pub fn over(mut self, x: &[f64]) -> Vec<f64> {
        match x.first() {
            Some(&first) if self.mean.is_none() && tame(x) => {
                let a = self.weight;
                run(x, first, memory(a), |m, x| m + a * (x - m))
            }
            _ => x.iter().map(|&x| self.update(x)).collect(),
        }
    }

    /// Takes the next input, returns the average as of it; NaN before the first present input.
    #[inline]
    pub fn update(&mut self, x: f64) -> f64 {
        if !x.is_finite() {
            if self.mean.is_some() {
                self.aged *= 1.0 - self.weight;
                self.in_gap = true;
            }
            return self.mean.map_or(f64::NAN, finite_or_nan);
        }
        let mean = match self.mean {
            None => x,
            Some(m) => m + self.gain() * (x - m),
        };
        self.mean = Some(mean);
        finite_or_nan(mean)
    }

    #[inline]
    fn gain(&mut self) -> f64 {
        if !self.in_gap {
            return self.weight;
        }
        let gain = self.weight / (self.aged + self.weight);
        self.aged = 1.0 - self.weight;
        self.in_gap = false;
        gain
    }
}
