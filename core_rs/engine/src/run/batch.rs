//! Many parameter sets, in their order, on one thread or several: the same results.

use crate::run::trial::{Trial, TrialResult};
use rayon::prelude::*;
use serde_json::{Map, Value as Json};

/// A result with the time it took.
#[derive(Debug)]
pub struct Timed {
    /// What became of the parameter set; trades are not kept.
    pub result: TrialResult,
    /// Seconds.
    pub seconds: f64,
}

/// Runs `rows` in order; with a pool, several at a time. `clock` gives seconds, for the timing column alone.
pub fn run(
    trial: &Trial<'_>,
    rows: &[Map<String, Json>],
    pool: Option<&rayon::ThreadPool>,
    clock: &(dyn Fn() -> f64 + Sync),
) -> Vec<Timed> {
    let one = |raw: &Map<String, Json>| {
        let start = clock();
        let mut result = trial.run(raw, false);
        result.forget_records();
        trial.session.trim_caches();
        Timed { result, seconds: clock() - start }
    };
    match pool {
        None => rows.iter().map(one).collect(),
        Some(pool) => pool.install(|| rows.par_iter().map(one).collect()),
    }
}
