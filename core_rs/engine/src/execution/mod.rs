//! How orders become fills: options and presets, slippage, sizing, commission, exits.
//!
//! Reading order: [`options`] → [`resolve`] (partial input to complete options) → [`rates`] → [`slippage`] →
//! [`sizing`] → [`commission`] → [`margin`] → [`validation`] → [`exits`] → [`early_stop`].

pub mod commission;
pub mod early_stop;
pub mod exits;
pub mod margin;
pub mod options;
pub mod rates;
pub mod resolve;
pub mod rounding;
pub mod sizing;
pub mod slippage;
pub mod validation;

pub use early_stop::EarlyStop;
pub use options::{Account, Commission, Costs, Execution, MetricOptions, Options, Sizing};
