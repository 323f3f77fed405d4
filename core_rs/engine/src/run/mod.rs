//! Running backtests: one market and one set of options, many parameter sets.
//!
//! Reading order: [`session`] (what all trials of an engine share) → [`bar_loop`] (one backtest) → [`outcome`] (what it
//! gives) → [`digest`] and [`identity`] → [`trial`] (a parameter set to a result row) → [`batch`].

pub mod bar_loop;
pub mod batch;
pub mod calendar;
pub mod digest;
pub mod identity;
pub mod native;
pub mod outcome;
pub mod script;
pub mod session;
pub mod trial;

pub use native::{Native, NativeStrategy};
pub use outcome::Outcome;
pub use session::Session;
pub use trial::{Trial, TrialResult};
