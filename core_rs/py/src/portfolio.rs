//! `Portfolio`: operations in, one at a time or a batch per call; state, records and curves out.

use crate::arrow::{ArrowTable, read_stream};
use crate::guard::{attached, detached};
use crate::market::{Market, json};
use crate::operations::{self, OperationTable};
use crate::portfolio_tables::{fees_table, positions_table, state_table};
use crate::tables::{equity_table, records_table};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Value as Json, json as object};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use sweep_engine::Error;
use sweep_engine::market::SymbolSpec;
use sweep_engine::metrics::CATALOGUE;
use sweep_engine::portfolio::api::{self, Report, Setup};
use sweep_engine::portfolio::{Summary, robustness};

/// The standalone portfolio. The lock is never held while Python code may run.
#[pyclass(frozen, module = "sweep._core")]
pub struct Portfolio(Mutex<api::Portfolio>);

impl Portfolio {
    fn lock(&self) -> MutexGuard<'_, api::Portfolio> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Portfolio {
    /// Options are JSON {account, execution, rates}, `specs` JSON of specifications by symbol, `rates` markets by pair.
    #[new]
    fn new(
        py: Python<'_>,
        options: &str,
        specs: &str,
        rates: HashMap<String, PyRef<'_, Market>>,
        start_time: Option<i64>,
    ) -> PyResult<Self> {
        let rates = rates.into_iter().map(|(pair, market)| (pair, market.0.clone())).collect();
        detached(py, || {
            let setup = Setup {
                options: parsed(options, "options")?,
                specs: parsed::<BTreeMap<String, SymbolSpec>>(specs, "specs")?,
                rates,
                start_time,
            };
            Ok(Self(Mutex::new(api::Portfolio::new(setup)?)))
        })
    }

    /// One operation, a mapping with `op`; gives the id of the record that it made.
    fn apply(&self, py: Python<'_>, row: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
        let row = attached(py, || operations::of_mapping(row))?;
        detached(py, || self.lock().apply(&row))
    }

    /// A list of such mappings; what is refused is noted in the report.
    fn batch_rows<'py>(&self, py: Python<'py>, rows: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyDict>> {
        let rows =
            attached(py, || Ok(rows.iter().map(|row| operations::of_mapping(&row)).collect::<Vec<_>>()))?;
        let report = detached(py, || Ok(self.lock().batch(rows)))?;
        to_dict(py, report)
    }

    /// A table with one row per operation and a column per field.
    fn batch_table<'py>(&self, py: Python<'py>, table: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let (_, batches) = read_stream(table)?;
        let report = detached(py, || {
            let tables = batches.iter().map(OperationTable::new).collect::<Result<Vec<_>, Error>>()?;
            let mut portfolio = self.lock();
            let mut batch = portfolio.begin();
            tables.iter().for_each(|table| table.apply(&mut batch));
            Ok(batch.end())
        })?;
        to_dict(py, report)
    }

    /// Margin of lots at a price.
    fn calculate_margin(
        &self,
        py: Python<'_>,
        symbol: &str,
        size: f64,
        price: f64,
        time: Option<i64>,
    ) -> PyResult<f64> {
        detached(py, || self.lock().calculate_margin(symbol, size, price, time))
    }

    /// Cash.
    #[getter]
    fn cash(&self, py: Python<'_>) -> PyResult<f64> {
        detached(py, || Ok(self.lock().cash()))
    }

    /// Equity as of the last operation.
    #[getter]
    fn equity(&self, py: Python<'_>) -> PyResult<f64> {
        detached(py, || self.lock().equity())
    }

    /// One row of the schema portfolio_state.
    fn state(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        detached(py, || Ok(ArrowTable(state_table(&self.lock().state()?)?)))
    }

    /// Records in the schema execution_position: all, or the open ones.
    fn positions(&self, py: Python<'_>, open: bool) -> PyResult<ArrowTable> {
        detached(py, || {
            let portfolio = self.lock();
            let records = if open { portfolio.open_records().collect() } else { portfolio.records() };
            Ok(ArrowTable(positions_table(&records, &portfolio)?))
        })
    }

    /// Closed positions, then closed parts, in the schema trades.
    fn trades(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        detached(py, || {
            let portfolio = self.lock();
            Ok(ArrowTable(records_table(&portfolio.trades(), |number| portfolio.symbol(number))?))
        })
    }

    /// The curve of the samples, or that of the trades, in the schema equity.
    fn curve(&self, py: Python<'_>, per_trade: bool) -> PyResult<ArrowTable> {
        detached(py, || {
            let portfolio = self.lock();
            let curve = if per_trade { portfolio.per_trade() } else { portfolio.sampled() };
            Ok(ArrowTable(equity_table(&curve)?))
        })
    }

    /// Fees that were paid: timestamp, kind, amount, position_id.
    fn fees(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        detached(py, || Ok(ArrowTable(fees_table(self.lock().fees())?)))
    }

    /// JSON list of [name, value]: the fifteen figures; with a mapping also those of robustness.
    fn summary(&self, py: Python<'_>, figures: Option<BTreeMap<String, f64>>) -> PyResult<String> {
        detached(py, || {
            let mut all: Summary = self.lock().summary()?;
            if let Some(figures) = figures {
                all.extend(robustness(&figures)?);
            }
            let rows: Vec<Json> =
                all.into_iter().map(|(name, value)| object!([name, Json::from(value)])).collect();
            json(&rows)
        })
    }

    /// JSON list of [name, value] in catalogue order.
    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || {
            let values = self.lock().metrics();
            let rows: Vec<Json> = CATALOGUE.iter().zip(values).map(|(m, v)| object!([m.name, v])).collect();
            json(&rows)
        })
    }
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str, place: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::config(3004, format!("unreadable: {e}")).at(place))
}

fn to_dict(py: Python<'_>, report: Report) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("operations_processed", report.operations_processed)?;
    dict.set_item("entries", report.entries)?;
    dict.set_item("fills", report.fills)?;
    dict.set_item("exits", report.exits)?;
    dict.set_item("partial_exits", report.partial_exits)?;
    dict.set_item("modifies", report.modifies)?;
    dict.set_item("expired", report.expired)?;
    dict.set_item("updates", report.updates)?;
    dict.set_item("fees", report.fees)?;
    dict.set_item("total_fees", report.total_fees)?;
    dict.set_item("final_cash", report.final_cash)?;
    dict.set_item("final_equity", report.final_equity)?;
    let errors: Vec<(usize, u16, String)> =
        report.errors.iter().map(|e| (e.row, e.error.code, e.error.to_string())).collect();
    dict.set_item("errors", errors)?;
    dict.set_item("ids", report.ids)?;
    Ok(dict)
}
