//! The data contract of ticks.

use super::calendar::iso;
use super::contract::{HIGHEST_PRICE, YEARS};
use super::defects::{Class, Defect, Findings};
use super::pairing::Crossed;
use super::ticks::RawTicks;
use crate::{Error, Result};

/// Classes of defects of ticks, in the order in which they are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TickDefect {
    NotFinite,
    NotPositive,
    TooLarge,
    NegativeSize,
    Crossed,
    TimeRange,
    Unsorted,
}

impl Class for TickDefect {
    const ALL: &'static [Self] = &[
        Self::NotFinite,
        Self::NotPositive,
        Self::TooLarge,
        Self::NegativeSize,
        Self::Crossed,
        Self::TimeRange,
        Self::Unsorted,
    ];

    fn place(self) -> usize {
        self as usize
    }

    fn slug(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::NotPositive => "not_positive",
            Self::TooLarge => "too_large",
            Self::NegativeSize => "negative_size",
            Self::Crossed => "crossed",
            Self::TimeRange => "time_range",
            Self::Unsorted => "unsorted",
        }
    }

    fn code(self) -> u16 {
        if self == Self::TimeRange { 1003 } else { 1006 }
    }

    fn what(self) -> &'static str {
        match self {
            Self::NotFinite => "with a NaN or infinite value",
            Self::NotPositive => "with a price of 0 or less",
            Self::TooLarge => "with a price of 1e12 or more",
            Self::NegativeSize => "with a negative size",
            Self::Crossed => "with the ask below the bid",
            Self::TimeRange => "outside the years 1900 to 2200",
            Self::Unsorted => "earlier than the row before",
        }
    }
}

impl TickDefect {
    fn remedy(self) -> String {
        match self {
            Self::NotFinite | Self::NotPositive | Self::TooLarge | Self::NegativeSize => {
                "correct or remove these rows"
            }
            Self::Crossed => "set market.crossed: count or clamp",
            Self::TimeRange => "wrong epoch unit?",
            Self::Unsorted => "sort the input by time",
        }
        .to_owned()
    }

    /// The values of `row` that are at fault.
    fn detail(self, raw: &RawTicks, row: usize) -> String {
        let prices = [("bid", raw.bid[row]), ("ask", raw.ask[row])];
        let first = |bad: fn(f64) -> bool| {
            let mut named = prices.into_iter().chain(raw.sizes(row));
            named.find(|&(_, x)| bad(x)).map_or_else(String::new, |(name, x)| format!("{name} {x:?}"))
        };
        match self {
            Self::NotFinite => first(|x| !x.is_finite()),
            Self::NotPositive => first(|x| x <= 0.0),
            Self::TooLarge => first(|x| x >= HIGHEST_PRICE),
            Self::NegativeSize => first(|x| x < 0.0),
            Self::Crossed => prices.map(|(name, x)| format!("{name} {x:?}")).join(" "),
            Self::TimeRange => format!("{} us", raw.time[row]),
            Self::Unsorted => format!("after {}", iso(raw.time[row - 1])),
        }
    }
}

/// Every class of defect that occurs, in the order of the contract. Crossed ticks are one only under
/// [`Crossed::Reject`].
///
/// # Errors
/// [1011] if the columns differ in length.
pub(super) fn check(raw: &RawTicks, name: &str, crossed: Crossed) -> Result<Vec<Defect>> {
    check_lengths(raw, name)?;
    let n = raw.time.len();
    if n == 0 {
        return Ok(vec![Defect::no_rows("tick")]);
    }
    let (time, bid, ask) = (&raw.time[..], &raw.bid[..n], &raw.ask[..n]);
    let [bid_size, ask_size] = [&raw.bid_size, &raw.ask_size].map(|size| size.as_ref().map(|s| &s[..n]));
    let sized = |size: Option<&[f64]>, i: usize| size.is_none_or(|s| (0.0..f64::INFINITY).contains(&s[i]));
    let mut findings = Findings::new();
    let reject = crossed == Crossed::Reject;
    let mut before = i64::MIN;
    for i in 0..n {
        let (b, a, t) = (bid[i], ask[i], time[i]);
        // True only for sound prices: every comparison with NaN is false.
        let sound = b > 0.0 && b < HIGHEST_PRICE && a > 0.0 && a < HIGHEST_PRICE;
        if !(sound && sized(bid_size, i) && sized(ask_size, i)) || (reject && a < b) {
            values(raw, reject, i, &mut findings);
        }
        if t < before || !YEARS.contains(&t) {
            times(t, before, i, &mut findings);
        }
        before = t;
    }
    Ok(findings.into_defects(time, |class: TickDefect, row| class.detail(raw, row), TickDefect::remedy))
}

#[cold]
fn values(raw: &RawTicks, reject: bool, row: usize, findings: &mut Findings<TickDefect>) {
    let prices = [raw.bid[row], raw.ask[row]];
    let sizes = || raw.sizes(row).map(|(_, size)| size);
    if !prices.into_iter().chain(sizes()).all(f64::is_finite) {
        findings.add(TickDefect::NotFinite, row);
        return;
    }
    if prices.iter().any(|&x| x <= 0.0) {
        findings.add(TickDefect::NotPositive, row);
    }
    if prices.iter().any(|&x| x >= HIGHEST_PRICE) {
        findings.add(TickDefect::TooLarge, row);
    }
    if sizes().any(|x| x < 0.0) {
        findings.add(TickDefect::NegativeSize, row);
    }
    if reject && prices[1] < prices[0] {
        findings.add(TickDefect::Crossed, row);
    }
}

#[cold]
fn times(time: i64, before: i64, row: usize, findings: &mut Findings<TickDefect>) {
    if !YEARS.contains(&time) {
        findings.add(TickDefect::TimeRange, row);
    }
    if time < before {
        findings.add(TickDefect::Unsorted, row);
    }
}

pub(super) fn check_lengths(raw: &RawTicks, name: &str) -> Result<()> {
    let n = raw.time.len();
    let sizes = [("bid_size", &raw.bid_size), ("ask_size", &raw.ask_size)];
    let sizes = sizes.into_iter().filter_map(|(name, column)| Some((name, column.as_ref()?)));
    for (column, values) in [("bid", &raw.bid), ("ask", &raw.ask)].into_iter().chain(sizes) {
        if values.len() != n {
            return Err(Error::data(1011, format!("{n} times, but {} values of {column}", values.len()))
                .at(name.to_owned())
                .fix("give columns of one length"));
        }
    }
    Ok(())
}
