//! The native strategies. One folder each; adding one is that folder and one line here. What they share is there for
//! those of plug-ins too.

mod adx_filter;
pub mod directions;
pub mod donchian_breakout;
#[cfg(feature = "faults")]
pub mod faults;
pub mod ma_cross;
pub mod mean_reversion_z_score;
pub mod mtf_trend_pullback;
pub mod played;
pub mod position_rules;
pub mod rsi_reversal_limit;
mod seeds;
mod timeframes;
mod trend_ema;
pub mod user;

use sweep_engine::error::Result;
use sweep_engine::run::{self, Native, NativeStrategy, Strategies};

static DONCHIAN_BREAKOUT: Native<donchian_breakout::DonchianBreakout> = Native::new();
#[cfg(feature = "faults")]
static FAULTS: Native<faults::Faults> = Native::new();
static MA_CROSS: Native<ma_cross::MaCross> = Native::new();
static MEAN_REVERSION_Z_SCORE: Native<mean_reversion_z_score::MeanReversionZScore> = Native::new();
static MTF_TREND_PULLBACK: Native<mtf_trend_pullback::MtfTrendPullback> = Native::new();
static RSI_REVERSAL_LIMIT: Native<rsi_reversal_limit::RsiReversalLimit> = Native::new();

/// All of them, by id.
pub static STRATEGIES: Strategies = &[
    &DONCHIAN_BREAKOUT,
    #[cfg(feature = "faults")]
    &FAULTS,
    &MA_CROSS,
    &MEAN_REVERSION_Z_SCORE,
    &MTF_TREND_PULLBACK,
    &RSI_REVERSAL_LIMIT,
];

/// The strategy with this id.
///
/// # Errors
/// [1001] naming the nearest ids.
pub fn find(id: &str) -> Result<&'static dyn NativeStrategy> {
    run::find(STRATEGIES, id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_folder_is_in_the_list_and_every_entry_has_its_folder() {
        let folders: BTreeSet<String> = std::fs::read_dir(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .filter_map(|entry| {
                let path = entry.unwrap().path();
                path.join("mod.rs").exists().then(|| path.file_name().unwrap().to_string_lossy().into_owned())
            })
            .collect();
        let listed: BTreeSet<String> =
            STRATEGIES.iter().map(|s| s.declaration().id.clone()).filter(|id| id != "faults").collect();
        assert_eq!(folders, listed);
        for id in listed {
            for file in ["reference.py", "README.md"] {
                let path = format!("{}/{id}/{file}", env!("CARGO_MANIFEST_DIR"));
                assert!(std::path::Path::new(&path).exists(), "{path}");
            }
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let unknown = find("ma_crosss").err().unwrap();
        assert_eq!(unknown.code, 1001);
        assert!(unknown.to_string().contains("ma_cross?"), "{unknown}");
    }
}
