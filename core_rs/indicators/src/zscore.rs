//! Z-score of the close against its exponential average.

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter, Value};
use crate::ema::Ema;
use crate::guarded_div;
use crate::kalman_zscore::residual_zscore;
use crate::rolling_std::RollingStd;
use crate::scope::{Entry, Key, Scope, Series};
use crate::sma::Sma;

/// Mode `ema_residual`: z = e ⊘ STD_window(e), e = close − EMA, `ema` being [`crate::ema::ema`] of the same closes.
///
/// It divides by the deviation of the residuals, not of the closes. First value: index window − 1.
pub fn ema_residual_zscore(close: &[f64], ema: &[f64], window: usize) -> Vec<f64> {
    residual_zscore(close, ema, window)
}

/// What the close is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Mean and deviation of the window of closes.
    Rolling,
    /// The window's mean; the deviation is that of the residuals.
    RollingResidual,
    /// An exponential average of this period; the deviation is that of the residuals.
    EmaResidual(usize),
}

/// Z-score of the closes.
#[derive(Debug, Clone, Copy)]
pub struct Zscore {
    /// Bars, at least 2.
    pub window: usize,
    /// What the close is compared with.
    pub mode: Mode,
}

/// The declaration of `zscore`.
pub static ZSCORE: Declaration = Declaration {
    id: "zscore",
    version: 1,
    title: "z-score of the close",
    parameters: &[
        Parameter::window(100, "bars in the deviation"),
        Parameter::choice(
            "mode",
            &["rolling", "rolling_residual", "ema_residual"],
            Some("rolling"),
            "rolling: mean and deviation of the window; the others divide by the deviation of the residuals",
        ),
        Parameter {
            default: Some(Value::None),
            ..Parameter::bars(
                "ema_period",
                "span of the average; mode ema_residual needs it, the others ignore it",
            )
        },
    ],
    outputs: &["z"],
    first: "rolling: window - 1; rolling_residual: 2*window - 2; ema_residual: window - 1",
    formula: "rolling: (C - MEAN_window(C)) / STD_window(C); the others: e / STD_window(e), e = C - MEAN_window(C) \
              (rolling_residual) or C - EMA(C; ema_period) (ema_residual)",
    source: "textbook definition; pandas rolling(window).mean() and std()",
};

impl Entry for Zscore {
    fn key(&self) -> Key {
        let (mode, period) = match self.mode {
            Mode::Rolling => (0, 0),
            Mode::RollingResidual => (1, 0),
            Mode::EmaResidual(period) => (2, period as u64),
        };
        Key::of(&ZSCORE, [self.window as u64, mode, period])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        let close = scope.bars.close;
        let mean = || scope.get(&Sma { period: self.window });
        let z: Vec<f64> = match self.mode {
            Mode::Rolling => {
                let deviation = scope.get(&RollingStd { period: self.window, ddof: 1 });
                let mean = mean();
                let rows = close.iter().zip(mean.iter().zip(deviation.iter()));
                rows.map(|(c, (m, s))| guarded_div(c - m, *s)).collect()
            }
            Mode::RollingResidual => residual_zscore(close, &mean(), self.window),
            Mode::EmaResidual(period) => ema_residual_zscore(close, &scope.get(&Ema { period }), self.window),
        };
        vec![z.into()]
    }
}

impl Indicator for Zscore {
    fn declaration() -> &'static Declaration {
        &ZSCORE
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        let mode = match (args.text("mode"), args.optional_bars("ema_period")) {
            ("rolling", _) => Mode::Rolling,
            ("rolling_residual", _) => Mode::RollingResidual,
            (_, Some(period)) => Mode::EmaResidual(period),
            (_, None) => {
                return Err(Mistake {
                    code: 1008,
                    what: "ema_period is missing".to_owned(),
                    remedy: "mode ema_residual needs it".to_owned(),
                });
            }
        };
        Ok(Self { window: args.bars("window"), mode })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ema::ema;
    use crate::fixtures::*;

    #[test]
    fn worked_tables() {
        assert_row(
            &ema_residual_zscore(&CLOSE, &ema(&CLOSE, 3), 4),
            &[
                N,
                N,
                N,
                0.222222222,
                -0.892480777,
                0.75126167,
                1.67444793,
                0.355081473,
                2.2628443,
                1.16894748,
                -0.437451459,
                1.44657829,
            ],
        );
        let holes = with_holes(&CLOSE);
        assert_row(
            &ema_residual_zscore(&holes, &ema(&holes, 3), 4),
            &[N, N, N, N, -1.08531752, N, N, N, N, 1.19655891, -0.476899467, 1.46745281],
        );
    }
}
