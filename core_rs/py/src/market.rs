//! `Market`: checked bid and ask bars.

use crate::arrow::{ArrowTable, read_stream};
use crate::columns::Table;
use crate::guard::{attached, detached};
use crate::store;
use crate::tables::{aligned_table, higher_table, market_table, ticks_table};
use pyo3::prelude::*;
use std::path::PathBuf;
use sweep_engine::market::buckets::named;
use sweep_engine::market::{
    self, Bars, CheckOptions, MarketMeta, MarketOptions, Quotes, RawBars, RawTicks, Spacing,
    SyntheticOptions, TickOptions, Ticks,
};
use sweep_engine::series::CloseTicks;
use sweep_engine::{Error, Result};

/// Bid and ask bars of one symbol that keep the data contract, with the ticks if they were built of such.
/// Immutable; never write to a table given to it.
#[pyclass(frozen, module = "sweep._core")]
pub struct Market(pub market::Market, pub CloseTicks);

impl Market {
    /// Of an engine's market.
    pub fn of(market: market::Market) -> Self {
        let ticks = CloseTicks::new(market.spec());
        Self(market, ticks)
    }
}

#[pymethods]
impl Market {
    /// Checks and pairs bars read from files.
    #[staticmethod]
    fn from_bars(
        py: Python<'_>,
        bid: &Bound<'_, PyAny>,
        ask: Option<&Bound<'_, PyAny>>,
        options: &str,
    ) -> PyResult<Self> {
        let bid = Table::new(read_stream(bid)?);
        let ask = ask.map(read_stream).transpose()?.map(Table::new);
        detached(py, || {
            let options = MarketOptions::from_json(options)?;
            let ask = ask.as_ref().map(raw_bars).transpose()?;
            Ok(Self::of(market::Market::from_bars(raw_bars(&bid)?, ask, &options)?))
        })
    }

    /// Checks ticks and builds bars of them.
    #[staticmethod]
    fn from_ticks(py: Python<'_>, ticks: &Bound<'_, PyAny>, options: &str) -> PyResult<Self> {
        let ticks = Table::new(read_stream(ticks)?);
        detached(py, || {
            let options = TickOptions::from_json(options)?;
            Ok(Self::of(market::Market::from_ticks(raw_ticks(&ticks)?, &options)?))
        })
    }

    /// The synthetic market of the documented generator.
    #[staticmethod]
    fn synthetic(py: Python<'_>, options: &str) -> PyResult<Self> {
        detached(py, || Ok(Self::of(market::Market::synthetic(&SyntheticOptions::from_json(options)?)?)))
    }

    /// The market whose `to_table` and `meta` these are; values are not checked again.
    #[staticmethod]
    fn from_table(py: Python<'_>, table: &Bound<'_, PyAny>, meta: &str) -> PyResult<Self> {
        let table = Table::new(read_stream(table)?);
        detached(py, || {
            let meta = MarketMeta::from_json(meta)?;
            let (bid, ask) = (quotes(&table, "bid_")?, quotes(&table, "ask_")?);
            Ok(Self::of(market::Market::trusted(meta, table.times("timestamp")?, bid, ask)?))
        })
    }

    /// The market whose `ticks_table` and `meta` these are; values are not checked again.
    #[staticmethod]
    fn from_ticks_table(py: Python<'_>, table: &Bound<'_, PyAny>, meta: &str) -> PyResult<Self> {
        let table = Table::new(read_stream(table)?);
        detached(py, || {
            let meta = MarketMeta::from_json(meta)?;
            Ok(Self::of(market::Market::trusted_ticks(meta, raw_ticks(&table)?)?))
        })
    }

    /// The bars of [start − warm-up, end); times in µs UTC, None = open.
    #[pyo3(signature = (start, end, warmup_bars))]
    fn window(
        &self,
        py: Python<'_>,
        start: Option<i64>,
        end: Option<i64>,
        warmup_bars: usize,
    ) -> PyResult<Self> {
        attached(py, || Ok(Self::of(self.0.window(start, end, warmup_bars)?)))
    }

    /// The same bars with these higher timeframes, each a market of its own of the same symbol. With `trusted` they
    /// have been checked beside these bars before.
    #[pyo3(signature = (markets, trusted = false))]
    fn with_higher(&self, py: Python<'_>, markets: Vec<Py<Self>>, trusted: bool) -> PyResult<Self> {
        let given: Vec<market::Market> = markets.iter().map(|m| m.get().0.clone()).collect();
        detached(py, || {
            Ok(Self::of(if trusted {
                self.0.with_trusted_higher(&given)?
            } else {
                self.0.with_higher(&given)?
            }))
        })
    }

    /// The given higher timeframes, shortest first.
    fn given_higher(&self) -> Vec<Self> {
        self.0.given_higher().iter().cloned().map(Self::of).collect()
    }

    /// Bars of the primary or a higher timeframe: timestamp, end, bid_open … ask_volume.
    fn higher(&self, py: Python<'_>, timeframe: &str) -> PyResult<ArrowTable> {
        detached(py, || Ok(ArrowTable(higher_table(&*self.0.higher(self.0.timeframe_named(timeframe)?)?)?)))
    }

    /// What is seen of a timeframe at each primary bar: bar (null = none), bid_open … ask_volume.
    fn aligned(&self, py: Python<'_>, timeframe: &str) -> PyResult<ArrowTable> {
        detached(py, || Ok(ArrowTable(aligned_table(&*self.0.higher(self.0.timeframe_named(timeframe)?)?)?)))
    }

    /// timestamp, bid_open … bid_volume, ask_open … ask_volume; shares nothing with the caller's tables.
    fn to_table(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        detached(py, || Ok(ArrowTable(market_table(&self.0)?)))
    }

    /// timestamp, bid, ask, and bid_size and ask_size if they are known; nothing for a market of bars.
    fn ticks_table(&self, py: Python<'_>) -> PyResult<Option<ArrowTable>> {
        detached(py, || self.0.ticks().map(|ticks| Ok(ArrowTable(ticks_table(ticks)?))).transpose())
    }

    /// Every column of `to_table`, and which is to be stored for it: itself, or that of the bid with the same bits.
    fn columns(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        detached(py, || Ok(store::columns(&self.0)))
    }

    /// Writes columns into a file that is there, each from its offset in bytes on, while the digest is computed.
    fn write_columns(&self, py: Python<'_>, path: PathBuf, places: Vec<(String, u64)>) -> PyResult<()> {
        detached(py, || {
            std::thread::scope(|scope| {
                scope.spawn(|| self.0.digest());
                store::write(&self.0, &path, &places)
            })
        })
    }

    /// JSON: what happened when the data were read.
    fn notes(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || json(self.0.notes()))
    }

    /// JSON: spec, timeframe, trade_from, trade_until, history_from; kind for ticks; day and stale_after if
    /// set.
    fn meta(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || json(&self.0.meta()))
    }

    /// JSON: gaps, crossed quotes, jumps and what else is odd and legal.
    fn report(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || json(&self.0.report()))
    }

    /// Number of bars, warm-up included.
    #[getter]
    fn rows(&self) -> usize {
        self.0.len()
    }

    /// Market digest of the rows it holds.
    #[getter]
    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || Ok(self.0.digest().to_string()))
    }

    /// Digest of all data: the market digest, and those of given higher timeframes.
    #[getter]
    fn dataset(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || Ok(self.0.dataset().to_string()))
    }
}

/// JSON text of a description.
pub fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::engine(3003, e.to_string()))
}

/// JSON list of everything that bars have against the data contract.
#[pyfunction]
pub fn check_bars(py: Python<'_>, table: &Bound<'_, PyAny>, options: &str) -> PyResult<String> {
    let table = Table::new(read_stream(table)?);
    detached(py, || {
        let CheckOptions { timeframe, duplicates, name, .. } = CheckOptions::for_bars(options)?;
        json(&Bars::defects(&raw_bars(&table)?, &name, timeframe, duplicates)?)
    })
}

/// JSON list of everything that ticks have against the data contract.
#[pyfunction]
pub fn check_ticks(py: Python<'_>, table: &Bound<'_, PyAny>, options: &str) -> PyResult<String> {
    let table = Table::new(read_stream(table)?);
    detached(py, || {
        let CheckOptions { crossed, name, .. } = CheckOptions::for_ticks(options)?;
        json(&Ticks::defects(&raw_ticks(&table)?, &name, crossed)?)
    })
}

/// JSON: the most common step of the column timestamp, its share, and the five most common ones.
#[pyfunction]
pub fn spacing(py: Python<'_>, table: &Bound<'_, PyAny>) -> PyResult<String> {
    let table = Table::new(read_stream(table)?);
    detached(py, || json(&Spacing::of(&table.times("timestamp")?)))
}

/// Refuses a timeframe that is neither the primary one nor one that bars of it can be beside.
#[pyfunction]
pub fn check_higher(py: Python<'_>, timeframe: &str, primary: &str) -> PyResult<()> {
    detached(py, || named(timeframe, primary.parse()?).map(drop))
}

fn raw_ticks(table: &Table) -> Result<RawTicks> {
    Ok(RawTicks {
        time: table.times("timestamp")?,
        bid: table.floats("bid")?,
        ask: table.floats("ask")?,
        bid_size: table.floats_if_given("bid_size")?,
        ask_size: table.floats_if_given("ask_size")?,
    })
}

fn raw_bars(table: &Table) -> Result<RawBars> {
    Ok(RawBars {
        label: table.times("timestamp")?,
        open: table.floats("open")?,
        high: table.floats("high")?,
        low: table.floats("low")?,
        close: table.floats("close")?,
        volume: if table.has("volume") { Some(table.floats("volume")?) } else { None },
    })
}

fn quotes(table: &Table, prefix: &str) -> Result<Quotes> {
    let column = |name: &str| table.floats(&format!("{prefix}{name}"));
    Ok(Quotes {
        open: column("open")?,
        high: column("high")?,
        low: column("low")?,
        close: column("close")?,
        volume: column("volume")?,
    })
}
