//! Tables of Python's values: parameters, one column each, one row per set, null = not given; and columns of any names.

use crate::arrow::ArrowTable;
use crate::tables::Columns;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use serde_json::{Map, Number, Value as Json};
use std::collections::BTreeMap;
use std::sync::Arc;
use sweep_engine::{Error, Result};

/// Mappings as a table with a column for every name that one of them has, in order of name: bool, int64, float64 (also
/// of whole numbers beside others) or utf8, null where a mapping has no value. `None` where no such column holds the
/// values, and for mappings without names.
#[pyfunction]
pub fn parameter_table(rows: Vec<Bound<'_, PyDict>>) -> Option<ArrowTable> {
    let mut columns: BTreeMap<String, Vec<Option<Bound<'_, PyAny>>>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        for (name, value) in row {
            let name = name.cast::<PyString>().ok()?.to_str().ok()?.to_owned();
            let values = columns.entry(name).or_insert_with(|| vec![None; rows.len()]);
            values[i] = Some(value).filter(|value| !value.is_none());
        }
    }
    let mut made = Columns::default();
    for (name, values) in &columns {
        made.push(name, narrowest(values)?, true);
    }
    if columns.is_empty() { None } else { made.build().ok().map(ArrowTable) }
}

/// Lists of one length as the columns of a table, in their order, with the types of [`parameter_table`]. `None` where no
/// such column holds the values of one, and for no columns.
#[pyfunction]
pub fn column_table(columns: &Bound<'_, PyDict>) -> Option<ArrowTable> {
    let mut made = Columns::default();
    for (name, values) in columns {
        let values: Vec<Option<Bound<'_, PyAny>>> = values.extract().ok()?;
        made.push(name.extract::<String>().ok()?, narrowest(&values)?, true);
    }
    if columns.is_empty() { None } else { made.build().ok().map(ArrowTable) }
}

fn narrowest(values: &[Option<Bound<'_, PyAny>>]) -> Option<ArrayRef> {
    let given = || values.iter().flatten();
    if given().all(|value| value.is_exact_instance_of::<PyBool>()) {
        let flags = values.iter().map(|value| value.as_ref().map(|flag| flag.is_truthy().ok() == Some(true)));
        return Some(Arc::new(flags.collect::<BooleanArray>()));
    }
    if given().all(|value| value.is_exact_instance_of::<PyInt>()) {
        let whole = values.iter().map(|value| value.as_ref().map(|x| x.extract::<i64>()).transpose());
        return Some(Arc::new(whole.collect::<PyResult<Int64Array>>().ok()?));
    }
    if given().all(|value| value.is_exact_instance_of::<PyFloat>() || value.is_exact_instance_of::<PyInt>()) {
        let numbers = values.iter().map(|value| value.as_ref().map(|x| x.extract::<f64>()).transpose());
        return Some(Arc::new(numbers.collect::<PyResult<Float64Array>>().ok()?));
    }
    let texts = values.iter().map(|value| match value {
        None => Some(None),
        Some(text) => Some(Some(text.cast_exact::<PyString>().ok()?.to_str().ok()?)),
    });
    Some(Arc::new(texts.collect::<Option<Vec<_>>>()?.into_iter().collect::<StringArray>()))
}

/// The rows as mappings.
///
/// # Errors
/// [1005] for a column that is not int64, float64, bool or utf8.
pub fn rows((schema, batches): &(SchemaRef, Vec<RecordBatch>)) -> Result<Vec<Map<String, Json>>> {
    let mut rows: Vec<Map<String, Json>> = Vec::new();
    for batch in batches {
        let start = rows.len();
        rows.resize_with(start + batch.num_rows(), Map::new);
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            for (i, row) in rows[start..].iter_mut().enumerate() {
                if column.is_null(i) {
                    continue;
                }
                row.insert(field.name().clone(), value(column.as_ref(), i, field.name())?);
            }
        }
    }
    Ok(rows)
}

fn value(column: &dyn Array, i: usize, name: &str) -> Result<Json> {
    Ok(match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().value(i).into(),
        DataType::Float64 => {
            let x = column.as_primitive::<Float64Type>().value(i);
            Number::from_f64(x).map_or_else(|| Json::from(x.to_string()), Json::Number)
        }
        DataType::Boolean => column.as_boolean().value(i).into(),
        DataType::Utf8 => column.as_string::<i32>().value(i).into(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(i).into(),
        DataType::Null => Json::Null,
        other => {
            return Err(Error::config(1005, format!("column {name:?} has type {other}"))
                .at("table of parameters")
                .fix("use int64, float64, bool or utf8"));
        }
    })
}
