//! Rolling standard deviation.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter, Value};
use crate::scope::{Entry, Key, Scope, Series};
use crate::window;

/// y = STD_period(close; ddof). First value: index period − 1; a constant window gives exactly 0.
pub fn rolling_std(close: &[f64], period: usize, ddof: usize) -> Vec<f64> {
    window::std(close, period, ddof)
}

/// Rolling standard deviation of the closes.
#[derive(Debug, Clone, Copy)]
pub struct RollingStd {
    /// Bars.
    pub period: usize,
    /// 1 = sample deviation, 0 = of the population.
    pub ddof: usize,
}

/// The parameter `ddof`.
pub(crate) const DDOF: Parameter =
    Parameter::int("ddof", Value::Int(1), 0, 1, "1: sample deviation; 0: of the population");

/// The declaration of `rolling_std`.
pub static ROLLING_STD: Declaration = Declaration {
    id: "rolling_std",
    version: 1,
    title: "rolling standard deviation",
    parameters: &[Parameter::bars("period", "bars in the window, more than ddof"), DDOF],
    outputs: &["std"],
    first: "period - 1",
    formula: "STD_period(C; ddof)",
    source: "pandas rolling(period).std(ddof)",
};

impl Entry for RollingStd {
    fn key(&self) -> Key {
        Key::of(&ROLLING_STD, [self.period as u64, self.ddof as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![rolling_std(scope.bars.close, self.period, self.ddof).into()]
    }
}

impl Indicator for RollingStd {
    fn declaration() -> &'static Declaration {
        &ROLLING_STD
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        let (period, ddof) = (args.bars("period"), args.bars("ddof"));
        if period <= ddof {
            return Err(Mistake::range(
                format!("period = {period}"),
                format!("period must be above ddof = {ddof}"),
            ));
        }
        Ok(Self { period, ddof })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;

    #[test]
    fn worked_tables() {
        assert_row(
            &rolling_std(&CLOSE, 3, 1),
            &[
                N,
                N,
                0.763762616,
                0.5,
                0.655743852,
                0.529150262,
                1.20554275,
                0.709459888,
                0.655743852,
                0.75055535,
                0.404145188,
                0.65064071,
            ],
        );
        assert_row(
            &rolling_std(&with_holes(&CLOSE), 3, 0),
            &[N, N, N, 0.40824829, 0.535412613, N, N, N, 0.535412613, 0.612825877, 0.329983165, 0.531245915],
        );
    }
}
