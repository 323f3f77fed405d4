//! Cash, open and closed positions, equity; [`api`] drives them by operations.

pub mod api;
pub(crate) mod book;
mod equity;
mod money;
mod summary;

pub use book::{Book, Ended};
pub use equity::{Curve, Drawdowns, EquityTracker, Sample};
pub use money::Money;
pub use summary::{ROBUSTNESS, Summary, SummaryValue, robustness, summary};
