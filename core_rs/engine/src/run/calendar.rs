//! Trading days and periods per year of a market.

use crate::execution::options::CalendarKind;
use crate::market::Timeframe;
use crate::market::calendar::is_continuous;

/// µs per day.
pub const DAY: i64 = 86_400_000_000;

/// Trading days of the traded bars: the same for every trial on a market.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Continuous or business-day.
    pub kind: CalendarKind,
    /// Each trading day with bars, as 00:00 UTC in µs.
    pub dates: Vec<i64>,
    /// Number (1 … n) of the last traded bar of each day.
    pub day_ends: std::sync::Arc<[usize]>,
}

/// Weekday of a day number, 0 = Monday. Day 0, 1970-01-01, was a Thursday.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

const SATURDAY: i64 = 5;

impl Calendar {
    /// Of the labels of the traded bars, ascending; `kind` overrides what they say.
    pub fn new(labels: &[i64], kind: Option<CalendarKind>) -> Self {
        let kind = kind.unwrap_or_else(|| observed_kind(labels));
        let (mut dates, mut day_ends): (Vec<i64>, Vec<usize>) = (Vec::new(), Vec::new());
        for (i, label) in labels.iter().enumerate() {
            let date = trading_day(label.div_euclid(DAY), kind) * DAY;
            if dates.last() != Some(&date) {
                dates.push(date);
                day_ends.push(0);
            }
            if let Some(end) = day_ends.last_mut() {
                *end = i + 1;
            }
        }
        Self { kind, dates, day_ends: day_ends.into() }
    }

    /// Trading days per year.
    pub fn days_per_year(&self) -> f64 {
        match self.kind {
            CalendarKind::Continuous => 365.0,
            CalendarKind::BusinessDay => 252.0,
        }
    }

    /// Periods per year of the daily returns.
    #[allow(clippy::cast_precision_loss)]
    pub fn periods_per_year(&self, timeframe: Timeframe) -> f64 {
        let per_year = self.days_per_year();
        let days = timeframe.micros() / DAY;
        if timeframe.to_string().starts_with('W') {
            52.0 / (days / 7) as f64
        } else if days > 1 {
            per_year / days as f64
        } else {
            per_year
        }
    }
}

/// In a business-day market Saturday and Sunday belong to the following Monday.
fn trading_day(day: i64, kind: CalendarKind) -> i64 {
    let past_friday = weekday(day) - SATURDAY;
    if kind == CalendarKind::BusinessDay && past_friday >= 0 { day + 2 - past_friday } else { day }
}

/// What the bars say, where no option does.
fn observed_kind(labels: &[i64]) -> CalendarKind {
    if is_continuous(labels) { CalendarKind::Continuous } else { CalendarKind::BusinessDay }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-01-01, a Monday.
    const MONDAY: i64 = 19_723;

    #[test]
    fn sunday_evening_belongs_to_monday() {
        let labels: Vec<i64> = [4, 6, 7].map(|d| (MONDAY + d) * DAY + 22 * 3_600_000_000).into();
        let calendar = Calendar::new(&labels, None);
        assert_eq!(calendar.kind, CalendarKind::BusinessDay);
        assert_eq!(calendar.dates, [(MONDAY + 4) * DAY, (MONDAY + 7) * DAY]);
        assert_eq!(*calendar.day_ends, [1, 3]);
    }

    #[test]
    fn a_market_with_saturdays_is_continuous() {
        let labels: Vec<i64> = (0..14).map(|d| (MONDAY + d) * DAY).collect();
        let calendar = Calendar::new(&labels, None);
        assert_eq!(calendar.kind, CalendarKind::Continuous);
        assert_eq!(calendar.dates.len(), 14);
    }

    #[test]
    fn long_bars_have_fewer_periods() {
        let calendar = Calendar::new(&[MONDAY * DAY], None);
        for (text, periods) in [("M5", 252.0), ("D1", 252.0), ("D2", 126.0), ("W1", 52.0), ("W2", 26.0)] {
            assert_eq!(calendar.periods_per_year(text.parse().unwrap()), periods, "{text}");
        }
    }
}
