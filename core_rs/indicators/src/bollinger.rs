//! Bollinger bands.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter, Value};
use crate::finite_or_nan;
use crate::rolling_std::{DDOF, RollingStd};
use crate::scope::{Entry, Key, Scope, Series, bits};
use crate::sma::Sma;

/// Upper, middle and lower band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands {
    /// mid + factor·s
    pub upper: f64,
    /// MEAN of the period
    pub mid: f64,
    /// mid − factor·s
    pub lower: f64,
}

/// The bands at one bar from the mean and the deviation of its window, which bands of every width share.
///
/// mid = MEAN_p(close), s = STD_p(close; ddof). Source: John Bollinger, *Bollinger on Bollinger Bands* (2001).
#[inline]
pub fn bands(mid: f64, deviation: f64, factor: f64) -> Bands {
    Bands { upper: mid + factor * deviation, mid, lower: mid - factor * deviation }
}

/// Bollinger bands; mean and deviation are shared by bands of every width.
#[derive(Debug, Clone, Copy)]
pub struct Bollinger {
    /// Bars.
    pub period: usize,
    /// Half width in deviations.
    pub std_factor: f64,
    /// 1 = sample deviation, 0 = of the population.
    pub ddof: usize,
}

/// The declaration of `bollinger`.
pub static BOLLINGER: Declaration = Declaration {
    id: "bollinger",
    version: 1,
    title: "Bollinger bands",
    parameters: &[
        Parameter::bars_or("period", 20, "bars in the window"),
        Parameter::not_negative("std_factor", Value::Float(2.0), "half width in deviations"),
        DDOF,
    ],
    outputs: &["upper", "mid", "lower"],
    first: "period - 1",
    formula: "mid = MEAN_period(C); upper, lower = mid +- std_factor*STD_period(C; ddof)",
    source: "John Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib BBANDS with ddof 0",
};

/// `bollinger` over the bars of a higher timeframe.
pub static BOLLINGER_STEPWISE: Declaration =
    Declaration { id: "bollinger_stepwise", title: "Bollinger bands of higher bars", ..BOLLINGER };

impl Entry for Bollinger {
    fn key(&self) -> Key {
        Key::of(&BOLLINGER, [self.period as u64, bits(self.std_factor), self.ddof as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        let mid = scope.get(&Sma { period: self.period });
        // The deviations, unless they are kept, become one of the bands.
        let mut lower = scope.get(&RollingStd { period: self.period, ddof: self.ddof }).into_vec();
        let pairs = mid.iter().zip(&mut lower);
        let upper: Vec<f64> = pairs
            .map(|(mid, s)| {
                let bands = bands(*mid, *s, self.std_factor);
                *s = finite_or_nan(bands.lower);
                finite_or_nan(bands.upper)
            })
            .collect();
        vec![upper.into(), mid, lower.into()]
    }
}

impl Indicator for Bollinger {
    fn declaration() -> &'static Declaration {
        &BOLLINGER
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self {
            period: args.bars("period"),
            std_factor: args.float("std_factor"),
            ddof: args.bars("ddof"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::window;

    #[test]
    fn worked_tables() {
        let (mid, s) = (window::mean(&CLOSE, 3), window::std(&CLOSE, 3, 1));
        let rows: Vec<Bands> = (0..12).map(|i| bands(mid[i], s[i], 2.0)).collect();
        let upper: Vec<f64> = rows.iter().map(|b| b.upper).collect();
        let lower: Vec<f64> = rows.iter().map(|b| b.lower).collect();
        assert_row(
            &upper,
            &[
                N, N, 12.1941919, 12.0, 12.2114877, 11.8583005, 13.7444188, 13.3855864, 14.0114877,
                14.4677774, 13.974957, 14.6679481,
            ],
        );
        assert_row(
            &lower,
            &[
                N, N, 9.13914144, 10.0, 9.5885123, 9.74169948, 8.92224782, 10.5477469, 11.3885123, 11.465556,
                12.3583763, 12.0653852,
            ],
        );
    }
}
