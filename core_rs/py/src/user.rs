//! Backtests of a strategy that its user writes in Python: it gives tables, the engine does the rest.

use crate::arrow::{ArrowTable, read_stream};
use crate::engine::{Backtest, Batch, Engine};
use crate::guard::{detached, to_py};
use crate::tables::signals_table;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int8Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use pyo3::prelude::*;
use sha2::{Digest as _, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use sweep_engine::declare::Canonical;
use sweep_engine::orders::{Direction, OrderType, Signal, Text};
use sweep_engine::run::batch::Timed;
use sweep_engine::run::digest::Digests;
use sweep_engine::run::script::Reply;
use sweep_engine::run::trial::panic_text;
use sweep_engine::run::{Outcome, Said, TrialResult, simulation};
use sweep_engine::schema::Digest;
use sweep_engine::{Error, Result};
use sweep_strategies::user::{Rows, UserStrategy};

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
/// tag (utf8). Exits: bar, direction, cancel (bool).
#[pyfunction]
pub fn play(
    py: Python<'_>,
    engine: &Engine,
    params: &str,
    tables: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    keep: bool,
) -> PyResult<Played> {
    let tables = read(&tables)?;
    detached(py, || {
        let start = Instant::now();
        let (strategy, canonical) = engine.user(params)?;
        let params = canonical.to_json();
        let identity = engine.identity.identity(&params);
        let work = || run(engine, strategy, &canonical, &tables, keep);
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
pub fn unplayed(engine: &Engine, params: Option<String>, code: u16, reason: String) -> Played {
    let result = match params {
        None => TrialResult::InvalidParams { reason },
        Some(params) => {
            let identity = Some(engine.identity.identity(&params));
            TrialResult::EngineError { params: Some(params), identity, error: Error::engine(code, reason) }
        }
    };
    Played::of(result, 0.0, None)
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
pub fn backtest_of(py: Python<'_>, engine: &Engine, played: &Played) -> PyResult<Backtest> {
    let whole = || match played.take()?.result {
        TrialResult::Complete { params, identity, digests, outcome } => {
            Ok(engine.backtest(&params, identity, digests, *outcome))
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
        for (symbol, (entries, _)) in tables.iter().enumerate() {
            let signals = UserStrategy::allowed(&canonical, signals(entries)?);
            all.extend(signals.into_iter().map(|(bar, signal)| Said { symbol, bar, signal }));
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
/// (floats and int64 8 bytes little-endian, int8 and bool a byte; texts their length as u32, and UTF-8); nulls as zero.
#[pyfunction]
pub fn signals_digest(py: Python<'_>, tables: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>) -> PyResult<String> {
    let tables = read(&tables)?;
    detached(py, || Ok(digest_of(&tables)))
}

fn digest_of(tables: &[(Read, Read)]) -> String {
    let mut bytes = b"sweep.signals.v1\n".to_vec();
    for (schema, batches) in tables.iter().flat_map(|(entries, exits)| [entries, exits]) {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        bytes.extend((rows as u64).to_le_bytes());
        let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        for name in names {
            let chunks: Vec<&dyn Array> =
                batches.iter().filter_map(|batch| batch.column_by_name(name).map(AsRef::as_ref)).collect();
            let nulls: usize = chunks.iter().map(|chunk| chunk.null_count()).sum();
            if nulls == rows {
                continue;
            }
            bytes.extend(name.as_bytes());
            bytes.push(0);
            for chunk in &chunks {
                if nulls > 0 {
                    bytes.extend((0..chunk.len()).map(|i| u8::from(chunk.is_valid(i))));
                }
            }
            chunks.iter().for_each(|chunk| write_values(*chunk, &mut bytes));
        }
    }
    Digest(Sha256::digest(&bytes).into()).to_string()
}

fn write_values(chunk: &dyn Array, bytes: &mut Vec<u8>) {
    let valid = |i: usize| chunk.is_valid(i);
    match chunk.data_type() {
        DataType::Float64 => {
            let column = chunk.as_primitive::<Float64Type>();
            let bits = |i: usize| if valid(i) { digest_bits(column.value(i)) } else { 0 };
            (0..column.len()).for_each(|i| bytes.extend(bits(i).to_le_bytes()));
        }
        DataType::Int64 => {
            let column = chunk.as_primitive::<Int64Type>();
            let value = |i: usize| if valid(i) { column.value(i) } else { 0 };
            (0..column.len()).for_each(|i| bytes.extend(value(i).to_le_bytes()));
        }
        DataType::Int8 => {
            let column = chunk.as_primitive::<Int8Type>();
            bytes.extend(
                (0..column.len()).map(|i| if valid(i) { column.value(i).to_le_bytes()[0] } else { 0 }),
            );
        }
        DataType::Boolean => {
            let column = chunk.as_boolean();
            bytes.extend((0..column.len()).map(|i| u8::from(valid(i) && column.value(i))));
        }
        DataType::Utf8 => {
            let column = chunk.as_string::<i32>();
            for i in 0..column.len() {
                let text = if valid(i) { column.value(i) } else { "" };
                #[allow(clippy::cast_possible_truncation)]
                bytes.extend((text.len() as u32).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        // Columns of other types are refused where they are read.
        _ => {}
    }
}

/// The bits of a float in digests: one zero, one NaN.
fn digest_bits(x: f64) -> u64 {
    if x.is_nan() { 0x7ff8_0000_0000_0000 } else { (x + 0.0).to_bits() }
}

fn run(
    engine: &Engine,
    strategy: &UserStrategy,
    params: &Canonical,
    tables: &[(Read, Read)],
    keep: bool,
) -> Result<(Digests, Box<Outcome>)> {
    let session = &engine.session;
    if tables.len() != session.instruments.len() {
        let what = format!("{} tables for {} symbols", tables.len(), session.instruments.len());
        return Err(Error::engine(1011, what));
    }
    let scripts = session.instruments.iter().zip(tables).map(|(instrument, (entries, exits))| {
        let rows = Rows { signals: signals(entries)?, exits: replies(exits)? };
        strategy.prepare(params, instrument, rows)
    });
    let scripts = scripts.collect::<Result<Vec<_>>>()?;
    let mut outcome = simulation::run(session, &scripts, keep)?;
    let outside = scripts.iter().zip(&session.instruments);
    outcome.outside_window = outside.map(|(s, x)| s.decider.outside(&x.traded())).sum();
    Ok((Digests::of(&outcome, session), Box::new(outcome)))
}

fn read(tables: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)]) -> PyResult<Vec<(Read, Read)>> {
    tables.iter().map(|(entries, exits)| Ok((read_stream(entries)?, read_stream(exits)?))).collect()
}

// ---------------------------------------------------------------------------------------------------------------- columns

/// One chunk of a table, by column names.
struct Chunk<'a>(&'a RecordBatch);

impl<'a> Chunk<'a> {
    fn column(&self, name: &str, kind: &DataType) -> Result<Option<&'a dyn Array>> {
        match self.0.column_by_name(name) {
            None => Ok(None),
            Some(column) if column.data_type() == kind => Ok(Some(column.as_ref())),
            Some(other) => {
                Err(Error::engine(5004, format!("column {name:?} has type {}", other.data_type())).at(PLACE))
            }
        }
    }

    fn needed(&self, name: &str, kind: &DataType) -> Result<&'a dyn Array> {
        let column = self.column(name, kind)?;
        let column =
            column.ok_or_else(|| Error::engine(5004, format!("column {name:?} is absent")).at(PLACE))?;
        match column.null_count() {
            0 => Ok(column),
            nulls => Err(Error::engine(5004, format!("column {name:?} has {nulls} nulls")).at(PLACE)),
        }
    }

    fn floats(&self, name: &str) -> Result<impl Fn(usize) -> Option<f64> + use<'a>> {
        let column = self.column(name, &DataType::Float64)?.map(|c| c.as_primitive::<Float64Type>());
        Ok(move |i: usize| column.filter(|c| c.is_valid(i)).map(|c| c.value(i)))
    }

    fn whole(&self, name: &str) -> Result<impl Fn(usize) -> Option<i64> + use<'a>> {
        let column = self.column(name, &DataType::Int64)?.map(|c| c.as_primitive::<Int64Type>());
        Ok(move |i: usize| column.filter(|c| c.is_valid(i)).map(|c| c.value(i)))
    }

    /// Texts; rows that repeat the one before share it.
    fn texts(&self, name: &str) -> Result<impl FnMut(usize) -> Option<Text> + use<'a>> {
        let column = self.column(name, &DataType::Utf8)?.map(|c| c.as_string::<i32>());
        let mut last: Option<Text> = None;
        Ok(move |i: usize| {
            let text = column.filter(|c| c.is_valid(i))?.value(i);
            if last.as_deref() != Some(text) {
                last = Some(text.to_owned().into());
            }
            last.clone()
        })
    }

    fn bars(&self) -> Result<impl Fn(usize) -> Result<usize> + use<'a>> {
        let column = self.needed("bar", &DataType::Int64)?.as_primitive::<Int64Type>();
        Ok(move |i: usize| {
            let bar = column.value(i);
            usize::try_from(bar)
                .map_err(|_| Error::engine(1003, format!("bar {bar} does not exist")).at(PLACE))
        })
    }

    fn directions(&self) -> Result<impl Fn(usize) -> Result<Direction> + use<'a>> {
        let column = self.needed("direction", &DataType::Int8)?.as_primitive::<Int8Type>();
        Ok(move |i: usize| match column.value(i) {
            1 => Ok(Direction::Long),
            -1 => Ok(Direction::Short),
            other => Err(Error::engine(1001, format!("{other} is no direction")).at(PLACE)),
        })
    }
}

const PLACE: &str = "table of signals";

fn signals((_, batches): &Read) -> Result<Vec<(usize, Signal)>> {
    let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches {
        let chunk = Chunk(batch);
        let (bar, direction) = (chunk.bars()?, chunk.directions()?);
        let stop = chunk.needed("stop_loss", &DataType::Float64)?.as_primitive::<Float64Type>();
        let kind = chunk.column("order_type", &DataType::Int8)?.map(|c| c.as_primitive::<Int8Type>());
        let (entry, target, size) =
            (chunk.floats("entry")?, chunk.floats("take_profit")?, chunk.floats("size")?);
        let (valid_bars, good_till) = (chunk.whole("valid_bars")?, chunk.whole("good_till")?);
        let (mut group, mut reason) = (chunk.texts("oco_group")?, chunk.texts("reason")?);
        let (mut scenario, mut tag) = (chunk.texts("scenario")?, chunk.texts("tag")?);
        for i in 0..batch.num_rows() {
            let order_type = match kind.map_or(0, |k| k.value(i)) {
                0 => OrderType::Market,
                1 => OrderType::Limit,
                2 => OrderType::Stop,
                other => return Err(Error::engine(1001, format!("{other} is no order type")).at(PLACE)),
            };
            let signal = Signal {
                order_type,
                entry: entry(i),
                size: size(i),
                valid_bars: valid_bars(i),
                good_till: good_till(i),
                oco_group: group(i),
                reason: reason(i),
                scenario: scenario(i),
                tag: tag(i),
                ..Signal::market(direction(i)?, stop.value(i), target(i))
            };
            rows.push((bar(i)?, signal));
        }
    }
    Ok(rows)
}

fn replies((_, batches): &Read) -> Result<Vec<(usize, (Direction, Reply))>> {
    let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches {
        let chunk = Chunk(batch);
        let (bar, direction) = (chunk.bars()?, chunk.directions()?);
        let cancel = chunk.needed("cancel", &DataType::Boolean)?.as_boolean();
        for i in 0..batch.num_rows() {
            let reply = if cancel.value(i) { Reply::Cancel } else { Reply::Close };
            rows.push((bar(i)?, (direction(i)?, reply)));
        }
    }
    Ok(rows)
}
