//! EWM(x; a): exponential average without bias correction.

use crate::finite_or_nan;
use crate::recurrence::{Chain, average, memory, run};

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
        if let (Some((&first, rest)), None) = (x.split_first(), self.mean) {
            let mut y = vec![0.0; x.len()];
            y[0] = first;
            if average(rest, first, self.weight, &mut y[1..]) {
                return y;
            }
        }
        x.iter().map(|&x| self.update(x)).collect()
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

/// Averages of averages in one pass: e_1 = EWM(x), e_2 = EWM(e_1) and so on, and a value from all of them.
struct Cascade<'a, F> {
    x: &'a [f64],
    gain: f64,
    value: F,
}

impl<F: Fn([f64; K]) -> f64, const K: usize> Chain<1, K, 1> for Cascade<'_, F> {
    #[inline]
    fn columns(&self) -> [&[f64]; 1] {
        [self.x]
    }

    #[inline]
    fn step(&self, mut averages: [f64; K], [mut x]: [f64; 1]) -> [f64; K] {
        for m in &mut averages {
            *m += self.gain * (x - *m);
            x = *m;
        }
        averages
    }

    #[inline]
    fn value(&self, averages: [f64; K]) -> [f64; 1] {
        [(self.value)(averages)]
    }

    fn guess(&self, at: usize) -> [f64; K] {
        [self.x[at]; K]
    }

    fn memory(&self) -> usize {
        K * memory(self.gain)
    }
}

/// A value of `K` averages in the span form, each of the one before, at every index; None unless the
/// inputs are [`tame`].
#[allow(clippy::cast_precision_loss)]
pub(crate) fn cascade<const K: usize>(
    x: &[f64],
    period: usize,
    value: impl Fn([f64; K]) -> f64,
) -> Option<Vec<f64>> {
    let (&first, rest) = x.split_first()?;
    let mut y = vec![0.0; x.len()];
    y[0] = finite_or_nan(value([first; K]));
    let chain = Cascade { x: rest, gain: 2.0 / (period as f64 + 1.0), value };
    run(&chain, [first; K], [&mut y[1..]]).then_some(y)
}
