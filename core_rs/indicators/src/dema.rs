//! Double exponential moving average.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::ema::Ema;
use crate::ewm::{Ewm, cascade};
use crate::finite_or_nan;
use crate::scope::{Entry, Key, Scope, Series};

/// y = 2·e1 − e2 with e2 = EMA(e1; period), `e1` being the exponential average of the closes.
pub fn dema(e1: &[f64], period: usize) -> Vec<f64> {
    let mut y = Ewm::span(period).over(e1);
    y.iter_mut().zip(e1).for_each(|(e2, e1)| *e2 = finite_or_nan(2.0 * e1 - *e2));
    y
}

/// Double exponential moving average of the closes.
#[derive(Debug, Clone, Copy)]
pub struct Dema {
    /// Bars.
    pub period: usize,
}

/// The declaration of `dema`.
pub static DEMA: Declaration = Declaration {
    id: "dema",
    version: 1,
    title: "double exponential moving average",
    parameters: &[Parameter::bars("period", "span of both averages")],
    outputs: &["dema"],
    first: "0",
    formula: "2*e1 - e2; e1 = EMA(C), e2 = EMA(e1)",
    source: "P. Mulloy, Technical Analysis of Stocks and Commodities 12 (1994); TA-Lib DEMA (which seeds with means)",
};

impl Entry for Dema {
    fn key(&self) -> Key {
        Key::of(&DEMA, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        if !scope.retains()
            && let Some(y) = cascade(scope.bars.close, self.period, |[e1, e2]| 2.0 * e1 - e2)
        {
            return vec![y.into()];
        }
        vec![dema(&scope.get(&Ema { period: self.period }), self.period).into()]
    }
}

impl Indicator for Dema {
    fn declaration() -> &'static Declaration {
        &DEMA
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ema::ema;

    #[test]
    fn what_overflows_is_the_one_nan() {
        // Averages far below and far above half of the largest number.
        let close: Vec<f64> = (0..5_000).map(|i| if i < 2_500 { 1.3 } else { 1.5e308 }).collect();
        let at_once = cascade(&close, 3, |[e1, e2]| 2.0 * e1 - e2).unwrap();
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        assert!(at_once.iter().zip(&dema(&ema(&close, 3), 3)).all(same));
        assert!(at_once[2_499].is_finite() && at_once[4_999].to_bits() == f64::NAN.to_bits());
    }
}
