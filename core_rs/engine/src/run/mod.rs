//! Running backtests: one market and one set of options, many parameter sets.
//!
//! Reading order: [`session`] (what all trials of an engine share) → [`simulation`] (one backtest, with a
//! [`desk`] for each symbol and one [`account`]) → [`outcome`] (what it
//! gives) → [`digest`] and [`identity`] → [`trial`] (a parameter set to a result row) → [`batch`].

mod account;
pub mod batch;
pub mod calendar;
mod desk;
pub mod digest;
pub mod identity;
pub mod native;
mod now;
pub mod outcome;
pub mod script;
pub mod session;
pub mod simulation;
mod tick_plan;
pub mod trial;

pub use native::{Native, NativeStrategy, Said, Strategies, find};
pub use outcome::Outcome;
pub use session::{Instrument, Session};
pub use simulation::Prepared;
pub use trial::{Trial, TrialResult};
