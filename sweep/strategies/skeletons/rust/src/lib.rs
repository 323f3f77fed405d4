//! A native module of strategies for sweep.

pub mod my_strategy;

use sweep_engine::run::{Native, Strategies};

static MY_STRATEGY: Native<my_strategy::MyStrategy> = Native::new();

/// The strategies of this module; each is named in `pyproject.toml` too.
pub static STRATEGIES: Strategies = &[&MY_STRATEGY];

#[cfg(feature = "module")]
sweep_py::module!(STRATEGIES);
