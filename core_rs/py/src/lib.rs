//! Conversion between Python, Arrow and the engine: all that a native module exports. No logic lives here.
//!
//! [`module!`] makes a module with a list of strategies: `sweep._core`, or that of a plug-in.

mod arrow;
mod backtest;
mod catalogue;
mod columns;
mod conform;
mod densities;
mod digests;
mod engine;
mod guard;
mod indicators;
mod lines;
mod market;
mod operations;
mod params;
mod portfolio;
mod portfolio_tables;
mod results;
mod rows;
mod scripts;
mod space;
mod store;
mod tables;
mod user;

/// Series are large and short-lived: memory that is used again has no page faults, and long ones get huge pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[doc(hidden)]
pub use pyo3;
pub use sweep_engine::run::Strategies;

use pyo3::prelude::*;

/// Adds everything that a native module has, and says which strategies are in it.
///
/// # Errors
/// What Python raises when a name is added.
pub fn export(module: &Bound<'_, PyModule>, strategies: Strategies) -> PyResult<()> {
    catalogue::list(strategies);
    module.add_class::<arrow::ArrowTable>()?;
    module.add_class::<backtest::Backtest>()?;
    module.add_class::<engine::Batch>()?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<market::Market>()?;
    module.add_class::<portfolio::Portfolio>()?;
    module.add_class::<user::Played>()?;
    module.add_class::<rows::SignalRows>()?;
    macro_rules! functions {
        ($($function:path),* $(,)?) => {
            $(module.add_function(wrap_pyfunction!($function, module)?)?;)*
        };
    }
    functions!(
        catalogue::build_info,
        catalogue::canonicalise,
        catalogue::declare,
        catalogue::metrics,
        catalogue::resolve,
        catalogue::schemas,
        catalogue::strategies,
        catalogue::symbol_spec,
        densities::mixture_sums,
        digests::result_digest,
        digests::table_digest,
        engine::run_signals,
        indicators::indicator,
        indicators::indicator_on,
        indicators::indicators,
        lines::json_object,
        lines::rows_digest,
        market::check_bars,
        market::check_higher,
        market::check_ticks,
        market::spacing,
        params::column_table,
        params::parameter_table,
        results::result_rows,
        space::canonical_rows,
        space::permuted,
        space::units,
        user::backtest_of,
        user::gather,
        user::play,
        user::said,
        user::unplayed,
    );
    Ok(())
}

/// The native module `_core` of the crate that says so, with a list of strategies.
///
/// The crate names this one `sweep_py` among its dependencies and is built as a `cdylib`.
#[macro_export]
macro_rules! module {
    ($strategies:expr) => {
        #[$crate::pyo3::pymodule(name = "_core", gil_used = false, crate = "sweep_py::pyo3")]
        fn native_module(
            module: &$crate::pyo3::Bound<'_, $crate::pyo3::types::PyModule>,
        ) -> $crate::pyo3::PyResult<()> {
            $crate::export(module, $strategies)
        }
    };
}
