//! The standalone portfolio: the engine's own book, driven by operations instead of a strategy.
//!
//! Reading order: [`row`] (one operation as a user states it) → [`portfolio`] (the state) → `entries`, `exits`, `levels`,
//! `fees`, `sampling` (what the operations do) → [`batch`] (many of them) → [`report`] (what is asked of it).
//!
//! Every operation is checked in full before it changes anything: one that is refused leaves no trace.

pub mod batch;
mod entries;
mod exits;
mod fees;
mod instruments;
mod levels;
pub mod portfolio;
pub mod report;
pub mod row;
mod sampling;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Report, RowError};
pub use fees::{Fee, FeeKind};
pub use portfolio::{Portfolio, Setup};
pub use report::{Record, State};
pub use row::{Operation, Quote, Row};
