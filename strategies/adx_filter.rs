//! The parameters `adx_period`, `adx_min` and `adx_seed`: entries only in a trend of some strength.

use crate::seeds;
use sweep_engine::declare::Canonical;
use sweep_engine::series::Side;
use sweep_indicators::dmi::DirectionalMovement;
use sweep_indicators::scope::Series;

/// The ADX and its smallest value, if one is asked for.
#[derive(Debug)]
pub struct AdxFilter(Option<(Series, f64)>);

impl AdxFilter {
    /// Bars before the ADX is settled; 0 where it is not read.
    pub fn warmup(params: &Canonical) -> usize {
        if params.float("adx_min") > 0.0 { 2 * params.count("adx_period") } else { 0 }
    }

    /// Of a parameter set, on bid.
    pub fn of(params: &Canonical, bid: &Side<'_>) -> Self {
        let least = params.float("adx_min");
        Self((least > 0.0).then(|| {
            let seed = seeds::named(params.text("adx_seed"));
            let movement = DirectionalMovement { period: params.count("adx_period"), seed };
            (Series::clone(&bid.outputs(&movement)[DirectionalMovement::ADX]), least)
        }))
    }

    /// Whether the trend is strong enough; an undefined ADX is not.
    pub fn passes(&self, i: usize) -> bool {
        self.0.as_ref().is_none_or(|(adx, least)| adx[i] >= *least)
    }
}
