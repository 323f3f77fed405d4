//! Exponential moving average.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::ewm::Ewm;
use crate::scope::{Entry, Key, Scope, Series};

/// y = EWM(close; 2 / (period + 1)). First value: index 0, the first close; no warm-up mask.
///
/// ```
/// assert_eq!(sweep_indicators::ema::ema(&[10.0, 12.0], 3), [10.0, 11.0]);
/// ```
pub fn ema(close: &[f64], period: usize) -> Vec<f64> {
    Ewm::span(period).over(close)
}

/// Exponential moving average of the closes.
#[derive(Debug, Clone, Copy)]
pub struct Ema {
    /// Span, bars.
    pub period: usize,
}

/// The declaration of `ema`.
pub static EMA: Declaration = Declaration {
    id: "ema",
    version: 1,
    title: "exponential moving average",
    parameters: &[Parameter::bars("period", "span; weight 2/(period+1)")],
    outputs: &["ema"],
    first: "0",
    formula: "EWM(C; 2/(period+1))",
    source: "pandas ewm(span=period, adjust=False)",
};

/// `ema` over the bars of a higher timeframe.
pub static EMA_STEPWISE: Declaration =
    Declaration { id: "ema_stepwise", title: "exponential moving average of higher bars", ..EMA };

impl Entry for Ema {
    fn key(&self) -> Key {
        Key::of(&EMA, [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![ema(scope.bars.close, self.period).into()]
    }
}

impl Indicator for Ema {
    fn declaration() -> &'static Declaration {
        &EMA
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
        assert_row(
            &ema(&CLOSE, 3),
            &[
                10.0, 10.25, 10.875, 10.9375, 10.56875, 10.884375, 11.7421875, 11.9210938, 12.6605469,
                13.0302734, 12.8651367, 13.4325684,
            ],
        );
        assert_row(
            &ema(&with_holes(&CLOSE), 4),
            &[
                N, 10.5, 10.9, 10.94, 10.644, 10.644, 11.6734737, 11.8440842, 12.4664505, 12.8398703,
                12.7839222, 13.2703533,
            ],
        );
    }

    #[test]
    fn a_constant_stays_exact() {
        assert!(ema(&[0.1; 50], 7).iter().all(|y| *y == 0.1));
    }
}
