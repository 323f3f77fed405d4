//! Columns of Arrow tables as columns of the engine, sharing the memory.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use std::sync::Arc;
use sweep_engine::{Column, Error, Result};

/// A table of named columns in one or more chunks.
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

/// An Arrow buffer as the owner of an engine column.
struct Shared<T: arrow_buffer::ArrowNativeType>(ScalarBuffer<T>);

impl<T: arrow_buffer::ArrowNativeType> AsRef<[T]> for Shared<T> {
    fn as_ref(&self) -> &[T] {
        &self.0
    }
}

/// A buffer as a column, sharing the memory.
pub fn column<T: arrow_buffer::ArrowNativeType>(values: ScalarBuffer<T>) -> Column<T> {
    Column::new(Arc::new(Shared(values)))
}

impl Table {
    /// Of a stream's parts.
    pub fn new((schema, batches): (SchemaRef, Vec<RecordBatch>)) -> Self {
        Self { schema, batches }
    }

    /// Whether a column exists.
    pub fn has(&self, name: &str) -> bool {
        self.schema.index_of(name).is_ok()
    }

    fn chunks(&self, name: &str, wanted: impl Fn(&DataType) -> bool) -> Result<Vec<ArrayRef>> {
        let at = self
            .schema
            .index_of(name)
            .map_err(|_| Error::data(5004, format!("column {name:?} is absent")).at("Arrow table"))?;
        let kind = self.schema.field(at).data_type();
        if !wanted(kind) {
            return Err(Error::data(5004, format!("column {name:?} has type {kind}")).at("Arrow table"));
        }
        let chunks: Vec<ArrayRef> = self.batches.iter().map(|b| Arc::clone(b.column(at))).collect();
        if chunks.iter().any(|c| c.null_count() > 0) {
            return Err(Error::data(1005, format!("column {name:?} has nulls")).at("Arrow table"));
        }
        Ok(chunks)
    }

    /// A float64 column without nulls.
    pub fn floats(&self, name: &str) -> Result<Column<f64>> {
        let chunks = self.chunks(name, |kind| *kind == DataType::Float64)?;
        Ok(join(chunks.iter().map(|c| c.as_primitive::<Float64Type>().values().clone())))
    }

    /// A float64 column; without it, or if it is null in every row, there are no values.
    pub fn floats_if_given(&self, name: &str) -> Result<Option<Column<f64>>> {
        let Ok(at) = self.schema.index_of(name) else { return Ok(None) };
        let rows = self.batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        let nulls = self.batches.iter().map(|b| b.column(at).logical_null_count()).sum::<usize>();
        if rows > 0 && nulls == rows { Ok(None) } else { self.floats(name).map(Some) }
    }

    /// A timestamp[us] column without nulls; the zone has been looked at before.
    pub fn times(&self, name: &str) -> Result<Column<i64>> {
        let chunks =
            self.chunks(name, |kind| matches!(kind, DataType::Timestamp(TimeUnit::Microsecond, _)))?;
        Ok(join(chunks.iter().map(|c| c.as_primitive::<TimestampMicrosecondType>().values().clone())))
    }
}

/// One chunk is shared; several are copied together.
fn join<T: arrow_buffer::ArrowNativeType>(mut chunks: impl Iterator<Item = ScalarBuffer<T>>) -> Column<T> {
    match (chunks.next(), chunks.next()) {
        (None, _) => Column::from(Vec::new()),
        (Some(only), None) => Column::new(Arc::new(Shared(only))),
        (Some(first), Some(second)) => {
            let mut all = first.to_vec();
            all.extend_from_slice(&second);
            chunks.for_each(|chunk| all.extend_from_slice(&chunk));
            Column::from(all)
        }
    }
}
