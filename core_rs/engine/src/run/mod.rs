//! Running backtests: one market and one set of options, many parameter sets.
//!
//! Reading order: [`session`] (what all trials of an engine share) → [`simulation`] (one backtest, with a
//! [`desk`] for each symbol and one [`account`], perhaps under [`watch`]) → [`outcome`] (what it
//! gives; of a pruning [`level`] several runs together) → [`digest`] and [`identity`] → [`trial`] (a parameter set to a result row) → [`batch`].

mod account;
pub mod batch;
pub mod calendar;
mod desk;
pub mod digest;
pub mod identity;
pub mod level;
pub mod native;
mod now;
pub mod outcome;
pub mod script;
pub mod session;
pub mod simulation;
mod spare;
mod tick_plan;
pub mod trial;
pub mod watch;

pub use native::{Native, NativeStrategy, Said, Strategies, find};
pub use outcome::Outcome;
pub use session::{Instrument, Session};
pub use simulation::Prepared;
pub use trial::{Trial, TrialResult};
pub use watch::Stopped;
