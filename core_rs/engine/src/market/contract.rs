//! The data contract of one bar series: every class of defect, found in one pass and reported together.

use std::ops::Range;

use super::bars::RawBars;
use super::calendar::iso;
use super::defects::{Class, Defect, Findings};
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

/// The words for them.
pub(super) const DUPLICATES: [(&str, Duplicates); 2] =
    [("reject", Duplicates::Reject), ("drop_identical", Duplicates::DropIdentical)];

/// 1900-01-01 and 2201-01-01.
const FIRST_LABEL: i64 = -2_208_988_800_000_000;
const END_OF_LABELS: i64 = 7_289_654_400_000_000;
/// Labels that the contract allows.
pub(super) const YEARS: std::ops::Range<i64> = FIRST_LABEL..END_OF_LABELS;
pub(super) const HIGHEST_PRICE: f64 = 1e12;
/// Rows that are checked together, and one by one only if something is wrong with them.
const BLOCK: usize = 1024;

/// Classes of defects of bars, in the order in which they are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BarDefect {
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

impl Class for BarDefect {
    const ALL: &'static [Self] = &[
        Self::NotFinite,
        Self::NotPositive,
        Self::TooLarge,
        Self::NegativeVolume,
        Self::PriceOrder,
        Self::LabelRange,
        Self::Unsorted,
        Self::ConflictingDuplicate,
        Self::IdenticalDuplicate,
        Self::Overlap,
    ];

    fn place(self) -> usize {
        self as usize
    }

    fn slug(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::NotPositive => "not_positive",
            Self::TooLarge => "too_large",
            Self::NegativeVolume => "negative_volume",
            Self::PriceOrder => "price_order",
            Self::LabelRange => "label_range",
            Self::Unsorted => "unsorted",
            Self::ConflictingDuplicate => "conflicting_duplicate",
            Self::IdenticalDuplicate => "identical_duplicate",
            Self::Overlap => "overlap",
        }
    }

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
}

impl BarDefect {
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

/// What a series has against the contract, and which rows are to be dropped.
pub(super) struct Checked {
    /// Every class that occurs, in the order of the contract.
    pub defects: Vec<Defect>,
    /// Rows that are identical to their predecessor and may go.
    pub dropped: Vec<usize>,
}

/// Checks a series.
///
/// # Errors
/// [1011] if the columns differ in length.
pub(super) fn check(
    raw: &RawBars,
    name: &str,
    timeframe: Timeframe,
    duplicates: Duplicates,
) -> Result<Checked> {
    check_lengths(raw, name)?;
    let n = raw.label.len();
    if n == 0 {
        return Ok(Checked { defects: vec![Defect::no_rows("bar")], dropped: Vec::new() });
    }
    let mut findings = Findings::new();
    let mut dropped = Vec::new();
    let span = timeframe.micros();
    for start in (0..n).step_by(BLOCK) {
        let rows = start..n.min(start + BLOCK);
        if !sound_values(raw, rows.clone()) {
            rows.clone().for_each(|row| values(raw, row, &mut findings));
        }
        if !sound_labels(&raw.label, rows.clone(), span) {
            rows.for_each(|row| labels(raw, row, span, duplicates, &mut findings, &mut dropped));
        }
    }
    let detail = |class: BarDefect, row| class.detail(raw, row);
    let defects = findings.into_defects(&raw.label, detail, |class| class.remedy(timeframe));
    Ok(Checked { defects, dropped })
}

/// Whether all values of these rows keep the contract; without a branch per row, for the compiler to vectorise.
fn sound_values(raw: &RawBars, rows: Range<usize>) -> bool {
    let [open, high, low, close] = [&raw.open, &raw.high, &raw.low, &raw.close].map(|c| &c[rows.clone()]);
    let mut sound = true;
    // Every comparison with NaN is false.
    for (((&o, &h), &l), &c) in open.iter().zip(high).zip(low).zip(close) {
        sound &= (l > 0.0) & (l <= o) & (l <= c) & (o <= h) & (c <= h) & (h < HIGHEST_PRICE);
    }
    if let Some(volume) = &raw.volume {
        for &v in &volume[rows] {
            sound &= (0.0..f64::INFINITY).contains(&v);
        }
    }
    sound
}

/// Whether the labels of these rows lie in the years and each at least `span` after its predecessor.
fn sound_labels(label: &[i64], rows: Range<usize>, span: i64) -> bool {
    let before = rows.start.checked_sub(1).map_or(i64::MIN, |row| label[row].saturating_add(span));
    let label = &label[rows];
    // A difference below 0 is a label out of place: signs are vectorised where comparisons are not. Within the
    // years no difference overflows, and the first ones are negative for every label outside them.
    let mut signs = 0;
    for &t in label {
        signs |= t.wrapping_sub(YEARS.start) | (YEARS.end - 1).wrapping_sub(t);
    }
    for (&t, &next) in label.iter().zip(&label[1..]) {
        signs |= next.wrapping_sub(t).wrapping_sub(span);
    }
    signs >= 0 && label[0] >= before
}

/// Adds what the values of a row have against the contract.
#[cold]
fn values(raw: &RawBars, row: usize, findings: &mut Findings<BarDefect>) {
    let (prices, volume) = raw.values(row);
    if !prices.iter().all(|x| x.is_finite()) || !volume.is_finite() {
        findings.add(BarDefect::NotFinite, row);
        return;
    }
    if prices.iter().any(|&x| x <= 0.0) {
        findings.add(BarDefect::NotPositive, row);
    }
    if prices.iter().any(|&x| x >= HIGHEST_PRICE) {
        findings.add(BarDefect::TooLarge, row);
    }
    if volume < 0.0 {
        findings.add(BarDefect::NegativeVolume, row);
    }
    let [open, high, low, close] = prices;
    if !(low <= open.min(close) && open.max(close) <= high) {
        findings.add(BarDefect::PriceOrder, row);
    }
}

/// Adds what the label of a row has against the contract, beside that of its predecessor.
#[cold]
fn labels(
    raw: &RawBars,
    row: usize,
    span: i64,
    duplicates: Duplicates,
    findings: &mut Findings<BarDefect>,
    dropped: &mut Vec<usize>,
) {
    let label = raw.label[row];
    if !YEARS.contains(&label) {
        findings.add(BarDefect::LabelRange, row);
    }
    if row == 0 {
        return;
    }
    let before = raw.label[row - 1];
    if label < before {
        findings.add(BarDefect::Unsorted, row);
    } else if label > before {
        if label < before.saturating_add(span) {
            findings.add(BarDefect::Overlap, row);
        }
    } else if raw.values(row) != raw.values(row - 1) {
        findings.add(BarDefect::ConflictingDuplicate, row);
    } else if duplicates == Duplicates::Reject {
        findings.add(BarDefect::IdenticalDuplicate, row);
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
    Ok(())
}
