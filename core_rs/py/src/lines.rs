//! Canonical JSON lines of the ledger's rows, and their digest.

use crate::guard::attached;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString, PyTuple};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use sweep_engine::json::{MAX_INTEGER, push_number, push_text};
use sweep_engine::{Error, Result};

/// SHA-256, lower-case hex, of rows as RFC 8785 objects over `names`, one per line, each line ended by a line feed.
///
/// A row may be longer than `names`; what is beyond is no part of it. Values are text, numbers or None.
#[pyfunction]
pub fn rows_digest(py: Python<'_>, names: Vec<String>, rows: Vec<Bound<'_, PyTuple>>) -> PyResult<String> {
    attached(py, || {
        let order = ordered(&names);
        let (mut hash, mut line) = (Sha256::new(), String::new());
        for row in &rows {
            line.clear();
            push_row(&mut line, &order, row)?;
            hash.update(line.as_bytes());
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    })
}

/// JSON of a mapping of texts to texts, numbers, truth values and None, in its own order: 5.0 stays a float when it is
/// read. `None` for a mapping of other values.
#[pyfunction]
pub fn json_object(values: &Bound<'_, PyDict>) -> Option<String> {
    let mut out = String::from("{");
    for (name, value) in values {
        if out.len() > 1 {
            out.push(',');
        }
        push_text(&mut out, name.cast::<PyString>().ok()?.to_str().ok()?);
        out.push(':');
        if let Ok(x) = value.cast_exact::<PyFloat>() {
            let x = Some(x.value()).filter(|x| x.is_finite())?;
            write!(out, "{x:?}").ok()?;
        } else if let Ok(flag) = value.cast_exact::<PyBool>() {
            out.push_str(if flag.is_true() { "true" } else { "false" });
        } else {
            push_value(&mut out, &value).ok()?;
        }
    }
    out.push('}');
    Some(out)
}

/// Places of the names in canonical order, each with its quoted name and the colon.
fn ordered(names: &[String]) -> Vec<(usize, String)> {
    let mut places: Vec<usize> = (0..names.len()).collect();
    places.sort_by(|&a, &b| names[a].encode_utf16().cmp(names[b].encode_utf16()));
    let prefix = |place: usize| {
        let mut text = String::new();
        push_text(&mut text, &names[place]);
        text.push(':');
        (place, text)
    };
    places.into_iter().map(prefix).collect()
}

fn push_row(out: &mut String, order: &[(usize, String)], row: &Bound<'_, PyTuple>) -> Result<()> {
    out.push('{');
    for (index, (place, name)) in order.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(name);
        let value = row.get_borrowed_item(*place).map_err(|_| {
            Error::engine(5004, format!("a row has {} values, {} are named", row.len(), order.len()))
        })?;
        push_value(out, &value).map_err(|e| e.at(name.trim_matches([':', '"']).to_owned()))?;
    }
    out.push_str("}\n");
    Ok(())
}

fn push_value(out: &mut String, value: &Bound<'_, PyAny>) -> Result<()> {
    if value.is_none() {
        out.push_str("null");
    } else if let Ok(x) = value.cast_exact::<PyFloat>() {
        let x = x.value();
        if !x.is_finite() {
            return Err(Error::engine(1006, format!("{x} has no JSON form")).fix("store null"));
        }
        push_number(out, x);
    } else if let Ok(text) = value.cast_exact::<PyString>() {
        push_text(out, text.to_str().map_err(|e| Error::engine(1004, format!("no text: {e}")))?);
    } else if let Some(i) = integer(value) {
        out.push_str(&i.to_string());
    } else {
        return Err(Error::engine(
            1004,
            format!("{value} is no text, no number that JSON keeps, and not None"),
        ));
    }
    Ok(())
}

/// An integer that every reader of JSON keeps.
fn integer(value: &Bound<'_, PyAny>) -> Option<i64> {
    let found: i64 = value.cast_exact::<PyInt>().ok()?.extract().ok()?;
    (found.abs() <= MAX_INTEGER).then_some(found)
}
