//! Relative strength index.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::dmi::Seed;
use crate::ewm::Ewm;
use crate::guarded_div;
use crate::scope::{Entry, Key, Scope};
use crate::wilder::Wilder;

/// y = 100·(AG ⊘ (AG + AL)), averages of gains and losses of the closes.
///
/// First value: index period (seed wilder) or 1 (seed first). A change across a missing bar is never counted; without
/// any movement so far there is no value.
pub fn rsi(close: &[f64], period: usize, seed: Seed) -> Vec<f64> {
    let (gains, losses) = changes(close);
    let average = |x: &[f64]| match seed {
        // The first close has no change, and no part in the seed.
        Seed::Wilder => Wilder::new(period).over(x),
        Seed::First => Ewm::wilder(period).over(x),
    };
    if close.is_empty() {
        return Vec::new();
    }
    let mut y = vec![f64::NAN; close.len()];
    let (up, down) = (average(&gains), average(&losses));
    for (y, (up, down)) in y[1..].iter_mut().zip(up.iter().zip(&down)) {
        *y = 100.0 * guarded_div(*up, up + down);
    }
    y
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
        Key::new("rsi", [self.period as u64, self.seed as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Vec<f64>> {
        vec![rsi(scope.bars.close, self.period, self.seed)]
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
