//! Momentum.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::finite_or_nan;
use crate::scope::{Entry, Key, Scope, Series};
use crate::window::undefined;

/// y = C_i − C_{i−p}. First value: index period; NaN if either bar is missing.
pub fn momentum(close: &[f64], period: usize) -> Vec<f64> {
    let mut y = undefined(period, close.len());
    let mut seen = 0;
    y.extend(close[y.len()..].iter().zip(close).map(|(now, before)| {
        let change = now - before;
        // 0 only if the change is finite. Unlike a comparison, this runs several values at a time beside the memory.
        seen |= ((now - before) - change).to_bits();
        change
    }));
    if seen != 0 {
        y.iter_mut().for_each(|y| *y = finite_or_nan(*y));
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
    formula: "C_i - C_{i-period}",
    source: "TA-Lib MOM",
};

impl Entry for Momentum {
    fn key(&self) -> Key {
        Key::of(&MOMENTUM, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![momentum(scope.bars.close, self.period).into()]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overflows_is_the_one_nan() {
        let mut close = [1.0; 100];
        (close[40], close[41], close[70], close[71]) = (1.7e308, -1.7e308, f64::INFINITY, f64::INFINITY);
        let y = momentum(&close, 1);
        for (i, y) in y.iter().enumerate() {
            if [0, 41, 70, 71, 72].contains(&i) {
                assert_eq!(y.to_bits(), f64::NAN.to_bits(), "{i}");
            } else {
                assert!(y.is_finite(), "{i}");
            }
        }
    }
}
