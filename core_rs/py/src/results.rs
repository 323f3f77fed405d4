//! Rows of a batch's results as Python values, all of them in one call.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Float64Array, ListArray, RecordBatch, StringArray};
use arrow_schema::DataType;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use sweep_engine::{Error, Result};

use crate::arrow::read_stream;
use crate::guard::to_py;

const PLACE: &str = "table of results";
const METRICS: &str = "metrics.";
const DIGESTS: [&str; 5] =
    ["trades_digest", "daily_digest", "metrics_digest", "result_digest", "signals_digest"];
const RESULT: usize = 3;

/// Of each row (status, kind, reason, identity, digests, seconds, metrics, returns): texts, the digests of trades, daily
/// equity, metrics, result and signals or None without a result digest, seconds, a mapping of metric names to finite
/// numbers or None, and where its returns begin and end among the values of their chunk. A column that is absent holds
/// None.
///
/// # Errors
/// [1005] broken or without a status in some row, [5004] for a column of another type.
#[pyfunction]
pub fn result_rows<'py>(table: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = table.py();
    let (_, batches) = read_stream(table)?;
    let rows = PyList::empty(py);
    for batch in &batches {
        let columns = Columns::of(py, batch).map_err(|e| to_py(py, &e.at(PLACE)))?;
        for row in 0..batch.num_rows() {
            rows.append(columns.row(py, row)?)?;
        }
    }
    Ok(rows)
}

struct Columns<'a, 'py> {
    status: &'a StringArray,
    texts: [Option<&'a StringArray>; 3],
    digests: [Option<&'a StringArray>; 5],
    seconds: Option<&'a Float64Array>,
    metrics: Vec<(Bound<'py, PyString>, &'a Float64Array)>,
    returns: Option<&'a ListArray>,
}

impl<'a, 'py> Columns<'a, 'py> {
    fn of(py: Python<'py>, batch: &'a RecordBatch) -> Result<Self> {
        let status = texts(batch, "status")?.filter(|column| column.null_count() == 0);
        let mut metrics = Vec::new();
        for field in batch.schema_ref().fields() {
            if let Some(name) = field.name().strip_prefix(METRICS)
                && let Some(column) = numbers(batch, field.name())?
            {
                metrics.push((PyString::intern(py, name), column));
            }
        }
        let mut digests = [None; 5];
        for (place, name) in digests.iter_mut().zip(DIGESTS) {
            *place = texts(batch, name)?;
        }
        Ok(Self {
            status: status.ok_or_else(|| Error::data(1005, "a row without status"))?,
            texts: [texts(batch, "kind")?, texts(batch, "reason")?, texts(batch, "identity")?],
            digests,
            seconds: numbers(batch, "seconds")?,
            metrics,
            returns: lists(batch, "returns")?,
        })
    }

    fn row(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyTuple>> {
        let metrics = PyDict::new(py);
        for (name, column) in &self.metrics {
            metrics.set_item(name, number(column, row).filter(|x| x.is_finite()))?;
        }
        let digests = text(self.digests[RESULT], row).map(|_| self.digests.map(|column| text(column, row)));
        let digests = digests.map(|texts| PyTuple::new(py, texts)).transpose()?;
        let [kind, reason, identity] = self.texts.map(|column| text(column, row));
        let seconds = self.seconds.and_then(|column| number(column, row));
        let status = PyString::intern(py, self.status.value(row));
        let kind = kind.map(|kind| PyString::intern(py, kind));
        let returns = self.returns.filter(|column| column.is_valid(row));
        let returns = returns.map(|column| (column.value_offsets()[row], column.value_offsets()[row + 1]));
        (status, kind, reason, identity, digests, seconds, metrics, returns).into_pyobject(py)
    }
}

fn text(column: Option<&StringArray>, row: usize) -> Option<&str> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

fn number(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<Option<&'a StringArray>> {
    let column = given(batch, name, "utf8", |kind| *kind == DataType::Utf8)?;
    Ok(column.map(|column| column.as_string::<i32>()))
}

fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> Result<Option<&'a Float64Array>> {
    let column = given(batch, name, "float64", |kind| *kind == DataType::Float64)?;
    Ok(column.map(|column| column.as_primitive::<Float64Type>()))
}

fn lists<'a>(batch: &'a RecordBatch, name: &str) -> Result<Option<&'a ListArray>> {
    let of_numbers =
        |kind: &DataType| matches!(kind, DataType::List(item) if *item.data_type() == DataType::Float64);
    let column = given(batch, name, "a list of float64", of_numbers)?;
    Ok(column.map(|column| column.as_list::<i32>()))
}

/// A column of the wanted type; none if it is absent or has no values at all.
fn given<'a>(
    batch: &'a RecordBatch,
    name: &str,
    wanted: &str,
    fits: impl Fn(&DataType) -> bool,
) -> Result<Option<&'a ArrayRef>> {
    let column = batch.column_by_name(name).filter(|column| *column.data_type() != DataType::Null);
    match column.map(|column| column.data_type()).filter(|kind| !fits(kind)) {
        None => Ok(column),
        Some(other) => Err(Error::engine(5004, format!("column {name:?} is {other}, not {wanted}"))),
    }
}
