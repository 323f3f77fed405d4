//! Entry gates: when new entries are blocked. Exits, pending fills and management go on.
//!
//! Reading order: [`options`] (what is configured, in configured order) → [`clock`] (times and offsets) →
//! [`sessions`], [`anchored`], [`news`] (each to [`intervals`]) → [`table`] (the first closed gate at every close) →
//! [`cooldown`] (the one gate that depends on the trial).

pub mod anchored;
pub mod clock;
pub mod cooldown;
pub mod intervals;
pub mod news;
pub mod options;
pub mod sessions;
pub mod table;

pub use cooldown::Cooldown;
pub use options::{Gate, GateOptions, Name};
pub use table::GateTable;
