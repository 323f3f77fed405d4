//! Volatility forecasts by GARCH(1,1) recursions with fixed weights.
//!
//! Source: T. Bollerslev, *Generalized autoregressive conditional heteroskedasticity*, Journal of Econometrics 31 (1986);
//! variance targeting: R. Engle and J. Mezrich, *GARCH for groups*, Risk 9 (1996).

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Kind, Mistake, Parameter, Value};
use crate::scope::{Entry, Key, Scope, Series, bits};

/// Weights and conventions of the recursion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Garch {
    /// Weight of the last shock.
    pub alpha: f64,
    /// Weight of the last variance.
    pub beta: f64,
    /// Level term in (scale·return)²; `None`: 1e-6·max(1e-6, 1 − alpha − beta).
    pub omega: Option<f64>,
    /// Log returns, else simple ones.
    pub use_log_returns: bool,
    /// Returns are multiplied by it.
    pub scale: f64,
    /// Bars after the first return without a value.
    pub min_periods: usize,
    /// Smallest deviation, in scale·return.
    pub sigma_floor: f64,
}

impl Default for Garch {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            beta: 0.90,
            omega: None,
            use_log_returns: true,
            scale: 100.0,
            min_periods: 50,
            sigma_floor: 1e-6,
        }
    }
}

/// Returns of the closes times `scale`: `ln(C_i/C_{i−1})` or `C_i/C_{i−1} − 1`; NaN where a bar is missing.
pub fn returns(close: &[f64], log: bool, scale: f64) -> Vec<f64> {
    let mut before = f64::NAN;
    let one = |&c: &f64| {
        let r = one_return(before, c, log, scale);
        before = c;
        r
    };
    close.iter().map(one).collect()
}

/// The return from one close to the next; NaN where it is not finite.
#[inline]
pub(crate) fn one_return(before: f64, now: f64, log: bool, scale: f64) -> f64 {
    let ratio = now / before;
    let r = if log { scale * libm::log(ratio) } else { scale * (ratio - 1.0) };
    // Also NaN for a negative ratio of prices of which one is not positive.
    if r.is_finite() && before.is_finite() && now.is_finite() { r } else { f64::NAN }
}

/// Streaming state of `garch_volatility`.
pub(crate) struct Recursion {
    pub omega: f64,
    pub alpha: f64,
    pub beta: f64,
    /// No variance is below it.
    pub floor: f64,
    pub scale: f64,
    /// The first return, on which the others are centred.
    pub mean: f64,
    /// The variance.
    pub h: f64,
    /// Square of the last return, centred.
    pub shock: f64,
}

impl Garch {
    /// The recursion at its first present return.
    pub(crate) fn start(&self, first_return: f64) -> Recursion {
        let floor = self.sigma_floor * self.sigma_floor;
        Recursion {
            omega: self.omega.unwrap_or_else(|| 1e-6 * (1.0 - self.alpha - self.beta).max(1e-6)),
            alpha: self.alpha,
            beta: self.beta,
            floor,
            scale: self.scale,
            mean: first_return,
            h: floor.max(1e-6),
            shock: 0.0,
        }
    }

    /// σ of every bar from the returns before it. First value: index 1 + min_periods on dense data.
    pub fn volatility(&self, returns: &[f64]) -> Vec<f64> {
        let mut sigma = vec![f64::NAN; returns.len()];
        let Some(first) = returns.iter().position(|r| r.is_finite()) else { return sigma };
        let mut state = self.start(returns[first]);
        for i in first..returns.len() {
            if i > first {
                state.update(returns[i]);
            }
            if i >= first + self.min_periods {
                sigma[i] = state.sigma();
            }
        }
        sigma
    }

    /// Bits of all weights, for keys.
    pub(crate) fn bits(&self) -> [u64; 8] {
        [
            bits(self.alpha),
            bits(self.beta),
            u64::from(self.omega.is_some()),
            bits(self.omega.unwrap_or(0.0)),
            u64::from(self.use_log_returns),
            bits(self.scale),
            self.min_periods as u64,
            bits(self.sigma_floor),
        ]
    }

    /// Of the parameters of a call, `omega` only where it is declared.
    ///
    /// # Errors
    /// 1003 unless alpha + beta < 1.
    pub(crate) fn of(args: &Args, omega: Option<f64>) -> Result<Self, Mistake> {
        let (alpha, beta) = (args.float("alpha"), args.float("beta"));
        if alpha + beta >= 1.0 {
            let what = format!("alpha + beta = {alpha:?} + {beta:?}");
            return Err(Mistake::range(what, "alpha + beta must be below 1"));
        }
        Ok(Self {
            alpha,
            beta,
            omega,
            use_log_returns: args.switch("use_log_returns"),
            scale: args.float("scale"),
            min_periods: args.bars("min_periods"),
            sigma_floor: args.float("sigma_floor"),
        })
    }
}

impl Recursion {
    /// Takes the return of the next bar; a missing one changes nothing.
    #[inline]
    pub(crate) fn update(&mut self, r: f64) {
        if r.is_finite() {
            self.h = floored(self.omega + self.alpha * self.shock + self.beta * self.h, self.floor);
            let e = r - self.mean;
            self.shock = e * e;
        }
    }

    /// The forecast for the bar whose return was taken last.
    #[inline]
    pub(crate) fn sigma(&self) -> f64 {
        crate::finite_or_nan(self.h.sqrt() / self.scale)
    }
}

/// The larger of a variance and the floor; a variance that overflowed stays undefined.
#[inline]
fn floored(variance: f64, floor: f64) -> f64 {
    if variance < floor { floor } else { variance }
}

/// Returns, shared by all forecasts of one convention.
#[derive(Debug, Clone, Copy)]
pub struct Returns {
    /// Log returns, else simple ones.
    pub log: bool,
    /// Returns are multiplied by it.
    pub scale: f64,
}

impl Entry for Returns {
    fn key(&self) -> Key {
        Key::part("returns", [u64::from(self.log), bits(self.scale)])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![returns(scope.bars.close, self.log, self.scale).into()]
    }
}

pub(crate) const ALPHA: Parameter =
    Parameter::not_negative("alpha", Value::Float(0.05), "weight of the last shock");
pub(crate) const BETA: Parameter =
    Parameter::not_negative("beta", Value::Float(0.90), "weight of the last variance; alpha + beta below 1");
pub(crate) const OMEGA: Parameter = Parameter::not_negative(
    "omega",
    Value::None,
    "level term in (scale*return)^2; none: 1e-6*max(1e-6, 1 - alpha - beta)",
);
pub(crate) const LOG: Parameter = Parameter::switch("use_log_returns", true, "log returns, else simple ones");
pub(crate) const SCALE: Parameter = Parameter::positive("scale", 100.0, "returns are multiplied by it");
pub(crate) const MIN_PERIODS: Parameter =
    Parameter::int("min_periods", Value::Int(50), 0, i64::MAX, "bars after the first return without a value");
pub(crate) const SIGMA_FLOOR: Parameter =
    Parameter::not_negative("sigma_floor", Value::Float(1e-6), "smallest deviation, in scale*return");

/// The declaration of `garch_volatility`.
pub static GARCH_VOLATILITY: Declaration = Declaration {
    id: "garch_volatility",
    version: 1,
    title: "GARCH(1,1) volatility forecast, fixed weights",
    parameters: &[ALPHA, BETA, OMEGA, LOG, SCALE, MIN_PERIODS, SIGMA_FLOOR],
    outputs: &["sigma"],
    first: "1 + min_periods",
    formula: "r_i = scale*ln(C_i/C_{i-1}) or scale*(C_i/C_{i-1} - 1); at the first return r_f: h = max(1e-6, \
              sigma_floor^2), then h <- max(omega + alpha*(r_{i-1} - r_f)^2 + beta*h, sigma_floor^2); \
              sigma = sqrt(h)/scale. Shocks are centred on the first return, and the default omega lets sigma settle \
              below the true level (0.7 of it)",
    source: "T. Bollerslev, Journal of Econometrics 31 (1986)",
};

impl Entry for Garch {
    fn key(&self) -> Key {
        Key::of(&GARCH_VOLATILITY, self.bits())
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![self.volatility(&scope.get(&Returns { log: self.use_log_returns, scale: self.scale })).into()]
    }
}

impl Indicator for Garch {
    fn declaration() -> &'static Declaration {
        &GARCH_VOLATILITY
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Self::of(args, args.optional_float("omega"))
    }
}

/// `garch_vt`: variance targeting, centred on zero; the level is the mean square of all past returns.
#[derive(Debug, Clone, Copy)]
pub struct VarianceTargeting(pub Garch);

/// The declaration of `garch_vt`.
pub static GARCH_VT: Declaration = Declaration {
    id: "garch_vt",
    version: 1,
    title: "GARCH(1,1) volatility forecast with variance targeting",
    parameters: &[
        ALPHA,
        BETA,
        LOG,
        SCALE,
        Parameter {
            kind: Kind::Int { low: 1, high: i64::MAX },
            doc: "returns before the first value",
            ..MIN_PERIODS
        },
        SIGMA_FLOOR,
    ],
    outputs: &["sigma"],
    first: "1 + min_periods",
    formula: "r as in garch_volatility; v = mean of r^2 of all returns before i; first h = max(v, sigma_floor^2), then \
              h <- max((1 - alpha - beta)*v + alpha*r_{i-1}^2 + beta*h, sigma_floor^2); sigma = sqrt(h)/scale",
    source: "R. Engle and J. Mezrich, GARCH for groups, Risk 9 (1996)",
};

/// σ of every bar by variance targeting, from the returns before it; `omega` is not used.
#[allow(clippy::cast_precision_loss)]
pub fn variance_targeting(weights: &Garch, returns: &[f64]) -> Vec<f64> {
    let floor = weights.sigma_floor * weights.sigma_floor;
    let (mut sum, mut count, mut shock) = (0.0, 0usize, 0.0);
    let mut h: Option<f64> = None;
    let one = |&r: &f64| {
        if r.is_finite() {
            if count >= weights.min_periods {
                let v = sum / count as f64;
                let next = match h {
                    None => v,
                    Some(h) => {
                        (1.0 - weights.alpha - weights.beta) * v + weights.alpha * shock + weights.beta * h
                    }
                };
                h = Some(floored(next, floor));
            }
            shock = r * r;
            sum += r * r;
            count += 1;
        }
        h.map_or(f64::NAN, |h| crate::finite_or_nan(h.sqrt() / weights.scale))
    };
    returns.iter().map(one).collect()
}

impl Entry for VarianceTargeting {
    fn key(&self) -> Key {
        Key::of(&GARCH_VT, self.0.bits())
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        let returns = scope.get(&Returns { log: self.0.use_log_returns, scale: self.0.scale });
        vec![variance_targeting(&self.0, &returns).into()]
    }
}

impl Indicator for VarianceTargeting {
    fn declaration() -> &'static Declaration {
        &GARCH_VT
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self(Garch::of(args, None)?))
    }
}
