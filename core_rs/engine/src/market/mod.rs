//! Market data: what an instrument is, what bars are, and the contract that they keep.
//!
//! Reading order: [`timeframe`] and [`spec`] (the words), [`bars`] with [`contract`] (one checked series),
//! [`quotes`] and [`market`] (bid and ask together), [`pairing`] (how they get together), [`day`], [`buckets`] and
//! [`higher`] (bars of higher timeframes), [`given`](mod@given) (those that came as files), [`report`] (what is odd
//! about them but legal), [`synthetic`] (bars without data).

pub mod bars;
pub mod buckets;
pub mod calendar;
pub mod contract;
pub mod day;
mod generator;
pub mod given;
pub mod grid;
pub mod higher;
#[allow(clippy::module_inception)]
pub mod market;
mod options;
pub mod pairing;
pub mod quotes;
pub mod report;
pub mod spec;
mod symbols;
pub mod synthetic;
pub mod timeframe;

pub use bars::{Bars, RawBars};
pub use contract::Duplicates;
pub use day::{Alignment, Day, ZONE_DATA};
pub use given::Stamp;
pub use grid::TickGrid;
pub use higher::Higher;
pub use market::{Market, MarketMeta};
pub use pairing::{Crossed, MarketOptions};
pub use quotes::{Field, Quote, Quotes};
pub use report::Report;
pub use spec::SymbolSpec;
pub use synthetic::{GENERATOR_VERSION, SyntheticOptions, Weekends};
pub use timeframe::Timeframe;
