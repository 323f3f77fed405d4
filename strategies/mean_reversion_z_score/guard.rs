//! The volatility guard of scenario 5: entries only while volatility is of a permitted kind.

use super::clusters::Clustering;
use std::sync::Arc;
use sweep_engine::declare::Canonical;
use sweep_engine::strategy::View;
use sweep_indicators::atr::Atr;
use sweep_indicators::garch::Garch;
use sweep_indicators::garch_local::GarchLocal;
use sweep_indicators::scope::{Entry, Key, Scope};
use sweep_indicators::slots::Slots;
use sweep_indicators::vol_cluster::{Feature, VolCluster};

/// Names of the clusters, lowest first.
pub const LABELS: [&str; 5] = ["low", "mid", "high", "very_high", "extreme"];
/// Stands for a bar at which there is no label.
const CLOSED: f64 = -1.0;

/// The guard of one parameter set.
#[derive(Debug)]
pub struct Guard {
    feature: Feature,
    clustering: Clustering,
    allowed: [bool; LABELS.len()],
    /// The label of each bar, clustered when first asked for and shared by all trials that cluster alike.
    labels: Arc<Slots>,
}

impl Guard {
    /// Of a parameter set with scenario 5; `cluster_window` is resolved.
    pub fn new(scope: &Scope<'_>, params: &Canonical, weights: Garch, atr: Atr) -> Self {
        let feature = match params.text("intraday_vol_feature") {
            "atr_points" => Feature::Atr(atr),
            _ => Feature::Garch(GarchLocal {
                idx: None,
                lookback: params.count("intraday_vol_garch_lookback"),
                weights,
            }),
        };
        let clustering = Clustering {
            window: params.count("intraday_vol_cluster_window"),
            k: params.count("intraday_vol_cluster_k"),
            min_points: params.count("intraday_vol_min_points"),
            log: params.boolean("intraday_vol_log_transform"),
            hysteresis: params.count("cluster_hysteresis_bars"),
        };
        let allowed = params.text("intraday_vol_allowed");
        Self {
            allowed: LABELS.map(|label| allowed.split('+').any(|member| member == label)),
            labels: scope.store().slots(key(feature, clustering), scope.bars.len()),
            feature,
            clustering,
        }
    }

    /// Whether the volatility at bar `i` is of a permitted kind.
    pub fn open(&self, i: usize, view: &View<'_>) -> bool {
        let label = self.labels.get(i, || {
            let side = view.series.bid();
            let (start, values) = VolCluster { idx: i, feature: self.feature }.values(&side.scope());
            let label = self.clustering.label(&values[..=i - start]);
            label.map_or(CLOSED, |rank| f64::from(u32::try_from(rank).unwrap_or(u32::MAX)))
        });
        LABELS
            .iter()
            .zip(self.allowed)
            .zip(0_u32..)
            .any(|((_, allowed), rank)| allowed && label == f64::from(rank))
    }
}

/// What the labels are a function of.
fn key(feature: Feature, clustering: Clustering) -> Key {
    let mut key = VolCluster { idx: 0, feature }.key();
    let Clustering { window, k, min_points, log, hysteresis } = clustering;
    key.params.extend([window, k, min_points, usize::from(log), hysteresis].map(|n| n as u64));
    Key { id: if matches!(feature, Feature::Atr(_)) { "atr_clusters" } else { "garch_clusters" }, ..key }
}
