//! Choppiness index.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Kind, LONGEST, Mistake, Parameter, Value};
use crate::scope::{Entry, Key, Scope, Series};
use crate::true_range::TrueRange;
use crate::{Hlc, guarded_div, window};

/// y = 100·log10(SUM_p(TR) ⊘ (MAX_p(H) − MIN_p(L))) / log10(p).
///
/// `tr` are the true ranges of the bars; `period` is at least 2. First value: index period − 1; NaN without a range.
#[allow(clippy::cast_precision_loss)]
pub fn choppiness(bars: Hlc<'_>, tr: &[f64], period: usize) -> Vec<f64> {
    let sum = window::sum(tr, period);
    let (high, low) = (window::max(bars.high, period), window::min(bars.low, period));
    let scale = libm::log10(period as f64);
    let range = high.iter().zip(&low).map(|(h, l)| h - l);
    sum.iter().zip(range).map(|(&s, r)| 100.0 * finite_log10(guarded_div(s, r)) / scale).collect()
}

/// log10, NaN where it is not finite.
fn finite_log10(x: f64) -> f64 {
    if x > 0.0 { libm::log10(x) } else { f64::NAN }
}

/// Choppiness index.
#[derive(Debug, Clone, Copy)]
pub struct Choppiness {
    /// Bars, at least 2.
    pub period: usize,
}

/// The declaration of `choppiness`.
pub static CHOPPINESS: Declaration = Declaration {
    id: "choppiness",
    version: 1,
    title: "choppiness index",
    parameters: &[Parameter {
        name: "period",
        kind: Kind::Int { low: 2, high: LONGEST },
        default: Some(Value::Int(14)),
        doc: "bars in the window",
    }],
    outputs: &["chop"],
    first: "period - 1",
    formula: "100*log10(SUM_period(TR)/(MAX_period(H) - MIN_period(L)))/log10(period)",
    source: "E. W. Dreiss",
};

impl Entry for Choppiness {
    fn key(&self) -> Key {
        Key::of(&CHOPPINESS, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![choppiness(scope.bars.hlc(), &scope.get(&TrueRange), self.period).into()]
    }
}

impl Indicator for Choppiness {
    fn declaration() -> &'static Declaration {
        &CHOPPINESS
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period") })
    }
}
