//! The parameter that says how Wilder's smoothing starts.

use sweep_engine::declare::{Parameter, categorical};
use sweep_indicators::dmi::Seed;

/// `wilder` or `first`, for the smoothing of `indicator`.
pub fn seed(name: &str, indicator: &str) -> Parameter {
    categorical(name, &["wilder", "first"], "wilder").group("filter").doc(&format!(
        "first value of the {indicator}'s smoothing: Wilder's mean of the first period, or the first value"
    ))
}

/// The seed of this name.
pub fn named(text: &str) -> Seed {
    if text == "first" { Seed::First } else { Seed::Wilder }
}
