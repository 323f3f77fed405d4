use super::*;
use crate::market::calendar::iso;
use rstest::rstest;

/// 2024-01-01 00:00 UTC, a Monday.
const MONDAY: i64 = 1_704_067_200_000_000;
/// 2024-03-31 and 2024-10-27 00:00 UTC, when the clocks of London change at 01:00.
const SPRING: i64 = 1_711_843_200_000_000;
const AUTUMN: i64 = 1_729_987_200_000_000;

/// The open intervals of `days` days from `from` on as text without the date of the first day.
fn open(windows: &Json, from: i64, days: i64) -> Vec<String> {
    let sessions = Sessions::read(windows).unwrap();
    let text = |t: i64| iso(t)[8..16].replace('T', " ");
    let intervals = sessions.open(from, from + days * DAY);
    intervals.as_slice().iter().map(|&(a, b)| format!("{} to {}", text(a), text(b))).collect()
}

#[test]
fn a_window_past_midnight_is_open_on_both_sides_of_it() {
    let windows = json!([{"start": "22:00", "end": "02:00"}]);
    assert_eq!(open(&windows, MONDAY, 1), ["01 00:00 to 01 02:00", "01 22:00 to 02 00:00"]);
    assert_eq!(open(&windows, MONDAY + DAY / 2, 2), ["01 22:00 to 02 02:00", "02 22:00 to 03 02:00"]);
}

#[test]
fn a_window_past_midnight_belongs_to_the_day_of_its_start() {
    let windows = json!([{"start": "22:00", "end": "02:00", "days": ["fri"]}]);
    assert_eq!(open(&windows, MONDAY, 14), ["05 22:00 to 06 02:00", "12 22:00 to 13 02:00"]);
    let sunday = json!([{"start": "23:00", "end": "23:00", "days": ["sun"]}]);
    assert_eq!(Sessions::read(&sunday).unwrap_err().code, 1001);
    let sunday = json!([{"start": "23:00", "end": "00:30", "days": ["sun"]}]);
    assert_eq!(open(&sunday, MONDAY - DAY / 2, 1), ["31 23:00 to 01 00:30"]);
}

#[rstest]
#[case("00:00", "24:00", &["01 00:00 to 02 00:00"])]
#[case("12:00", "24:00", &["01 12:00 to 02 00:00"])]
#[case("12:00", "00:00", &["01 12:00 to 02 00:00"])]
fn the_end_of_a_day_has_two_names(#[case] start: &str, #[case] end: &str, #[case] expected: &[&str]) {
    assert_eq!(open(&json!([{"start": start, "end": end, "days": ["mon"]}]), MONDAY, 7), expected);
}

#[rstest]
// 01:30 does not exist in spring: the wall clock goes from 01:00 to 02:00.
#[case(SPRING, "00:30", "01:30", &["31 00:30 to 31 01:00"])]
#[case(SPRING, "01:30", "02:30", &["31 01:00 to 31 01:30"])]
#[case(SPRING, "01:10", "01:50", &[])]
#[case(SPRING, "00:30", "03:00", &["31 00:30 to 31 02:00"])]
// In autumn 01:00 to 02:00 comes twice, from 00:00 to 02:00 UTC.
#[case(AUTUMN, "00:30", "01:30", &["26 23:30 to 27 00:30", "27 01:00 to 27 01:30"])]
#[case(AUTUMN, "01:30", "02:30", &["27 00:30 to 27 01:00", "27 01:30 to 27 02:30"])]
#[case(AUTUMN, "01:00", "02:00", &["27 00:00 to 27 02:00"])]
fn the_wall_clock_decides_when_it_is_changed(
    #[case] day: i64,
    #[case] start: &str,
    #[case] end: &str,
    #[case] expected: &[&str],
) {
    let windows = json!([{"start": start, "end": end, "days": ["sun"], "zone": "Europe/London"}]);
    assert_eq!(open(&windows, day - 2 * 3600 * 1_000_000, 1), expected);
}

#[test]
fn days_are_those_of_the_zone() {
    let tokyo = json!([{"start": "08:00", "end": "10:00", "days": ["mon"], "zone": "Asia/Tokyo"}]);
    assert_eq!(open(&tokyo, MONDAY - DAY, 7), ["31 23:00 to 01 01:00"]);
}

#[test]
fn windows_unite() {
    let windows = json!([
        {"start": "08:00", "end": "10:00", "days": ["mon"]},
        {"start": "09:00", "end": "11:00", "days": ["mon"]},
        {"start": "11:00", "end": "12:00", "days": ["mon"]},
    ]);
    assert_eq!(open(&windows, MONDAY, 7), ["01 08:00 to 01 12:00"]);
}

#[rstest]
#[case(json!([{"start": "08:00"}]), 1008, "gates.sessions.0.end")]
#[case(json!([{"start": "08:00", "end": "08:00"}]), 1001, "gates.sessions.0")]
#[case(json!([{"start": "24:00", "end": "08:00"}]), 1001, "gates.sessions.0.start")]
#[case(json!([{"start": "8:00", "end": "09:00"}]), 1009, "gates.sessions.0.start")]
#[case(json!([{"start": "08:00", "end": "24:01"}]), 1009, "gates.sessions.0.end")]
#[case(json!([{"start": "08:00", "end": "09:00", "zone": "London"}]), 1001, "gates.sessions.0.zone")]
#[case(json!([{"start": "08:00", "end": "09:00", "days": ["mo"]}]), 1001, "did you mean mon")]
#[case(json!([{"start": "08:00", "end": "09:00", "days": []}]), 1001, "gates.sessions.0.days")]
#[case(json!([{"start": "08:00", "end": "09:00", "day": []}]), 1001, "did you mean days")]
#[case(json!([{"start": 8, "end": "09:00"}]), 1004, "gates.sessions.0.start")]
#[case(json!({"start": "08:00", "end": "09:00"}), 1004, "gates.sessions")]
#[case(json!([]), 1001, "gates.sessions")]
fn mistakes_are_named(#[case] windows: Json, #[case] code: u16, #[case] mentions: &str) {
    let error = Sessions::read(&windows).unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(mentions), "{error}");
}
