//! Distance of the close from its Kalman level in units of the GARCH forecast.

use crate::catalogue::{Indicator, Output};
use crate::declare::{Args, Declaration, Mistake};
use crate::garch::{ALPHA, BETA, Garch, LOG, MIN_PERIODS, OMEGA, Returns, SCALE, SIGMA_FLOOR, one_return};
use crate::garch_local::{IDX, LOOKBACK, check_bar};
use crate::guarded_div;
use crate::kalman_mean::{KalmanMean, Q, R, kalman_mean};
use crate::scope::{Entry, Key, Scope, Series, bits};

mod windows;

pub use windows::Windows;

/// z = (C − kalman_mean) ⊘ (|C|·σ), σ from `garch_volatility`.
#[derive(Debug, Clone, Copy)]
pub struct KalmanGarch {
    /// The level.
    pub mean: KalmanMean,
    /// The forecast.
    pub weights: Garch,
}

/// The declaration of `kalman_garch_zscore`.
pub static KALMAN_GARCH_ZSCORE: Declaration = Declaration {
    id: "kalman_garch_zscore",
    version: 1,
    title: "distance from the Kalman level in GARCH deviations",
    parameters: &[R, Q, ALPHA, BETA, OMEGA, LOG, SCALE, MIN_PERIODS, SIGMA_FLOOR],
    outputs: &["z"],
    first: "1 + min_periods",
    formula: "(C - kalman_mean)/(|C|*sigma), sigma = garch_volatility; thresholds are not those of kalman_zscore",
    source: "see kalman_mean and garch_volatility",
};

#[inline]
fn score(close: f64, level: f64, sigma: f64) -> f64 {
    guarded_div(close - level, close.abs() * sigma)
}

impl Entry for KalmanGarch {
    fn key(&self) -> Key {
        let mut params = self.weights.bits().to_vec();
        params.push(bits(self.mean.ratio));
        Key::of(&KALMAN_GARCH_ZSCORE, params)
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        let (level, sigma) = (scope.get(&self.mean), scope.get(&self.weights));
        let rows = scope.bars.close.iter().zip(level.iter().zip(sigma.iter()));
        vec![rows.map(|(&c, (&x, &s))| score(c, x, s)).collect::<Vec<_>>().into()]
    }
}

impl Indicator for KalmanGarch {
    fn declaration() -> &'static Declaration {
        &KALMAN_GARCH_ZSCORE
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        let weights = Garch::of(args, args.optional_float("omega"))?;
        Ok(Self { mean: KalmanMean::of(args)?, weights })
    }
}

/// The same on the window of each bar alone: filter and forecast restart there.
#[derive(Debug, Clone, Copy)]
pub struct KalmanGarchLocal {
    /// The bar wanted; `None`: all of them.
    pub idx: Option<usize>,
    /// Bars in a window.
    pub lookback: usize,
    /// Level and forecast.
    pub model: KalmanGarch,
}

/// The declaration of `kalman_garch_zscore_local`.
pub static KALMAN_GARCH_ZSCORE_LOCAL: Declaration = Declaration {
    id: "kalman_garch_zscore_local",
    version: 1,
    title: "distance from the Kalman level in GARCH deviations, of a window alone",
    parameters: &[IDX, LOOKBACK, R, Q, ALPHA, BETA, OMEGA, LOG, SCALE, MIN_PERIODS, SIGMA_FLOOR],
    outputs: &["z"],
    first: "1 + min_periods",
    formula: "kalman_garch_zscore at the last bar of the window max(0, idx + 1 - lookback) ... idx; without idx: the series \
              of that number over all bars",
    source: "see kalman_mean and garch_volatility",
};

impl KalmanGarchLocal {
    /// The score at bar `i`, computed when first asked for and shared.
    ///
    /// # Panics
    /// If there is no bar `i`.
    pub fn at(&self, scope: &Scope<'_>, i: usize) -> f64 {
        let slots = scope.store().slots(self.slot_key(), scope.bars.len());
        slots.get(i, || self.score(scope.bars.close, i))
    }

    /// What the scores of all bars are a function of.
    pub fn slot_key(&self) -> Key {
        Key { id: "kalman_garch_slots", ..self.key() }
    }

    /// The score at bar `i` from its window of closes.
    pub fn score(&self, close: &[f64], i: usize) -> f64 {
        let window = &close[(i + 1).saturating_sub(self.lookback)..=i];
        let Returns { log, scale } =
            Returns { log: self.model.weights.use_log_returns, scale: self.model.weights.scale };
        let mut garch = None;
        let mut first = 0;
        for (j, pair) in window.windows(2).enumerate() {
            let r = one_return(pair[0], pair[1], log, scale);
            match &mut garch {
                None if r.is_finite() => {
                    first = j + 1;
                    garch = Some(self.model.weights.start(r));
                }
                None => {}
                Some(state) => state.update(r),
            }
        }
        let Some(state) = garch else { return f64::NAN };
        let (newest, too_short) =
            (window.len() - 1, window.len() - 1 - first < self.model.weights.min_periods);
        if too_short || !window[newest].is_finite() {
            return f64::NAN;
        }
        windows::last(window[newest], kalman_mean(window, self.model.mean.ratio)[newest], &state)
    }
}

impl Entry for KalmanGarchLocal {
    fn key(&self) -> Key {
        let mut key = self.model.key();
        key.params.push(self.lookback as u64);
        Key::of(&KALMAN_GARCH_ZSCORE_LOCAL, key.params)
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![Windows::new(*self, scope).all(scope.bars.close).into()]
    }
}

impl Indicator for KalmanGarchLocal {
    fn declaration() -> &'static Declaration {
        &KALMAN_GARCH_ZSCORE_LOCAL
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self {
            idx: args.optional_bars("idx"),
            lookback: args.bars("lookback"),
            model: KalmanGarch::from_args(args)?,
        })
    }

    /// One number, or the series.
    fn call(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Mistake> {
        let Some(idx) = self.idx else { return Ok(vec![Output::Series(scope.get(self))]) };
        check_bar(idx, scope)?;
        Ok(vec![Output::Number(self.at(scope, idx))])
    }
}
