//! Backtests of a strategy that its user writes in Python: it gives tables, the engine does the rest.

use crate::arrow::ArrowTable;
use crate::backtest::Backtest;
use crate::engine::{Batch, Engine};
use crate::guard::{detached, to_py};
use crate::rows::{SignalRows, digest_of, of_entries, of_exits};
use crate::tables::signals_table;
use arrow_array::RecordBatch;
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use sweep_engine::declare::Canonical;
use sweep_engine::run::batch::Timed;
use sweep_engine::run::digest::Digests;
use sweep_engine::run::trial::panic_text;
use sweep_engine::run::{Outcome, Said, Session, TrialResult, simulation};
use sweep_engine::{Error, Result};
use sweep_strategies::directions::Directions;
use sweep_strategies::user::UserStrategy;

/// Entries and exits of a symbol.
type Pair = (RecordBatch, RecordBatch);

/// What became of one parameter set of a user's strategy, on its way into a batch.
#[pyclass(frozen, module = "sweep._core")]
pub struct Played {
    held: Mutex<Option<Timed>>,
    signals: Option<String>,
}

#[pymethods]
impl Played {
    /// Digest of the tables that were played, hex.
    #[getter]
    fn signals_digest(&self) -> Option<&str> {
        self.signals.as_deref()
    }
}

impl Played {
    fn of(result: TrialResult, seconds: f64, signals: Option<String>) -> Self {
        Self { held: Mutex::new(Some(Timed { result, seconds })), signals }
    }

    fn take(&self) -> Result<Timed> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.take().ok_or_else(|| Error::engine(1007, "the result has been taken already"))
    }
}

/// One backtest of tables: for each symbol the entries and the exits. `keep` keeps the equity of every bar.
#[pyfunction]
#[pyo3(signature = (engine, params, tables, keep, level = None))]
pub fn play(
    py: Python<'_>,
    engine: &Engine,
    params: &str,
    tables: Vec<(PyRef<'_, SignalRows>, PyRef<'_, SignalRows>)>,
    keep: bool,
    level: Option<u32>,
) -> PyResult<Played> {
    let tables = batches(&tables);
    detached(py, || {
        let start = Instant::now();
        let (strategy, canonical) = engine.user(params)?;
        let params = canonical.to_json();
        let identity = engine.template(level)?.identity(&params);
        let session = engine.session_of(level)?;
        let work = || run(session, strategy, &canonical, &tables, keep);
        let ran = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
            Err(Error::engine(5005, format!("panic: {}", panic_text(payload.as_ref()))))
        });
        let result = match ran {
            Ok((digests, outcome)) => TrialResult::Complete { params, identity, digests, outcome },
            Err(error) => TrialResult::EngineError { params: Some(params), identity: Some(identity), error },
        };
        Ok(Played::of(result, start.elapsed().as_secs_f64(), Some(digest_of(flat(&tables)))))
    })
}

/// A parameter set that came to no backtest: refused (without canonical `params`), or failed in the user's code.
#[pyfunction]
#[pyo3(signature = (engine, params, code, reason, level = None))]
pub fn unplayed(
    py: Python<'_>,
    engine: &Engine,
    params: Option<String>,
    code: u16,
    reason: String,
    level: Option<u32>,
) -> PyResult<Played> {
    let result = match params {
        None => TrialResult::InvalidParams { reason },
        Some(params) => {
            let template = engine.template(level).map_err(|e| to_py(py, &e))?;
            let identity = Some(template.identity(&params));
            TrialResult::EngineError { params: Some(params), identity, error: Error::engine(code, reason) }
        }
    };
    Ok(Played::of(result, 0.0, None))
}

/// The results of a batch, in the order given; `seconds` are added to those of the engine.
#[pyfunction]
pub fn gather(py: Python<'_>, played: Vec<PyRef<'_, Played>>, seconds: Vec<f64>) -> PyResult<Batch> {
    let row = |(one, more): (&PyRef<'_, Played>, f64)| {
        let mut timed = one.take()?;
        timed.result.forget_records();
        Ok(Timed { seconds: timed.seconds + more, ..timed })
    };
    let rows = played.iter().zip(seconds).map(row).collect::<Result<_>>();
    rows.map(|rows| Batch { rows }).map_err(|e| to_py(py, &e))
}

/// One played parameter set as a backtest in full.
#[pyfunction]
#[pyo3(signature = (engine, played, level = None))]
pub fn backtest_of(
    py: Python<'_>,
    engine: &Engine,
    played: &Played,
    level: Option<u32>,
) -> PyResult<Backtest> {
    let whole = || match played.take()?.result {
        TrialResult::Complete { params, identity, digests, outcome } => {
            engine.backtest(&params, identity, digests, *outcome, level)
        }
        TrialResult::InvalidParams { reason } => Err(Error::config(1006, reason)),
        TrialResult::EngineError { error, .. } => Err(error),
    };
    whole().map_err(|e| to_py(py, &e))
}

/// Entries of tables as a table of the schema `trade_signal`, in order of labels.
#[pyfunction]
pub fn said(
    py: Python<'_>,
    engine: &Engine,
    params: &str,
    tables: Vec<(PyRef<'_, SignalRows>, PyRef<'_, SignalRows>)>,
) -> PyResult<ArrowTable> {
    let tables = batches(&tables);
    detached(py, || {
        let (_, canonical) = engine.user(params)?;
        let mut all = Vec::new();
        let directions = Directions::of(&canonical);
        for (symbol, (table, _)) in tables.iter().enumerate() {
            let rows = of_entries(table)?;
            rows.check()?;
            let bars = rows.bar.iter().map(|&bar| usize::try_from(bar).unwrap_or(usize::MAX));
            let signals = bars.zip(rows.signals(&(0..rows.bar.len())));
            let allowed = signals.filter(|(_, signal)| directions.allow(signal.direction));
            all.extend(allowed.map(|(bar, signal)| Said { symbol, bar, signal }));
        }
        let market = |said: &Said| &engine.session.instruments[said.symbol].market;
        if let Some(beyond) = all.iter().find(|said| said.bar >= market(said).len()) {
            return Err(Error::engine(1003, format!("bar {} does not exist", beyond.bar)).at("entries"));
        }
        all.sort_by_key(|said| market(said).label()[said.bar]);
        Ok(ArrowTable(signals_table(&all, &engine.session)?))
    })
}

fn run(
    session: &Session,
    strategy: &UserStrategy,
    params: &Canonical,
    tables: &[Pair],
    keep: bool,
) -> Result<(Digests, Box<Outcome>)> {
    if tables.len() != session.instruments.len() {
        let what = format!("{} tables for {} symbols", tables.len(), session.instruments.len());
        return Err(Error::engine(1011, what));
    }
    let prepared = session.instruments.iter().zip(tables).map(|(instrument, (first, second))| {
        strategy.prepare(params, instrument, of_entries(first)?, of_exits(second)?)
    });
    let prepared = prepared.collect::<Result<Vec<_>>>()?;
    let mut outcome = simulation::run(session, &prepared, keep)?;
    let outside = prepared.iter().zip(&session.instruments);
    outcome.outside_window = outside.map(|(s, x)| s.decider.outside(&x.traded())).sum();
    Ok((Digests::of(&outcome, session), Box::new(outcome)))
}

fn batches(tables: &[(PyRef<'_, SignalRows>, PyRef<'_, SignalRows>)]) -> Vec<Pair> {
    tables.iter().map(|(entries, exits)| (entries.0.clone(), exits.0.clone())).collect()
}

fn flat(tables: &[Pair]) -> impl Iterator<Item = &RecordBatch> {
    tables.iter().flat_map(|(entries, exits)| [entries, exits])
}
