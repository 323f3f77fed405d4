//! Triple exponential moving average.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::ema::Ema;
use crate::ewm::{Ewm, cascade};
use crate::finite_or_nan;
use crate::scope::{Entry, Key, Scope, Series};

/// y = 3·e1 − 3·e2 + e3 with e2 = EMA(e1), e3 = EMA(e2), `e1` being the exponential average of the closes.
pub fn tema(e1: &[f64], period: usize) -> Vec<f64> {
    let e2 = Ewm::span(period).over(e1);
    let mut y = Ewm::span(period).over(&e2);
    y.iter_mut()
        .zip(e1.iter().zip(&e2))
        .for_each(|(e3, (e1, e2))| *e3 = finite_or_nan(3.0 * e1 - 3.0 * e2 + *e3));
    y
}

/// Triple exponential moving average of the closes.
#[derive(Debug, Clone, Copy)]
pub struct Tema {
    /// Bars.
    pub period: usize,
}

/// The declaration of `tema`.
pub static TEMA: Declaration = Declaration {
    id: "tema",
    version: 1,
    title: "triple exponential moving average",
    parameters: &[Parameter::bars("period", "span of all averages")],
    outputs: &["tema"],
    first: "0",
    formula: "3*e1 - 3*e2 + e3; e1 = EMA(C), e2 = EMA(e1), e3 = EMA(e2)",
    source: "P. Mulloy, Technical Analysis of Stocks and Commodities 12 (1994); TA-Lib TEMA (which seeds with means)",
};

impl Entry for Tema {
    fn key(&self) -> Key {
        Key::of(&TEMA, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        if !scope.retains()
            && let Some(y) = cascade(scope.bars.close, self.period, |[e1, e2, e3]| 3.0 * e1 - 3.0 * e2 + e3)
        {
            return vec![y.into()];
        }
        vec![tema(&scope.get(&Ema { period: self.period }), self.period).into()]
    }
}

impl Indicator for Tema {
    fn declaration() -> &'static Declaration {
        &TEMA
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period") })
    }
}
