//! Whether an Arrow table is one of a schema of the registry.

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use sweep_engine::schema::{Kind, Schema};
use sweep_engine::{Error, Result};

/// Refuses a table of other columns: an absent or unknown one, one of another type, or one with nulls where none may
/// be. The order of the columns does not matter; plain text passes for a dictionary.
///
/// # Errors
/// [5004] naming the first field of the registry that differs, else the first unknown column.
pub fn conform(schema: &Schema, given: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
    for field in schema.fields {
        let differs = |how: String| mismatch(schema, format!("field {:?} {how}", field.name));
        let Ok(at) = given.index_of(field.name) else { return Err(differs("is absent".to_owned())) };
        let kind = given.field(at).data_type();
        if !passes(field.kind, kind) {
            return Err(differs(format!("is {kind}, not {}", field.kind.name())));
        }
        let nulls: usize = batches.iter().map(|b| b.column(at).logical_null_count()).sum();
        if nulls > 0 && !field.nullable {
            return Err(differs(format!("has {nulls} nulls and may have none")));
        }
    }
    let known = |name: &str| schema.fields.iter().any(|f| f.name == name);
    match given.fields().iter().find(|f| !known(f.name())) {
        Some(other) => Err(mismatch(schema, format!("field {:?} is unknown", other.name()))),
        None => Ok(()),
    }
}

fn mismatch(schema: &Schema, what: String) -> Error {
    let Schema { name, version, .. } = schema;
    Error::data(5004, what).at(format!("Arrow table of schema {name} {version}"))
}

fn passes(wanted: Kind, given: &DataType) -> bool {
    match (wanted, given) {
        (Kind::Timestamp, DataType::Timestamp(TimeUnit::Microsecond, Some(zone))) => {
            matches!(zone.as_ref(), "UTC" | "+00:00")
        }
        (Kind::Float, DataType::Float64)
        | (Kind::Int, DataType::Int32)
        | (Kind::Long, DataType::Int64)
        | (Kind::Unsigned, DataType::UInt64)
        | (Kind::Bool, DataType::Boolean)
        | (Kind::Text | Kind::Dictionary, DataType::Utf8 | DataType::LargeUtf8) => true,
        (Kind::Text | Kind::Dictionary, DataType::Dictionary(key, value)) => {
            **key == DataType::Int32 && **value == DataType::Utf8
        }
        _ => false,
    }
}
