//! Checked ticks: quotes in the order in which they arrived.

use std::iter::repeat_n;
use std::ops::Range;

use super::defects::{self, Defect};
use super::filter::Kept;
use super::pairing::Crossed;
use super::tick_contract;
use crate::schema::{Digest, TableHasher, schema};
use crate::{Column, Error, Result};

/// Columns of ticks as they were read. Times in microseconds UTC; equal ones keep their order.
#[derive(Debug, Clone)]
pub struct RawTicks {
    /// Times.
    pub time: Column<i64>,
    /// Bid prices.
    pub bid: Column<f64>,
    /// Ask prices.
    pub ask: Column<f64>,
    /// Sizes at the bid.
    pub bid_size: Option<Column<f64>>,
    /// Sizes at the ask.
    pub ask_size: Option<Column<f64>>,
}

impl RawTicks {
    /// The sizes of a row that there are, with their names.
    pub(super) fn sizes(&self, row: usize) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        let sizes = [("bid_size", &self.bid_size), ("ask_size", &self.ask_size)];
        sizes.into_iter().filter_map(move |(name, column)| Some((name, column.as_ref()?[row])))
    }

    fn map(
        &self,
        times: impl FnOnce(&Column<i64>) -> Column<i64>,
        values: impl Fn(&Column<f64>) -> Column<f64>,
    ) -> Self {
        Self {
            time: times(&self.time),
            bid: values(&self.bid),
            ask: values(&self.ask),
            bid_size: self.bid_size.as_ref().map(&values),
            ask_size: self.ask_size.as_ref().map(&values),
        }
    }
}

/// Ticks that keep the data contract.
#[derive(Debug, Clone)]
pub struct Ticks(RawTicks);

impl Ticks {
    /// Checks the columns; they are kept without a copy unless crossed ticks are clamped. `name` is what
    /// messages call them, usually their file. With the ticks comes the number of asks raised to the bid.
    ///
    /// # Errors
    /// [1010] without ticks; [1011] if the columns differ in length; [1003] times outside the years 1900 to
    /// 2200; [1006] values that are not finite, prices not in (0, 1e12), negative sizes, times that decrease,
    /// and crossed ticks if they are to be rejected. The context `defects` lists all classes of defect.
    pub fn check(raw: RawTicks, name: &str, crossed: Crossed) -> Result<(Self, usize)> {
        defects::refuse(&tick_contract::check(&raw, name, crossed)?, name)?;
        let below = |(ask, bid): (&f64, &f64)| ask < bid;
        let clamped = match crossed {
            Crossed::Clamp => raw.ask.iter().zip(&raw.bid[..]).filter(|&pair| below(pair)).count(),
            Crossed::Count | Crossed::Reject => 0,
        };
        if clamped == 0 {
            return Ok((Self(raw), 0));
        }
        let ask: Vec<f64> = raw.ask.iter().zip(&raw.bid[..]).map(|(ask, bid)| ask.max(*bid)).collect();
        Ok((Self(RawTicks { ask: ask.into(), ..raw }), clamped))
    }

    /// All that columns have against the contract, class by class.
    ///
    /// # Errors
    /// [1011] if the columns differ in length.
    pub fn defects(raw: &RawTicks, name: &str, crossed: Crossed) -> Result<Vec<Defect>> {
        tick_contract::check(raw, name, crossed)
    }

    /// Ticks that are known to keep the contract.
    ///
    /// # Errors
    /// [1010] without ticks, [1011] if the columns differ in length.
    pub(super) fn trusted(raw: RawTicks) -> Result<Self> {
        tick_contract::check_lengths(&raw, "ticks")?;
        if raw.time.is_empty() {
            return Err(Error::data(1010, "there are no rows").at("ticks").fix("give at least one tick"));
        }
        Ok(Self(raw))
    }

    /// Number of ticks; never 0 for the ticks of a market.
    pub fn len(&self) -> usize {
        self.0.time.len()
    }

    /// Whether there are no ticks.
    pub fn is_empty(&self) -> bool {
        self.0.time.is_empty()
    }

    /// Times in microseconds UTC, never decreasing.
    pub fn time(&self) -> &[i64] {
        &self.0.time
    }

    /// Bid prices.
    pub fn bid(&self) -> &[f64] {
        &self.0.bid
    }

    /// Ask prices.
    pub fn ask(&self) -> &[f64] {
        &self.0.ask
    }

    /// Sizes at the bid, if they are known.
    pub fn bid_size(&self) -> Option<&[f64]> {
        self.0.bid_size.as_deref()
    }

    /// Sizes at the ask, if they are known.
    pub fn ask_size(&self) -> Option<&[f64]> {
        self.0.ask_size.as_deref()
    }

    /// The columns.
    pub fn columns(&self) -> &RawTicks {
        &self.0
    }

    /// The same memory, restricted to these rows.
    #[must_use]
    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        Self(self.0.map(|times| times.slice(rows.clone()), |values| values.slice(rows.clone())))
    }

    /// A copy of these rows.
    #[must_use]
    pub(super) fn keep(&self, kept: &Kept) -> Self {
        Self(self.0.map(|times| kept.of(times), |values| kept.of(values)))
    }

    /// Digest of the table `ticks`; absent sizes are null in every row.
    pub fn digest(&self) -> Digest {
        let schema = schema("ticks").expect("a schema of the registry");
        let mut table = TableHasher::new(schema, self.len());
        table.timestamps(self.time().iter().copied());
        table.floats(self.bid().iter().copied());
        table.floats(self.ask().iter().copied());
        for size in [self.bid_size(), self.ask_size()] {
            match size {
                Some(size) => table.floats_or_null(size.iter().copied().map(Some)),
                None => table.floats_or_null(repeat_n(None, self.len())),
            }
        }
        table.finish()
    }
}

#[cfg(test)]
mod tests;
