//! Relative strength index.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::dmi::Seed;
use crate::ewm::Ewm;
use crate::guarded_div;
use crate::recurrence::{Chain, memory, run};
use crate::scope::{Entry, Key, Scope, Series};
use crate::wilder::Wilder;
use crate::window::undefined;

/// y = 100·(AG ⊘ (AG + AL)), averages of gains and losses of the closes.
///
/// First value: index period (seed wilder) or 1 (seed first). A change across a missing bar is never counted; without
/// any movement so far there is no value.
pub fn rsi(close: &[f64], period: usize, seed: Seed) -> Vec<f64> {
    dense(close, period, seed).unwrap_or_else(|| {
        let (gains, losses) = changes(close);
        let average = |x: &[f64]| match seed {
            // The first close has no change, and no part in the seed.
            Seed::Wilder => Wilder::new(period).over(x),
            Seed::First => Ewm::wilder(period).over(x),
        };
        let mut y = undefined(1, close.len());
        y.extend(average(&gains).iter().zip(average(&losses)).map(|(up, down)| share(*up, down)));
        y
    })
}

#[inline]
fn share(up: f64, down: f64) -> f64 {
    100.0 * guarded_div(up, up + down)
}

/// Averages of gains and losses in one pass.
struct Averages<'a, F> {
    /// From the bar before the first step on.
    close: &'a [f64],
    weight: f64,
    /// The next average of the last one and a change.
    next: F,
}

impl<F: Fn(f64, f64) -> f64> Chain<2, 2, 1> for Averages<'_, F> {
    #[inline]
    fn columns(&self) -> [&[f64]; 2] {
        [self.close, &self.close[1..]]
    }

    #[inline]
    fn step(&self, [up, down]: [f64; 2], [before, now]: [f64; 2]) -> [f64; 2] {
        let (gain, loss) = parts(now - before);
        [(self.next)(up, gain), (self.next)(down, loss)]
    }

    #[inline]
    fn value(&self, [up, down]: [f64; 2]) -> [f64; 1] {
        [100.0 * (up / (up + down))]
    }

    fn guess(&self, _: usize) -> [f64; 2] {
        [0.0; 2]
    }

    fn memory(&self) -> usize {
        memory(self.weight)
    }
}

/// Gain and loss of a change, exactly; not finite where it is not.
#[inline]
fn parts(change: f64) -> (f64, f64) {
    let size = change.abs();
    (0.5 * (size + change), 0.5 * (size - change))
}

/// Without a missing bar; None if there is one, or too few.
#[allow(clippy::cast_precision_loss)]
fn dense(close: &[f64], period: usize, seed: Seed) -> Option<Vec<f64>> {
    let p = period as f64;
    let (first, weight) = (if seed == Seed::Wilder { period } else { 1 }, 1.0 / p);
    let (head, rest) = (close.get(..=first)?, &close[first..]);
    let sums = head.windows(2).map(|pair| parts(pair[1] - pair[0]));
    let (up, down) = sums.reduce(|sum, part| (sum.0 + part.0, sum.1 + part.1))?;
    let start = [up / first as f64, down / first as f64];
    let mut y = vec![f64::NAN; close.len()];
    y[first] = share(start[0], start[1]);
    let out = [&mut y[first + 1..]];
    let finite = match seed {
        Seed::Wilder => {
            let less = p - 1.0;
            run(&Averages { close: rest, weight, next: |m, x| (m * less + x) / p }, start, out)
        }
        Seed::First => run(&Averages { close: rest, weight, next: |m, x| m + weight * (x - m) }, start, out),
    };
    finite.then_some(y)
}

/// Gain and loss from each close to the next; NaN where one of them is missing.
fn changes(close: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let change = |pair: &[f64]| pair[1] - pair[0];
    let part = |x: f64| if x.is_finite() { x.max(0.0) } else { f64::NAN };
    let gains = close.windows(2).map(|pair| part(change(pair))).collect();
    let losses = close.windows(2).map(|pair| part(-change(pair))).collect();
    (gains, losses)
}

/// Relative strength index of the closes.
#[derive(Debug, Clone, Copy)]
pub struct Rsi {
    /// Bars.
    pub period: usize,
    /// How the averages start.
    pub seed: Seed,
}

/// The declaration of `rsi`.
pub static RSI: Declaration = Declaration {
    id: "rsi",
    version: 1,
    title: "relative strength index",
    parameters: &[
        Parameter::bars_or("period", 14, "Wilder period"),
        Parameter::choice(
            "seed",
            Seed::NAMES,
            Some("wilder"),
            "wilder: mean of the first bars; first: the first change",
        ),
    ],
    outputs: &["rsi"],
    first: "wilder: period; first: 1",
    formula: "100*AG/(AG + AL); AG, AL = WILD (wilder) or EWM(1/period) (first) of gains and losses",
    source: "J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib RSI",
};

impl Entry for Rsi {
    fn key(&self) -> Key {
        Key::of(&RSI, [self.period as u64, self.seed as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![rsi(scope.bars.close, self.period, self.seed).into()]
    }
}

impl Indicator for Rsi {
    fn declaration() -> &'static Declaration {
        &RSI
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period"), seed: Seed::of(args) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_path_changes_no_bit(
            steps in proptest::collection::vec(-3i8..=3, 0..9_000), period in 1usize..9, hole in 0usize..18_000,
        ) {
            let mut close: Vec<f64> =
                steps.iter().scan(1.3, |level, s| { *level += 1e-4 * f64::from(*s); Some(*level) }).collect();
            if hole < close.len() { close[hole] = f64::NAN; }
            let (gains, losses) = changes(&close);
            for seed in [Seed::Wilder, Seed::First] {
                let (mut w, mut e) = (vec![Wilder::new(period); 2], vec![Ewm::wilder(period); 2]);
                let mut one = |k: usize, x: f64| if seed == Seed::Wilder { w[k].update(x) } else { e[k].update(x) };
                let plain = gains.iter().zip(&losses).map(|(g, l)| share(one(0, *g), one(1, *l)).to_bits());
                let plain: Vec<u64> = close.first().map(|_| f64::NAN.to_bits()).into_iter().chain(plain).collect();
                let fast: Vec<u64> = rsi(&close, period, seed).iter().map(|y| y.to_bits()).collect();
                prop_assert_eq!(fast, plain);
            }
        }
    }
}
