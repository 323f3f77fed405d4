//! The data contract of one bar series: every class of defect, found in one pass and reported together.

use super::bars::RawBars;
use super::calendar::iso;
use super::timeframe::Timeframe;
use crate::{Error, Result};

/// What becomes of rows that repeat their predecessor's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// They are refused.
    #[default]
    Reject,
    /// A row that repeats its predecessor in every field is dropped; others are refused.
    DropIdentical,
}

/// 1900-01-01 and 2201-01-01.
const FIRST_LABEL: i64 = -2_208_988_800_000_000;
const END_OF_LABELS: i64 = 7_289_654_400_000_000;
/// Labels that the contract allows.
pub(super) const YEARS: std::ops::Range<i64> = FIRST_LABEL..END_OF_LABELS;
const HIGHEST_PRICE: f64 = 1e12;
const SHOWN: usize = 5;

/// Classes of defects; an error carries the code of the first that occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    NotFinite,
    NotPositive,
    TooLarge,
    NegativeVolume,
    PriceOrder,
    LabelRange,
    Unsorted,
    ConflictingDuplicate,
    IdenticalDuplicate,
    Overlap,
}

const DEFECTS: [Defect; 10] = [
    Defect::NotFinite,
    Defect::NotPositive,
    Defect::TooLarge,
    Defect::NegativeVolume,
    Defect::PriceOrder,
    Defect::LabelRange,
    Defect::Unsorted,
    Defect::ConflictingDuplicate,
    Defect::IdenticalDuplicate,
    Defect::Overlap,
];

impl Defect {
    fn code(self) -> u16 {
        if self == Self::LabelRange { 1003 } else { 1006 }
    }

    fn what(self) -> &'static str {
        match self {
            Self::NotFinite => "with a NaN or infinite value",
            Self::NotPositive => "with a price of 0 or less",
            Self::TooLarge => "with a price of 1e12 or more",
            Self::NegativeVolume => "with a negative volume",
            Self::PriceOrder => "against low <= open, close <= high",
            Self::LabelRange => "outside the years 1900 to 2200",
            Self::Unsorted => "earlier than the row before",
            Self::ConflictingDuplicate => "with the label of the row before and other values",
            Self::IdenticalDuplicate => "identical to the row before",
            Self::Overlap => "closer to the row before than one bar",
        }
    }

    fn remedy(self, timeframe: Timeframe) -> String {
        match self {
            Self::NotFinite | Self::NotPositive | Self::TooLarge | Self::NegativeVolume => {
                "correct or remove these rows".to_owned()
            }
            Self::PriceOrder => "correct or remove these rows; are the columns the right ones?".to_owned(),
            Self::LabelRange => "wrong epoch unit?".to_owned(),
            Self::Unsorted => "sort the input by time".to_owned(),
            Self::ConflictingDuplicate => "remove the wrong row of each pair".to_owned(),
            Self::IdenticalDuplicate => "set market.duplicates: drop_identical".to_owned(),
            Self::Overlap => format!("wrong timeframe? {timeframe} was given"),
        }
    }

    /// The values of `row` that are at fault.
    fn detail(self, raw: &RawBars, row: usize) -> String {
        let (prices, volume) = raw.values(row);
        let all = [("open", prices[0]), ("high", prices[1]), ("low", prices[2]), ("close", prices[3])];
        let first = |bad: fn(f64) -> bool| {
            let mut named = all.into_iter().chain([("volume", volume)]);
            named.find(|&(_, x)| bad(x)).map_or_else(String::new, |(name, x)| format!("{name} {x:?}"))
        };
        match self {
            Self::NotFinite => first(|x| !x.is_finite()),
            Self::NotPositive => first(|x| x <= 0.0),
            Self::TooLarge => first(|x| x >= HIGHEST_PRICE),
            Self::NegativeVolume => format!("volume {volume:?}"),
            Self::PriceOrder => all.map(|(name, x)| format!("{name} {x:?}")).join(" "),
            Self::LabelRange => format!("{} us", raw.label[row]),
            Self::Unsorted | Self::ConflictingDuplicate | Self::IdenticalDuplicate | Self::Overlap => {
                format!("after {}", iso(raw.label[row - 1]))
            }
        }
    }
}

/// Number of rows of each class, and the first of them.
#[derive(Default)]
struct Findings {
    counts: [usize; DEFECTS.len()],
    rows: [Vec<usize>; DEFECTS.len()],
}

impl Findings {
    fn add(&mut self, defect: Defect, row: usize) {
        let class = defect as usize;
        self.counts[class] += 1;
        if self.rows[class].len() < SHOWN {
            self.rows[class].push(row);
        }
    }

    fn into_result(self, raw: &RawBars, name: &str, timeframe: Timeframe) -> Result<()> {
        let mut found = DEFECTS.into_iter().filter(|&d| self.counts[d as usize] > 0);
        let Some(first) = found.next() else { return Ok(()) };
        let others: Vec<String> =
            found.map(|d| format!("{} {} [{}]", rows(self.counts[d as usize]), d.what(), d.code())).collect();
        let mut what = format!("{} {}", rows(self.counts[first as usize]), first.what());
        if !others.is_empty() {
            what = format!("{what} (also: {})", others.join(", "));
        }
        let shown: Vec<String> = self.rows[first as usize]
            .iter()
            .map(|&row| format!("{row} ({}: {})", iso(raw.label[row]), first.detail(raw, row)))
            .collect();
        Err(Error::data(first.code(), what)
            .at(format!("{name}, counted from 0: {}", shown.join(", ")))
            .fix(first.remedy(timeframe)))
    }
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// Checks a series; the result lists the rows to drop, all identical to their predecessor.
///
/// # Errors
/// [1010] if there are no rows, [1011] if the columns differ in length, else the code of the first class of
/// defect that occurs: [1003] labels, [1006] everything else.
pub(super) fn check(
    raw: &RawBars,
    name: &str,
    timeframe: Timeframe,
    duplicates: Duplicates,
) -> Result<Vec<usize>> {
    check_lengths(raw, name)?;
    let n = raw.label.len();
    let (label, open, high, low, close) =
        (&raw.label[..], &raw.open[..n], &raw.high[..n], &raw.low[..n], &raw.close[..n]);
    let volume = raw.volume.as_ref().map(|v| &v[..n]);
    let span = timeframe.micros();
    let mut findings = Findings::default();
    let mut dropped = Vec::new();
    let mut earliest = i64::MIN;
    for i in 0..n {
        let (o, h, l, c) = (open[i], high[i], low[i], close[i]);
        let v = volume.map_or(0.0, |v| v[i]);
        // True only for a sound bar: every comparison with NaN is false.
        let sound = l > 0.0
            && l <= o
            && l <= c
            && o <= h
            && c <= h
            && h < HIGHEST_PRICE
            && (0.0..f64::INFINITY).contains(&v);
        let t = label[i];
        if !sound {
            values([o, h, l, c], v, i, &mut findings);
        }
        if t < earliest || !(FIRST_LABEL..END_OF_LABELS).contains(&t) {
            labels(raw, i, span, duplicates, &mut findings, &mut dropped);
        }
        earliest = t.saturating_add(span);
    }
    findings.into_result(raw, name, timeframe)?;
    Ok(dropped)
}

#[cold]
fn values(prices: [f64; 4], volume: f64, row: usize, findings: &mut Findings) {
    let [open, high, low, close] = prices;
    if !prices.iter().all(|x| x.is_finite()) || !volume.is_finite() {
        findings.add(Defect::NotFinite, row);
        return;
    }
    if prices.iter().any(|&x| x <= 0.0) {
        findings.add(Defect::NotPositive, row);
    }
    if prices.iter().any(|&x| x >= HIGHEST_PRICE) {
        findings.add(Defect::TooLarge, row);
    }
    if volume < 0.0 {
        findings.add(Defect::NegativeVolume, row);
    }
    if !(low <= open.min(close) && open.max(close) <= high) {
        findings.add(Defect::PriceOrder, row);
    }
}

#[cold]
fn labels(
    raw: &RawBars,
    row: usize,
    span: i64,
    duplicates: Duplicates,
    findings: &mut Findings,
    dropped: &mut Vec<usize>,
) {
    let label = raw.label[row];
    if !(FIRST_LABEL..END_OF_LABELS).contains(&label) {
        findings.add(Defect::LabelRange, row);
    }
    if row == 0 {
        return;
    }
    let before = raw.label[row - 1];
    if label < before {
        findings.add(Defect::Unsorted, row);
    } else if label > before {
        if label < before.saturating_add(span) {
            findings.add(Defect::Overlap, row);
        }
    } else if raw.values(row) != raw.values(row - 1) {
        findings.add(Defect::ConflictingDuplicate, row);
    } else if duplicates == Duplicates::Reject {
        findings.add(Defect::IdenticalDuplicate, row);
    } else {
        dropped.push(row);
    }
}

fn check_lengths(raw: &RawBars, name: &str) -> Result<()> {
    let n = raw.label.len();
    let prices = [("open", &raw.open), ("high", &raw.high), ("low", &raw.low), ("close", &raw.close)];
    let columns = prices.into_iter().chain(raw.volume.as_ref().map(|v| ("volume", v)));
    for (column, values) in columns {
        if values.len() != n {
            return Err(Error::data(1011, format!("{n} labels, but {} values of {column}", values.len()))
                .at(name.to_owned())
                .fix("give columns of one length"));
        }
    }
    if n == 0 {
        return Err(Error::data(1010, "there are no rows").at(name.to_owned()).fix("give at least one bar"));
    }
    Ok(())
}
