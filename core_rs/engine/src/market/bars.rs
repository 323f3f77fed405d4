//! One checked bar series. What has the type [`Bars`] keeps the data contract, and nothing checks it again.

use super::contract::{self, Duplicates};
use super::defects::{self, Defect};
use super::quotes::Quotes;
use super::timeframe::Timeframe;
use crate::{Column, Result};

/// Columns of bars as they were read. Labels are open times in microseconds UTC.
#[derive(Debug, Clone)]
pub struct RawBars {
    /// Open times.
    pub label: Column<i64>,
    /// Open prices.
    pub open: Column<f64>,
    /// High prices.
    pub high: Column<f64>,
    /// Low prices.
    pub low: Column<f64>,
    /// Close prices.
    pub close: Column<f64>,
    /// Volumes; absent means 0 everywhere.
    pub volume: Option<Column<f64>>,
}

impl RawBars {
    /// Open, high, low, close and volume of a row.
    pub(super) fn values(&self, row: usize) -> ([f64; 4], f64) {
        let prices = [self.open[row], self.high[row], self.low[row], self.close[row]];
        (prices, self.volume.as_ref().map_or(0.0, |v| v[row]))
    }
}

/// A bar series that keeps the data contract.
#[derive(Debug, Clone)]
pub struct Bars {
    label: Column<i64>,
    quotes: Quotes,
    name: String,
    duplicates_dropped: usize,
    volume_absent: bool,
}

impl Bars {
    /// Checks the columns; they are kept without a copy unless duplicates are dropped.
    ///
    /// `name` is what messages call the series, usually its file.
    ///
    /// # Errors
    /// [1010] without rows; [1011] if the columns differ in length; [1003] labels outside the years 1900 to
    /// 2200; [1006] values that are not finite, prices not in (0, 1e12), negative volumes, bars against low ≤
    /// open, close ≤ high, labels that do not increase by at least one bar, duplicates. All classes of defect
    /// are found in one pass; the error has the code of the first class in this order of the contract:
    /// values, price order, label range, label order, duplicates, distance. Its context `defects` lists them
    /// all.
    pub fn check(raw: RawBars, name: &str, timeframe: Timeframe, duplicates: Duplicates) -> Result<Self> {
        let contract::Checked { defects, dropped } = contract::check(&raw, name, timeframe, duplicates)?;
        defects::refuse(&defects, name)?;
        let volume_absent = raw.volume.is_none();
        let volume = raw.volume.unwrap_or_else(|| vec![0.0; raw.label.len()].into());
        let quotes = Quotes { open: raw.open, high: raw.high, low: raw.low, close: raw.close, volume };
        let mut bars = Self {
            label: raw.label,
            quotes,
            name: name.to_owned(),
            duplicates_dropped: dropped.len(),
            volume_absent,
        };
        if !dropped.is_empty() {
            bars.remove(&dropped);
        }
        Ok(bars)
    }

    /// All that columns have against the contract, class by class; nothing if [`Bars::check`] accepts them.
    ///
    /// # Errors
    /// [1011] if the columns differ in length.
    pub fn defects(
        raw: &RawBars,
        name: &str,
        timeframe: Timeframe,
        duplicates: Duplicates,
    ) -> Result<Vec<Defect>> {
        Ok(contract::check(raw, name, timeframe, duplicates)?.defects)
    }

    /// Open times.
    pub fn label(&self) -> &Column<i64> {
        &self.label
    }

    /// Prices and volume.
    pub fn quotes(&self) -> &Quotes {
        &self.quotes
    }

    /// What messages call the series.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows that were dropped as identical duplicates.
    pub fn duplicates_dropped(&self) -> usize {
        self.duplicates_dropped
    }

    /// Whether there was no volume column.
    pub fn volume_absent(&self) -> bool {
        self.volume_absent
    }

    fn remove(&mut self, dropped: &[usize]) {
        let mut dropped = dropped.iter().peekable();
        let kept: Vec<usize> =
            (0..self.label.len()).filter(|row| dropped.next_if(|&d| d == row).is_none()).collect();
        let label = self.label.as_slice();
        self.label = kept.iter().map(|&row| label[row]).collect::<Vec<_>>().into();
        self.quotes = self.quotes.select(&kept);
    }
}

#[cfg(test)]
mod tests;
