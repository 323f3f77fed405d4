//! Canonical digests of any Arrow table.

use crate::arrow::read_stream;
use crate::conform::conform;
use crate::guard::attached;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::DataType;
use pyo3::prelude::*;
use sweep_engine::schema::{self, Digest, Field, Kind, Schema, TableHasher};
use sweep_engine::{Error, Result};

/// Canonical digest of a table that matches a schema of the registry.
#[pyfunction]
pub fn table_digest(py: Python<'_>, schema: &str, table: &Bound<'_, PyAny>) -> PyResult<String> {
    let (given, batches) = read_stream(table)?;
    attached(py, || {
        let schema = schema::schema(schema)
            .ok_or_else(|| Error::config(1001, format!("unknown schema {schema:?}")).at("schema registry"))?;
        conform(schema, &given, &batches)?;
        digest(schema, &batches).map(|d| d.to_string())
    })
}

/// Result digest of the digests of trades, daily equity and metrics.
#[pyfunction]
pub fn result_digest(py: Python<'_>, trades: &str, daily: &str, metrics: &str) -> PyResult<String> {
    attached(py, || {
        let parse = |text: &str| {
            Digest::from_hex(text).ok_or_else(|| Error::config(1009, format!("{text:?} is no digest")))
        };
        Ok(schema::result_digest(&parse(trades)?, &parse(daily)?, &parse(metrics)?).to_string())
    })
}

/// Of batches that conform to the schema.
fn digest(schema: &'static Schema, batches: &[RecordBatch]) -> Result<Digest> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut table = TableHasher::new(schema, rows);
    for field in schema.fields {
        let chunks: Vec<ArrayRef> =
            batches.iter().filter_map(|b| b.column_by_name(field.name).cloned()).collect();
        hash(&mut table, field, &chunks)?;
    }
    Ok(table.finish())
}

/// Feeds the chunks of one column to the hasher, by the type of the registry.
fn hash(table: &mut TableHasher, field: &Field, chunks: &[ArrayRef]) -> Result<()> {
    macro_rules! numbers {
        ($arrow:ty, $plain:ident, $nullable:ident) => {{
            let values: Vec<_> = chunks.iter().flat_map(|c| c.as_primitive::<$arrow>().iter()).collect();
            if field.nullable {
                table.$nullable(values.iter().copied());
            } else {
                table.$plain(values.iter().map(|v| v.unwrap_or_default()));
            }
        }};
    }
    match field.kind {
        Kind::Timestamp => numbers!(TimestampMicrosecondType, timestamps, timestamps_or_null),
        Kind::Float => numbers!(Float64Type, floats, floats_or_null),
        Kind::Int => numbers!(Int32Type, ints, ints_or_null),
        Kind::Long => numbers!(Int64Type, longs, longs_or_null),
        Kind::Unsigned => numbers!(UInt64Type, unsigned, unsigned_or_null),
        Kind::Bool => table.bools(chunks.iter().flat_map(|c| {
            let values = c.as_boolean();
            (0..values.len()).map(|i| values.value(i)).collect::<Vec<_>>()
        })),
        Kind::Text | Kind::Dictionary => {
            let mut values: Vec<Option<String>> = Vec::new();
            for chunk in chunks {
                texts(field, chunk, &mut values)?;
            }
            if field.nullable {
                table.texts_or_null(values.iter().map(Option::as_deref));
            } else {
                table.texts(values.iter().map(|v| v.as_deref().unwrap_or_default()));
            }
        }
    }
    Ok(())
}

/// Plain, large and dictionary text alike.
fn texts(field: &Field, chunk: &ArrayRef, out: &mut Vec<Option<String>>) -> Result<()> {
    match chunk.data_type() {
        DataType::Utf8 => out.extend(chunk.as_string::<i32>().iter().map(|v| v.map(str::to_owned))),
        DataType::LargeUtf8 => out.extend(chunk.as_string::<i64>().iter().map(|v| v.map(str::to_owned))),
        _ => {
            let words = chunk.as_dictionary::<Int32Type>().downcast_dict::<StringArray>();
            let words = words.ok_or_else(|| Error::data(5004, "no dictionary of text").at(field.name))?;
            out.extend(words.into_iter().map(|v| v.map(str::to_owned)));
        }
    }
    Ok(())
}
