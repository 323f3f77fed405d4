//! Arrow in and out through the C stream protocol: no copy, no PyArrow.

use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use sweep_engine::Error;
use sweep_engine::run::trial::panic_text;

use crate::guard::to_py;

const STREAM: &CStr = c"arrow_array_stream";

/// A table of one batch that speaks the Arrow C stream protocol.
#[pyclass(frozen, module = "sweep._core")]
pub struct ArrowTable(pub RecordBatch);

#[pymethods]
impl ArrowTable {
    /// The table as a stream; the consumer shares the memory.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol allows a producer to ignore the request.
        drop(requested_schema);
        let batches: Vec<Result<RecordBatch, ArrowError>> = vec![Ok(self.0.clone())];
        let reader = RecordBatchIterator::new(batches, self.0.schema());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
    }
}

/// Refuses a PyArrow table with offsets, indices or lengths outside its buffers: the C interface does not tell how long
/// buffers are, so that only their owner can check them. Costs nothing to speak of for columns of numbers.
fn validated(source: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = source.py();
    if !source.get_type().module()?.to_cow()?.starts_with("pyarrow") || !source.hasattr("validate")? {
        return Ok(());
    }
    let full = PyDict::new(py);
    full.set_item("full", true)?;
    source.call_method("validate", (), Some(&full)).map(drop).map_err(|problem| {
        let what = format!("broken Arrow table: {}", problem.value(py));
        to_py(py, &Error::data(1005, what).fix("build the table anew"))
    })
}

/// Schema and batches of any object with the Arrow C stream protocol.
///
/// # Errors
/// [1005] for a broken table, [5004] for a stream that cannot be read.
pub fn read_stream(source: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    let py = source.py();
    validated(source)?;
    let method = source
        .getattr("__arrow_c_stream__")
        .map_err(|_| PyTypeError::new_err("an object with the Arrow C stream protocol is needed"))?;
    let capsule = method.call0()?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    #[allow(unsafe_code)]
    let read = || {
        // SAFETY: a capsule of this name holds a valid stream by the Arrow PyCapsule protocol; `from_raw` moves it out
        // and leaves a released one behind, which the capsule's destructor accepts.
        let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) }?;
        Ok((reader.schema(), reader.collect::<Result<Vec<_>, ArrowError>>()?))
    };
    // Arrow's own reader panics at some schemas, such as a time zone that is not UTF-8.
    let outcome: Result<_, String> = match catch_unwind(AssertUnwindSafe(read)) {
        Ok(outcome) => outcome.map_err(|problem: ArrowError| problem.to_string()),
        Err(payload) => Err(panic_text(payload.as_ref()).to_owned()),
    };
    outcome.map_err(|problem| to_py(py, &Error::data(5004, format!("unreadable Arrow stream: {problem}"))))
}
