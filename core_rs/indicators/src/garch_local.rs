//! GARCH volatility of a window of bars alone.

use crate::catalogue::{Indicator, Output};
use crate::declare::{Args, Declaration, Mistake, Parameter, Value};
use crate::garch::{ALPHA, BETA, Garch, LOG, MIN_PERIODS, OMEGA, Returns, SCALE, SIGMA_FLOOR, returns};
use crate::scope::{Entry, Key, Scope, Series};

/// `garch_volatility` on the closes of bars max(0, i + 1 − lookback) … i alone: one window per bar.
#[derive(Debug, Clone, Copy)]
pub struct GarchLocal {
    /// The bar whose window is wanted; `None`: the last value of every bar's window.
    pub idx: Option<usize>,
    /// Bars in a window.
    pub lookback: usize,
    /// Weights and conventions.
    pub weights: Garch,
}

impl GarchLocal {
    /// First bar of the window of bar `i`.
    pub fn start(&self, i: usize) -> usize {
        (i + 1).saturating_sub(self.lookback)
    }

    /// σ of every bar of the window that ends at `i`, computed once per bar and shared.
    ///
    /// # Panics
    /// If there is no bar `i`.
    pub fn window(&self, scope: &Scope<'_>, i: usize) -> Series {
        let mut params = self.weights.bits().to_vec();
        params.extend([self.lookback as u64, i as u64]);
        scope
            .store()
            .window(Key { id: "garch_window", ..Key::of(&GARCH_VOLATILITY_LOCAL, params) }, &mut || {
                self.compute_window(scope, i)
            })
    }

    fn compute_window(&self, scope: &Scope<'_>, i: usize) -> Vec<f64> {
        let (bars, Garch { use_log_returns: log, scale, .. }) = (self.start(i)..=i, self.weights);
        if !scope.retains() {
            return self.weights.volatility(&returns(&scope.bars.close[bars], log, scale));
        }
        let mut window = scope.get(&Returns { log, scale })[bars].to_vec();
        // The first bar of a window has no return: its close before is outside.
        window[0] = f64::NAN;
        self.weights.volatility(&window)
    }

    /// The last value of the window of bar `i`, without keeping the window.
    fn last(&self, returns: &[f64], i: usize) -> f64 {
        let window = &returns[self.start(i) + 1..=i];
        let Some(first) = window.iter().position(|r| r.is_finite()) else { return f64::NAN };
        if window.len() - 1 - first < self.weights.min_periods {
            return f64::NAN;
        }
        let mut state = self.weights.start(window[first]);
        window[first + 1..].iter().for_each(|&r| state.update(r));
        state.sigma()
    }
}

pub(crate) const IDX: Parameter = Parameter::int(
    "idx",
    Value::None,
    0,
    i64::MAX,
    "the bar whose window is wanted; none: a series over all bars",
);
pub(crate) const LOOKBACK: Parameter = Parameter::bars_or("lookback", 400, "bars in the window");

/// The declaration of `garch_volatility_local`.
pub static GARCH_VOLATILITY_LOCAL: Declaration = Declaration {
    id: "garch_volatility_local",
    version: 1,
    title: "GARCH(1,1) volatility of a window alone",
    parameters: &[IDX, LOOKBACK, ALPHA, BETA, OMEGA, LOG, SCALE, MIN_PERIODS, SIGMA_FLOOR],
    outputs: &["start", "sigma"],
    first: "1 + min_periods",
    formula: "garch_volatility of bars max(0, idx + 1 - lookback) ... idx alone: start is the first of them, sigma \
              has a value for each; without idx sigma alone, at i the last value of the window of i. It costs O(lookback) per bar and jumps as the window slides",
    source: "see garch_volatility",
};

impl Entry for GarchLocal {
    fn key(&self) -> Key {
        let mut params = self.weights.bits().to_vec();
        params.push(self.lookback as u64);
        Key::of(&GARCH_VOLATILITY_LOCAL, params)
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        let returns = scope.get(&Returns { log: self.weights.use_log_returns, scale: self.weights.scale });
        vec![(0..returns.len()).map(|i| self.last(&returns, i)).collect::<Vec<_>>().into()]
    }
}

impl Indicator for GarchLocal {
    fn declaration() -> &'static Declaration {
        &GARCH_VOLATILITY_LOCAL
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        let weights = Garch::of(args, args.optional_float("omega"))?;
        Ok(Self { idx: args.optional_bars("idx"), lookback: args.bars("lookback"), weights })
    }

    /// `start` and `sigma` of one window, or the series alone.
    fn call(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Mistake> {
        let Some(idx) = self.idx else { return Ok(vec![Output::Series(scope.get(self))]) };
        check_bar(idx, scope)?;
        Ok(vec![Output::Bar(self.start(idx)), Output::Window(self.window(scope, idx))])
    }
}

/// # Errors
/// 1003 if there is no bar `idx`.
pub(crate) fn check_bar(idx: usize, scope: &Scope<'_>) -> Result<(), Mistake> {
    let bars = scope.bars.len();
    if idx < bars {
        return Ok(());
    }
    let remedy = if bars == 0 {
        "there are no bars".to_owned()
    } else {
        format!("idx must be from 0 to {}", bars - 1)
    };
    Err(Mistake::range(format!("idx = {idx}"), remedy))
}
