//! Market data: what an instrument is, what bars are, and the contract that they keep.
//!
//! Reading order: [`timeframe`] and [`spec`] (the words), [`bars`] with [`contract`] (one checked series),
//! [`quotes`] and [`market`] (bid and ask together), [`pairing`] and [`filter`] (how they get together),
//! [`ticks`] and [`tick_bars`] (bars built of ticks), [`zone`], [`day`], [`buckets`] and [`higher`] (bars of higher
//! timeframes), [`given`](mod@given) (those that came as files), [`defects`] (what is refused), [`report`]
//! and [`spacing`] (what is odd but legal), [`synthetic`] (bars without data).

mod ask;
pub mod bars;
pub mod buckets;
pub mod calendar;
mod check_options;
pub mod contract;
pub mod day;
pub mod defects;
pub mod filter;
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
pub mod spacing;
pub mod spec;
mod symbols;
pub mod synthetic;
pub mod tick_bars;
mod tick_contract;
pub mod ticks;
pub mod timeframe;
pub mod zone;

pub use bars::{Bars, RawBars};
pub use check_options::CheckOptions;
pub use contract::Duplicates;
pub use day::{Alignment, Day};
pub use defects::{Defect, DefectRow};
pub use filter::Filter;
pub use given::Stamp;
pub use grid::TickGrid;
pub use higher::Higher;
pub use market::{Kind, Market, MarketMeta};
pub use pairing::{Crossed, MarketOptions};
pub use quotes::{Field, Quote, Quotes};
pub use report::Report;
pub use spacing::Spacing;
pub use spec::SymbolSpec;
pub use synthetic::{GENERATOR_VERSION, SyntheticOptions, Weekends};
pub use tick_bars::TickOptions;
pub use ticks::{RawTicks, Ticks};
pub use timeframe::Timeframe;
pub use zone::{ZONE_DATA, Zone};
