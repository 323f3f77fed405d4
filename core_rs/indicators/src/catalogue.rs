//! All indicators, in one list: from it come calls by name, validation, listings and documents.

use crate::declare::{Args, Declaration, Mistake};
use crate::scope::{Entry, Scope, Series};
use crate::{
    atr, bollinger, choppiness, dema, dmi, ema, garch, garch_local, kalman_garch, kalman_mean, kalman_zscore,
    macd, momentum, roc, rolling_std, rsi, sma, tema, vol_cluster, zscore,
};

/// An indicator that can be called by name.
pub trait Indicator: Entry + Sized {
    /// Its declaration.
    fn declaration() -> &'static Declaration;

    /// From arguments that keep the declaration.
    ///
    /// # Errors
    /// What the declaration cannot say: a combination of parameters that is refused.
    fn from_args(args: &Args) -> Result<Self, Mistake>;

    /// Its outputs, in the order of the declaration.
    ///
    /// # Errors
    /// An argument that the bars refuse.
    fn call(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Mistake> {
        Ok(scope.outputs(self).iter().cloned().map(Output::Series).collect())
    }
}

/// One output of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// One value per bar.
    Series(Series),
    /// Values of some bars alone; never expanded to another timeframe.
    Window(Series),
    /// One value.
    Number(f64),
    /// Number of a bar.
    Bar(usize),
}

/// A line of the catalogue.
#[derive(Clone, Copy)]
pub struct Row {
    /// Name, parameters, outputs, formula.
    pub declaration: &'static Declaration,
    /// Whether it runs over the bars of its timeframe unless told otherwise (`on="bars"`).
    pub stepwise: bool,
    /// Computes it.
    call: fn(&Args, &Scope<'_>) -> Result<Vec<Output>, Mistake>,
}

impl Row {
    const fn of<I: Indicator>(declaration: &'static Declaration) -> Self {
        Self { declaration, stepwise: false, call: |args, scope| I::from_args(args)?.call(scope) }
    }

    const fn stepwise<I: Indicator>(declaration: &'static Declaration) -> Self {
        Self { stepwise: true, ..Self::of::<I>(declaration) }
    }

    /// The outputs of a call, in the order of the declaration.
    ///
    /// # Errors
    /// As [`Indicator::from_args`] and [`Indicator::call`].
    pub fn call(&self, args: &Args, scope: &Scope<'_>) -> Result<Vec<Output>, Mistake> {
        (self.call)(args, scope)
    }
}

/// Every indicator, in the order of the documentation.
pub static CATALOGUE: [Row; 25] = [
    Row::of::<ema::Ema>(&ema::EMA),
    Row::stepwise::<ema::Ema>(&ema::EMA_STEPWISE),
    Row::of::<sma::Sma>(&sma::SMA),
    Row::of::<rsi::Rsi>(&rsi::RSI),
    Row::of::<macd::Macd>(&macd::MACD),
    Row::of::<roc::Roc>(&roc::ROC),
    Row::of::<dmi::DirectionalMovement>(&dmi::DMI),
    Row::of::<bollinger::Bollinger>(&bollinger::BOLLINGER),
    Row::stepwise::<bollinger::Bollinger>(&bollinger::BOLLINGER_STEPWISE),
    Row::of::<atr::Atr>(&atr::ATR),
    Row::of::<choppiness::Choppiness>(&choppiness::CHOPPINESS),
    Row::of::<kalman_mean::KalmanMean>(&kalman_mean::KALMAN_MEAN),
    Row::of::<kalman_zscore::KalmanZscore>(&kalman_zscore::KALMAN_ZSCORE),
    Row::stepwise::<kalman_zscore::KalmanZscore>(&kalman_zscore::KALMAN_ZSCORE_STEPWISE),
    Row::of::<zscore::Zscore>(&zscore::ZSCORE),
    Row::of::<garch::Garch>(&garch::GARCH_VOLATILITY),
    Row::of::<garch::VarianceTargeting>(&garch::GARCH_VT),
    Row::of::<garch_local::GarchLocal>(&garch_local::GARCH_VOLATILITY_LOCAL),
    Row::of::<kalman_garch::KalmanGarch>(&kalman_garch::KALMAN_GARCH_ZSCORE),
    Row::of::<kalman_garch::KalmanGarchLocal>(&kalman_garch::KALMAN_GARCH_ZSCORE_LOCAL),
    Row::of::<vol_cluster::VolCluster>(&vol_cluster::VOL_CLUSTER_SERIES),
    Row::of::<dema::Dema>(&dema::DEMA),
    Row::of::<tema::Tema>(&tema::TEMA),
    Row::of::<momentum::Momentum>(&momentum::MOMENTUM),
    Row::of::<rolling_std::RollingStd>(&rolling_std::ROLLING_STD),
];

/// The indicator of this name.
pub fn find(id: &str) -> Option<&'static Row> {
    CATALOGUE.iter().find(|row| row.declaration.id == id)
}
