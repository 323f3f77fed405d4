//! Draws and canonical parameter sets of whole batches, handed over as Python objects: the way over JSON costs more than both.

use crate::catalogue::named;
use crate::guard::{attached, detached};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value as Json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use sweep_engine::declare::{Canonical, canonicalise};
use sweep_engine::market::Timeframe;
use sweep_engine::run::session::context;
use sweep_engine::{Error, Result, Value};
use sweep_strategies::user::UserStrategy;

/// The largest number below 1.
const BELOW_ONE: f64 = 1.0 - f64::EPSILON / 2.0;
/// Values may hold values so deep, as in JSON.
const DEEPEST: u32 = 127;
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

/// Of every name the numbers seed/2⁶⁴ of the texts `prefix|q|name`, q = start … start + count − 1, as little-endian doubles.
#[pyfunction]
pub fn units<'py>(
    py: Python<'py>,
    prefix: &str,
    start: u64,
    count: u64,
    names: Vec<String>,
) -> Vec<Bound<'py, PyBytes>> {
    let numbers: Vec<String> = (start..start.saturating_add(count)).map(|q| q.to_string()).collect();
    let column = |name: &String| {
        let bytes: Vec<u8> = numbers.iter().flat_map(|q| unit(prefix, q, name).to_le_bytes()).collect();
        PyBytes::new(py, &bytes)
    };
    names.iter().map(column).collect()
}

fn unit(prefix: &str, q: &str, name: &str) -> f64 {
    (seed(&[prefix, "|", q, "|", name]) as f64 / TWO_TO_64).min(BELOW_ONE)
}

/// The first eight bytes of the SHA-256 of the joined text.
fn seed(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Where the keyed permutation of 0 … size − 1 puts the positions start … start + count − 1, which must be below `size`:
/// a Feistel network over two halves of `width` bits whose round j adds seed(`prefix|j|half`), walked until it is below
/// `size`.
///
/// # Errors
/// [5004] for a size that does not fit twice `width` bits, or positions beyond it.
#[pyfunction]
pub fn permuted(
    py: Python<'_>,
    prefix: &str,
    size: u64,
    width: u32,
    start: u64,
    count: u64,
) -> PyResult<Vec<u64>> {
    detached(py, || {
        let end = start.checked_add(count).filter(|end| *end <= size);
        let end = end.filter(|_| (1..=31).contains(&width) && size <= 1 << (2 * width));
        let end =
            end.ok_or_else(|| Error::engine(5004, "positions, size and width do not fit").at("permutation"))?;
        let mask = (1_u64 << width) - 1;
        let place = |position: u64| {
            let mut number = position;
            loop {
                let (mut left, mut right) = (number >> width, number & mask);
                for round in ["0", "1", "2", "3"] {
                    let added = seed(&[prefix, "|", round, "|", &right.to_string()]) & mask;
                    (left, right) = (right, left ^ added);
                }
                number = left << width | right;
                if number < size {
                    return number;
                }
            }
        };
        Ok((start..end).map(place).collect())
    })
}

/// What `canonicalise` says of each mapping: (parameters, key, derived names, problems, warnings).
#[pyfunction]
pub fn canonical_rows<'py>(
    py: Python<'py>,
    strategy: &str,
    timeframe: &str,
    rows: Vec<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    let found = attached(py, || {
        let user = if strategy.starts_with('{') { Some(UserStrategy::of(strategy)?) } else { None };
        let declaration = match &user {
            Some(user) => user.declaration(),
            None => named(strategy)?.declaration(),
        };
        let context = context(timeframe.parse::<Timeframe>()?);
        rows.iter()
            .map(|row| Ok(canonicalise(declaration, &context, &mapping(row)?)))
            .collect::<Result<Vec<_>>>()
    })?;
    let (mut params, mut derived) = (Names::default(), Names::default());
    let made = PyList::empty(py);
    for result in found {
        made.append(match result {
            Ok(canonical) => valid(py, &canonical, &mut params, &mut derived)?,
            Err(problems) => refused(py, &problems)?,
        })?;
    }
    Ok(made)
}

fn valid<'py>(
    py: Python<'py>,
    found: &Canonical,
    params: &mut Names<'py>,
    derived: &mut Names<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    let params = params.dict(py, &found.params)?;
    let derived = derived.dict(py, &found.derived)?;
    let warnings = PyTuple::new(py, &found.warnings)?;
    (params, found.to_json(), derived, PyTuple::empty(py), warnings).into_pyobject(py)
}

fn refused<'py>(py: Python<'py>, problems: &[Error]) -> PyResult<Bound<'py, PyTuple>> {
    let told = problems.iter().map(|problem| {
        let form = PyDict::new(py);
        form.set_item("code", problem.code)?;
        form.set_item("what", &problem.what)?;
        form.set_item("place", &problem.place)?;
        form.set_item("remedy", &problem.remedy)?;
        Ok(form)
    });
    let told = PyTuple::new(py, told.collect::<PyResult<Vec<_>>>()?)?;
    (py.None(), py.None(), PyDict::new(py), told, PyTuple::empty(py)).into_pyobject(py)
}

/// Names as Python texts, by their place in the last mapping: rows of one space have nearly always the same.
#[derive(Default)]
struct Names<'py>(Vec<(String, Bound<'py, PyString>)>);

impl<'py> Names<'py> {
    fn dict<N: AsRef<str>>(
        &mut self,
        py: Python<'py>,
        values: &BTreeMap<N, Value>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let made = PyDict::new(py);
        for (place, (name, value)) in values.iter().enumerate() {
            let name = self.text(py, place, name.as_ref());
            match value {
                Value::None => made.set_item(name, py.None())?,
                Value::Bool(b) => made.set_item(name, b)?,
                Value::Int(i) => made.set_item(name, i)?,
                Value::Float(x) => made.set_item(name, x)?,
                Value::Text(text) => made.set_item(name, text)?,
            }
        }
        Ok(made)
    }

    fn text(&mut self, py: Python<'py>, place: usize, name: &str) -> &Bound<'py, PyString> {
        if self.0.get(place).is_none_or(|(known, _)| known != name) {
            self.0.truncate(place);
            self.0.push((name.to_owned(), PyString::intern(py, name)));
        }
        &self.0[place].1
    }
}

fn mapping(row: &Bound<'_, PyDict>) -> Result<Map<String, Json>> {
    members(row, DEEPEST)
}

fn members(row: &Bound<'_, PyDict>, depth: u32) -> Result<Map<String, Json>> {
    row.iter().map(|(name, value)| Ok((text(&name)?, json(&value, depth)?))).collect()
}

/// A value as JSON would read it.
fn json(value: &Bound<'_, PyAny>, depth: u32) -> Result<Json> {
    if depth == 0 {
        return Err(unreadable(value));
    }
    if value.is_none() {
        return Ok(Json::Null);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Json::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        let whole =
            value.extract::<i64>().map(Json::from).or_else(|_| value.extract::<u64>().map(Json::from));
        return whole.or_else(|_| number(value));
    }
    if value.is_instance_of::<PyFloat>() {
        return number(value);
    }
    if value.is_instance_of::<PyString>() {
        return text(value).map(Json::String);
    }
    if let Ok(inner) = value.cast::<PyDict>() {
        return members(inner, depth - 1).map(Json::Object);
    }
    match value.try_iter() {
        Ok(items) => items.map(|item| json(&item.map_err(|_| unreadable(value))?, depth - 1)).collect(),
        Err(_) => Err(unreadable(value)),
    }
}

fn number(value: &Bound<'_, PyAny>) -> Result<Json> {
    let found = value.extract::<f64>().ok().and_then(Number::from_f64);
    found.map(Json::Number).ok_or_else(|| unreadable(value))
}

fn text(value: &Bound<'_, PyAny>) -> Result<String> {
    value.extract::<String>().map_err(|_| unreadable(value))
}

fn unreadable(value: &Bound<'_, PyAny>) -> Error {
    let kind = value.get_type();
    Error::config(1004, format!("a value of {kind} is no value of a parameter"))
        .at("params")
        .fix("give a number or text")
}
