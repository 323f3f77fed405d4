//! Backtests of a strategy that its user writes in Python: it gives tables, the engine does the rest.

use crate::arrow::{ArrowTable, read_stream};
use crate::columns::column;
use crate::engine::{Backtest, Batch, Engine};
use crate::guard::{detached, to_py};
use crate::tables::signals_table;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int8Type, Int64Type};
use arrow_array::{Array, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use pyo3::prelude::*;
use sha2::{Digest as _, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use sweep_engine::declare::Canonical;
use sweep_engine::orders::Labels;
use sweep_engine::run::batch::Timed;
use sweep_engine::run::digest::Digests;
use sweep_engine::run::trial::panic_text;
use sweep_engine::run::{Outcome, Said, Session, TrialResult, simulation};
use sweep_engine::schema::Digest;
use sweep_engine::{Column, Error, Result};
use sweep_strategies::directions::Directions;
use sweep_strategies::played::{Entries, Exits, Nullable};
use sweep_strategies::user::UserStrategy;

type Read = (SchemaRef, Vec<RecordBatch>);

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
///
/// Entries: bar (int64), direction (int8, 1 or -1), stop_loss (float64), and, if given, order_type (int8: 0 market,
/// 1 limit, 2 stop), entry, take_profit, size (float64), valid_bars, good_till (int64, µs), oco_group, reason, scenario,
/// tag (utf8). Exits: bar, direction, cancel (int8: 1 cancels, 0 closes). Tables have at most one chunk.
#[pyfunction]
#[pyo3(signature = (engine, params, tables, keep, level = None))]
pub fn play(
    py: Python<'_>,
    engine: &Engine,
    params: &str,
    tables: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    keep: bool,
    level: Option<u32>,
) -> PyResult<Played> {
    let tables = read(&tables)?;
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
        Ok(Played::of(result, start.elapsed().as_secs_f64(), Some(digest_of(&tables))))
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
        one.take().map(|timed| Timed { seconds: timed.seconds + more, ..timed })
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
    tables: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
) -> PyResult<ArrowTable> {
    let tables = read(&tables)?;
    detached(py, || {
        let (_, canonical) = engine.user(params)?;
        let mut all = Vec::new();
        let directions = Directions::of(&canonical);
        for (symbol, (table, _)) in tables.iter().enumerate() {
            let rows = entries(table)?;
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

/// Digest of the tables that a function returned, as `play` takes them, hex.
///
/// SHA-256 of `sweep.signals.v1\n` and, symbol by symbol, of the entries and the exits: the number of rows (u64), then per
/// column that has a value, in order of names: name, byte 0, a byte per row (1 value, 0 null) if any is null, the values
/// (their bytes, little-endian; texts their length as u64, and UTF-8); nulls as zero.
#[pyfunction]
pub fn signals_digest(py: Python<'_>, tables: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>) -> PyResult<String> {
    let tables = read(&tables)?;
    detached(py, || Ok(digest_of(&tables)))
}

fn digest_of(tables: &[(Read, Read)]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"sweep.signals.v1\n");
    for (schema, batches) in tables.iter().flat_map(|(entries, exits)| [entries, exits]) {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        hash.update((rows as u64).to_le_bytes());
        let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        for name in names {
            let chunks = batches.iter().filter_map(|batch| batch.column_by_name(name));
            let nulls: usize = chunks.clone().map(|chunk| chunk.null_count()).sum();
            if nulls < rows {
                hash.update(name.as_bytes());
                hash.update([0]);
                chunks.for_each(|chunk| add_values(chunk.as_ref(), nulls > 0, &mut hash));
            }
        }
    }
    Digest(hash.finalize().into()).to_string()
}

/// Which rows have a value, if any has none, and the values.
fn add_values(chunk: &dyn Array, nulls: bool, hash: &mut Sha256) {
    if nulls {
        let valid: Vec<u8> = (0..chunk.len()).map(|i| u8::from(chunk.is_valid(i))).collect();
        hash.update(&valid);
    }
    match chunk.data_type() {
        DataType::Float64 => add_numbers(chunk.as_primitive::<Float64Type>(), hash),
        DataType::Int64 => add_numbers(chunk.as_primitive::<Int64Type>(), hash),
        DataType::Int8 => add_numbers(chunk.as_primitive::<Int8Type>(), hash),
        DataType::Utf8 => {
            for text in chunk.as_string::<i32>() {
                let text = text.unwrap_or("");
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
        }
        // Columns of other types are refused where they are read.
        _ => {}
    }
}

fn add_numbers<P: ArrowPrimitiveType>(column: &PrimitiveArray<P>, hash: &mut Sha256)
where
    P::Native: bytemuck::Pod,
{
    if column.null_count() == 0 {
        hash.update(bytemuck::cast_slice(column.values()));
        return;
    }
    // What stands where a value is missing is anything.
    let zero = P::Native::default();
    let values: Vec<P::Native> = column.iter().map(|value| value.unwrap_or(zero)).collect();
    hash.update(bytemuck::cast_slice(&values));
}

fn run(
    session: &Session,
    strategy: &UserStrategy,
    params: &Canonical,
    tables: &[(Read, Read)],
    keep: bool,
) -> Result<(Digests, Box<Outcome>)> {
    if tables.len() != session.instruments.len() {
        let what = format!("{} tables for {} symbols", tables.len(), session.instruments.len());
        return Err(Error::engine(1011, what));
    }
    let prepared = session.instruments.iter().zip(tables).map(|(instrument, (first, second))| {
        strategy.prepare(params, instrument, entries(first)?, exits(second)?)
    });
    let prepared = prepared.collect::<Result<Vec<_>>>()?;
    let mut outcome = simulation::run(session, &prepared, keep)?;
    let outside = prepared.iter().zip(&session.instruments);
    outcome.outside_window = outside.map(|(s, x)| s.decider.outside(&x.traded())).sum();
    Ok((Digests::of(&outcome, session), Box::new(outcome)))
}

fn read(tables: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)]) -> PyResult<Vec<(Read, Read)>> {
    tables.iter().map(|(entries, exits)| Ok((read_stream(entries)?, read_stream(exits)?))).collect()
}

// ---------------------------------------------------------------------------------------------------------------- columns

const PLACE: &str = "table of signals";

/// The one chunk of a table, by column names.
struct Chunk<'a>(Option<&'a RecordBatch>);

impl<'a> Chunk<'a> {
    fn of((_, batches): &'a Read) -> Result<Self> {
        match &batches[..] {
            [] => Ok(Self(None)),
            [one] => Ok(Self(Some(one))),
            _ => Err(Error::engine(5004, "a table in several chunks").at(PLACE)),
        }
    }

    fn column(&self, name: &str, kind: &DataType) -> Result<Option<&'a dyn Array>> {
        match self.0.and_then(|batch| batch.column_by_name(name)) {
            None => Ok(None),
            Some(column) if column.data_type() == kind => Ok(Some(column.as_ref())),
            Some(other) => {
                Err(Error::engine(5004, format!("column {name:?} has type {}", other.data_type())).at(PLACE))
            }
        }
    }

    fn optional<P: ArrowPrimitiveType>(&self, name: &str) -> Result<Option<Nullable<P::Native>>> {
        let Some(found) = self.column(name, &P::DATA_TYPE)? else { return Ok(None) };
        let found = found.as_primitive::<P>();
        let valid = found.nulls().map(|nulls| nulls.iter().collect());
        Ok(Some(Nullable { values: column(found.values().clone()), valid }))
    }

    fn needed<P: ArrowPrimitiveType>(&self, name: &str) -> Result<Column<P::Native>>
    where
        P::Native: Send + Sync,
    {
        match self.optional::<P>(name)? {
            Some(Nullable { values, valid: None }) => Ok(values),
            Some(Nullable { valid: Some(valid), values }) if valid.iter().all(|v| *v) => Ok(values),
            Some(_) => Err(Error::engine(5004, format!("column {name:?} has nulls")).at(PLACE)),
            None if self.0.is_none() => Ok(Vec::new().into()),
            None => Err(Error::engine(5004, format!("column {name:?} is absent")).at(PLACE)),
        }
    }

    /// Words of the signals; a row that repeats those of the one before shares them.
    fn labels(&self) -> Result<Option<Vec<Option<Arc<Labels>>>>> {
        let columns =
            ["oco_group", "reason", "scenario", "tag"].map(|name| self.column(name, &DataType::Utf8));
        let [oco_group, reason, scenario, tag] = columns;
        let columns = [oco_group?, reason?, scenario?, tag?];
        let Some(rows) = columns.iter().flatten().map(|column| column.len()).next() else { return Ok(None) };
        let texts = columns.map(|column| column.map(|column| column.as_string::<i32>()));
        let word = |column: usize, row: usize| {
            texts[column].filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
        };
        let mut all: Vec<Option<Arc<Labels>>> = Vec::with_capacity(rows);
        for row in 0..rows {
            let repeats =
                row > 0 && (0..texts.len()).all(|column| word(column, row) == word(column, row - 1));
            let own = |column| word(column, row).map(Arc::from);
            let labels = || {
                let (oco_group, reason, scenario, tag) = (own(0), own(1), own(2), own(3));
                Labels { oco_group, reason, scenario, tag, meta: None }.shared()
            };
            let labels = if repeats { all[row - 1].clone() } else { labels() };
            all.push(labels);
        }
        Ok(Some(all))
    }
}

fn entries(table: &Read) -> Result<Entries> {
    let chunk = Chunk::of(table)?;
    let order_type = match chunk.column("order_type", &DataType::Int8)? {
        None => None,
        Some(_) => Some(chunk.needed::<Int8Type>("order_type")?),
    };
    Ok(Entries {
        bar: chunk.needed::<Int64Type>("bar")?,
        direction: chunk.needed::<Int8Type>("direction")?,
        order_type,
        entry: chunk.optional::<Float64Type>("entry")?,
        stop_loss: chunk.needed::<Float64Type>("stop_loss")?,
        take_profit: chunk.optional::<Float64Type>("take_profit")?,
        size: chunk.optional::<Float64Type>("size")?,
        valid_bars: chunk.optional::<Int64Type>("valid_bars")?,
        good_till: chunk.optional::<Int64Type>("good_till")?,
        labels: chunk.labels()?,
    })
}

fn exits(table: &Read) -> Result<Exits> {
    let chunk = Chunk::of(table)?;
    Ok(Exits {
        bar: chunk.needed::<Int64Type>("bar")?,
        direction: chunk.needed::<Int8Type>("direction")?,
        cancel: chunk.needed::<Int8Type>("cancel")?,
    })
}
