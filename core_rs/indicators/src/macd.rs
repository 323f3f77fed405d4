//! Moving average convergence and divergence.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::ema::{Ema, ema};
use crate::finite_or_nan;
use crate::scope::{Entry, Key, Scope};

/// Line, signal and histogram.
///
/// line = fast − slow, two exponential averages of the closes; signal = EMA(line; signal period); hist = line − signal.
pub fn macd(fast: &[f64], slow: &[f64], signal: usize) -> [Vec<f64>; 3] {
    let line: Vec<f64> = fast.iter().zip(slow).map(|(f, s)| finite_or_nan(f - s)).collect();
    let signal = ema(&line, signal);
    let hist = line.iter().zip(&signal).map(|(l, s)| finite_or_nan(l - s)).collect();
    [line, signal, hist]
}

/// MACD of the closes; the averages are shared with `ema`.
#[derive(Debug, Clone, Copy)]
pub struct Macd {
    /// Span of the fast average.
    pub fast: usize,
    /// Span of the slow average.
    pub slow: usize,
    /// Span of the signal.
    pub signal: usize,
}

/// The declaration of `macd`.
pub static MACD: Declaration = Declaration {
    id: "macd",
    version: 1,
    title: "moving average convergence and divergence",
    parameters: &[
        Parameter::bars_or("fast", 12, "span of the fast average"),
        Parameter::bars_or("slow", 26, "span of the slow average"),
        Parameter::bars_or("signal", 9, "span of the signal"),
    ],
    outputs: &["line", "signal", "hist"],
    first: "0",
    formula: "line = EMA(C; fast) - EMA(C; slow); signal = EMA(line; signal); hist = line - signal",
    source: "Gerald Appel; TA-Lib MACD (which seeds with means)",
};

impl Entry for Macd {
    fn key(&self) -> Key {
        Key::new("macd", [self.fast as u64, self.slow as u64, self.signal as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Vec<f64>> {
        let (fast, slow) = (scope.get(&Ema { period: self.fast }), scope.get(&Ema { period: self.slow }));
        macd(&fast, &slow, self.signal).into()
    }
}

impl Indicator for Macd {
    fn declaration() -> &'static Declaration {
        &MACD
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { fast: args.bars("fast"), slow: args.bars("slow"), signal: args.bars("signal") })
    }
}
