//! Momentum.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::finite_or_nan;
use crate::scope::{Entry, Key, Scope};

/// y = C_i − C_{i−p}. First value: index period; NaN if either bar is missing.
pub fn momentum(close: &[f64], period: usize) -> Vec<f64> {
    let mut y = vec![f64::NAN; close.len()];
    if period < close.len() {
        for (y, (now, before)) in y[period..].iter_mut().zip(close[period..].iter().zip(close)) {
            *y = finite_or_nan(now - before);
        }
    }
    y
}

/// Momentum of the closes.
#[derive(Debug, Clone, Copy)]
pub struct Momentum {
    /// Bars.
    pub period: usize,
}

/// The declaration of `momentum`.
pub static MOMENTUM: Declaration = Declaration {
    id: "momentum",
    version: 1,
    title: "change of the close",
    parameters: &[Parameter::bars("period", "bars back")],
    outputs: &["momentum"],
    first: "period",
    formula: "C_i - C_{i-p}",
    source: "TA-Lib MOM",
};

impl Entry for Momentum {
    fn key(&self) -> Key {
        Key::new("momentum", [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Vec<f64>> {
        vec![momentum(scope.bars.close, self.period)]
    }
}

impl Indicator for Momentum {
    fn declaration() -> &'static Declaration {
        &MOMENTUM
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period") })
    }
}
