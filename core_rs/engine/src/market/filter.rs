//! Rows outside the trading week of currencies, left out on request.

use std::ops::Range;

use super::buckets::leading;
use super::calendar::{DAY, since_monday};
use super::day::Day;
use super::options::Options;
use crate::{Column, Error, Result};

/// Which rows of bars and ticks are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// All.
    #[default]
    None,
    /// Those from Monday 07:00 up to Saturday 07:00, Sydney time, exclusively.
    FxWeek,
}

impl Filter {
    /// The option `filter`.
    ///
    /// # Errors
    /// [1001] another word, [1004] no text.
    pub(super) fn read(options: &mut Options) -> Result<Self> {
        let words = [("none", Self::None), ("fx_week", Self::FxWeek)];
        Ok(options.choice("filter", &words)?.unwrap_or_default())
    }

    /// The rows that are kept of these times, which never decrease, if any is left out.
    ///
    /// # Errors
    /// [1010] if none is kept; [1001] never, the zone is compiled in.
    pub(super) fn apply(self, time: &[i64], name: &str) -> Result<Option<Kept>> {
        if self == Self::None {
            return Ok(None);
        }
        let kept = Kept(fx_weeks(time)?);
        match kept.len() {
            0 => Err(Error::data(1010, format!("none of {} rows lies in the FX week", time.len()))
                .at(name.to_owned())
                .fix("give other data, or set market.filter: none")),
            all if all == time.len() => Ok(None),
            _ => Ok(Some(kept)),
        }
    }
}

/// Rows to keep, as ascending ranges.
pub(super) struct Kept(Vec<Range<usize>>);

impl Kept {
    /// How many rows they are.
    pub fn len(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    /// A copy of these rows of a column.
    pub fn of<T: Copy + Send + Sync>(&self, column: &Column<T>) -> Column<T> {
        let values = column.as_slice();
        let mut kept = Vec::with_capacity(self.len());
        self.0.iter().for_each(|rows| kept.extend_from_slice(&values[rows.clone()]));
        kept.into()
    }
}

/// The rows in trading weeks. The zone is asked once per week, not per row.
fn fx_weeks(time: &[i64]) -> Result<Vec<Range<usize>>> {
    let days = Day::new("Australia/Sydney", 7)?;
    let mut weeks = Vec::new();
    let (mut row, mut inside) = (0, 0);
    while row < time.len() {
        let date = days.date(time[row]);
        let monday = date - since_monday(date * DAY) / DAY;
        let (close, next) = (days.start(monday + 5), days.start(monday + 7));
        inside = leading(&time[row..], inside, |t| t < close);
        if inside > 0 {
            weeks.push(row..row + inside);
        }
        row += inside;
        row += leading(&time[row..], 0, |t| t < next);
    }
    Ok(weeks)
}

#[cfg(test)]
mod tests;
