//! Higher timeframes: which there are above a primary one, and the clock buckets of their bars.

use super::calendar::{DAY, iso, since_monday};
use super::day::Day;
use super::timeframe::{Timeframe, Unit};
use crate::{Error, Result};

/// Counts of each unit that are higher timeframes.
const HIGHER: [(Unit, &[i64]); 4] = [
    (Unit::Minutes, &[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30]),
    (Unit::Hours, &[1, 2, 3, 4, 6, 8, 12]),
    (Unit::Days, &[1]),
    (Unit::Weeks, &[1]),
];
/// How many there are.
pub(super) const COUNT: usize = 20;

/// All higher timeframes, shortest first.
fn all() -> impl Iterator<Item = Timeframe> {
    HIGHER.into_iter().flat_map(|(unit, counts)| counts.iter().map(move |&n| Timeframe::of(unit, n)))
}

/// Place of a timeframe in the list of higher ones.
pub(super) fn place(timeframe: Timeframe) -> Option<usize> {
    all().position(|t| t == timeframe)
}

/// Whether bars of `timeframe` can be made of `primary` ones.
fn is_above(timeframe: Timeframe, primary: Timeframe) -> bool {
    let (long, short) = (timeframe.micros(), primary.micros());
    let clock = matches!(timeframe.unit(), Unit::Minutes | Unit::Hours);
    long > short && if clock { long % short == 0 } else { DAY % short == 0 }
}

/// The timeframe of this name, in any case and between blanks, if it is the primary one or above it.
///
/// # Errors
/// [1009] if the text is no timeframe; those of [`allow`].
pub fn named(text: &str, primary: Timeframe) -> Result<Timeframe> {
    let timeframe = text.trim().to_ascii_uppercase().parse()?;
    allow(timeframe, primary)?;
    Ok(timeframe)
}

/// # Errors
/// [1001] if the timeframe is neither the primary one nor a higher one.
pub(super) fn allow(timeframe: Timeframe, primary: Timeframe) -> Result<()> {
    if timeframe == primary || place(timeframe).is_some() && is_above(timeframe, primary) {
        return Ok(());
    }
    let above: Vec<String> = all().filter(|&t| is_above(t, primary)).map(|t| t.to_string()).collect();
    let above = if above.is_empty() { "none".to_owned() } else { above.join(", ") };
    Err(Error::config(1001, format!("{timeframe} is no higher timeframe of {primary}"))
        .fix(format!("higher ones are {above}")))
}

/// The buckets of a timeframe: half-open, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Buckets(Rule);

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Multiples of a length since 1970 in UTC.
    Clock(i64),
    Days(Day),
    Weeks(Day),
}

impl Buckets {
    /// Of a higher timeframe; days and weeks are those of `day`.
    pub fn new(timeframe: Timeframe, day: Day) -> Self {
        Self(match timeframe.unit() {
            Unit::Minutes | Unit::Hours => Rule::Clock(timeframe.micros()),
            Unit::Days => Rule::Days(day),
            Unit::Weeks => Rule::Weeks(day),
        })
    }

    /// Start and end of the bucket that contains an instant.
    pub fn containing(&self, instant: i64) -> (i64, i64) {
        match self.0 {
            Rule::Clock(length) => {
                let start = instant - instant.rem_euclid(length);
                (start, start + length)
            }
            Rule::Days(day) => {
                let date = day.date(instant);
                let start = day.start(date);
                // A zone may leave out a whole day, which then is an empty bucket.
                let end = (date + 1..).map(|d| day.start(d)).find(|&t| t > start);
                (start, end.unwrap_or(i64::MAX))
            }
            Rule::Weeks(day) => {
                // The day that contains Monday noon began on Sunday if days start after noon.
                let first = if day.start_hour() > 12 { 6 * DAY } else { 0 };
                let date = day.date(instant);
                let since = (since_monday(date * DAY) - first).rem_euclid(7 * DAY) / DAY;
                (day.start(date - since), day.start(date - since + 7))
            }
        }
    }

    /// Whether an instant is a boundary.
    pub fn starts_at(&self, instant: i64) -> bool {
        self.containing(instant).0 == instant
    }

    /// The days of which these buckets are made; none for minutes and hours.
    pub(super) fn days(&self) -> Option<Self> {
        match self.0 {
            Rule::Clock(_) => None,
            Rule::Days(day) | Rule::Weeks(day) => Some(Self(Rule::Days(day))),
        }
    }
}

/// The buckets that have bars: bounds, and for each the row after its last bar.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub start: Vec<i64>,
    pub end: Vec<i64>,
    pub until: Vec<usize>,
}

impl Filled {
    /// The buckets with bars of these labels, each `bar` long, that are complete when the last one closes.
    pub fn of(label: &[i64], bar: i64, buckets: &Buckets) -> Self {
        let mut filled = Self::default();
        let Some(&last) = label.last() else { return filled };
        let (mut row, mut count) = (0, 0);
        while row < label.len() {
            let (start, end) = buckets.containing(label[row]);
            if end > last + bar {
                break;
            }
            count = leading(&label[row..], count, |t| t < end);
            row += count;
            filled.start.push(start);
            filled.end.push(end);
            filled.until.push(row);
        }
        filled
    }

    /// First row and the row after the last of bucket `k`.
    pub fn rows(&self, k: usize) -> std::ops::Range<usize> {
        let from = if k == 0 { 0 } else { self.until[k - 1] };
        from..self.until[k]
    }
}

/// How many leading labels keep a condition that no later label keeps again.
///
/// The answer of the time before is tried first: most buckets are equally full, and a look at two labels does
/// not wait for memory as a search does. Then the search goes from the front in growing steps.
pub(super) fn leading(label: &[i64], before: usize, keeps: impl Fn(i64) -> bool) -> usize {
    let ends_at = |n: usize| (n == 0 || keeps(label[n - 1])) && (n == label.len() || !keeps(label[n]));
    if before <= label.len() && ends_at(before) {
        return before;
    }
    let mut step = 1;
    while step < label.len() && keeps(label[step - 1]) {
        step *= 2;
    }
    let from = step / 2;
    from + label[from..step.min(label.len())].partition_point(|&t| keeps(t))
}

/// # Errors
/// [1006] if a day begins inside a bar.
pub(super) fn check_days(label: &[i64], bar: i64, days: &Buckets) -> Result<()> {
    let (mut row, mut count, mut found) = (0, 0, Vec::new());
    while row < label.len() {
        let (_, end) = days.containing(label[row]);
        count = leading(&label[row..], count, |t| t < end);
        row += count;
        if label[row - 1] + bar > end {
            found.push(label[row - 1]);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::data(1006, format!("a day begins inside {} primary bars", found.len()))
        .at(first_of(&found))
        .fix("set market.day to a zone and hour at which primary bars begin, or use no D1 and W1"))
}

/// The first of some labels, for a message.
pub(super) fn first_of(label: &[i64]) -> String {
    label.iter().take(5).map(|&t| iso(t)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
