//! The feature that a volatility guard clusters.

use crate::atr::Atr;
use crate::catalogue::{Indicator, Output};
use crate::declare::{Args, Declaration, Kind, Mistake, Parameter};
use crate::garch::{ALPHA, BETA, Garch, LOG, MIN_PERIODS, OMEGA, SCALE, SIGMA_FLOOR};
use crate::garch_local::{GarchLocal, check_bar};
use crate::scope::{Entry, Key, Scope, Series};

/// Which feature.
#[derive(Debug, Clone, Copy)]
pub enum Feature {
    /// Average true range over all bars.
    Atr(Atr),
    /// Volatility of the window of a bar.
    Garch(GarchLocal),
}

/// Routes to a feature; computes and keeps nothing of its own.
#[derive(Debug, Clone, Copy)]
pub struct VolCluster {
    /// The bar.
    pub idx: usize,
    /// Which feature.
    pub feature: Feature,
}

/// The declaration of `vol_cluster_series`.
pub static VOL_CLUSTER_SERIES: Declaration = Declaration {
    id: "vol_cluster_series",
    version: 1,
    title: "feature of the volatility guard",
    parameters: &[
        Parameter { name: "idx", kind: Kind::Int { low: 0, high: i64::MAX }, default: None, doc: "the bar" },
        Parameter::choice(
            "feature",
            &["atr_points", "garch_forecast"],
            None,
            "atr_points: the whole ATR; garch_forecast: garch_volatility_local at idx",
        ),
        Parameter::bars_or("atr_length", 14, "period of the ATR"),
        Parameter::bars_or("garch_lookback", 500, "bars in the window"),
        ALPHA,
        BETA,
        OMEGA,
        LOG,
        SCALE,
        MIN_PERIODS,
        SIGMA_FLOOR,
    ],
    outputs: &["start", "values"],
    first: "atr_points: atr_length - 1; garch_forecast: 1 + min_periods",
    formula: "atr_points: values = atr(atr_length), start = 0; garch_forecast: those of \
              garch_volatility_local(idx, lookback = garch_lookback)",
    source: "see atr and garch_volatility_local",
};

impl VolCluster {
    /// First bar of the values, and the values.
    pub fn values(&self, scope: &Scope<'_>) -> (usize, Series) {
        match &self.feature {
            Feature::Atr(atr) => (0, scope.get(atr)),
            Feature::Garch(local) => (local.start(self.idx), local.window(scope, self.idx)),
        }
    }
}

impl Entry for VolCluster {
    fn key(&self) -> Key {
        match &self.feature {
            Feature::Atr(atr) => atr.key(),
            Feature::Garch(local) => local.key(),
        }
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        match &self.feature {
            Feature::Atr(atr) => atr.compute(scope),
            Feature::Garch(local) => local.compute(scope),
        }
    }
}

impl Indicator for VolCluster {
    fn declaration() -> &'static Declaration {
        &VOL_CLUSTER_SERIES
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        let idx = args.bars("idx");
        let weights = Garch::of(args, args.optional_float("omega"))?;
        let feature = match args.text("feature") {
            "atr_points" => Feature::Atr(Atr { period: args.bars("atr_length") }),
            _ => {
                Feature::Garch(GarchLocal { idx: Some(idx), lookback: args.bars("garch_lookback"), weights })
            }
        };
        Ok(Self { idx, feature })
    }

    fn call(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Mistake> {
        check_bar(self.idx, scope)?;
        let (start, values) = self.values(scope);
        Ok(vec![Output::Bar(start), Output::Window(values)])
    }
}
