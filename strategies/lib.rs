//! The native strategies. One folder each; adding one is that folder and one line here.

mod directions;
pub mod ma_cross;
pub mod mean_reversion_z_score;

use sweep_engine::error::{Error, Result};
use sweep_engine::run::{Native, NativeStrategy};
use sweep_engine::suggest::suggestion;

static MA_CROSS: Native<ma_cross::MaCross> = Native::new();
static MEAN_REVERSION_Z_SCORE: Native<mean_reversion_z_score::MeanReversionZScore> = Native::new();

/// All of them, by id.
pub static STRATEGIES: [&dyn NativeStrategy; 2] = [&MA_CROSS, &MEAN_REVERSION_Z_SCORE];

/// Strategies that are specified and not built in this version.
const PLANNED: [&str; 3] = ["donchian_breakout", "mtf_trend_pullback", "rsi_reversal_limit"];

/// The strategy with this id.
///
/// # Errors
/// [1001] naming the nearest ids; [4001] for one that is not built in this version.
pub fn find(id: &str) -> Result<&'static dyn NativeStrategy> {
    if let Some(strategy) = STRATEGIES.into_iter().find(|s| s.declaration().id == id) {
        return Ok(strategy);
    }
    if PLANNED.contains(&id) {
        let remedy = "see `sweep strategies list` for those that are";
        return Err(Error::config(4001, format!("strategy {id} is not built in this version")).fix(remedy));
    }
    Err(Error::config(1001, format!("unknown strategy {id:?}"))
        .at("strategy.name")
        .fix(suggestion(id, STRATEGIES.iter().map(|s| s.declaration().id.as_str()))))
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
        let listed: BTreeSet<String> = STRATEGIES.iter().map(|s| s.declaration().id.clone()).collect();
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
        assert_eq!(find("donchian_breakout").err().unwrap().code, 4001);
    }
}
