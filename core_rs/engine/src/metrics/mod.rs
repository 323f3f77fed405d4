//! The metric catalogue: one function and one line of the table per metric. Undefined is `None`, never 0.
//!
//! Reading order: [`inputs`] (what metrics are computed from) → [`catalogue`] (names, units, definitions) → the families.

mod catalogue;
mod growth;
mod inputs;
pub(crate) mod moments;
mod returns;
mod risk;
mod trades;

pub use catalogue::{CATALOGUE, Metric, OUTSIDE_DIGEST, compute};
pub use inputs::{Inputs, TradeStats};
