//! Moving average convergence and divergence.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::ema::{Ema, ema};
use crate::finite_or_nan;
use crate::recurrence::{Chain, memory, run};
use crate::scope::{Entry, Key, Scope, Series};

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

/// All averages in one pass.
struct Averages<'a> {
    close: &'a [f64],
    gains: [f64; 3],
}

impl Chain<1, 3, 3> for Averages<'_> {
    #[inline]
    fn columns(&self) -> [&[f64]; 1] {
        [self.close]
    }

    #[inline]
    fn step(&self, [fast, slow, signal]: [f64; 3], [c]: [f64; 1]) -> [f64; 3] {
        let fast = fast + self.gains[0] * (c - fast);
        let slow = slow + self.gains[1] * (c - slow);
        [fast, slow, signal + self.gains[2] * ((fast - slow) - signal)]
    }

    #[inline]
    fn value(&self, [fast, slow, signal]: [f64; 3]) -> [f64; 3] {
        let line = fast - slow;
        [line, signal, line - signal]
    }

    fn guess(&self, at: usize) -> [f64; 3] {
        [self.close[at], self.close[at], 0.0]
    }

    fn memory(&self) -> usize {
        memory(self.gains[0].min(self.gains[1])) + memory(self.gains[2])
    }
}

impl Macd {
    /// The outputs, averages not kept; None unless the closes are [`tame`].
    #[allow(clippy::cast_precision_loss)]
    fn at_once(&self, close: &[f64]) -> Option<[Vec<f64>; 3]> {
        let (&first, rest) = close.split_first()?;
        let mut outputs: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; close.len()]);
        let gains = [self.fast, self.slow, self.signal].map(|period| 2.0 / (period as f64 + 1.0));
        let finite = run(
            &Averages { close: rest, gains },
            [first, first, 0.0],
            outputs.each_mut().map(|y| &mut y[1..]),
        );
        finite.then_some(outputs)
    }
}

impl Entry for Macd {
    fn key(&self) -> Key {
        Key::of(&MACD, [self.fast as u64, self.slow as u64, self.signal as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        if !scope.retains()
            && let Some(outputs) = self.at_once(scope.bars.close)
        {
            return outputs.map(Series::from).into();
        }
        let (fast, slow) = (scope.get(&Ema { period: self.fast }), scope.get(&Ema { period: self.slow }));
        macd(&fast, &slow, self.signal).map(Series::from).into()
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
