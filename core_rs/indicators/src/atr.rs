//! Average true range.

use crate::Hlc;
use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::recurrence::{Chain, memory, run};
use crate::scope::{Entry, Key, Scope, Series};
use crate::true_range::{TrueRange, range, true_range};
use crate::wilder::Wilder;
use crate::window::undefined;

/// y = WILD(TR; period) over the true ranges, the first one taking part in the seed. First value: index period − 1.
///
/// Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).
pub fn atr(true_range: &[f64], period: usize) -> Vec<f64> {
    Wilder::new(period).over(true_range)
}

/// Wilder's average of true ranges that are computed on the way.
struct Average<'a> {
    bars: Hlc<'a>,
    /// Bar of the first step, at least 1.
    from: usize,
    period: f64,
}

impl Chain<3, 1, 1> for Average<'_> {
    #[inline]
    fn columns(&self) -> [&[f64]; 3] {
        let Hlc { high, low, close } = self.bars;
        [&high[self.from..], &low[self.from..], &close[self.from - 1..]]
    }

    #[inline]
    fn step(&self, [m]: [f64; 1], [high, low, before]: [f64; 3]) -> [f64; 1] {
        [(m * (self.period - 1.0) + range(high, low, before)) / self.period]
    }

    #[inline]
    fn value(&self, state: [f64; 1]) -> [f64; 1] {
        state
    }

    fn guess(&self, at: usize) -> [f64; 1] {
        let i = self.from + at;
        [self.bars.high[i] - self.bars.low[i]]
    }

    fn memory(&self) -> usize {
        memory(1.0 / self.period)
    }
}

/// The averages, true ranges not kept; None unless all are finite.
#[allow(clippy::cast_precision_loss)]
fn at_once(bars: Hlc<'_>, period: usize) -> Option<Vec<f64>> {
    if bars.len() < period {
        return None;
    }
    let [high, low, close] = [bars.high, bars.low, bars.close].map(|column| &column[..period]);
    let seed = atr(&true_range(Hlc { high, low, close }), period);
    let start = seed[period - 1];
    let mut y = undefined(period - 1, bars.len());
    y.push(start);
    y.resize(bars.len(), 0.0);
    let chain = Average { bars, from: period, period: period as f64 };
    (start.is_finite() && run(&chain, [start], [&mut y[period..]])).then_some(y)
}

/// Average true range.
#[derive(Debug, Clone, Copy)]
pub struct Atr {
    /// Bars.
    pub period: usize,
}

/// The declaration of `atr`.
pub static ATR: Declaration = Declaration {
    id: "atr",
    version: 1,
    title: "average true range",
    parameters: &[Parameter::bars_or("period", 14, "Wilder period")],
    outputs: &["atr"],
    first: "period - 1",
    formula: "WILD(TR; period), TR_0 = H_0 - L_0 in the seed",
    source: "J. Welles Wilder, New Concepts in Technical Trading Systems (1978)",
};

impl Entry for Atr {
    fn key(&self) -> Key {
        Key::of(&ATR, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        if !scope.retains()
            && let Some(y) = at_once(scope.bars.hlc(), self.period)
        {
            return vec![y.into()];
        }
        vec![atr(&scope.get(&TrueRange), self.period).into()]
    }
}

impl Indicator for Atr {
    fn declaration() -> &'static Declaration {
        &ATR
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;

    #[test]
    fn worked_tables() {
        let tr = true_range(Hlc { high: &HIGH, low: &LOW, close: &CLOSE });
        assert_row(&tr, &[0.8, 0.9, 1.5, 1.1, 1.2, 1.5, 1.8, 0.9, 1.8, 0.9, 1.1, 1.7]);
        assert_row(
            &atr(&tr, 3),
            &[
                N, N, 1.06666667, 1.07777778, 1.11851852, 1.24567901, 1.43045267, 1.25363512, 1.43575674,
                1.25717116, 1.20478078, 1.36985385,
            ],
        );
    }

    #[test]
    fn worked_tables_with_missing_bars() {
        let (h, l, c) = (with_holes(&HIGH), with_holes(&LOW), with_holes(&CLOSE));
        let tr = true_range(Hlc { high: &h, low: &l, close: &c });
        assert_row(&tr, &[N, 0.9, 1.5, 1.1, 1.2, N, 1.8, 0.9, 1.8, 0.9, 1.1, 1.7]);
        assert_row(
            &atr(&tr, 3),
            &[
                N, N, N, 1.16666667, 1.17777778, 1.17777778, 1.38518519, 1.22345679, 1.41563786, 1.24375857,
                1.19583905, 1.3638927,
            ],
        );
    }
}
