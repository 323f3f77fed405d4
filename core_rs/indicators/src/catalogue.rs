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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::{Given, Kind, Parameter};
    use crate::scope::{Bars, Key, NoStore, Outputs, Store};
    use crate::slots::Slots;
    use proptest::prelude::*;
    use std::sync::{Arc, Mutex};

    /// Has every part of an indicator made as a series of its own, as a cache does.
    struct InParts;

    impl Store for InParts {
        fn series(&self, key: Key, compute: &mut dyn FnMut() -> Vec<Series>) -> Outputs {
            NoStore.series(key, compute)
        }

        fn slots(&self, key: Key, bars: usize) -> Arc<Slots> {
            NoStore.slots(key, bars)
        }

        fn window(&self, key: Key, compute: &mut dyn FnMut() -> Vec<f64>) -> Series {
            NoStore.window(key, compute)
        }
    }

    fn bits(row: &Row, given: &[(String, Given)], bars: Bars<'_>, store: &dyn Store) -> Vec<Vec<u64>> {
        let args = Args::read(row.declaration, given).unwrap();
        let outputs = row.call(&args, &Scope::new(bars, None, store)).unwrap();
        let one = |output| match output {
            Output::Series(values) | Output::Window(values) => values.iter().map(|x| x.to_bits()).collect(),
            Output::Number(x) => vec![x.to_bits()],
            Output::Bar(i) => vec![i as u64],
        };
        outputs.into_iter().map(one).collect()
    }

    /// Calls of an indicator with short windows, of every bar and of the bar `idx` where it has local forms.
    fn calls(row: &Row, period: i64, idx: usize) -> Vec<Vec<(String, Given)>> {
        let parameters = row.declaration.parameters;
        let bars = |p: &&Parameter| matches!(p.kind, Kind::Int { low: 1 | 2, .. }) && p.name != "min_periods";
        // A local window must hold a forecast.
        let length = |name: &str| if name.ends_with("lookback") { 60 } else { period };
        let given: Vec<_> =
            parameters.iter().filter(bars).map(|p| (p.name.to_owned(), Given::Int(length(p.name)))).collect();
        let and = |more: &[(&str, Given)]| {
            let more = more.iter().map(|(name, x)| ((*name).to_owned(), x.clone()));
            given.iter().cloned().chain(more).collect::<Vec<_>>()
        };
        let at = ("idx", Given::Int(i64::try_from(idx).unwrap()));
        let features = parameters.iter().find(|p| p.name == "feature").map(|p| p.kind);
        match features {
            Some(Kind::Text(names)) => names
                .iter()
                .map(|name| and(&[at.clone(), ("feature", Given::Text((*name).to_owned()))]))
                .collect(),
            _ if parameters.iter().any(|p| p.name == "idx") => vec![given.clone(), and(&[at])],
            _ => vec![given],
        }
    }

    /// Notes the keys that it is asked for.
    #[derive(Default)]
    struct Noting(Mutex<Vec<Key>>);

    impl Store for Noting {
        fn series(&self, key: Key, compute: &mut dyn FnMut() -> Vec<Series>) -> Outputs {
            self.0.lock().unwrap().push(key.clone());
            NoStore.series(key, compute)
        }

        fn slots(&self, key: Key, bars: usize) -> Arc<Slots> {
            self.0.lock().unwrap().push(key.clone());
            NoStore.slots(key, bars)
        }

        fn window(&self, key: Key, compute: &mut dyn FnMut() -> Vec<f64>) -> Series {
            self.0.lock().unwrap().push(key.clone());
            NoStore.window(key, compute)
        }
    }

    #[test]
    fn every_indicator_is_kept_under_its_own_name_and_version() {
        let x: Vec<f64> = (0..9).map(f64::from).collect();
        for row in CATALOGUE.iter().filter(|row| row.declaration.id != "vol_cluster_series") {
            let store = Noting::default();
            bits(row, &calls(row, 3, 0)[0], Bars { open: &x, high: &x, low: &x, close: &x }, &store);
            // A stepwise form is another name of the same series.
            let (id, version) = (row.declaration.id.trim_end_matches("_stepwise"), row.declaration.version);
            let keys = store.0.into_inner().unwrap();
            assert!(keys.iter().any(|key| (key.id, key.version) == (id, version)), "{id}: {keys:?}");
        }
    }

    #[test]
    fn another_version_is_another_key() {
        let newer = Declaration { version: 7, ..*CATALOGUE[0].declaration };
        assert_eq!(Key::of(&newer, [3]).version, 7);
        assert_ne!(Key::of(&newer, [3]), Key::of(CATALOGUE[0].declaration, [3]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// In one pass or in parts, a long series or a short one: the bits are the same.
        #[test]
        fn parts_and_length_change_no_bit(
            steps in proptest::collection::vec((-1e-3..1e-3f64, 0.0..1e-3f64), 3_000..4_500),
            period in 2i64..5,
            cut in 2usize..700,
            hole in 0usize..9_000,
        ) {
            let mut close: Vec<f64> =
                steps.iter().scan(1.3, |level, (s, _)| { *level += s; Some(*level) }).collect();
            if hole < close.len() { close[hole] = f64::NAN; }
            let high: Vec<f64> = close.iter().zip(&steps).map(|(c, (_, w))| c + w).collect();
            let low: Vec<f64> = close.iter().zip(&steps).map(|(c, (_, w))| c - 0.5 * w).collect();
            let first = |n: usize| Bars { open: &close[..n], high: &high[..n], low: &low[..n], close: &close[..n] };
            for row in &CATALOGUE {
                for given in calls(row, period, cut - 1) {
                    let whole = bits(row, &given, first(close.len()), &NoStore);
                    let parts = bits(row, &given, first(close.len()), &InParts);
                    prop_assert_eq!(&whole, &parts, "{}", row.declaration.id);
                    for (short, long) in bits(row, &given, first(cut), &NoStore).iter().zip(&whole) {
                        prop_assert_eq!(&short[..], &long[..short.len()], "{}", row.declaration.id);
                    }
                }
            }
        }
    }
}
