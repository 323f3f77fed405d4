//! The boundary: errors become exceptions of `sweep.errors`, panics become errors.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::panic::{AssertUnwindSafe, catch_unwind};
use sweep_engine::run::trial::panic_text;
use sweep_engine::{Error, Result};

/// The Python exception of an engine error.
pub fn to_py(py: Python<'_>, error: &Error) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let kwargs = PyDict::new(py);
        kwargs.set_item("where", &error.place)?;
        kwargs.set_item("remedy", &error.remedy)?;
        kwargs.set_item("stage", error.stage.name())?;
        if !error.context.is_empty() {
            let text = serde_json::Value::Object(error.context.clone()).to_string();
            kwargs.set_item("context", py.import("json")?.call_method1("loads", (text,))?)?;
        }
        let exception =
            py.import("sweep.errors")?.getattr("error")?.call((error.code, &error.what), Some(&kwargs))?;
        Ok(PyErr::from_value(exception))
    };
    build().unwrap_or_else(|failure| failure)
}

/// Runs `work` without the interpreter lock. A panic is [5005], never an unwinding into Python.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| contained(work)).map_err(|e| to_py(py, &e))
}

/// Runs `work` with the interpreter lock, panics contained.
pub fn attached<T>(py: Python<'_>, work: impl FnOnce() -> Result<T>) -> PyResult<T> {
    contained(work).map_err(|e| to_py(py, &e))
}

fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        Err(Error::engine(5005, format!("panic: {}", panic_text(payload.as_ref())))
            .fix("report it with the input that caused it"))
    })
}
