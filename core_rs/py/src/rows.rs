//! Tables of a user's function, on their way into the engine: in memory of their own, whatever the function does next.

use crate::arrow::{ArrowTable, read_stream};
use crate::columns::column;
use crate::guard::to_py;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int8Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int8Array, Int64Array, PrimitiveArray, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use pyo3::buffer::{Element, PyBuffer};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use sweep_engine::orders::Labels;
use sweep_engine::schema::Digest;
use sweep_engine::{Column, Error, Result};
use sweep_strategies::played::{Entries, Exits, Nullable};

const PLACE: &str = "table of signals";

/// One table of a user's function, as the engine takes it.
///
/// Entries: bar (int64), direction (int8, 1 or -1), stop_loss (float64), and, if given, order_type (int8: 0 market,
/// 1 limit, 2 stop), entry, take_profit, size (float64), valid_bars, good_till (int64, µs), oco_group, reason, scenario,
/// tag (utf8). Exits: bar, direction, cancel (int8: 1 cancels, 0 closes).
#[pyclass(frozen, module = "sweep._core")]
pub struct SignalRows(pub RecordBatch);

#[pymethods]
impl SignalRows {
    /// Of a table in at most one chunk.
    #[new]
    fn new(table: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (schema, mut batches) = read_stream(table)?;
        match batches.len() {
            0 => Ok(Self(RecordBatch::new_empty(schema))),
            1 => Ok(Self(batches.remove(0))),
            _ => Err(to_py(table.py(), &Error::engine(5004, "a table in several chunks").at(PLACE))),
        }
    }

    /// What common mappings of arrays say, entries and exits: numbers of the usual types, and words of one array. `None`
    /// for all others, and for rows that are not in order, which are read, checked and explained in Python.
    #[staticmethod]
    fn of_arrays(
        entries: &Bound<'_, PyAny>,
        exits: &Bound<'_, PyAny>,
        bars: i64,
    ) -> (Option<Self>, Option<Self>) {
        (Self::read(entries, false, bars), Self::read(exits, true, bars))
    }

    /// The columns.
    fn to_table(&self) -> ArrowTable {
        ArrowTable(self.0.clone())
    }
}

impl SignalRows {
    fn read(columns: &Bound<'_, PyAny>, exits: bool, bars: i64) -> Option<Self> {
        let columns = columns.cast_exact::<PyDict>().ok()?;
        let read = |(name, values): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            plain(name.cast::<PyString>().ok()?.to_str().ok()?, &values, exits)
        };
        let (names, arrays): (Vec<&str>, Vec<ArrayRef>) =
            columns.iter().map(read).collect::<Option<Vec<_>>>()?.into_iter().unzip();
        let fields = names.iter().zip(&arrays);
        let fields: Vec<_> = fields.map(|(name, a)| Field::new(*name, a.data_type().clone(), true)).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).ok()?;
        let bar = batch.column_by_name("bar")?.as_primitive::<Int64Type>();
        let sound = if exits { of_exits(&batch).ok()?.check() } else { of_entries(&batch).ok()?.check() };
        let exists = bar.values().last().is_some_and(|&last| last < bars);
        (exists && sound.is_ok()).then_some(Self(batch))
    }
}

/// An array in the type that the engine takes, under the engine's name.
fn plain(name: &str, values: &Bound<'_, PyAny>, exits: bool) -> Option<(&'static str, ArrayRef)> {
    const PRICES: [&str; 4] = ["entry", "stop_loss", "take_profit", "size"];
    let small = |codes: Vec<i8>| Arc::new(Int8Array::from(codes)) as ArrayRef;
    Some(match name {
        "bar_index" => ("bar", Arc::new(Int64Array::from(integers(values)?))),
        "direction" => {
            let signs = integers(values)
                .map(|signs| signs.iter().map(|&sign| i8::try_from(sign).unwrap_or(0)).collect())
                .or_else(|| words(values, &["long", "short"]).map(|c| c.iter().map(|c| 1 - 2 * c).collect()));
            ("direction", small(signs?))
        }
        "action" if exits => ("cancel", small(words(values, &["close", "cancel"])?)),
        "order_type" if !exits => ("order_type", small(words(values, &["market", "limit", "stop"])?)),
        "valid_bars" if !exits => {
            let counts = integers(values)?;
            let fit = counts.iter().all(|&count| i32::try_from(count).is_ok());
            ("valid_bars", fit.then(|| Arc::new(Int64Array::from(counts)) as ArrayRef)?)
        }
        _ if !exits => (PRICES.into_iter().find(|price| *price == name)?, Arc::new(prices(values)?)),
        _ => return None,
    })
}

fn array<T: Element>(values: &Bound<'_, PyAny>) -> Option<Vec<T>> {
    let buffer = PyBuffer::<T>::get(values).ok()?;
    let foreign: &[u8] = if cfg!(target_endian = "little") { b">!" } else { b"<" };
    let own = !buffer.format().to_bytes().first().is_some_and(|order| foreign.contains(order));
    (own && buffer.dimensions() == 1).then(|| buffer.to_vec(values.py()).ok())?
}

fn integers(values: &Bound<'_, PyAny>) -> Option<Vec<i64>> {
    let wider = || array::<i32>(values).map(|all| all.into_iter().map(i64::from).collect());
    let widest = || array::<i8>(values).map(|all| all.into_iter().map(i64::from).collect());
    array(values).or_else(wider).or_else(widest)
}

/// Numbers; NaN means that there is none.
fn prices(values: &Bound<'_, PyAny>) -> Option<Float64Array> {
    let values = array::<f64>(values)?;
    let some = |x: &f64| !x.is_nan();
    let valid = (!values.iter().all(some)).then(|| values.iter().map(some).collect::<NullBuffer>());
    Some(Float64Array::new(values.into(), valid))
}

/// Index of every word among the known ones, of a contiguous array of texts of fixed width (NumPy's `U`).
fn words(values: &Bound<'_, PyAny>, known: &[&str]) -> Option<Vec<i8>> {
    let kind: String = values.getattr("dtype").ok()?.getattr("str").ok()?.extract().ok()?;
    let width: usize =
        kind.strip_prefix(if cfg!(target_endian = "little") { "<U" } else { ">U" })?.parse().ok()?;
    let letters: Vec<u32> = array(&values.call_method1("view", ("u4",)).ok()?)?;
    let code = |word: &[u32]| {
        let same = |known: &&str| {
            let padded = known.chars().map(u32::from).chain(std::iter::repeat(0));
            known.len() <= width && padded.zip(word).all(|(a, b)| a == *b)
        };
        known.iter().position(same).and_then(|code| i8::try_from(code).ok())
    };
    if width == 0 || letters.len() < width {
        return None;
    }
    // As of np.full(n, "close").
    if letters[width..] == letters[..letters.len() - width] {
        return Some(vec![code(&letters[..width])?; letters.len() / width]);
    }
    letters.chunks_exact(width).map(code).collect()
}

/// Digest of the tables that a function returned, entries and exits of each symbol.
///
/// SHA-256 of `sweep.signals.v1\n` and, table by table: the number of rows (u64), then per column that has a value, in
/// order of names: name, byte 0, a byte per row (1 value, 0 null) if any is null, the values (their bytes, little-endian;
/// texts their length as u64, and UTF-8); nulls as zero.
pub fn digest_of<'a>(tables: impl Iterator<Item = &'a RecordBatch>) -> String {
    let mut hash = Sha256::new();
    hash.update(b"sweep.signals.v1\n");
    for batch in tables {
        hash.update((batch.num_rows() as u64).to_le_bytes());
        let schema = batch.schema_ref();
        let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        for name in names {
            let found = batch.column_by_name(name);
            if let Some(values) = found.filter(|values| values.null_count() < batch.num_rows()) {
                hash.update(name.as_bytes());
                hash.update([0]);
                add_values(values.as_ref(), &mut hash);
            }
        }
    }
    Digest(hash.finalize().into()).to_string()
}

/// Which rows have a value, if any has none, and the values.
fn add_values(values: &dyn Array, hash: &mut Sha256) {
    if values.null_count() > 0 {
        let valid: Vec<u8> = (0..values.len()).map(|i| u8::from(values.is_valid(i))).collect();
        hash.update(&valid);
    }
    match values.data_type() {
        DataType::Float64 => add_numbers(values.as_primitive::<Float64Type>(), hash),
        DataType::Int64 => add_numbers(values.as_primitive::<Int64Type>(), hash),
        DataType::Int8 => add_numbers(values.as_primitive::<Int8Type>(), hash),
        DataType::Utf8 => {
            for text in values.as_string::<i32>() {
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

// ---------------------------------------------------------------------------------------------------------------- columns

/// A table by column names.
struct Named<'a>(&'a RecordBatch);

impl<'a> Named<'a> {
    fn column(&self, name: &str, kind: &DataType) -> Result<Option<&'a dyn Array>> {
        match self.0.column_by_name(name) {
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
            None if self.0.num_rows() == 0 => Ok(Vec::new().into()),
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

/// # Errors
/// [5004] for a column that is absent or of another type.
pub fn of_entries(table: &RecordBatch) -> Result<Entries> {
    let named = Named(table);
    let order_type = match named.column("order_type", &DataType::Int8)? {
        None => None,
        Some(_) => Some(named.needed::<Int8Type>("order_type")?),
    };
    Ok(Entries {
        bar: named.needed::<Int64Type>("bar")?,
        direction: named.needed::<Int8Type>("direction")?,
        order_type,
        entry: named.optional::<Float64Type>("entry")?,
        stop_loss: named.needed::<Float64Type>("stop_loss")?,
        take_profit: named.optional::<Float64Type>("take_profit")?,
        size: named.optional::<Float64Type>("size")?,
        valid_bars: named.optional::<Int64Type>("valid_bars")?,
        good_till: named.optional::<Int64Type>("good_till")?,
        labels: named.labels()?,
    })
}

/// # Errors
/// As [`of_entries`].
pub fn of_exits(table: &RecordBatch) -> Result<Exits> {
    let named = Named(table);
    Ok(Exits {
        bar: named.needed::<Int64Type>("bar")?,
        direction: named.needed::<Int8Type>("direction")?,
        cancel: named.needed::<Int8Type>("cancel")?,
    })
}
