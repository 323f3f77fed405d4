//! A table of parameters: one column per parameter, one row per set, null = not given.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use serde_json::{Map, Number, Value as Json};
use sweep_engine::{Error, Result};

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
