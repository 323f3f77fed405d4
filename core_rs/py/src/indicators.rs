//! Indicators called by name.

use crate::arrow::{ArrowTable, read_stream};
use crate::columns::Table;
use crate::guard::{detached, to_py};
use crate::market::Market;
use crate::tables::series_table;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyString};
use sweep_engine::cache::SeriesCache;
use sweep_engine::indicator::{Call, on_arrays, on_market, to_json};
use sweep_engine::series::{Indicators, Quote, Side};
use sweep_engine::{Error, Result};
use sweep_indicators::catalogue::Output;
use sweep_indicators::declare::Given;
use sweep_indicators::scope::{Bars, TickCounts, masked};
use sweep_indicators::tick_grid::TickRatio;

/// The catalogue of indicators, as a JSON list.
#[pyfunction]
pub fn indicators() -> String {
    to_json().to_string()
}

/// An indicator on one side of a market: its outputs by name, a table of one column, a number or the number of a bar.
#[pyfunction]
#[pyo3(signature = (market, id, side, timeframe, on, params))]
pub fn indicator(
    py: Python<'_>,
    market: &Market,
    id: &str,
    side: &str,
    timeframe: Option<&str>,
    on: Option<&str>,
    params: &Bound<'_, PyDict>,
) -> PyResult<Vec<(&'static str, Py<PyAny>)>> {
    // Nothing is kept for a second call: an indicator need not split into series that others share.
    let cache = SeriesCache::new(0);
    outputs(py, &Indicators::new(&market.0, &cache, &market.1), id, side, timeframe, on, params)
}

/// An indicator on one side of what `indicators` are of.
pub fn outputs(
    py: Python<'_>,
    indicators: &Indicators<'_>,
    id: &str,
    side: &str,
    timeframe: Option<&str>,
    on: Option<&str>,
    params: &Bound<'_, PyDict>,
) -> PyResult<Vec<(&'static str, Py<PyAny>)>> {
    let given = given(params)?;
    let outputs = detached(py, || {
        on_market(&Call { id, given: &given, quote: quote(side)?, timeframe, on }, indicators)
    })?;
    outputs.into_iter().map(|(name, output)| Ok((name, to_python(py, output)?))).collect()
}

/// An indicator on arrays: a table with the float64 columns open, high, low, close, NaN where a bar is missing. With
/// `tick` = (M, N) in lowest terms, averages of prices on that grid are exact.
#[pyfunction]
#[pyo3(signature = (bars, id, side, timeframe, on, params, tick = None))]
#[allow(clippy::too_many_arguments)]
pub fn indicator_on(
    py: Python<'_>,
    bars: &Bound<'_, PyAny>,
    id: &str,
    side: &str,
    timeframe: Option<&str>,
    on: Option<&str>,
    params: &Bound<'_, PyDict>,
    tick: Option<(f64, f64)>,
) -> PyResult<Vec<(&'static str, Py<PyAny>)>> {
    let given = given(params)?;
    let table = Table::new(read_stream(bars)?);
    let outputs = detached(py, || {
        let call = Call { id, given: &given, quote: quote(side)?, timeframe, on };
        let [open, high, low, close] =
            [table.floats("open")?, table.floats("high")?, table.floats("low")?, table.floats("close")?];
        let bars = Bars { open: &open, high: &high, low: &low, close: &close };
        let whole = masked(bars);
        let bars = whole.as_ref().map_or(bars, |[open, high, low, close]| Bars { open, high, low, close });
        let ticks = tick.map(|(m, n)| TickCounts::new(TickRatio { m, n }));
        on_arrays(&call, &Side::of(bars, ticks.as_ref(), &SeriesCache::new(0)).scope())
    })?;
    outputs.into_iter().map(|(name, output)| Ok((name, to_python(py, output)?))).collect()
}

fn quote(side: &str) -> Result<Quote> {
    match side.trim().to_lowercase().as_str() {
        "bid" => Ok(Quote::Bid),
        "ask" => Ok(Quote::Ask),
        _ => Err(Error::config(1001, format!("unknown side {side:?}")).fix("choose bid or ask")),
    }
}

fn to_python(py: Python<'_>, output: Output) -> PyResult<Py<PyAny>> {
    Ok(match output {
        Output::Series(values) | Output::Window(values) => {
            let table = series_table(values).map_err(|e| to_py(py, &e))?;
            Py::new(py, ArrowTable(table))?.into_any()
        }
        Output::Number(x) => PyFloat::new(py, x).into_any().unbind(),
        Output::Bar(i) => i.into_pyobject(py)?.into_any().unbind(),
    })
}

/// Keyword arguments as they are; what `numbers.Integral` and `numbers.Real` say is a number is one.
fn given(params: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Given)>> {
    let numbers = params.py().import("numbers")?;
    let (integral, real) = (numbers.getattr("Integral")?, numbers.getattr("Real")?);
    let one = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        // Beyond every float: infinite.
        let float = || -> PyResult<f64> {
            match value.extract::<f64>() {
                Ok(x) => Ok(x),
                Err(_) => Ok(if value.lt(0)? { f64::NEG_INFINITY } else { f64::INFINITY }),
            }
        };
        let given = if value.is_none() {
            Given::None
        } else if value.is_instance_of::<PyBool>() {
            Given::Bool(value.extract()?)
        } else if let Ok(text) = value.cast::<PyString>() {
            Given::Text(text.to_string_lossy().into_owned())
        } else if value.is_instance(&integral)? {
            match value.extract() {
                Ok(x) => Given::Int(x),
                Err(_) => Given::Huge(float()?),
            }
        } else if value.is_instance(&real)? {
            Given::Float(float()?)
        } else {
            // On one line: arrays and tables print several.
            let printed = value.repr()?.to_string_lossy().split_whitespace().collect::<Vec<_>>().join(" ");
            Given::Other(printed.chars().take(80).collect())
        };
        Ok((name.extract()?, given))
    };
    params.iter().map(one).collect()
}
