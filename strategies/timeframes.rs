//! Parameters that name a timeframe.

use sweep_engine::Value;
use sweep_engine::declare::{Parameter, categorical};
use sweep_engine::market::Timeframe;

/// Timeframes of which higher bars are made.
pub const TIMEFRAMES: [&str; 20] = [
    "M1", "M2", "M3", "M4", "M5", "M6", "M10", "M12", "M15", "M20", "M30", "H1", "H2", "H3", "H4", "H6",
    "H8", "H12", "D1", "W1",
];

/// A timeframe by its name.
pub fn timeframe(name: &str, default: &str) -> Parameter {
    categorical(name, &TIMEFRAMES, default)
}

/// Length in minutes; 0 for what is no timeframe.
pub fn minutes_of(value: &Value) -> i64 {
    match value {
        Value::Text(text) => text.parse::<Timeframe>().map_or(0, Timeframe::minutes),
        _ => 0,
    }
}
