//! The native module `sweep._core`: conversion between Python, Arrow and the engine. No logic lives here.

mod arrow;
mod catalogue;
mod columns;
mod conform;
mod digests;
mod engine;
mod guard;
mod indicators;
mod market;
mod operations;
mod params;
mod portfolio;
mod portfolio_tables;
mod scripts;
mod store;
mod tables;
mod user;

/// Series are large and short-lived: memory that is used again has no page faults, and long ones get huge pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The native module of sweep.
#[pyo3::pymodule(name = "_core", gil_used = false)]
mod native {
    #[pymodule_export]
    use super::arrow::ArrowTable;
    #[pymodule_export]
    use super::catalogue::{
        build_info, canonicalise, declare, metrics, resolve, schemas, strategies, symbol_spec,
    };
    #[pymodule_export]
    use super::digests::{result_digest, table_digest};
    #[pymodule_export]
    use super::engine::{Backtest, Batch, Engine, run_signals};
    #[pymodule_export]
    use super::indicators::{indicator, indicator_on, indicators};
    #[pymodule_export]
    use super::market::{Market, check_bars, check_higher, check_ticks, spacing};
    #[pymodule_export]
    use super::portfolio::Portfolio;
    #[pymodule_export]
    use super::user::{Played, backtest_of, gather, play, said, signals_digest, unplayed};
}
