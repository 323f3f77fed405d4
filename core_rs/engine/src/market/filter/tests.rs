//! The trading week in both seasons of Sydney, row by row.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const HOUR: i64 = DAY / 24;
const MINUTE: i64 = HOUR / 60;

fn rows(time: &[i64]) -> Vec<usize> {
    match Filter::FxWeek.apply(time, "rows") {
        Ok(Some(kept)) => {
            let all: Column<i64> = (0..time.len() as i64).collect::<Vec<_>>().into();
            kept.of(&all).iter().map(|&row| row as usize).collect()
        }
        Ok(None) => (0..time.len()).collect(),
        Err(error) => {
            assert_eq!(error.code, 1010, "{error}");
            Vec::new()
        }
    }
}

/// Friday 00:00 UTC of a week, and the UTC hours at which the week closes that day and opens on Sunday.
#[rstest]
#[case::january(1_705_017_600_000_000, 20, 20)] // 2024-01-12
#[case::july(1_720_742_400_000_000, 21, 21)] // 2024-07-12
#[case::clocks_go_back(1_712_275_200_000_000, 20, 21)] // 2024-04-05: Sydney changes on Sunday
#[case::clocks_go_forward(1_728_000_000_000_000, 21, 20)] // 2024-10-04
fn the_week_closes_on_friday_and_opens_on_sunday(#[case] friday: i64, #[case] close: i64, #[case] open: i64) {
    let (close, open) = (friday + close * HOUR, friday + 2 * DAY + open * HOUR);
    let time = [close - 1, close, friday + DAY, open - 1, open, open + DAY];
    assert_eq!(rows(&time), [0, 4, 5]);
}

#[test]
fn without_a_weekend_nothing_is_copied() {
    let monday = 1_705_276_800_000_000;
    let time: Vec<i64> = (0..100).map(|k| monday + k * HOUR).collect();
    assert!(Filter::FxWeek.apply(&time, "rows").unwrap().is_none());
    assert!(Filter::None.apply(&[monday + 5 * DAY], "rows").unwrap().is_none());
}

#[test]
fn a_weekend_alone_is_refused() {
    let saturday = 1_705_104_000_000_000;
    let error = Filter::FxWeek.apply(&[saturday, saturday + HOUR], "x.parquet").err().unwrap();
    assert_eq!((error.code, error.place.as_str()), (1010, "x.parquet"));
    assert!(error.what.contains("none of 2 rows"), "{error}");
}

/// The rule, said of one instant, with the offset asked for that instant.
fn in_the_week(instant: i64) -> bool {
    use chrono::{DateTime, Datelike, Timelike};
    let utc = DateTime::from_timestamp_micros(instant).unwrap();
    let local = utc.with_timezone(&chrono_tz::Australia::Sydney);
    let hours = i64::from(local.weekday().num_days_from_monday()) * 24 + i64::from(local.hour());
    (7..5 * 24 + 7).contains(&hours)
}

proptest! {
    #[test]
    fn every_row_is_judged_by_its_local_time(
        start in 0_i64..2_000_000_000, steps in proptest::collection::vec(0_i64..5_000, 1..300),
    ) {
        let mut at = start * 1_000_000;
        let time: Vec<i64> = steps.iter().map(|step| { at += step * MINUTE; at }).collect();
        let expected: Vec<usize> = (0..time.len()).filter(|&row| in_the_week(time[row])).collect();
        prop_assert_eq!(rows(&time), expected);
    }
}
