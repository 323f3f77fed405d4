//! Rate of change.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::finite_or_nan;
use crate::scope::{Entry, Key, Scope, Series};
use crate::window::undefined;

/// y = 100·((C_i − C_{i−p}) ⊘ C_{i−p}), percent. First value: index period; NaN if either bar is missing.
pub fn roc(close: &[f64], period: usize) -> Vec<f64> {
    let mut y = undefined(period, close.len());
    let pairs = close[y.len()..].iter().zip(close);
    // A quotient that is not finite stays so.
    y.extend(pairs.map(|(now, before)| finite_or_nan(100.0 * ((now - before) / before))));
    y
}

/// Rate of change of the closes.
#[derive(Debug, Clone, Copy)]
pub struct Roc {
    /// Bars.
    pub period: usize,
}

/// The declaration of `roc`.
pub static ROC: Declaration = Declaration {
    id: "roc",
    version: 1,
    title: "rate of change, percent",
    parameters: &[Parameter::bars_or("period", 14, "bars back")],
    outputs: &["roc"],
    first: "period",
    formula: "100*(C_i - C_{i-period})/C_{i-period}",
    source: "TA-Lib ROC",
};

impl Entry for Roc {
    fn key(&self) -> Key {
        Key::of(&ROC, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![roc(scope.bars.close, self.period).into()]
    }
}

impl Indicator for Roc {
    fn declaration() -> &'static Declaration {
        &ROC
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period") })
    }
}
