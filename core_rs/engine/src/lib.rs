//! The backtest engine: pure Rust, no Python, no Arrow, no files, no concrete strategy.
//!
//! Reading order: [`market`] (data and its contract) → [`strategy`] (what a strategy is) → [`orders`] →
//! [`execution`] → [`gates`] → [`portfolio`] → [`run`] (the bar loop) → [`metrics`]. Around them: [`declare`] (parameters,
//! declared once), [`expr`] (constraints), [`schema`] (tables and digests), [`cache`] and [`series`] (shared series).

pub mod cache;
pub mod column;
pub mod declare;
pub mod error;
pub mod execution;
pub mod expr;
mod extremes;
pub mod gates;
pub mod indicator;
pub mod json;
pub mod market;
pub mod marks;
pub mod metrics;
pub mod orders;
pub mod portfolio;
pub mod rng;
pub mod run;
pub mod schema;
pub mod series;
pub mod strategy;
pub mod suggest;
pub mod value;
mod whole;

pub use column::Column;
pub use error::{Error, Result, Stage};
pub use value::Value;

/// Version of the rules that determine a result. Any change that can alter a digest raises it.
pub const SEMANTICS: u32 = 1;
