//! The prices and volumes of one side of a market.

use std::iter::repeat_n;
use std::ops::Range;

use crate::schema::{Digest, TableHasher, schema};
use crate::{Column, Error, Result};

/// Bid or ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// Bid prices.
    Bid,
    /// Ask prices.
    Ask,
}

/// A column of [`Quotes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Open prices.
    Open,
    /// High prices.
    High,
    /// Low prices.
    Low,
    /// Close prices.
    Close,
    /// Volumes.
    Volume,
}

/// Prices and volume of bid or ask, row by row beside the market's labels.
#[derive(Debug, Clone)]
pub struct Quotes {
    /// Open prices.
    pub open: Column<f64>,
    /// High prices.
    pub high: Column<f64>,
    /// Low prices.
    pub low: Column<f64>,
    /// Close prices.
    pub close: Column<f64>,
    /// Volumes.
    pub volume: Column<f64>,
}

impl Quotes {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// One column.
    pub fn field(&self, field: Field) -> &Column<f64> {
        match field {
            Field::Open => &self.open,
            Field::High => &self.high,
            Field::Low => &self.low,
            Field::Close => &self.close,
            Field::Volume => &self.volume,
        }
    }

    /// All columns with their names, in the order of tables.
    pub fn columns(&self) -> [(&'static str, &Column<f64>); 5] {
        [
            ("open", &self.open),
            ("high", &self.high),
            ("low", &self.low),
            ("close", &self.close),
            ("volume", &self.volume),
        ]
    }

    /// Open, high, low and close.
    pub fn prices(&self) -> [&[f64]; 4] {
        [&self.open, &self.high, &self.low, &self.close]
    }

    /// The same memory, restricted to these rows.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        self.map(|column| column.slice(rows.clone()))
    }

    /// A copy of these rows, in this order.
    #[must_use]
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        self.map(|column| {
            let values = column.as_slice();
            rows.iter().map(|&row| values[row]).collect::<Vec<_>>().into()
        })
    }

    /// The same volumes with other prices; `price` gets each price column.
    pub(super) fn with_prices(&self, price: impl Fn(usize, &[f64]) -> Vec<f64>) -> Self {
        Self {
            open: price(0, &self.open).into(),
            high: price(1, &self.high).into(),
            low: price(2, &self.low).into(),
            close: price(3, &self.close).into(),
            volume: self.volume.clone(),
        }
    }

    /// # Errors
    /// [1011] if a column does not have `rows` rows.
    pub(super) fn check_lengths(&self, rows: usize, side: &str) -> Result<()> {
        for (name, column) in self.columns() {
            if column.len() != rows {
                let what = format!("{rows} labels, but {} values of {side} {name}", column.len());
                return Err(Error::data(1011, what).fix("give columns of one length"));
            }
        }
        Ok(())
    }

    /// Digest of the `ohlcv` table of these quotes.
    pub fn digest(&self, label: &[i64]) -> Digest {
        self.digest_after(Self::hash_labels(label), 0.0)
    }

    /// The hash of an `ohlcv` table up to its labels, which both sides of a market have in common.
    pub(super) fn hash_labels(label: &[i64]) -> TableHasher {
        let schema = schema("ohlcv").expect("a schema of the registry");
        let mut table = TableHasher::new(schema, label.len());
        table.timestamps(label.iter().copied());
        table
    }

    /// Digest of the `ohlcv` table of these quotes with all prices raised by `spread`.
    pub(super) fn digest_after(&self, mut table: TableHasher, spread: f64) -> Digest {
        for column in self.prices() {
            table.floats(column.iter().map(|price| price + spread));
        }
        table.floats(self.volume.iter().copied());
        table.bools(repeat_n(true, self.len()));
        table.finish()
    }

    /// Whether all columns are the very memory of the other's.
    pub(super) fn is_same_memory(&self, other: &Self) -> bool {
        let pairs = self.columns().into_iter().zip(other.columns());
        pairs.into_iter().all(|((_, a), (_, b))| std::ptr::eq(a.as_slice(), b.as_slice()))
    }

    pub(super) fn map(&self, change: impl Fn(&Column<f64>) -> Column<f64>) -> Self {
        Self {
            open: change(&self.open),
            high: change(&self.high),
            low: change(&self.low),
            close: change(&self.close),
            volume: change(&self.volume),
        }
    }
}
