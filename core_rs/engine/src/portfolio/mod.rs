//! Cash, open and closed positions, equity.

mod book;
mod equity;
mod money;
mod summary;

pub use book::{Book, Ended};
pub use equity::{Curve, Drawdowns, EquityTracker, Sample};
pub use money::Money;
pub use summary::{Summary, SummaryValue, summary};
